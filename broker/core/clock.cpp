#include "broker/core/clock.h"

#include <algorithm>

#include "schemas/limits.h"

namespace lianxi::core {

Hlc HybridClock::tick(TimeMs now) {
  const auto wall = static_cast<std::uint64_t>(std::max<TimeMs>(now, 0)) << 16U;
  last_ = Hlc{std::max(last_.value + 1, wall)};
  return last_;
}

TimeMs HybridClock::next_ms(TimeMs now) const {
  return physical_ms(HybridClock(*this).tick(now));
}

bool HybridClock::merge(Hlc remote, TimeMs now) {
  if (physical_ms(remote) > now + kMaxClockSkewMs) return false;
  last_ = std::max(last_, remote);
  return true;
}

}  // namespace lianxi::core
