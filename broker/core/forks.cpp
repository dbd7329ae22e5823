#include "broker/core/forks.h"

#include "schemas/limits.h"

namespace lianxi::core {

void Forks::compare(Turn& turn, const Sequencer& sequencer, const FeedVector& theirs, const std::string& peer) {
  for (const FeedPosition& position : theirs) {
    const FeedId& feed = position.feed;
    if (feed.region != region_) continue;
    const FeedHead own = sequencer.head(feed);
    const bool longer = position.head.sequence > own.sequence;
    const bool other = position.head.sequence == own.sequence && position.head.hash != own.hash;
    if (!longer && !other) continue;
    if (longer && feed.epoch < epoch_) continue;  // what the restore lost; it is asked for, and judged when it comes
    std::string reason = peer + " holds " + to_text(feed) + " up to " + std::to_string(position.head.sequence.value) +
                         (longer ? ", this node only up to " : " with another hash than this node at ") +
                         std::to_string(own.sequence.value) +
                         ": this journal is a copy that was restored or cloned; restore it with a new epoch";
    // What an earlier epoch lost is known since its restore: told, but today's feeds stand.
    if (feed.epoch == epoch_ && stopped_.size() < kMaxHeldFeeds) stopped_.try_emplace(feed, reason);
    if (feed.epoch > epoch_ && superseded_.empty()) superseded_ = reason;
    report(turn, feed, std::move(reason));
  }
}

const std::string* Forks::stopped(const FeedId& feed) const {
  if (!superseded_.empty()) return &superseded_;
  const auto found = stopped_.find(feed);
  return found == stopped_.end() ? nullptr : &found->second;
}

void Forks::report(Turn& turn, const FeedId& feed, std::string reason) {
  const auto told = told_.find(feed);
  if (told != told_.end() && turn.now >= told->second && turn.now - told->second < kAlarmRepeatMs) return;
  if (told == told_.end() && told_.size() >= kMaxHeldFeeds) return;
  told_[feed] = turn.now;
  turn.count(RefusalCode::feed_forked);
  turn.alarm("feed_forked", std::move(reason));
}

}  // namespace lianxi::core
