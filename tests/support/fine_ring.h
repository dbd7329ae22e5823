// An area as finely drawn as a filter may be.
#pragma once

#include <cmath>
#include <numbers>

#include "schemas/limits.h"
#include "schemas/protocol.h"

namespace lianxi::test {

inline constexpr LonLat kRingCentre{118.9, 29.0};

inline FilterArea fine_ring(double degrees = 0.1) {
  FilterArea area;
  for (std::size_t i = 0; i + 1 < kMaxAreaPoints; ++i) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(kMaxAreaPoints - 1);
    area.ring.push_back({kRingCentre.lon + degrees * std::cos(angle), kRingCentre.lat + degrees * std::sin(angle)});
  }
  area.ring.push_back(area.ring.front());
  return area;
}

}  // namespace lianxi::test
