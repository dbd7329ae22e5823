// Mutations that need more than a setting: a view that is fed wrongly, a chain that nobody checks, another history that nobody
// sees. The first is a wrapper of the port; the others stand in for functions at link time (see CMakeLists.txt), in this program
// alone.
#pragma once

#include <memory>

#include "broker/store/view.h"
#include "schemas/protocol.h"
#include "tests/sim/faults.h"

namespace lianxi::sim {

// The view itself unless the mutation is one of views.
[[nodiscard]] std::unique_ptr<store::View> mutated_view(Mutation mutation, std::unique_ptr<store::View> view);

// While one exists, verify_chain believes what it is given.
class BlindChain {
 public:
  explicit BlindChain(bool blind);
  ~BlindChain();
  BlindChain(const BlindChain&) = delete;
  BlindChain& operator=(const BlindChain&) = delete;
};

// While one exists, judge_segment takes another history for what is known.
class BlindForks {
 public:
  explicit BlindForks(bool blind);
  ~BlindForks();
  BlindForks(const BlindForks&) = delete;
  BlindForks& operator=(const BlindForks&) = delete;
};
// Nor does a node that is blind so hear what others hold of its own feeds.
void hide_own(Message& message, RegionCode own);

// While one exists, nobody asks whether what is promised is there, or no start is told how much was promised before.
class BlindStock {
 public:
  BlindStock(bool no_check, bool forgets);
  ~BlindStock();
  BlindStock(const BlindStock&) = delete;
  BlindStock& operator=(const BlindStock&) = delete;
};

}  // namespace lianxi::sim
