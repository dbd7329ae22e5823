#include "tests/sim/tally.h"

#include <sstream>

namespace lianxi::sim {
namespace {

std::string line(std::uint64_t count, std::string_view what) {
  std::string number = std::to_string(count);
  if (number.size() < 12) number.insert(0, 12 - number.size(), ' ');
  return number + "  " + std::string(what) + "\n";
}

}  // namespace

void Tally::add(const Outcome& outcome) {
  ++runs;
  failed += outcome.failure.empty() ? 0U : 1U;
  for (std::size_t i = 0; i < kFaults; ++i) faults[i] += outcome.faults[i];
  for (const auto& [what, count] : outcome.counts) counts[what] += count;
}

void Tally::add(const Tally& other) {
  runs += other.runs;
  failed += other.failed;
  for (std::size_t i = 0; i < kFaults; ++i) faults[i] += other.faults[i];
  for (const auto& [what, count] : other.counts) counts[what] += count;
}

std::string Tally::print() const {
  std::string out = std::to_string(runs) + " runs, " + std::to_string(failed) + " failed\nwhat happened:\n";
  for (const auto& [what, count] : counts) out += line(count, what);
  out += "faults fired:\n";
  for (std::size_t i = 0; i < kFaults; ++i) out += line(faults[i], to_word(static_cast<Fault>(i)));
  return out;
}

std::vector<std::string> Tally::never_fired(bool race) const {
  std::vector<std::string> out;
  const std::size_t kinds = race ? kFaults : static_cast<std::size_t>(Fault::promise_made);  // those of races come last
  for (std::size_t i = 0; i < kinds; ++i) {
    if (faults[i] == 0) out.emplace_back(to_word(static_cast<Fault>(i)));
  }
  return out;
}

std::string to_lines(const Tally& tally) {
  std::string out = std::to_string(tally.runs) + " " + std::to_string(tally.failed) + "\n";
  for (const std::uint64_t count : tally.faults) out += std::to_string(count) + "\n";
  for (const auto& [what, count] : tally.counts) out += std::to_string(count) + " " + what + "\n";
  return out;
}

Tally tally_of(const std::string& lines) {
  Tally out;
  std::istringstream in(lines);
  in >> out.runs >> out.failed;
  for (std::uint64_t& count : out.faults) in >> count;
  std::uint64_t count = 0;
  for (std::string what; in >> count && in.get() == ' ' && std::getline(in, what);) out.counts[what] = count;
  return out;
}

}  // namespace lianxi::sim
