#include "broker/store/map_area.h"

#include "broker/store/read_view.h"
#include "broker/store/spot_boxes.h"

namespace lianxi::store {

namespace {

DegreeBox box_of_circle(const Circle& circle) {
  const std::vector<Box> boxes = boxes_around(circle.centre, circle.radius_m);
  const Box& first = boxes.front();
  if (boxes.size() == 1) return {first.west, first.south, first.east, first.north};
  return {-180, first.south, 180, first.north};  // across the date line
}

bool within(const Circle& circle, const LonLat& point) {
  return geodesic_m(circle.centre, point) <= circle.radius_m;
}

// Along a straight side the distance falls and rises again.
bool side_within(const LonLat& a, const LonLat& b, const Circle& circle) {
  constexpr int kSteps = 40;
  const auto distance = [&](double t) {
    return geodesic_m(circle.centre, {a.lon + (b.lon - a.lon) * t, a.lat + (b.lat - a.lat) * t});
  };
  double low = 0, high = 1;
  for (int step = 0; step < kSteps; ++step) {
    const double left = low + (high - low) / 3, right = high - (high - low) / 3;
    const double at_left = distance(left), at_right = distance(right);
    if (std::min(at_left, at_right) <= circle.radius_m) return true;
    (at_left < at_right ? high : low) = at_left < at_right ? right : left;
  }
  return false;
}

bool circle_meets(const Circle& circle, std::span<const LonLat> ring) {
  const DegreeBox box = box_of_circle(circle);
  if (!box.meets(box_of(ring))) return false;
  if (in_ring(ring, circle.centre)) return true;
  for (std::size_t i = 0; i + 1 < ring.size(); ++i) {
    if (within(circle, ring[i])) return true;
    if (box_of(ring[i], ring[i + 1]).meets(box) && side_within(ring[i], ring[i + 1], circle)) return true;
  }
  return false;
}

void add_box(DegreeBox& to, const DegreeBox& box) {
  to = {std::min(to.west, box.west), std::min(to.south, box.south), std::max(to.east, box.east), std::max(to.north, box.north)};
}

template <class T>
void add_once(std::vector<T>& to, const T& item) {
  if (std::ranges::find(to, item) == to.end()) to.push_back(item);
}

}  // namespace

DegreeBox MapArea::box() const {
  DegreeBox all{181, 91, -181, -91};
  for (const auto& polygon : polygons) add_box(all, box_of(polygon));
  for (const Circle& circle : circles) add_box(all, box_of_circle(circle));
  return all;
}

bool MapArea::holds(const LonLat& point) const {
  for (const auto& polygon : polygons)
    if (box_of(polygon).holds(point) && in_ring(polygon, point)) return true;
  for (const Circle& circle : circles)
    if (box_of_circle(circle).holds(point) && within(circle, point)) return true;
  return false;
}

bool MapArea::meets(std::span<const LonLat> ring) const {
  for (const auto& polygon : polygons)
    if (rings_meet(polygon, ring)) return true;
  for (const Circle& circle : circles)
    if (circle_meets(circle, ring)) return true;
  return false;
}

MapArea area_of(const LonLatBox& box) {
  MapArea area;
  area.polygons = {
      {{box.west, box.south}, {box.east, box.south}, {box.east, box.north}, {box.west, box.north}, {box.west, box.south}}};
  return area;
}

MapArea area_of(const Alert& alert) {
  MapArea area;
  for (const AlertInfo& info : alert.infos)
    for (const AlertArea& shapes : info.areas) {
      for (const auto& polygon : shapes.polygons) add_once(area.polygons, polygon);
      for (const Circle& circle : shapes.circles) add_once(area.circles, circle);
      for (const NameValue& code : shapes.geocodes)
        if (auto place = PlaceCode::parse(code.value)) add_once(area.places, *place);
    }
  return area;
}

}  // namespace lianxi::store
