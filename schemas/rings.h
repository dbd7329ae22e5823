// Closed rings whose sides are straight in degrees of longitude and latitude. What only touches lies in it. No ring may cross
// the date line.
#pragma once

#include <algorithm>
#include <span>

#include "schemas/event.h"

namespace lianxi {

struct DegreeBox {
  double west = 0, south = 0, east = 0, north = 0;
  bool operator==(const DegreeBox&) const = default;
  [[nodiscard]] bool meets(const DegreeBox& other) const {
    return west <= other.east && other.west <= east && south <= other.north && other.south <= north;
  }
  [[nodiscard]] bool holds(const LonLat& p) const { return west <= p.lon && p.lon <= east && south <= p.lat && p.lat <= north; }
};

[[nodiscard]] inline DegreeBox box_of(const LonLat& a, const LonLat& b) {
  return {std::min(a.lon, b.lon), std::min(a.lat, b.lat), std::max(a.lon, b.lon), std::max(a.lat, b.lat)};
}
[[nodiscard]] inline DegreeBox box_of(std::span<const LonLat> ring) {
  if (ring.empty()) return {1, 1, -1, -1};  // holds nothing
  DegreeBox box{ring[0].lon, ring[0].lat, ring[0].lon, ring[0].lat};
  for (const LonLat& p : ring) {
    box.west = std::min(box.west, p.lon);
    box.south = std::min(box.south, p.lat);
    box.east = std::max(box.east, p.lon);
    box.north = std::max(box.north, p.lat);
  }
  return box;
}

// Above 0 if c lies left of the line from a to b, below 0 if right, 0 on it.
[[nodiscard]] inline double turn_of(const LonLat& a, const LonLat& b, const LonLat& c) {
  return (b.lon - a.lon) * (c.lat - a.lat) - (b.lat - a.lat) * (c.lon - a.lon);
}
[[nodiscard]] inline bool on_side(const LonLat& a, const LonLat& b, const LonLat& p) {
  return turn_of(a, b, p) == 0 && box_of(a, b).holds(p);
}
[[nodiscard]] inline bool sides_meet(const LonLat& a, const LonLat& b, const LonLat& c, const LonLat& d) {
  const auto apart = [](double one, double other) { return (one < 0 && other > 0) || (one > 0 && other < 0); };
  if (apart(turn_of(a, b, c), turn_of(a, b, d)) && apart(turn_of(c, d, a), turn_of(c, d, b))) return true;
  return on_side(a, b, c) || on_side(a, b, d) || on_side(c, d, a) || on_side(c, d, b);
}

// In the closed ring or on its border; where it crosses itself, by the even-odd rule.
[[nodiscard]] inline bool in_ring(std::span<const LonLat> ring, const LonLat& p) {
  bool inside = false;
  for (std::size_t i = 0; i + 1 < ring.size(); ++i) {
    const LonLat &a = ring[i], &b = ring[i + 1];
    if (on_side(a, b, p)) return true;
    if ((a.lat > p.lat) != (b.lat > p.lat) && (turn_of(a, b, p) > 0) == (b.lat > a.lat)) inside = !inside;
  }
  return inside;
}

// Whether one holds a point of the other.
[[nodiscard]] inline bool rings_meet(std::span<const LonLat> one, std::span<const LonLat> other) {
  if (one.empty() || other.empty() || !box_of(one).meets(box_of(other))) return false;
  if (in_ring(one, other[0]) || in_ring(other, one[0])) return true;
  for (std::size_t i = 0; i + 1 < other.size(); ++i)
    for (std::size_t j = 0; j + 1 < one.size(); ++j)
      if (sides_meet(other[i], other[i + 1], one[j], one[j + 1])) return true;
  return false;
}

}  // namespace lianxi
