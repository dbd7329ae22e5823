// The mesh that is measured, small.
#include "tests/sim/scale.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace lianxi::sim
