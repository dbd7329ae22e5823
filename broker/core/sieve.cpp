#include "broker/core/sieve.h"

#include <algorithm>

#include "schemas/places.h"

namespace lianxi::core {
namespace {

constexpr std::uint64_t kKindBits = 64;
constexpr std::uint8_t kEveryLevel = 0xFF;

bool every_kind_of(const Rule& rule) {
  return rule.kinds.empty() && rule.kind_words.empty();
}
bool every_kind_of(const Filter& filter) {
  return filter.kinds.empty();
}
bool admits_kind_of(const Filter& filter, Kind kind) {
  return filter.kinds.empty() || std::ranges::find(filter.kinds, kind) != filter.kinds.end();
}

bool admits_kind_of(const Rule& rule, Kind kind) {
  return admits_kind(rule, kind);
}

template <class T>
bool lists(const std::vector<T>& list, const T& value) {
  return list.empty() || std::ranges::find(list, value) != list.end();
}

std::uint8_t level_bit(Level level) {
  return static_cast<std::uint8_t>(1U << (static_cast<unsigned>(level) & 7U));
}

}  // namespace

template <class From>
Sieve::Lists Sieve::lists_of(const From& from) {
  Lists lists;
  lists.every_kind = every_kind_of(from);
  for (std::uint16_t number = 0; number < kKindBits; ++number)
    if (admits_kind_of(from, Kind{number})) lists.kinds |= std::uint64_t{1} << number;
  for (const Kind kind : from.kinds)
    if (static_cast<std::uint16_t>(kind) >= kKindBits) lists.far_kinds.push_back(kind);
  if (from.levels.empty()) lists.levels = kEveryLevel;
  for (const Level level : from.levels) lists.levels = static_cast<std::uint8_t>(lists.levels | level_bit(level));
  lists.places = from.places;
  lists.agencies = from.agencies;
  lists.audiences = from.audiences;
  return lists;
}

bool Sieve::Lists::admit(const Envelope& e) const {
  const auto number = static_cast<std::uint16_t>(e.kind);
  const bool kind =
      number < kKindBits ? ((kinds >> number) & 1U) != 0 : every_kind || std::ranges::find(far_kinds, e.kind) != far_kinds.end();
  if (!kind || (levels & level_bit(e.level)) == 0) return false;
  if (!places.empty() && std::ranges::none_of(places, [&](const PlaceCode& p) { return meet(p, e.place); })) return false;
  return lists(agencies, e.agency) && lists(audiences, e.audience);
}

bool Sieve::Lists::all() const {
  return every_kind && levels == kEveryLevel && places.empty() && agencies.empty() && audiences.empty();
}

Sieve::Sieve(const Policy& policy, const Agent& agent, const Filter& filter) : filter_(lists_of(filter)) {
  for (const Rule* rule : policy.follow_rules(agent)) rules_.push_back(lists_of(*rule));
  if (filter.area) area_.emplace(*filter.area);
  const bool free = std::ranges::any_of(rules_, [](const Lists& rule) { return rule.all(); });
  if (free) rules_.resize(1);
  if (free) rules_[0] = lists_of(Rule{});
  all_ = free && filter_.all() && !area_;
  items_ = filter_.items();
  for (const Lists& rule : rules_) items_ += rule.items();
}

bool Sieve::admits(const Envelope& envelope) const {
  if (all_) return true;
  return filter_.admit(envelope) && std::ranges::any_of(rules_, [&](const Lists& rule) { return rule.admit(envelope); });
}

}  // namespace lianxi::core
