// One run: some nodes with their agents, a stretch of faults, then calm; and whether every promise held.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "tests/sim/faults.h"
#include "tests/sim/schedule.h"

namespace lianxi::sim {

struct Options {
  std::uint64_t seed = 1;
  std::size_t nodes = 4;  // 1 to 8
  std::size_t agents_per_node = 2;
  std::size_t events_per_agent = 24;
  std::size_t min_events = 0;  // that must be answered in all; agents write as many more as that takes
  Mutation mutation = Mutation::none;
  Part part;  // of the troubles
  bool faults = true;
  bool race = false;  // agents want the same supplies at once
  bool verbose = false;

  [[nodiscard]] std::string text() const;  // as lianxi-sim takes them
};

struct Outcome {
  std::string failure;  // empty: every promise held
  std::string transcript;
  std::uint64_t hash = 0;  // of everything that happened
  FaultCounts faults{};
  std::map<std::string, std::uint64_t> counts;
};

[[nodiscard]] Outcome simulate(const Options& options);

}  // namespace lianxi::sim
