#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "agents/formats/resource_csv.h"

namespace lianxi::formats {
namespace {

constexpr double kHalfMetre = 0.5;

double metres(LonLat a, LonLat b) {
  constexpr double kMetresPerDegree = 111320;
  const double x = (a.lon - b.lon) * std::cos(a.lat * std::numbers::pi / 180);
  return std::hypot(x, a.lat - b.lat) * kMetresPerDegree;
}

// Published by the coordtransform library for the same point.
TEST(Gcj02, AKnownPointInBeijing) {
  const LonLat shifted = to_gcj02({116.404, 39.915});
  EXPECT_NEAR(shifted.lon, 116.41024449916938, 1e-9);
  EXPECT_NEAR(shifted.lat, 39.91640428150164, 1e-9);
  EXPECT_LT(metres(from_gcj02({116.41024449916938, 39.91640428150164}), {116.404, 39.915}), kHalfMetre);
}

TEST(Gcj02, EveryPointOfTheFourProvincesComesBackWithinHalfAMetre) {
  for (double lon = 113; lon <= 123; lon += 0.37) {
    for (double lat = 23; lat <= 35; lat += 0.41) {
      const LonLat point{lon, lat};
      const double shift_m = metres(point, to_gcj02(point));
      EXPECT_GT(shift_m, 50);
      EXPECT_LT(shift_m, 1500);
      EXPECT_LT(metres(from_gcj02(to_gcj02(point)), point), kHalfMetre);
    }
  }
}

TEST(Gcj02, OutsideChinaNothingMoves) {
  const LonLat berlin{13.4, 52.5};
  EXPECT_EQ(to_gcj02(berlin), berlin);
  EXPECT_EQ(from_gcj02(berlin), berlin);
}

}  // namespace
}  // namespace lianxi::formats
