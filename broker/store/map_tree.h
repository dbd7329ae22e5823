// Points of the earth with what is asked of them, in memory: a tree whose cells are halves of halves of the degrees, so that no
// order of insertion makes it deep. Each node knows the box of its points and the union of their words, types, states and places,
// and what cannot hold an answer is not entered. One thread.
//
// The measure within is the straight line through the earth (a chord), which is never longer than the way on the ellipsoid, and
// by Schur's theorem shortens it at most as a circle of the ellipsoid's least radius of curvature does: so it bounds the true
// distance on both sides, within a metre at 100 km, and few points must be measured exactly.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "schemas/rings.h"

namespace lianxi::store {

using Xyz = std::array<double, 3>;  // metres, earth-centred
[[nodiscard]] Xyz xyz_of(LonLat point);
// No way on the ellipsoid between two ends of such a chord is longer.
[[nodiscard]] double longest_way_m(double chord_m);
inline constexpr double kChordSlack_m = 1;  // of what is kept as a float

struct TreePoint {
  double lon = 0, lat = 0;
  std::array<float, 3> xyz{};
  std::uint32_t slot = 0;
  std::uint64_t words = 0;   // bits of its capabilities
  std::uint64_t places = 0;  // bit of its county
  std::uint32_t row_class = 0;
  std::uint8_t type = 0, state = 0;
  std::uint16_t marks = 0;
};

// What a question needs of a point at least; a subtree without any of it is passed over.
struct TreeNeed {
  std::uint64_t words = ~std::uint64_t{0};  // one of these bits
  std::uint64_t places = ~std::uint64_t{0};
  std::uint32_t types = ~0U, states = ~0U;
  bool any_words = true;  // false: `words` counts
  bool any_places = true;
  DegreeBox box{-180, -90, 180, 90};
};

class MapTree {
 public:
  struct Place {  // of a point in the tree; moves with other points of its cell
    std::uint32_t node = 0;
    std::uint32_t at = 0;
  };
  // Told where a point is now.
  using Moved = std::function<void(std::uint32_t slot, Place)>;

  MapTree() { clear(); }
  void clear();
  void insert(const TreePoint& point, const Moved& moved);
  void remove(Place place, const Moved& moved);
  // Anything but where it lies.
  void change(Place place, const TreePoint& point);
  [[nodiscard]] const TreePoint& at(Place place) const { return nodes_[place.node].points[place.at]; }

  // Each point that the need and the box let through, in no order.
  void each(const TreeNeed& need, const std::function<void(const TreePoint&)>& visit) const;
  // Points nearest first by chord, roughly: `visit(point, chord_m)` for each that may be nearer than the bound, which it gives
  // anew (a chord, metres); what lies nearer than `beyond_m` all over is passed over.
  void nearest(LonLat from, const TreeNeed& need, double bound_m, double beyond_m,
               const std::function<double(const TreePoint&, double)>& visit) const;
  [[nodiscard]] std::size_t bytes() const;

 private:
  // What the points of a node have together.
  struct Sum {
    static constexpr float kFar = std::numeric_limits<float>::infinity();
    std::array<float, 3> low{kFar, kFar, kFar}, high{-kFar, -kFar, -kFar};  // of xyz
    DegreeBox box{181, 91, -181, -91};
    std::uint64_t words = 0, places = 0;
    std::uint32_t types = 0, states = 0;
    bool operator==(const Sum&) const = default;
    void add(const TreePoint& point);
    void add(const Sum& other);
    [[nodiscard]] bool may_hold(const TreeNeed& need) const;
  };
  struct Node {
    Sum sum;
    std::uint32_t parent = 0, child = 0;  // of two; 0: a leaf
    std::vector<TreePoint> points;
  };
  void refresh(std::uint32_t leaf);
  [[nodiscard]] static bool others_have(const Node& node, const TreePoint& point);
  void split(std::uint32_t leaf, DegreeBox cell, int depth, const Moved& moved);
  [[nodiscard]] static bool may_be(const TreePoint& point, const TreeNeed& need);

  std::vector<Node> nodes_;
};

}  // namespace lianxi::store
