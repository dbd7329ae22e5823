// Mutations that need more than a setting: a view that is fed wrongly, and a chain that nobody checks. The first is a wrapper
// of the port; the second stands in for the codec's function at link time (see CMakeLists.txt), in this program alone.
#pragma once

#include <memory>

#include "broker/store/view.h"
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

}  // namespace lianxi::sim
