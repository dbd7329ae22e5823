// `lianxi-bench fill`: puts so many bulk events into a node, for the scripts beside it that measure what comes after.
#pragma once

#include <functional>
#include <string>

#include "agents/sdk/profile.h"

namespace lianxi::bench {

struct FillOptions {
  std::uint64_t events = 100'000;
  std::size_t window = 1;   // on their way at once; 1: each event is a batch of its own
  double rate = 0;          // events a second; 0: as fast as the window lets
  std::size_t bytes = 256;  // of an encoded event
};

// Returns when the node has answered all. Throws std::runtime_error if it refuses one, or answers nothing for long.
void run_fill(const sdk::Profile& profile, const FillOptions& options, const std::function<void(const std::string&)>& progress);

}  // namespace lianxi::bench
