#include <algorithm>
#include <cmath>

#include "agents/formats/cap_scope.h"

namespace lianxi::formats {
namespace {

constexpr std::size_t kMinPolygonPoints = 4;
constexpr double kMetresPerKm = 1000;
// Every side is held against every other. Beyond this the check is left out with a warning: a finely drawn area is no reason to
// lose an alert, and a document full of such polygons must not hold its reader for minutes.
constexpr std::size_t kMaxCheckedPoints = 2048;

// Above 0 if c lies left of the line from a to b, below 0 if right, 0 on it.
double turn(const LonLat& a, const LonLat& b, const LonLat& c) {
  return (b.lon - a.lon) * (c.lat - a.lat) - (b.lat - a.lat) * (c.lon - a.lon);
}

bool in_box(const LonLat& a, const LonLat& b, const LonLat& p) {
  return std::min(a.lon, b.lon) <= p.lon && p.lon <= std::max(a.lon, b.lon) && std::min(a.lat, b.lat) <= p.lat &&
         p.lat <= std::max(a.lat, b.lat);
}

bool on_side(const LonLat& a, const LonLat& b, const LonLat& p) {
  return turn(a, b, p) == 0 && in_box(a, b, p);
}

// True if the sides a-b and c-d have a point in common.
bool sides_meet(const LonLat& a, const LonLat& b, const LonLat& c, const LonLat& d) {
  const auto apart = [](double one, double other) { return (one < 0 && other > 0) || (one > 0 && other < 0); };
  if (apart(turn(a, b, c), turn(a, b, d)) && apart(turn(c, d, a), turn(c, d, b))) return true;
  return on_side(a, b, c) || on_side(a, b, d) || on_side(c, d, a) || on_side(c, d, b);
}

// True if the closed line meets itself elsewhere than where one side ends and the next begins.
bool meets_itself(std::vector<LonLat> ring) {
  ring.erase(std::unique(ring.begin(), ring.end()), ring.end());
  if (ring.size() < 2) return false;
  const std::size_t sides = ring.size() - 1;
  for (std::size_t i = 0; i < sides; ++i) {
    for (std::size_t j = i + 1; j < sides; ++j) {
      const LonLat &a = ring[i], &b = ring[i + 1], &c = ring[j], &d = ring[j + 1];
      const bool next = j == i + 1;
      const bool around = i == 0 && j == sides - 1;
      // Neighbours share a corner; they meet beyond it only if one runs back along the other.
      if (next && (on_side(a, b, d) || on_side(c, d, a))) return true;
      if (around && (on_side(a, b, c) || on_side(c, d, b))) return true;
      if (!next && !around && sides_meet(a, b, c, d)) return true;
    }
  }
  return false;
}

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
  } else if (points.size() > kMaxCheckedPoints) {
    notes.warn(path, "has " + std::to_string(points.size()) + " points, too many to see whether it crosses itself");
  } else if (meets_itself(points)) {
    notes.refuse(path, "crosses or touches itself: order its points along the border, or give each part a polygon of its own");
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
