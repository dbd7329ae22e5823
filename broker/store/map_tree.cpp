#include "broker/store/map_tree.h"

#include <cmath>
#include <numbers>
#include <queue>
#include <utility>

namespace lianxi::store {

namespace {

constexpr std::size_t kLeafPoints = 64;
constexpr int kMaxDepth = 48;  // a cell of some 2 m; what lies closer together shares a leaf
constexpr double kEquatorRadius_m = 6'378'137;
constexpr double kFlattening = 1 / 298.257223563;
constexpr double kLeastRadius_m = 6'335'439;  // of curvature: along the meridian at the equator

double chord_m(const Xyz& a, const std::array<float, 3>& b) {
  const double x = a[0] - b[0], y = a[1] - b[1], z = a[2] - b[2];
  return std::sqrt(x * x + y * y + z * z);
}

// The half of a cell in which a point lies, by turns of longitude and latitude.
int half_of(DegreeBox& cell, int depth, double lon, double lat) {
  const bool across = depth % 2 == 0;
  const double middle = across ? (cell.west + cell.east) / 2 : (cell.south + cell.north) / 2;
  const int half = (across ? lon : lat) < middle ? 0 : 1;
  if (across) {
    (half == 0 ? cell.east : cell.west) = middle;
  } else {
    (half == 0 ? cell.north : cell.south) = middle;
  }
  return half;
}

}  // namespace

Xyz xyz_of(LonLat point) {
  constexpr double kRadians = std::numbers::pi / 180;
  constexpr double kSquare = kFlattening * (2 - kFlattening);
  const double sine = std::sin(point.lat * kRadians), cosine = std::cos(point.lat * kRadians);
  const double radius = kEquatorRadius_m / std::sqrt(1 - kSquare * sine * sine);
  return {radius * cosine * std::cos(point.lon * kRadians), radius * cosine * std::sin(point.lon * kRadians),
          radius * (1 - kSquare) * sine};
}

double longest_way_m(double chord_m) {
  constexpr double kFarthest_m = 20'100'000;
  const double part = chord_m / (2 * kLeastRadius_m);
  return part >= 0.999 ? kFarthest_m : 2 * kLeastRadius_m * std::asin(part);
}

void MapTree::clear() {
  nodes_.clear();
  nodes_.emplace_back();
}

void MapTree::Sum::add(const TreePoint& point) {
  for (std::size_t i = 0; i < 3; ++i) {
    low[i] = std::min(low[i], point.xyz[i]);
    high[i] = std::max(high[i], point.xyz[i]);
  }
  box = {std::min(box.west, point.lon), std::min(box.south, point.lat), std::max(box.east, point.lon),
         std::max(box.north, point.lat)};
  words |= point.words;
  places |= point.places;
  types |= 1U << point.type;
  states |= 1U << point.state;
}

void MapTree::Sum::add(const Sum& other) {
  for (std::size_t i = 0; i < 3; ++i) {
    low[i] = std::min(low[i], other.low[i]);
    high[i] = std::max(high[i], other.high[i]);
  }
  box = {std::min(box.west, other.box.west), std::min(box.south, other.box.south), std::max(box.east, other.box.east),
         std::max(box.north, other.box.north)};
  words |= other.words;
  places |= other.places;
  types |= other.types;
  states |= other.states;
}

void MapTree::insert(const TreePoint& point, const Moved& moved) {
  DegreeBox cell{-180, -90, 180, 90};
  std::uint32_t at = 0;
  int depth = 0;
  while (true) {
    Node& node = nodes_[at];
    node.sum.add(point);
    if (node.child == 0) break;
    at = node.child + static_cast<std::uint32_t>(half_of(cell, depth, point.lon, point.lat));
    ++depth;
  }
  nodes_[at].points.push_back(point);
  moved(point.slot, {at, static_cast<std::uint32_t>(nodes_[at].points.size() - 1)});
  if (nodes_[at].points.size() > kLeafPoints) split(at, cell, depth, moved);
}

void MapTree::split(std::uint32_t leaf, DegreeBox cell, int depth, const Moved& moved) {
  while (depth < kMaxDepth) {
    const auto child = static_cast<std::uint32_t>(nodes_.size());
    nodes_.resize(nodes_.size() + 2);
    const std::vector<TreePoint> points = std::exchange(nodes_[leaf].points, {});
    nodes_[leaf].child = child;
    std::array<DegreeBox, 2> cells{cell, cell};
    for (std::uint32_t half = 0; half < 2; ++half) {
      nodes_[child + half].parent = leaf;
      nodes_[child + half].points.reserve(kLeafPoints);
    }
    for (const TreePoint& point : points) {
      DegreeBox within = cell;
      const auto half = static_cast<std::uint32_t>(half_of(within, depth, point.lon, point.lat));
      cells[half] = within;
      Node& node = nodes_[child + half];
      node.sum.add(point);
      node.points.push_back(point);
      moved(point.slot, {child + half, static_cast<std::uint32_t>(node.points.size() - 1)});
    }
    // All in one half: its half is split in turn.
    std::uint32_t full = 2;
    for (std::uint32_t half = 0; half < 2; ++half) {
      nodes_[child + half].points.shrink_to_fit();
      if (nodes_[child + half].points.size() > kLeafPoints) full = half;
    }
    if (full == 2) return;
    leaf = child + full;
    cell = cells[full];
    ++depth;
  }
}

void MapTree::remove(Place place, const Moved& moved) {
  std::vector<TreePoint>& points = nodes_[place.node].points;
  if (place.at + 1 != points.size()) {
    points[place.at] = points.back();
    moved(points[place.at].slot, place);
  }
  points.pop_back();
  refresh(place.node);
}

void MapTree::change(Place place, const TreePoint& point) {
  Node& node = nodes_[place.node];
  const TreePoint before = std::exchange(node.points[place.at], point);
  Sum with = node.sum;
  with.add(point);
  if (with != node.sum || !others_have(node, before)) refresh(place.node);
}

// Whether all that the point had is still there, with what it has not.
bool MapTree::others_have(const Node& node, const TreePoint& point) {
  Sum sum;
  for (const TreePoint& other : node.points) {
    sum.words |= other.words;
    sum.places |= other.places;
    sum.types |= 1U << other.type;
    sum.states |= 1U << other.state;
    if ((point.words & ~sum.words) == 0 && (point.places & ~sum.places) == 0 && (sum.types >> point.type & 1) != 0 &&
        (sum.states >> point.state & 1) != 0)
      return true;
  }
  return false;
}

// The leaf's box and unions anew, and of all above it, as far as that changes something.
void MapTree::refresh(std::uint32_t leaf) {
  Sum before = nodes_[leaf].sum;
  nodes_[leaf].sum = Sum();
  for (const TreePoint& point : nodes_[leaf].points) nodes_[leaf].sum.add(point);
  for (std::uint32_t at = leaf; at != 0 && nodes_[at].sum != before;) {
    at = nodes_[at].parent;
    Node& node = nodes_[at];
    before = node.sum;
    node.sum = nodes_[node.child].sum;
    node.sum.add(nodes_[node.child + 1].sum);
  }
}

bool MapTree::Sum::may_hold(const TreeNeed& need) const {
  return (need.any_words || (words & need.words) != 0) && (need.any_places || (places & need.places) != 0) &&
         (types & need.types) != 0 && (states & need.states) != 0 && box.meets(need.box);
}

bool MapTree::may_be(const TreePoint& point, const TreeNeed& need) {
  return (need.any_words || (point.words & need.words) != 0) && (need.types >> point.type & 1) != 0 &&
         (need.states >> point.state & 1) != 0;
}

void MapTree::each(const TreeNeed& need, const std::function<void(const TreePoint&)>& visit) const {
  std::vector<std::uint32_t> open{0};
  while (!open.empty()) {
    const Node& node = nodes_[open.back()];
    open.pop_back();
    if (!node.sum.may_hold(need)) continue;
    if (node.child != 0) {
      open.push_back(node.child + 1);
      open.push_back(node.child);
      continue;
    }
    for (const TreePoint& point : node.points)
      if (may_be(point, need) && need.box.holds({point.lon, point.lat})) visit(point);
  }
}

void MapTree::nearest(LonLat from, const TreeNeed& need, double bound_m, double beyond_m,
                      const std::function<double(const TreePoint&, double)>& visit) const {
  const Xyz centre = xyz_of(from);
  const auto least = [&](const Node& node) {
    double sum = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      const double off = std::max({0.0, node.sum.low[i] - centre[i], centre[i] - node.sum.high[i]});
      sum += off * off;
    }
    return std::max(0.0, std::sqrt(sum) - kChordSlack_m);
  };
  const auto most = [&](const Node& node) {
    double sum = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      const double off = std::max(std::abs(node.sum.low[i] - centre[i]), std::abs(node.sum.high[i] - centre[i]));
      sum += off * off;
    }
    return std::sqrt(sum) + kChordSlack_m;
  };
  using Open = std::pair<double, std::uint32_t>;
  std::priority_queue<Open, std::vector<Open>, std::greater<>> open;
  const auto add = [&](std::uint32_t at) {
    const Node& node = nodes_[at];
    if (!node.sum.may_hold(need)) return;
    const double chord = least(node);
    if (chord > bound_m || (beyond_m > 0 && longest_way_m(most(node)) < beyond_m)) return;
    // What it leads to lies anywhere in memory: on its way while others are looked at.
    if (node.child != 0) {
      __builtin_prefetch(&nodes_[node.child].sum);
      __builtin_prefetch(&nodes_[node.child].child);
      __builtin_prefetch(&nodes_[node.child + 1].sum);
      __builtin_prefetch(&nodes_[node.child + 1].child);
    } else {
      constexpr std::size_t kAhead = 4;  // the rest is read in order
      for (std::size_t i = 0; i < std::min(kAhead, node.points.size()); ++i) __builtin_prefetch(&node.points[i].words);
    }
    open.emplace(chord, at);
  };
  add(0);
  while (!open.empty() && open.top().first <= bound_m) {
    const Node& node = nodes_[open.top().second];
    open.pop();
    if (node.child != 0) {
      add(node.child);
      add(node.child + 1);
      continue;
    }
    for (const TreePoint& point : node.points) {
      if (!may_be(point, need)) continue;
      const double chord = chord_m(centre, point.xyz);
      if (chord <= bound_m + kChordSlack_m) bound_m = visit(point, chord);
    }
  }
}

std::size_t MapTree::bytes() const {
  std::size_t bytes = nodes_.capacity() * sizeof(Node);
  for (const Node& node : nodes_) bytes += node.points.capacity() * sizeof(TreePoint);
  return bytes;
}

}  // namespace lianxi::store
