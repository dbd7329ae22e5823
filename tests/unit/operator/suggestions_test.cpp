#include "agents/operator/suggestions.h"

#include <gtest/gtest.h>

namespace lianxi::cli {
namespace {

ResourceRow row(const char* id, double km, std::int64_t free, ResourceState state = ResourceState::available) {
  ResourceRow row;
  row.id = id;
  row.distance_m = km * 1000;
  row.free_milli = free * 1000;
  row.state = state;
  return row;
}
Need need(const char* what, std::int64_t quantity) {
  return {std::nullopt, what, quantity * 1000, ""};
}
std::vector<std::string> ids(const Coverage& coverage) {
  std::vector<std::string> out;
  for (const Suggestion& pick : coverage.picks)
    out.push_back(pick.resource.id + " " + std::to_string(pick.quantity_milli / 1000));
  return out;
}

TEST(Suggestions, TheNearestThatIsFreeComesFirstUntilTheNeedIsCovered) {
  const Coverage coverage = cover(
      {need("hazmat", 2)}, {{row("busy", 5, 0, ResourceState::deployed), row("a", 10, 1), row("b", 20, 1), row("c", 30, 1)}});
  EXPECT_EQ(ids(coverage), (std::vector<std::string>{"a 1", "b 1"}));
  EXPECT_EQ(coverage.picks[0].passed_over, 1U);
  EXPECT_EQ(coverage.lacking_milli, (std::vector<std::int64_t>{0}));
}

TEST(Suggestions, WhatLacksIsSaid) {
  const Coverage coverage = cover({need("respirator", 500)}, {{row("a", 10, 180), row("b", 20, 200)}});
  EXPECT_EQ(ids(coverage), (std::vector<std::string>{"a 180", "b 200"}));
  EXPECT_EQ(coverage.lacking_milli, (std::vector<std::int64_t>{120'000}));
}

TEST(Suggestions, WhatOneNeedTakesIsNotTakenTwice) {
  const ResourceRow both = row("both", 10, 3);
  const Coverage coverage = cover({need("hazmat", 2), need("foam", 2)}, {{both}, {both, row("far", 50, 5)}});
  EXPECT_EQ(ids(coverage), (std::vector<std::string>{"both 2", "both 1", "far 1"}));
}

TEST(Suggestions, ArrivalGrowsWithTheWayAndBeginsWithTheTurnOut) {
  EXPECT_EQ(arrives_in_ms(0), kTurnOut_ms);
  EXPECT_EQ(arrives_in_ms(50'000) - kTurnOut_ms, 84 * 60'000) << "50 km by air are 70 on the road, at 50 km/h";
}

}  // namespace
}  // namespace lianxi::cli
