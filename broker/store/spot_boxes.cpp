#include "broker/store/spot_boxes.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace lianxi::store {

std::vector<Box> boxes_around(LonLat centre, double radius_m) {
  // The ellipsoid bends most where its radius of curvature is least (6,335 km, along the meridian at the equator), so an
  // angle measured with that radius, and a little more, is never too small.
  constexpr double kLeastRadius_m = 6'335'000;
  constexpr double kSlack = 1.01;
  constexpr double kDegrees = 180 / std::numbers::pi;
  const double angle = radius_m / kLeastRadius_m * kSlack;
  const double south = std::max(centre.lat - angle * kDegrees, -90.0);
  const double north = std::min(centre.lat + angle * kDegrees, 90.0);
  if (south <= -90 || north >= 90) return {{-180, 180, south, north}};
  const double sine = std::sin(angle) / std::cos(centre.lat / kDegrees);
  if (angle >= std::numbers::pi / 2 || sine >= 1) return {{-180, 180, south, north}};
  const double across = std::asin(sine) * kDegrees * kSlack;
  if (across >= 180) return {{-180, 180, south, north}};
  const double west = centre.lon - across;
  const double east = centre.lon + across;
  if (west < -180) return {{-180, east, south, north}, {west + 360, 180, south, north}};
  if (east > 180) return {{west, 180, south, north}, {-180, east - 360, south, north}};
  return {{west, east, south, north}};
}

}  // namespace lianxi::store
