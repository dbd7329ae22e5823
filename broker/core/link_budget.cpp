#include "broker/core/link_budget.h"

#include <algorithm>

namespace lianxi::core {

namespace {
constexpr std::int64_t kMicros = 1'000'000;
}  // namespace

void LinkBudget::see(Bucket& bucket, std::int64_t now_us) {
  if (const std::int64_t back = bucket.seen_us - now_us; back > 0) bucket.paid_us -= back;  // the clock was set back
  bucket.seen_us = now_us;
}

TimeMs LinkBudget::wait_ms(RegionCode peer, LaneMask lanes, TimeMs now) {
  if ((lanes & mask_of(Lane::flash)) != 0) return 0;
  const auto found = buckets_.find(peer);
  if (found == buckets_.end()) return 0;
  see(found->second, now * 1000);
  const std::int64_t borrow_us = lanes == mask_of(Lane::bulk) ? 0 : kLinkBorrowMs * 1000;
  return std::max<std::int64_t>(0, found->second.paid_us - now * 1000 - borrow_us + 999) / 1000;
}

void LinkBudget::spend(RegionCode peer, std::uint64_t bytes, std::uint64_t bytes_per_second, TimeMs now) {
  if (bytes_per_second == 0) {
    buckets_.erase(peer);
    return;
  }
  Bucket& bucket = buckets_[peer];
  see(bucket, now * 1000);
  bucket.paid_us = std::max(bucket.paid_us, now * 1000) + static_cast<std::int64_t>(bytes * kMicros / bytes_per_second);
}

LinkSetting setting_of(const std::shared_ptr<const LinkSettings>& settings, RegionCode peer) {
  if (!settings) return {};
  const auto found = settings->find(peer);
  return found == settings->end() ? LinkSetting{} : found->second;
}

}  // namespace lianxi::core
