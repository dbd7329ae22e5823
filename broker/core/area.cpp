#include "broker/core/area.h"

#include <GeographicLib/Geodesic.hpp>
#include <algorithm>
#include <cmath>
#include <numbers>

namespace lianxi::core {
namespace {

using Ring = std::vector<LonLat>;

// What is left of one event's comparisons.
class Work {
 public:
  [[nodiscard]] bool spent(std::size_t tests) {
    left_ -= std::min(left_, tests);
    return left_ == 0;
  }
  [[nodiscard]] std::size_t done() const { return kMaxAreaTests - left_; }

 private:
  std::size_t left_ = kMaxAreaTests;
};
constexpr std::size_t kGeodesicTests = kCirclePoints;

double geodesic_m(const LonLat& a, const LonLat& b) {
  double metres = 0;
  GeographicLib::Geodesic::WGS84().Inverse(a.lat, a.lon, b.lat, b.lon, metres);
  return metres;
}

// Never too small: an angle measured with the least radius of curvature (6,335 km, along the meridian at the equator).
DegreeBox box_of(const Circle& circle) {
  constexpr double kLeastRadiusM = 6'335'000;
  constexpr double kSlack = 1.01;
  constexpr double kDegrees = 180 / std::numbers::pi;
  const double angle = circle.radius_m / kLeastRadiusM * kSlack;
  const double south = circle.centre.lat - angle * kDegrees;
  const double north = circle.centre.lat + angle * kDegrees;
  if (angle >= std::numbers::pi / 2 || south <= -90 || north >= 90) return {-180, -90, 180, 90};
  const double sine = std::sin(angle) / std::cos(circle.centre.lat / kDegrees);
  if (sine >= 1) return {-180, south, 180, north};
  const double across = std::asin(sine) * kDegrees * kSlack;
  return {circle.centre.lon - across, south, circle.centre.lon + across, north};
}

// Whether some point of the side lies within `radius_m` of the centre. Along a straight side the distance falls and rises
// again; its least is guessed on a plane, and sought on the ellipsoid where the guess comes near the radius.
bool side_within(const LonLat& a, const LonLat& b, const Circle& circle, Work& work) {
  constexpr double kGuessSlack = 1.5;  // the plane is that good up to the largest radius, and far better at a city's size
  constexpr int kSteps = 32;
  const auto at = [&](double t) { return LonLat{a.lon + (b.lon - a.lon) * t, a.lat + (b.lat - a.lat) * t}; };
  const auto distance = [&](double t) { return geodesic_m(circle.centre, at(t)); };
  const double shrink = std::cos(circle.centre.lat * std::numbers::pi / 180);
  const double dx = (b.lon - a.lon) * shrink, dy = b.lat - a.lat;
  const double px = (circle.centre.lon - a.lon) * shrink, py = circle.centre.lat - a.lat;
  const double length = dx * dx + dy * dy;
  const double guess = length > 0 ? std::clamp((px * dx + py * dy) / length, 0.0, 1.0) : 0.0;
  const double guessed = distance(guess);
  if (guessed <= circle.radius_m || work.spent(kGeodesicTests)) return true;
  if (guessed > circle.radius_m * kGuessSlack || length == 0) return false;
  double low = 0, high = 1;
  for (int step = 0; step < kSteps; ++step) {
    const double left = low + (high - low) / 3, right = high - (high - low) / 3;
    const double at_left = distance(left), at_right = distance(right);
    if (std::min(at_left, at_right) <= circle.radius_m || work.spent(2 * kGeodesicTests)) return true;
    (at_left < at_right ? high : low) = at_left < at_right ? right : left;
  }
  return false;
}

bool meets(const Circle& circle, const Ring& ring, const DegreeBox& ring_box, Work& work) {
  const DegreeBox box = box_of(circle);
  if (work.spent(1)) return true;
  if (!box.meets(ring_box)) return false;
  if (work.spent(2 * ring.size()) || (ring_box.holds(circle.centre) && in_ring(ring, circle.centre))) return true;
  for (std::size_t i = 0; i + 1 < ring.size(); ++i) {
    if (box_of(ring[i], ring[i + 1]).meets(box) && side_within(ring[i], ring[i + 1], circle, work)) return true;
  }
  return false;
}

bool meets(const Ring& one, const DegreeBox& one_box, const Ring& other, const DegreeBox& other_box, Work& work) {
  if (one.empty() || other.empty() || !one_box.meets(other_box)) return false;
  if (work.spent(one.size() + other.size()) || in_ring(one, other[0]) || in_ring(other, one[0])) return true;
  // Neither begins within the other: they meet where a side of one meets a side of the other, or not at all.
  for (std::size_t i = 0; i + 1 < other.size(); ++i) {
    const DegreeBox side = box_of(other[i], other[i + 1]);
    if (!side.meets(one_box)) continue;
    if (work.spent(one.size())) return true;
    for (std::size_t j = 0; j + 1 < one.size(); ++j) {
      if (side.meets(box_of(one[j], one[j + 1])) && sides_meet(other[i], other[i + 1], one[j], one[j + 1])) return true;
    }
  }
  return false;
}

// The area with its boxes, as long as one event is judged.
struct Judge {
  const FilterArea& area;
  const DegreeBox& ring_box;
  const DegreeBox& circle_box;
  Work work = {};

