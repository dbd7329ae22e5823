#include "broker/core/throttle.h"

#include <algorithm>

namespace lianxi::core {

namespace {

constexpr std::int64_t kMicros = 1'000'000;

// How long until `paid` comes within the burst.
std::int64_t wait_us(std::int64_t paid, std::int64_t now_us) {
  return std::max<std::int64_t>(0, paid - now_us - kRateBurstMs * 1000);
}

std::int64_t cost_us(std::uint64_t amount, std::uint64_t per_s) {
  return static_cast<std::int64_t>(amount * kMicros / per_s);
}

}  // namespace

std::uint32_t Throttle::take(const AgentId& agent, Lane lane, std::size_t bytes, const PublishRates& rates, TimeMs now) {
  const bool flash = lane == Lane::flash;
  const PublishRate& rate = flash ? rates.flash : rates.rest;
  if (rate.events_per_s == 0 && rate.bytes_per_s == 0) return 0;
  Bucket& bucket = buckets_[{agent, flash}];
  const std::int64_t now_us = now * 1000;
  if (const std::int64_t back = bucket.seen_us - now_us; back > 0) {  // the clock was set back: debts go back with it
    bucket.events_paid_us -= back;
    bucket.bytes_paid_us -= back;
  }
  bucket.seen_us = now_us;
  std::int64_t wait = 0;
  if (rate.events_per_s > 0) wait = std::max(wait, wait_us(bucket.events_paid_us, now_us));
  if (rate.bytes_per_s > 0) wait = std::max(wait, wait_us(bucket.bytes_paid_us, now_us));
  if (wait > 0) return static_cast<std::uint32_t>((wait + 999) / 1000);
  if (rate.events_per_s > 0) bucket.events_paid_us = std::max(bucket.events_paid_us, now_us) + cost_us(1, rate.events_per_s);
  if (rate.bytes_per_s > 0) bucket.bytes_paid_us = std::max(bucket.bytes_paid_us, now_us) + cost_us(bytes, rate.bytes_per_s);
  return 0;
}

}  // namespace lianxi::core
