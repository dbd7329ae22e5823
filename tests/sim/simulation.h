// One run: some nodes with their agents, a stretch of faults, then calm; and whether every promise held.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace lianxi::sim {

struct Options {
  std::uint64_t seed = 1;
  std::size_t nodes = 4;  // 1 to 8
  std::size_t agents_per_node = 2;
  std::size_t events_per_agent = 24;
  bool sync = true;              // mutation: commits are not synced
  bool forget_sessions = false;  // mutation: what a session was answered does not survive a restart
  bool early_credit = false;     // mutation: peers say that they hold what they have not committed
  bool faults = true;
  bool verbose = false;

  [[nodiscard]] std::string text() const;  // as lianxi-sim takes them
};

struct Outcome {
  std::string failure;  // empty: every promise held
  std::string transcript;
  std::uint64_t hash = 0;  // of everything that happened
  std::map<std::string, std::uint64_t> counts;
};

[[nodiscard]] Outcome simulate(const Options& options);

}  // namespace lianxi::sim
