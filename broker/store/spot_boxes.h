// Boxes of degrees that hold every point within a distance: what the R*Tree is asked before distances are computed exactly.
#pragma once

#include <vector>

#include "schemas/event.h"

namespace lianxi::store {

struct Box {
  double west = 0, east = 0, south = 0, north = 0;
};
// One box, or two where the circle crosses the date line. Never too small; up to some percent too large.
[[nodiscard]] std::vector<Box> boxes_around(LonLat centre, double radius_m);

inline constexpr double kFarthest_m = 20'100'000;  // no two points of the earth are farther from each other

}  // namespace lianxi::store