  bool holds(const LonLat& point) {
    if (work.spent(1)) return true;
    if (ring_box.holds(point) && (work.spent(area.ring.size()) || in_ring(area.ring, point))) return true;
    if (!area.circle || !circle_box.holds(point)) return false;
    return work.spent(kGeodesicTests) || geodesic_m(area.circle->centre, point) <= area.circle->radius_m;
  }
  bool meets(const Circle& circle) {
    if (!area.ring.empty() && core::meets(circle, area.ring, ring_box, work)) return true;
    if (!area.circle) return false;
    return work.spent(kGeodesicTests) ||
           geodesic_m(area.circle->centre, circle.centre) <= area.circle->radius_m + circle.radius_m;
  }
  bool meets(const Ring& polygon, const DegreeBox& box) {
    if (work.spent(1) || core::meets(area.ring, ring_box, polygon, box, work)) return true;
    return area.circle && core::meets(*area.circle, polygon, box, work);
  }
  bool meets(const Whereabouts& where) {
    if (where.point && holds(*where.point)) return true;
    if (std::ranges::any_of(where.circles, [&](const Circle& circle) { return meets(circle); })) return true;
    for (std::size_t i = 0; i < where.polygons.size(); ++i)
      if (meets(where.polygons[i], where.boxes[i])) return true;
    return false;
  }
};

}  // namespace

Area::Area(FilterArea area) : area_(std::move(area)), ring_box_(box_of(area_.ring)) {
  if (area_.circle) circle_box_ = box_of(*area_.circle);
}

bool Area::meets(const Whereabouts& where, std::size_t& tests) const {
  Judge judge{area_, ring_box_, circle_box_};
  const bool met = judge.meets(where);
  tests += judge.work.done();
  return met;
}

bool Area::meets(const Body& body) const {
  std::size_t tests = 0;
  return meets(whereabouts_of(body), tests);
}

std::size_t points_of(const std::optional<FilterArea>& area) {
  return area ? area->ring.size() + (area->circle ? kCirclePoints : 0) : 0;
}

Whereabouts whereabouts_of(const Body& body) {
  Whereabouts where;
  if (const auto* report = std::get_if<IncidentReport>(&body)) where.point = report->location;
  if (const auto* resource = std::get_if<Resource>(&body)) where.point = resource->location;
  const auto* alert = std::get_if<Alert>(&body);
  if (alert == nullptr) return where;
  for (const AlertInfo& info : alert->infos)
    for (const AlertArea& shapes : info.areas) {
      where.circles.insert(where.circles.end(), shapes.circles.begin(), shapes.circles.end());
      where.polygons.insert(where.polygons.end(), shapes.polygons.begin(), shapes.polygons.end());
    }
  for (const Ring& polygon : where.polygons) where.boxes.push_back(box_of(polygon));
  return where;
}

}  // namespace lianxi::core
