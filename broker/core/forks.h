// Own feeds that a peer holds longer, or with another hash, than this node does: this node is a restored or cloned copy. Such
// a feed is not published on any more, and the fork is told again while peers keep showing it.
#pragma once

#include <map>
#include <string>

#include "broker/core/sequencer.h"

namespace lianxi::core {

class Forks {
 public:
  Forks(RegionCode region, Epoch epoch) : region_(region), epoch_(epoch) {}
  // Compares what `peer` holds of this region with what stands here.
  void compare(Turn& turn, const Sequencer& sequencer, const FeedVector& theirs, const std::string& peer);
  // Why nothing may be published on the feed; null if it is sound.
  [[nodiscard]] const std::string* stopped(const FeedId& feed) const;

 private:
  void report(Turn& turn, const FeedId& feed, std::string reason);

  RegionCode region_;
  Epoch epoch_;
  std::string superseded_;  // a later epoch of this region is about: nothing may be published
  std::map<FeedId, std::string> stopped_;
  std::map<FeedId, TimeMs> told_;  // bounded: own feeds, and kMaxHeldFeeds of other epochs
};

}  // namespace lianxi::core
