// The troubles of a run, drawn before it begins: each has its moment and its own chance, so that a shorter run without some
// of them is still much the same run.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/ids.h"

namespace lianxi::sim {

enum class Trouble : std::uint8_t {
  death,
  cut,
  hold_up,
  outage,
  headroom,
  slow_disk,
  disk_error,
  clock,
  rights,
  outbox,
  bit_flip,
  lies,
  restore,
  roll_back,
  clone,
  join_late,
  retire,
  retain,
};

struct Step {
  std::size_t number = 0;
  TimeMs at_ms = 0;  // after the start
  Trouble what{};
  std::uint64_t seed = 0;
};

inline constexpr TimeMs kTroubleMs = 45'000;

[[nodiscard]] std::vector<Step> make_schedule(std::uint64_t seed);

// What goes wrong all the time, without a step of its own.
enum class Background : std::uint8_t { loss, slow, duplicates, late_copies, wild_agents, second_deaths };
inline constexpr std::size_t kBackgrounds = static_cast<std::size_t>(Background::second_deaths) + 1;
[[nodiscard]] std::string_view to_word(Background background);

// Which part of the troubles happens: all, or what a shortened run keeps.
struct Part {
  std::optional<std::set<std::size_t>> steps;
  std::set<Background> without;
  [[nodiscard]] bool has(std::size_t step) const { return !steps || steps->contains(step); }
  [[nodiscard]] bool has(Background background) const { return !without.contains(background); }
  // As lianxi-sim takes it: " --keep 3,7 --without loss,slow".
  [[nodiscard]] std::string text() const;
};
[[nodiscard]] std::optional<std::set<std::size_t>> steps_of(const std::string& text);       // "3,7"; "none"
[[nodiscard]] std::optional<std::set<Background>> backgrounds_of(const std::string& text);  // "loss,slow"

}  // namespace lianxi::sim
