// Filters by area: what lies in a ring or circle, or touches it.
#include "broker/core/area.h"

#include <gmock/gmock.h>
#include <cmath>

#include "tests/unit/core/core_rig.h"

namespace lianxi::core {
namespace {

// 衢江区, roughly: a square of 0.2 degrees with a notch cut into its eastern side.
const std::vector<LonLat> kDistrict = {{118.8, 28.9},  {119.0, 28.9}, {119.0, 28.98}, {118.9, 29.0},
                                       {119.0, 29.02}, {119.0, 29.1}, {118.8, 29.1},  {118.8, 28.9}};
constexpr LonLat kInside{118.85, 29.0};
constexpr LonLat kInNotch{118.99, 29.0};

Area ring(std::vector<LonLat> points = kDistrict) {
  return Area(FilterArea{std::move(points), std::nullopt});
}
Area circle(LonLat centre, double radius_m) {
  return Area(FilterArea{{}, Circle{centre, radius_m}});
}
Body at(LonLat point) {
  IncidentReport body;
  body.location = point;
  return body;
}
Body warned(std::vector<std::vector<LonLat>> polygons, std::vector<Circle> circles = {}) {
  auto body = std::get<Alert>(alert("a1").body);
  AlertArea area;
  area.polygons = std::move(polygons);
  area.circles = std::move(circles);
  body.infos[0].areas = {AlertArea{}, area};
  return body;
}
std::vector<LonLat> box(double west, double south, double east, double north) {
  return {{west, south}, {east, south}, {east, north}, {west, north}, {west, south}};
}

TEST(Area, AnEventWithoutAPositionIsInNone) {
  EXPECT_FALSE(ring().meets(IncidentReport{}));
  EXPECT_FALSE(ring().meets(Resource{}));
  EXPECT_FALSE(ring().meets(alert("a1").body));
  EXPECT_FALSE(ring().meets(Body{}));
}

TEST(Area, APointLiesInTheRingOrOnItsBorder) {
  EXPECT_TRUE(ring().meets(at(kInside)));
  EXPECT_FALSE(ring().meets(at(kInNotch)));
  EXPECT_TRUE(ring().meets(at({118.9, 29.0})));   // a corner
  EXPECT_TRUE(ring().meets(at({118.8, 28.95})));  // on a side
  EXPECT_TRUE(ring().meets(at({118.85, 28.9})));
  EXPECT_FALSE(ring().meets(at({118.79999, 28.95})));
  Resource team;
  team.location = kInside;
  EXPECT_TRUE(ring().meets(team));
}

TEST(Area, ARayThroughCornersCountsThemOnce) {
  const Area diamond = ring({{118, 29}, {119, 28}, {120, 29}, {119, 30}, {118, 29}});
  EXPECT_TRUE(diamond.meets(at({118.5, 29})));
  EXPECT_FALSE(diamond.meets(at({117.5, 29})));
  EXPECT_FALSE(diamond.meets(at({120.5, 29})));
  EXPECT_FALSE(diamond.meets(at({118.2, 28})));
}

TEST(Area, ACircleIsMeasuredOnTheEllipsoid) {
  // One degree of latitude at 29 degrees north is 110,851 m, one of longitude 97,439 m.
  EXPECT_TRUE(circle({119, 28.5}, 110'900).meets(at({119, 29.5})));
  EXPECT_FALSE(circle({119, 28.5}, 110'800).meets(at({119, 29.5})));
  EXPECT_TRUE(circle({119, 29}, 97'480).meets(at({120, 29})));
  EXPECT_FALSE(circle({119, 29}, 97'400).meets(at({120, 29})));
  EXPECT_TRUE(circle({119, 29}, 0).meets(at({119, 29})));
}

TEST(Area, RingAndCircleTogetherAdmitWhatIsInEither) {
  const Area both(FilterArea{kDistrict, Circle{kInNotch, 500}});
  EXPECT_TRUE(both.meets(at(kInside)));
  EXPECT_TRUE(both.meets(at(kInNotch)));
  EXPECT_FALSE(both.meets(at({118.97, 29.0})));
}

TEST(Area, PolygonsMeetThatCrossTouchOrHoldOneAnother) {
  EXPECT_TRUE(ring().meets(warned({box(118.7, 28.8, 118.81, 28.91)})));      // crosses a corner
  EXPECT_TRUE(ring().meets(warned({box(118.0, 28.0, 120.0, 30.0)})));        // holds the district
  EXPECT_TRUE(ring().meets(warned({box(118.84, 28.99, 118.86, 29.01)})));    // lies within
  EXPECT_TRUE(ring().meets(warned({box(118.7, 28.8, 118.8, 28.9)})));        // shares a corner
  EXPECT_TRUE(ring().meets(warned({box(118.7, 28.95, 118.8, 29.0)})));       // shares part of a side
  EXPECT_TRUE(ring().meets(warned({box(118.7, 29.04, 119.2, 29.05)})));      // crosses without a corner in either
  EXPECT_FALSE(ring().meets(warned({box(118.97, 28.998, 119.2, 29.002)})));  // in the notch
  EXPECT_FALSE(ring().meets(warned({box(119.1, 28.9, 119.2, 29.1)})));
  EXPECT_TRUE(ring().meets(warned({box(119.1, 28.9, 119.2, 29.1), box(118.84, 28.99, 118.86, 29.01)})));  // one of two
}

TEST(Area, ACircleMeetsAPolygonAlsoAcrossASide) {
  EXPECT_TRUE(ring().meets(warned({}, {{kInside, 10}})));
  EXPECT_TRUE(ring().meets(warned({}, {{{118.9, 29.5}, 100'000}})));  // holds the district
  EXPECT_TRUE(ring().meets(warned({}, {{{118.75, 29.05}, 4'900}})));  // 4,872 m west of the side, its corners out of reach
  EXPECT_FALSE(ring().meets(warned({}, {{{118.75, 29.05}, 4'850}})));
  EXPECT_FALSE(ring().meets(warned({}, {{kInNotch, 1'000}})));
  EXPECT_TRUE(circle({118.75, 29.05}, 4'900).meets(warned({kDistrict})));
  EXPECT_FALSE(circle({118.75, 29.05}, 4'850).meets(warned({kDistrict})));
  EXPECT_TRUE(circle({119, 28.5}, 60'000).meets(warned({}, {{{119, 29.5}, 50'900}})));
  EXPECT_FALSE(circle({119, 28.5}, 60'000).meets(warned({}, {{{119, 29.5}, 50'800}})));
}

// A circle that just reaches a long slanted side, against the distance to many points of it.
TEST(Area, TheDistanceToALongSideIsThatOfItsNearestPoint) {
  const LonLat centre{119, 29};
  for (const auto& [a, b] : {std::pair{LonLat{116, 30}, LonLat{123, 34}}, std::pair{LonLat{113, 24}, LonLat{121, 27}},
                             std::pair{LonLat{119.02, 20}, LonLat{119.5, 40}}, std::pair{LonLat{105, 31}, LonLat{130, 31.5}}}) {
    double nearest = 1e9;
    for (double t = 0; t <= 1; t += 1.0 / 4096) {
      const LonLat p{a.lon + (b.lon - a.lon) * t, a.lat + (b.lat - a.lat) * t};
      double low = 0, high = 2e6;  // metres, by halving
      for (int i = 0; i < 40; ++i) {
        const double middle = (low + high) / 2;
        (circle(centre, middle).meets(at(p)) ? high : low) = middle;
      }
      nearest = std::min(nearest, high);
    }
    // A sliver: out along the side and back a hair beside it, away from the centre.
    const double away = a.lat > centre.lat || a.lon > centre.lon ? 1e-9 : -1e-9;
    const std::vector<LonLat> sliver = {a, b, {b.lon, b.lat + away}, a};
    EXPECT_TRUE(circle(centre, nearest * 1.0001 + 1).meets(warned({sliver})));
    EXPECT_FALSE(circle(centre, nearest * 0.999 - 10).meets(warned({sliver})));
  }
}

TEST(Area, ABorderTooFineToBeJudgedCountsAsMetAndCostsLittle) {
  // A comb of 16,000 teeth over the district's box, beside a filter of 1,000 points in between: 16 million comparisons.
  std::vector<LonLat> comb, spiral;
  for (int i = 0; i < 8'000; ++i) {
    comb.push_back({118.8 + i * 1e-5, 28.9});
    comb.push_back({118.8 + i * 1e-5, 28.91});
  }
  comb.push_back(comb.front());
  for (int i = 0; i < 1'000; ++i) {
    const double angle = i * 2 * std::acos(-1) / 1'000;
    spiral.push_back({118.84 + std::cos(angle), 29.0 + std::sin(angle) * (i % 2 == 0 ? 1 : 0.999)});
  }
  spiral.push_back(spiral.front());
  EXPECT_TRUE(ring(spiral).meets(warned({comb})));
}

TEST(Area, WhatItTookIsCounted) {
  std::size_t inside = 0;
  std::size_t far = 0;
  EXPECT_TRUE(ring().meets(whereabouts_of(at(kInside)), inside));
  EXPECT_FALSE(ring().meets(whereabouts_of(at({100, 20})), far));
  EXPECT_GE(inside, kDistrict.size());
  EXPECT_EQ(far, 1U) << "its box tells";
}

TEST(Area, AnAgentsOpenFollowsHaveSoManyPointsOfAreasTogether) {
  CoreRig rig;
  const auto follow = [&](std::uint64_t id, std::size_t points) {
    Follow f;
    f.follow = SessionId{id};
    f.credit_bytes = f.credit_messages = 1000;
    if (points > 0) f.filter.area = FilterArea{std::vector<LonLat>(points, kInside), std::nullopt};
    return lines_of(rig.turn({rig.says(fire(), f)}).sends);
  };
  for (std::uint64_t id = 1; id <= kMaxAreaPointsOfAgent / kMaxAreaPoints; ++id)
    EXPECT_THAT(follow(id, kMaxAreaPoints), testing::IsEmpty());
  EXPECT_THAT(follow(90, 4), testing::ElementsAre("refused too_many_followers filter.area"));
  EXPECT_THAT(follow(91, 0), testing::IsEmpty()) << "without an area there is room";
  (void)rig.turn({rig.says(fire(), Unfollow{SessionId{1}, ""})});
  (void)rig.turn({rig.says(fire(), Unfollow{SessionId{2}, ""})});
  EXPECT_THAT(follow(90, kMaxAreaPoints), testing::IsEmpty());
}

}  // namespace
}  // namespace lianxi::core
