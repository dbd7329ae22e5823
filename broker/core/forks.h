// Own feeds that a peer holds longer, or with another hash, than this node does: then this node is a restored or cloned copy,
// and goes on with such a feed at the price of two histories. What a peer says of its vector is a claim: while it stands,
// nothing is published on the feed, and the peer is asked to show what it holds. What it shows under this region's own seal is
// proof, and the feed stays stopped. A peer that was asked and has nothing to show, or shows nothing for kClaimWaitMs, was wrong:
// it is reported, and the feed goes on. A proof that comes later still counts.
#pragma once

#include <map>
#include <set>
#include <string>

#include "broker/core/sequencer.h"
#include "schemas/journal_batch.h"
#include "schemas/protocol.h"

namespace lianxi::core {

// A claim that nothing is shown for goes after so long; while the peer goes on showing, at the latest after kClaimMostMs.
inline constexpr TimeMs kClaimWaitMs = 60'000;
inline constexpr TimeMs kClaimMostMs = 600'000;
// Of one peer at a time; what it claims besides is heard when these are judged.
inline constexpr std::size_t kMaxClaimsOfPeer = 128;

class Forks {
 public:
  Forks(RegionCode region, Epoch epoch) : region_(region), epoch_(epoch) {}
  // Compares what a peer says that it holds of this region with what stands here.
  void compare(Turn& turn, const Sequencer& sequencer, const FeedVector& theirs, RegionCode peer);
  // A peer has shown, sealed, what `why` says of a feed of this region.
  void proven(Turn& turn, const FeedId& feed, const std::string& why);
  // Another history of a feed, under its own region's seal, is kept as evidence: of an own feed that is proof, also after a
  // restart.
  void contradicted(const Quarantined& row);
  // A peer has shown all that it holds of these feeds: what it claimed of them and did not prove is not so.
  void shown_all(Turn& turn, RegionCode peer, const std::set<FeedId>& feeds);
  // A peer goes on showing what it holds of these feeds.
  void showing(const Turn& turn, RegionCode peer, const std::set<FeedId>& feeds);
  void tick(Turn& turn);
  // Claims of who is no member count for nothing.
  template <class IsMember>
  void keep_members(const IsMember& is_member) {
    std::erase_if(claims_, [&](const auto& claim) { return !is_member(claim.first.second); });
  }

  // Whether the peer has claims of these lanes to prove, and of which feeds.
  [[nodiscard]] std::set<FeedId> claimed(RegionCode peer, LaneMask lanes) const;
  // Why nothing may ever be published on the feed; null if it is not proven to be forked.
  [[nodiscard]] const std::string* stopped(const FeedId& feed) const;
  // Why nothing may be published on it until a claim is shown; null if nobody claims anything of it.
  [[nodiscard]] const std::string* doubted(const FeedId& feed) const;
  // What is stopped or doubted, as alarms that stand.
  [[nodiscard]] std::vector<AlarmRow> rows() const;

 private:
  struct Claim {
    FeedHead head;
    std::string reason;
    TimeMs since = 0, shown_at = 0;
  };
  struct Stop {
    std::string reason;
    TimeMs since = 0;
  };
  // Of later epochs all claims are one: each holds up every feed, and there is always a later one.
  [[nodiscard]] FeedId subject(const FeedId& feed) const;
  // What the peer claimed of the feed and did not prove.
  void unproven(Turn& turn, const std::pair<FeedId, RegionCode>& about, const Claim& claim, const std::string& shown);
  void report(Turn& turn, const FeedId& feed, const std::string& reason);

  RegionCode region_;
  Epoch epoch_;
  Stop superseded_;  // a later epoch of this region is about: nothing may be published
  std::map<FeedId, Stop> stopped_;
  std::map<std::pair<FeedId, RegionCode>, Claim> claims_;   // bounded: kMaxClaimsOfPeer
  std::map<std::pair<FeedId, RegionCode>, TimeMs> not_so_;  // by subject(): when it was disproven; not believed for kClaimRestMs
  std::map<FeedId, TimeMs> told_;                           // bounded: kMaxHeldFeeds
};

}  // namespace lianxi::core
