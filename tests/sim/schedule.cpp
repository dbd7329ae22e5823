#include "tests/sim/schedule.h"

#include <algorithm>
#include <iterator>
#include <sstream>

#include "tests/sim/prng.h"

namespace lianxi::sim {
namespace {

struct Weight {
  Trouble what;
  unsigned parts;
};
constexpr Weight kWeights[] = {
    {Trouble::death, 32},    {Trouble::cut, 24},        {Trouble::hold_up, 6}, {Trouble::outage, 2}, {Trouble::headroom, 4},
    {Trouble::slow_disk, 6}, {Trouble::disk_error, 10}, {Trouble::clock, 5},   {Trouble::rights, 5}, {Trouble::outbox, 5},
    {Trouble::bit_flip, 5},  {Trouble::lies, 2},        {Trouble::restore, 3},
};

constexpr std::pair<Trouble, unsigned> kRare[] = {
    {Trouble::roll_back, 15}, {Trouble::clone, 25}, {Trouble::join_late, 35}, {Trouble::retire, 25}};

constexpr std::string_view kBackgroundWords[] = {"loss", "slow", "duplicates", "late-copies", "wild-agents", "second-deaths"};
static_assert(std::size(kBackgroundWords) == kBackgrounds);

Trouble draw(Prng& random) {
  unsigned all = 0;
  for (const Weight& weight : kWeights) all += weight.parts;
  auto at = static_cast<unsigned>(random.below(all));
  for (const Weight& weight : kWeights) {
    if (at < weight.parts) return weight.what;
    at -= weight.parts;
  }
  return Trouble::death;
}

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string word; std::getline(in, word, ',');) out.push_back(word);
  return out;
}

}  // namespace

std::vector<Step> make_schedule(std::uint64_t seed) {
  Prng random(seed * 0x9E3779B97F4A7C15ULL + 1);
  std::vector<Step> out;
  for (TimeMs at = 2000; at < kTroubleMs; at += random.between(150, 2100))
    out.push_back({out.size(), at, draw(random), random.next()});
  // What a run has once at most, and most do not have.
  Prng rare(seed * 0x9E3779B97F4A7C15ULL + 2);
  for (const auto& [what, percent] : kRare) {
    const TimeMs at = rare.between(3000, kTroubleMs - 15'000);
    const std::uint64_t own = rare.next();
    if (rare.chance(percent)) out.push_back({out.size(), at, what, own});
  }
  // Not a trouble, but what its consequences meet. Of a chance of its own, so that the others come as they did.
  Prng retains(seed * 0x9E3779B97F4A7C15ULL + 3);
  for (TimeMs at = retains.between(2000, 6000); at < kTroubleMs; at += retains.between(700, 6000))
    out.push_back({out.size(), at, Trouble::retain, retains.next()});
  return out;
}

std::string_view to_word(Background background) {
  return kBackgroundWords[static_cast<std::size_t>(background)];
}

std::string Part::text() const {
  std::string out;
  if (steps) {
    out += " --keep ";
    if (steps->empty()) out += "none";
    for (const std::size_t step : *steps) out += (step == *steps->begin() ? "" : ",") + std::to_string(step);
  }
  for (const Background one : without) out += (one == *without.begin() ? " --without " : ",") + std::string(to_word(one));
  return out;
}

std::optional<std::set<std::size_t>> steps_of(const std::string& text) {
  std::set<std::size_t> out;
  if (text == "none") return out;
  for (const std::string& word : words_of(text)) {
    if (word.empty() || word.size() > 6 || !std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; }))
      return std::nullopt;
    out.insert(std::stoul(word));
  }
  return out;
}

std::optional<std::set<Background>> backgrounds_of(const std::string& text) {
  std::set<Background> out;
  for (const std::string& word : words_of(text)) {
    const auto at = std::find(std::begin(kBackgroundWords), std::end(kBackgroundWords), word);
    if (at == std::end(kBackgroundWords)) return std::nullopt;
    out.insert(static_cast<Background>(at - std::begin(kBackgroundWords)));
  }
  return out;
}

}  // namespace lianxi::sim
