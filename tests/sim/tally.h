// What many runs came to; sent from the processes that run them to the one that prints it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/sim/simulation.h"

namespace lianxi::sim {

struct Tally {
  std::uint64_t runs = 0, failed = 0;
  FaultCounts faults{};
  std::map<std::string, std::uint64_t> counts;

  void add(const Outcome& outcome);
  void add(const Tally& other);
  [[nodiscard]] std::string print() const;
  [[nodiscard]] std::vector<std::string> never_fired(bool race) const;
};

[[nodiscard]] std::string to_lines(const Tally& tally);
[[nodiscard]] Tally tally_of(const std::string& lines);

}  // namespace lianxi::sim
