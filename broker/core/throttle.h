// How fast an agent may publish: a token bucket for events and one for bytes, flash apart from the rest, so that a flood of
// reports cannot use up what alerts need. Who is too fast is told when to come back, and nothing of it is consumed.
#pragma once

#include <map>

#include "schemas/ids.h"

namespace lianxi::core {

struct PublishRate {  // 0: without bound
  std::uint64_t events_per_s = 0;
  std::uint64_t bytes_per_s = 0;
  bool operator==(const PublishRate&) const = default;
};
struct PublishRates {
  // Nobody calls out so often; a machine that does must not take the lane from the others.
  PublishRate flash{5'000, 64 * 1024 * 1024};
  PublishRate rest;  // of the lanes normal and bulk together
  bool operator==(const PublishRates&) const = default;
};

inline constexpr std::int64_t kRateBurstMs = 2'000;  // what was not used so long may be used at once

// One thread. Times are the caller's.
class Throttle {
 public:
  // 0: taken. Else the milliseconds after which it will be, with nothing taken. An event may be larger than the burst.
  [[nodiscard]] std::uint32_t take(const AgentId& agent, Lane lane, std::size_t bytes, const PublishRates& rates, TimeMs now);

 private:
  // The times (microseconds) at which all that was taken is paid for.
  struct Bucket {
    std::int64_t events_paid_us = 0;
    std::int64_t bytes_paid_us = 0;
    std::int64_t seen_us = 0;
  };
  std::map<std::pair<AgentId, bool>, Bucket> buckets_;  // true: flash; bounded by the agents that have a key
};

}  // namespace lianxi::core
