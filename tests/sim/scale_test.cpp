// The mesh that is measured, small.
#include "tests/sim/scale.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/sim/folder.h"

namespace lianxi::sim {
namespace {

TEST(ScaleTest, EachMemberIsSentAnEventOnceAndAllHoldAllBehindACut) {
  ScaleOptions options;
  options.members = 5;
  options.events = 60;
  const ScaleResult found = measure_scale(options);
  ASSERT_EQ(found.failure, "");
  EXPECT_GE(found.events, 50U);
  EXPECT_DOUBLE_EQ(found.copies, 1);
  EXPECT_GE(found.flash_to_each.p50, kScaleDelayLowMs);
  EXPECT_LE(found.flash_to_all.p50, 10 * kScaleDelayHighMs);
  EXPECT_GT(found.behind_the_cut, 0U);
  EXPECT_GT(found.heal_ms, 0);
  EXPECT_GT(found.idle_bytes_per_link_second, 0);
  EXPECT_GT(found.payload_bytes_per_event, 100);
}

TEST(ScaleTest, AMeshIsRepeatableByItsSeed) {
  ScaleOptions options;
  options.events = 20;
  const ScaleResult one = measure_scale(options), other = measure_scale(options);
  EXPECT_EQ(one.heal_ms, other.heal_ms);
  EXPECT_EQ(one.idle_bytes_per_link_second, other.idle_bytes_per_link_second);
  EXPECT_EQ(one.other_to_all.most, other.other_to_all.most);
}

TEST(ScaleTest, TheFileHoldsTheFiguresOfEachSize) {
  const Folder folder;
  const std::string path = folder.path() + "/mesh.json";
  ScaleOptions options;
  options.events = 40;
  ASSERT_EQ(run_scale({4, 10}, options, path), 0);
  std::ifstream file(path);
  const auto found = nlohmann::json::parse(file);
  ASSERT_EQ(found["sizes"].size(), 2U);
  for (const auto& size : found["sizes"]) {
    const std::size_t members = size["members"];
    EXPECT_EQ(size["links"], members * (members - 1));
    EXPECT_LE(size["copies_per_event_and_member"], 1.1);
    EXPECT_GT(size["ms_from_heal_to_all_equal"], 0);
    for (const char* lane : {"flash", "others"}) {
      EXPECT_GE(size["ms_to_all_members"][lane]["p50"], size["ms_to_each_member"][lane]["p50"]);
      EXPECT_GE(size["ms_to_all_members"][lane]["max"], size["ms_to_all_members"][lane]["p99"]);
    }
    for (const char* figure :
         {"delivered_bytes_per_event_and_member", "idle_bytes_per_link_second", "idle_bytes_per_member_second",
          "idle_messages_per_member_second", "events_behind_the_cut", "cpu_us_per_event_and_member"})
      EXPECT_GT(size.at(figure), 0) << figure;
    EXPECT_TRUE(size.contains("memory_per_member_mb"));
  }
}

}  // namespace
}  // namespace lianxi::sim
