#include <cmath>

#include "agents/formats/cap_scope.h"

namespace lianxi::formats {
namespace {

constexpr std::size_t kMinPolygonPoints = 4;
constexpr double kMetresPerKm = 1000;

// "lat,lon", as CAP writes a point in WGS 84.
std::optional<LonLat> read_point(std::string_view text, const std::string& path, CapNotes& notes) {
  const auto parts = split(text, ',');
  const auto lat = parts.size() == 2 ? number<double>(parts[0]) : std::nullopt;
  const auto lon = parts.size() == 2 ? number<double>(parts[1]) : std::nullopt;
  if (!lat || !lon) {
    notes.refuse(path, "has points of the form lat,lon, not \"" + shortened(text) + "\"");
    return std::nullopt;
  }
  if (std::abs(*lat) > 90 || std::abs(*lon) > 180) {
    notes.refuse(path, "has a point outside the earth, " + shortened(text) +
                           (std::abs(*lat) <= 180 && std::abs(*lon) <= 90 ? ": CAP writes lat,lon, latitude first" : ""));
    return std::nullopt;
  }
  return LonLat{*lon, *lat};
}

std::vector<LonLat> read_polygon(const std::string& text, const std::string& path, CapNotes& notes) {
  std::vector<LonLat> points;
  for (const std::string_view word : words(text)) {
    const auto point = read_point(word, path, notes);
    if (!point) return {};
    points.push_back(*point);
  }
  if (points.size() < kMinPolygonPoints) {
    notes.refuse(path, "has at least 4 points, the last equal to the first; this has " + std::to_string(points.size()));
  } else if (points.front() != points.back()) {
    notes.refuse(path, "is closed: its last point must equal the first");
  }
  return points;
}

Circle read_circle(const std::string& text, const std::string& path, CapNotes& notes) {
  const auto parts = words(text);
  const auto radius_km = parts.size() == 2 ? number<double>(parts[1]) : std::nullopt;
  if (!radius_km || *radius_km < 0) {
    notes.refuse(path, "is a point and a radius in km such as 28.97,118.86 5, not \"" + shortened(text) + "\"");
    return {};
  }
  const auto centre = read_point(parts[0], path, notes);
  return Circle{centre.value_or(LonLat{}), *radius_km * kMetresPerKm};
}

}  // namespace

void read_area(const CapScope& scope, AlertArea& area) {
  scope.check_names({"areaDesc", "altitude", "ceiling"}, {"polygon", "circle", "geocode"});
  area.description = scope.required("areaDesc");
  const auto polygons = scope.texts("polygon");
  for (std::size_t i = 0; i < polygons.size(); ++i) {
    area.polygons.push_back(read_polygon(polygons[i], scope.path("polygon[" + std::to_string(i) + "]"), scope.notes()));
  }
  const auto circles = scope.texts("circle");
  for (std::size_t i = 0; i < circles.size(); ++i) {
    area.circles.push_back(read_circle(circles[i], scope.path("circle[" + std::to_string(i) + "]"), scope.notes()));
  }
  area.geocodes = scope.name_values("geocode");
  area.altitude_ft = scope.decimal("altitude");
  area.ceiling_ft = scope.decimal("ceiling");
  if (area.ceiling_ft && !area.altitude_ft) scope.notes().refuse(scope.path("ceiling"), "needs <altitude>, its lower bound");
}

}  // namespace lianxi::formats
