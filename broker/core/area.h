// Where events lie, for filters by area. Borders are straight in degrees of longitude and latitude, circles are geodesic.
// What only touches lies in it. No area may cross the date line.
#pragma once

#include "schemas/protocol.h"

namespace lianxi::core {

// An event too finely drawn to be judged by so many comparisons counts as met: better one too many than a broker held up.
inline constexpr std::size_t kMaxAreaTests = 200'000;  // about a millisecond

struct DegreeBox {
  double west = 0, south = 0, east = 0, north = 0;
  [[nodiscard]] bool meets(const DegreeBox& other) const {
    return west <= other.east && other.west <= east && south <= other.north && other.south <= north;
  }
  [[nodiscard]] bool holds(const LonLat& p) const { return west <= p.lon && p.lon <= east && south <= p.lat && p.lat <= north; }
};

// A filter's area, made ready for many events. A value.
class Area {
 public:
  explicit Area(FilterArea area);

  // True if a position, polygon or circle that the body carries lies in the area or touches it. False without any.
  [[nodiscard]] bool meets(const Body& body) const;

 private:
  FilterArea area_;
  DegreeBox ring_box_, circle_box_;
};

}  // namespace lianxi::core
