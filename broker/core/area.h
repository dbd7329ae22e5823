// Where events lie, for filters by area. Borders are straight in degrees of longitude and latitude, circles are geodesic.
// What only touches lies in it. No area may cross the date line.
#pragma once

#include "schemas/limits.h"
#include "schemas/protocol.h"
#include "schemas/rings.h"

namespace lianxi::core {

// An event too finely drawn to be judged by so many comparisons counts as met: better one too many than a broker held up.
inline constexpr std::size_t kMaxAreaTests = 200'000;  // about a millisecond
// Of all areas that one agent follows by, a circle counting as kCirclePoints: each event is compared with all of them.
inline constexpr std::size_t kMaxAreaPointsOfAgent = 4'096;
inline constexpr std::size_t kCirclePoints = 50;  // a geodesic takes as long as so many comparisons
static_assert(kMaxAreaPoints + kCirclePoints <= kMaxAreaPointsOfAgent);

[[nodiscard]] std::size_t points_of(const std::optional<FilterArea>& area);

// What a body says of where it is, for any number of areas.
struct Whereabouts {
  std::optional<LonLat> point;
  std::vector<Circle> circles;
  std::vector<std::vector<LonLat>> polygons;
  std::vector<DegreeBox> boxes;  // of the polygons
  [[nodiscard]] bool none() const { return !point && circles.empty() && polygons.empty(); }
};
[[nodiscard]] Whereabouts whereabouts_of(const Body& body);

// A filter's area, made ready for many events. A value.
class Area {
 public:
  explicit Area(FilterArea area);

  // True if a position, polygon or circle that the body carries lies in the area or touches it. False without any.
  // Adds to `tests` the comparisons that it took.
  [[nodiscard]] bool meets(const Whereabouts& where, std::size_t& tests) const;
  [[nodiscard]] bool meets(const Body& body) const;

 private:
  FilterArea area_;
  DegreeBox ring_box_, circle_box_;
};

}  // namespace lianxi::core
