// What a question asks about a place on the map: shapes, and codes of places. A value; one resource lies in it or not.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "schemas/queries.h"
#include "schemas/rings.h"

namespace lianxi::store {

struct MapArea {
  std::vector<std::vector<LonLat>> polygons;  // closed
  std::vector<Circle> circles;
  std::vector<PlaceCode> places;  // with all below

  [[nodiscard]] bool has_shapes() const { return !polygons.empty() || !circles.empty(); }
  // Of the shapes: nothing outside lies in them.
  [[nodiscard]] DegreeBox box() const;
  [[nodiscard]] bool holds(const LonLat& point) const;
  [[nodiscard]] bool meets(std::span<const LonLat> ring) const;
};

[[nodiscard]] MapArea area_of(const LonLatBox& box);
// Each polygon and circle, and the codes among the geocodes, of each info: languages repeat them.
[[nodiscard]] MapArea area_of(const Alert& alert);

}  // namespace lianxi::store
