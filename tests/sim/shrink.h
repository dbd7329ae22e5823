// Makes a failing run shorter: without the steps, the background and the events that it fails without.
#pragma once

#include "tests/sim/simulation.h"

namespace lianxi::sim {

struct Shrunk {
  Options options;
  Outcome outcome;  // of the shortest run that breaks the same promise
  std::size_t runs = 0, steps = 0, steps_before = 0;
};

// `failed` is what `options` came to. Tries at most `max_runs` runs.
[[nodiscard]] Shrunk shrink(const Options& options, Outcome failed, std::size_t max_runs);

}  // namespace lianxi::sim
