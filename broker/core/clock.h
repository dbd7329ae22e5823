// Hybrid logical clock: never behind the wall clock that the ring hands in, never behind what it gave or merged before.
#pragma once

#include "schemas/ids.h"

namespace lianxi::core {

class HybridClock {
 public:
  explicit HybridClock(Hlc last = Hlc{}) : last_(last) {}
  // A time after every one before. The counter's overflow runs into the milliseconds, so order always holds.
  [[nodiscard]] Hlc tick(TimeMs now);
  // The milliseconds of what tick(now) would give.
  [[nodiscard]] TimeMs next_ms(TimeMs now) const;
  // False, and nothing merged, if the remote time is more than kMaxClockSkewMs ahead of `now`.
  [[nodiscard]] bool merge(Hlc remote, TimeMs now);
  [[nodiscard]] Hlc last() const { return last_; }

 private:
  Hlc last_;
};

}  // namespace lianxi::core
