// What one follower gets: its filter and its rights, made ready for many events. A value: made anew when either changes.
//
//   if (sieve.admits(envelope) && (!sieve.needs_body() || sieve.admits(whereabouts_of(event.body), tests))) ...
//
// The audience stands before it (`reaches` in app/directory.h).
#pragma once

#include <optional>

#include "broker/core/area.h"
#include "broker/core/policy.h"

namespace lianxi::core {

class Sieve {
 public:
  Sieve(const Policy& policy, const Agent& agent, const Filter& filter);

  // Whatever the envelope says: no need to read it.
  [[nodiscard]] bool admits_all() const { return all_; }
  // No event can pass.
  [[nodiscard]] bool admits_none() const { return rules_.empty(); }
  // What `admits(envelope)` lets through is decided by its body; only then is it worth decoding.
  [[nodiscard]] bool needs_body() const { return area_.has_value(); }
  // Looks at kind, place, agency, level and audience alone.
  [[nodiscard]] bool admits(const Envelope& envelope) const;
  // Adds to `tests` the comparisons that it took.
  [[nodiscard]] bool admits(const Whereabouts& where, std::size_t& tests) const { return !area_ || area_->meets(where, tests); }
  // What one envelope may be compared with.
  [[nodiscard]] std::size_t items() const { return items_; }

 private:
  // One rule, or the filter. What is empty admits every value.
  struct Lists {
    std::uint64_t kinds = 0;      // bit per number below 64
    std::vector<Kind> far_kinds;  // listed ones beyond
    bool every_kind = false;
    std::uint8_t levels = 0;  // bit per number
    std::vector<PlaceCode> places;
    std::vector<std::string> agencies;
    std::vector<Audience> audiences;

    [[nodiscard]] bool admit(const Envelope& envelope) const;
    [[nodiscard]] bool all() const;
    [[nodiscard]] std::size_t items() const { return 1 + far_kinds.size() + places.size() + agencies.size() + audiences.size(); }
  };
  template <class From>
  [[nodiscard]] static Lists lists_of(const From& from);

  Lists filter_;
  std::vector<Lists> rules_;
  std::optional<Area> area_;
  std::size_t items_ = 0;
  bool all_ = false;
};

}  // namespace lianxi::core
