// What a thin link may carry: a token bucket for each peer. Flash is never held back, and bulk gives way to normal: normal may
// borrow half a second ahead, bulk goes only when nothing is owed. So nothing is buffered: what may not go is not ordered of
// the journal, and not asked of the peer.
#pragma once

#include <map>
#include <memory>

#include "schemas/ids.h"

namespace lianxi::core {

struct LinkSetting {                   // of one peer, in this node's own file
  std::uint64_t bytes_per_second = 0;  // what this node sends and what it asks, each; 0: without bound
  bool compress = true;
  bool operator==(const LinkSetting&) const = default;
};
using LinkSettings = std::map<RegionCode, LinkSetting>;  // whoever is not named is as by default

inline constexpr std::int64_t kLinkBorrowMs = 500;
// A message on a thin link carries about so much time of it, past its first sealed run.
inline constexpr std::int64_t kLinkStepMs = 250;
inline constexpr std::uint64_t kMinLinkRate = 1'000;  // bytes per second: less would carry no heartbeats beside it

// One thread. Times are the caller's.
class LinkBudget {
 public:
  // Milliseconds until something of these lanes may go to the peer; 0: now.
  [[nodiscard]] TimeMs wait_ms(RegionCode peer, LaneMask lanes, TimeMs now);
  void spend(RegionCode peer, std::uint64_t bytes, std::uint64_t bytes_per_second, TimeMs now);

 private:
  struct Bucket {
    std::int64_t paid_us = 0;  // when all that was spent is paid for
    std::int64_t seen_us = 0;
  };
  static void see(Bucket& bucket, std::int64_t now_us);
  std::map<RegionCode, Bucket> buckets_;  // bounded by the members
};

[[nodiscard]] LinkSetting setting_of(const std::shared_ptr<const LinkSettings>& settings, RegionCode peer);

}  // namespace lianxi::core
