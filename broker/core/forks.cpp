#include "broker/core/forks.h"

#include <algorithm>

#include "schemas/limits.h"

namespace lianxi::core {
namespace {

constexpr std::size_t kMaxClaims = 1024;
constexpr TimeMs kClaimRestMs = 3'600'000;

}  // namespace

void Forks::compare(Turn& turn, const Sequencer& sequencer, const FeedVector& theirs, RegionCode peer) {
  for (const FeedPosition& position : theirs) {
    const FeedId& feed = position.feed;
    if (feed.region != region_) continue;
    const FeedHead own = sequencer.head(feed);
    const bool longer = position.head.sequence > own.sequence;
    const bool other = position.head.sequence == own.sequence && position.head.hash != own.hash;
    if (!longer && !other) continue;
    if (longer && feed.epoch < epoch_) continue;  // what the restore lost; it is asked for, and judged when it comes
    std::string reason =
        "the node of " + to_text(peer) + " holds " + to_text(feed) + " up to " + std::to_string(position.head.sequence.value) +
        (longer ? ", this node only up to " : " with another hash than this node at ") + std::to_string(own.sequence.value) +
        ": this journal is a copy that was restored or cloned; restore it with a new epoch";
    const std::pair about{feed, peer};
    if (const auto before = not_so_.find(about); before != not_so_.end()) {
      if (turn.now >= before->second && turn.now - before->second < kClaimRestMs) continue;
      not_so_.erase(before);
    }
    // What an earlier epoch lost is known since its restore: told, but today's feeds stand.
    if (feed.epoch >= epoch_ && claims_.size() < kMaxClaims) claims_.try_emplace(about, Claim{position.head, reason});
    report(turn, feed, reason);
  }
}

void Forks::proven(Turn& turn, const FeedId& feed, const std::string& why) {
  const std::string reason = why + ": this journal is a copy that was restored or cloned; restore it with a new epoch";
  if (feed.epoch > epoch_ && superseded_.empty()) superseded_ = reason;
  if (feed.epoch == epoch_) stopped_.try_emplace(feed, reason);
  report(turn, feed, reason);
}

void Forks::shown_all(Turn& turn, RegionCode peer, const std::set<FeedId>& feeds) {
  for (auto at = claims_.begin(); at != claims_.end();) {
    const auto& [feed, by] = at->first;
    if (by != peer || !feeds.contains(feed)) {
      ++at;
      continue;
    }
    const bool is_so = feed.epoch > epoch_ ? !superseded_.empty() : stopped_.contains(feed);
    if (!is_so) {
      turn.alarm("claim_unproven",
                 "the node of " + to_text(peer) + " says that it holds " + to_text(feed) + " up to " +
                     std::to_string(at->second.head.sequence.value) +
                     " otherwise than this node, and has nothing sealed to show for it; the feed goes on. Ask " + to_text(peer) +
                     " to verify its journal");
      if (not_so_.size() < kMaxClaims) not_so_.insert_or_assign(at->first, turn.now);
    }
    at = claims_.erase(at);
  }
}

std::set<FeedId> Forks::claimed(RegionCode peer, LaneMask lanes) const {
  std::set<FeedId> feeds;
  for (const auto& [about, claim] : claims_) {
    if (about.second == peer && (lanes & mask_of(about.first.lane)) != 0) feeds.insert(about.first);
  }
  return feeds;
}

const std::string* Forks::stopped(const FeedId& feed) const {
  if (!superseded_.empty()) return &superseded_;
  const auto found = stopped_.find(feed);
  return found == stopped_.end() ? nullptr : &found->second;
}

// A claim of a later epoch is one about every feed.
const std::string* Forks::doubted(const FeedId& feed) const {
  const auto found = std::find_if(claims_.begin(), claims_.end(), [&](const auto& claim) {
    return claim.first.first == feed || claim.first.first.epoch > epoch_;
  });
  return found == claims_.end() ? nullptr : &found->second.reason;
}

void Forks::report(Turn& turn, const FeedId& feed, const std::string& reason) {
  const auto told = told_.find(feed);
  if (told != told_.end() && turn.now >= told->second && turn.now - told->second < kAlarmRepeatMs) return;
  if (told == told_.end() && told_.size() >= kMaxHeldFeeds) return;
  told_[feed] = turn.now;
  turn.count(RefusalCode::feed_forked);
  turn.alarm("feed_forked", reason);
}

}  // namespace lianxi::core
