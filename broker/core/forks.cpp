#include "broker/core/forks.h"

#include <algorithm>

#include "schemas/limits.h"

namespace lianxi::core {
namespace {

constexpr std::size_t kMaxNotSo = 4'096;
constexpr TimeMs kClaimRestMs = 3'600'000;
constexpr const char* kToDo = ": this journal is a copy that was restored or cloned; restore it with a new epoch";

}  // namespace

void Forks::compare(Turn& turn, const Sequencer& sequencer, const FeedVector& theirs, RegionCode peer) {
  for (const FeedPosition& position : theirs) {
    const FeedId& feed = position.feed;
    if (feed.region != region_) continue;
    const FeedHead own = sequencer.head(feed);
    const bool longer = position.head.sequence > own.sequence;
    const bool at_head = position.head.sequence == own.sequence;
    const Hash held = at_head ? own.hash : sequencer.recent_hash(feed, position.head.sequence).value_or(position.head.hash);
    const bool other = !longer && position.head.hash != held;
    if (!longer && !other) continue;
    if (longer && feed.epoch < epoch_) continue;  // what the restore lost; it is asked for, and judged when it comes
    std::string reason =
        "the node of " + to_text(peer) + " holds " + to_text(feed) + " up to " + std::to_string(position.head.sequence.value) +
        (longer ? ", this node only up to " + std::to_string(own.sequence.value) : " with another hash than this node") + kToDo;
    if (not_so_.contains({subject(feed), peer})) continue;
    // What an earlier epoch lost is known since its restore: told, but today's feeds stand.
    const auto of_peer = std::count_if(claims_.begin(), claims_.end(), [&](const auto& c) { return c.first.second == peer; });
    if (feed.epoch >= epoch_ && static_cast<std::size_t>(of_peer) < kMaxClaimsOfPeer)
      claims_.try_emplace({feed, peer}, Claim{position.head, reason, turn.now, turn.now});
    report(turn, feed, reason);
  }
}

void Forks::proven(Turn& turn, const FeedId& feed, const std::string& why) {
  const std::string reason = why + kToDo;
  if (feed.epoch > epoch_ && superseded_.reason.empty()) superseded_ = {reason, turn.now};
  if (feed.epoch == epoch_) stopped_.try_emplace(feed, Stop{reason, turn.now});
  report(turn, feed, reason);
}

void Forks::contradicted(const Quarantined& row) {
  if (row.feed.region != region_ || row.feed.epoch != epoch_) return;
  stopped_.try_emplace(row.feed,
                       Stop{"the node of " + to_text(row.by) + " has shown another history of " + to_text(row.feed) +
                                " under this region's seal, which parts at " + std::to_string(row.differs.value) + kToDo,
                            row.at});
}

void Forks::shown_all(Turn& turn, RegionCode peer, const std::set<FeedId>& feeds) {
  for (auto at = claims_.begin(); at != claims_.end();) {
    const auto& [feed, by] = at->first;
    if (by != peer || !feeds.contains(feed)) {
      ++at;
      continue;
    }
    const auto about = at->first;
    const Claim claim = std::move(at->second);
    at = claims_.erase(at);
    unproven(turn, about, claim, "has nothing sealed to show for it");
  }
}

void Forks::showing(const Turn& turn, RegionCode peer, const std::set<FeedId>& feeds) {
  for (auto& [key, claim] : claims_)
    if (key.second == peer && feeds.contains(key.first)) claim.shown_at = turn.now;
}

void Forks::tick(Turn& turn) {
  std::erase_if(not_so_, [&](const auto& entry) { return turn.now < entry.second || turn.now - entry.second >= kClaimRestMs; });
  for (auto at = claims_.begin(); at != claims_.end();) {
    Claim& claim = at->second;
    claim.since = std::min(claim.since, turn.now);  // the wall clock may have been set back
    claim.shown_at = std::min(claim.shown_at, turn.now);
    if (turn.now - claim.shown_at < kClaimWaitMs && turn.now - claim.since < kClaimMostMs) {
      ++at;
      continue;
    }
    const auto about = at->first;
    const Claim ended = std::move(claim);
    at = claims_.erase(at);
    unproven(turn, about, ended, "has not shown it in time");
  }
}

void Forks::unproven(Turn& turn, const std::pair<FeedId, RegionCode>& about, const Claim& claim, const std::string& shown) {
  const auto& [feed, peer] = about;
  const bool is_so = feed.epoch > epoch_ ? !superseded_.reason.empty() : stopped_.contains(feed);
  if (is_so) return;
  turn.alarm("claim_unproven", "the node of " + to_text(peer) + " says that it holds " + to_text(feed) + " up to " +
                                   std::to_string(claim.head.sequence.value) + " otherwise than this node, and " + shown +
                                   "; the feed goes on. Ask " + to_text(peer) + " to verify its journal");
  if (not_so_.size() >= kMaxNotSo)
    not_so_.erase(
        std::min_element(not_so_.begin(), not_so_.end(), [](const auto& a, const auto& b) { return a.second < b.second; }));
  not_so_.insert_or_assign({subject(feed), peer}, turn.now);
}

FeedId Forks::subject(const FeedId& feed) const {
  return feed.epoch > epoch_ ? FeedId{region_, Epoch(epoch_.value + 1), Lane::flash, Audience::conference()} : feed;
}

std::set<FeedId> Forks::claimed(RegionCode peer, LaneMask lanes) const {
  std::set<FeedId> feeds;
  for (const auto& [about, claim] : claims_) {
    if (about.second == peer && (lanes & mask_of(about.first.lane)) != 0) feeds.insert(about.first);
  }
  return feeds;
}

const std::string* Forks::stopped(const FeedId& feed) const {
  if (!superseded_.reason.empty()) return &superseded_.reason;
  const auto found = stopped_.find(feed);
  return found == stopped_.end() ? nullptr : &found->second.reason;
}

// A claim of a later epoch is one about every feed.
const std::string* Forks::doubted(const FeedId& feed) const {
  const auto found = std::find_if(claims_.begin(), claims_.end(), [&](const auto& claim) {
    return claim.first.first == feed || claim.first.first.epoch > epoch_;
  });
  return found == claims_.end() ? nullptr : &found->second.reason;
}

std::vector<AlarmRow> Forks::rows() const {
  std::vector<AlarmRow> rows;
  if (!superseded_.reason.empty()) rows.push_back({"feed_forked", to_text(region_), superseded_.reason, superseded_.since});
  for (const auto& [feed, stop] : stopped_) rows.push_back({"feed_forked", to_text(feed), stop.reason, stop.since});
  for (const auto& [about, claim] : claims_) rows.push_back({"fork_claimed", to_text(about.first), claim.reason, claim.since});
  return rows;
}

void Forks::report(Turn& turn, const FeedId& feed, const std::string& reason) {
  const auto told = told_.find(feed);
  // Of an epoch that a restore has ended it is told once: there is nothing left to mend.
  if (told != told_.end() && feed.epoch < epoch_) return;
  if (told != told_.end() && turn.now >= told->second && turn.now - told->second < kAlarmRepeatMs) return;
  if (told == told_.end() && told_.size() >= kMaxHeldFeeds) return;
  told_[feed] = turn.now;
  turn.count(RefusalCode::feed_forked);
  turn.alarm("feed_forked", reason);
}

}  // namespace lianxi::core
