// Own feeds that a peer holds longer, or with another hash, than this node does: then this node is a restored or cloned copy,
// and goes on with such a feed at the price of two histories. What a peer says of its vector is a claim: while it stands,
// nothing is published on the feed, and the peer is asked to show what it holds. What it shows under this region's own seal is
// proof, and the feed stays stopped. A peer that was asked and has nothing to show was wrong: it is reported, and the feed goes
// on.
#pragma once

#include <map>
#include <set>
#include <string>

#include "broker/core/sequencer.h"

namespace lianxi::core {

class Forks {
 public:
  Forks(RegionCode region, Epoch epoch) : region_(region), epoch_(epoch) {}
  // Compares what a peer says that it holds of this region with what stands here.
  void compare(Turn& turn, const Sequencer& sequencer, const FeedVector& theirs, RegionCode peer);
  // A peer has shown, sealed, what `why` says of a feed of this region.
  void proven(Turn& turn, const FeedId& feed, const std::string& why);
  // A peer has shown all that it holds of these feeds: what it claimed of them and did not prove is not so.
  void shown_all(Turn& turn, RegionCode peer, const std::set<FeedId>& feeds);
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

 private:
  struct Claim {
    FeedHead head;
    std::string reason;
  };
  void report(Turn& turn, const FeedId& feed, const std::string& reason);

  RegionCode region_;
  Epoch epoch_;
  std::string superseded_;  // a later epoch of this region is about: nothing may be published
  std::map<FeedId, std::string> stopped_;
  std::map<std::pair<FeedId, RegionCode>, Claim> claims_;   // bounded: kMaxClaims
  std::map<std::pair<FeedId, RegionCode>, TimeMs> not_so_;  // when it was disproven; not believed for kClaimRestMs
  std::map<FeedId, TimeMs> told_;                           // bounded: kMaxHeldFeeds
};

}  // namespace lianxi::core
