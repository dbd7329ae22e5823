#include <cmath>
#include <numbers>

#include "agents/formats/resource_csv.h"

namespace lianxi::formats {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr double kAxis = 6378245.0;  // Krasovsky 1940, metres
constexpr double kEccentricity2 = 0.00669342162296594323;
constexpr int kMaxSteps = 30;           // each step shrinks the error some hundredfold
constexpr double kCloseEnough = 1e-10;  // degrees

bool outside_china(LonLat p) {
  return p.lon < 72.004 || p.lon > 137.8347 || p.lat < 0.8293 || p.lat > 55.8271;
}

// Two sines over x: heights, then frequencies as parts of pi.
double waves(double x, double a, double b, double p, double q) {
  return (a * std::sin(x * kPi * p) + b * std::sin(x * kPi * q)) * 2.0 / 3.0;
}

// How far GCJ-02 shifts a point, in degrees. The published formula has no closed inverse.
LonLat shift(LonLat p) {
  const double x = p.lon - 105.0;
  const double y = p.lat - 35.0;
  const double common = waves(x, 20.0, 20.0, 6.0, 2.0);
  double lat = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * std::sqrt(std::abs(x)) + common;
  lat += waves(y, 20.0, 40.0, 1.0, 1.0 / 3.0) + waves(y, 160.0, 320.0, 1.0 / 12.0, 1.0 / 30.0);
  double lon = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * std::sqrt(std::abs(x)) + common;
  lon += waves(x, 20.0, 40.0, 1.0, 1.0 / 3.0) + waves(x, 150.0, 300.0, 1.0 / 12.0, 1.0 / 30.0);
  const double rad = p.lat / 180.0 * kPi;
  const double magic = 1.0 - kEccentricity2 * std::sin(rad) * std::sin(rad);
  const double root = std::sqrt(magic);
  return {lon * 180.0 / (kAxis / root * std::cos(rad) * kPi),
          lat * 180.0 / ((kAxis * (1.0 - kEccentricity2)) / (magic * root) * kPi)};
}

}  // namespace

LonLat to_gcj02(LonLat point) {
  if (outside_china(point)) return point;
  const LonLat by = shift(point);
  return {point.lon + by.lon, point.lat + by.lat};
}

LonLat from_gcj02(LonLat point) {
  if (outside_china(point)) return point;
  LonLat guess = point;
  for (int step = 0; step < kMaxSteps; ++step) {
    const LonLat by = shift(guess);
    const LonLat next{point.lon - by.lon, point.lat - by.lat};
    const bool close = std::abs(next.lon - guess.lon) < kCloseEnough && std::abs(next.lat - guess.lat) < kCloseEnough;
    guess = next;
    if (close) break;
  }
  return guess;
}

}  // namespace lianxi::formats
