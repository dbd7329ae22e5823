// Ack level peers(k) on the client's side: an event that asks for it keeps its place until the node has said how many peers hold
// it, so that it goes again, and asks again, when the connection breaks in between.
#include <algorithm>
#include <utility>

#include "agents/sdk/publisher.h"

namespace lianxi::sdk {

// The events loaded may ask for different levels; a message asks for one. Leaves out what is behind the first.
PeerAcks::Level Publisher::cut_to_one_level() {
  if (acks_ == nullptr || !acks_->any()) return {};
  const PeerAcks::Level level = acks_->level_of(loaded_.front().ticket);
  const auto other = std::find_if(loaded_.begin() + 1, loaded_.end(),
                                  [&](const OutboxItem& item) { return acks_->level_of(item.ticket) != level; });
  loaded_.erase(other, loaded_.end());
  return level;
}

void Publisher::await_peers(Window& window, std::uint64_t sequence, const PeerAcks::Level& level, std::int64_t now_ms) {
  if (level.peers == 0) return;
  window.sent.back().waits = true;
  window.outcome_due[sequence] = now_ms + level.deadline_ms + kAnswerTimeoutMs;
}

bool Publisher::unanswered(const Window& window) {
  return std::any_of(window.sent.rbegin(), window.sent.rend(), [](const InFlight& item) { return !item.answered; });
}

bool Publisher::overdue(const Window& window, std::int64_t now_ms) {
  if (window.sent.empty()) return false;
  if (!window.outcome_due.empty() && now_ms > window.outcome_due.begin()->second) return true;
  return now_ms - window.progress_ms > kAnswerTimeoutMs && unanswered(window);
}

void Publisher::replicated(const Replicated& replicated, std::int64_t now_ms) {
  if (replicated.session != outbox_.session()) return;
  std::vector<std::pair<Ticket, Replication>> outcomes;
  for (const ReplicatedRange& range : replicated.ranges) {
    Window& window = of(range.lane);
    const std::uint64_t first = range.first_sequence.value;
    const auto begin = window.outcome_due.lower_bound(first);
    auto at = begin;
    for (; at != window.outcome_due.end() && at->first - first < range.count; ++at) {
      InFlight* item = find(range.lane, Sequence(at->first));
      if (item == nullptr) continue;
      item->waits = false;
      outcomes.emplace_back(item->ticket, Replication{range.held, range.wanted});
    }
    window.outcome_due.erase(begin, at);
    advance(range.lane, now_ms);
  }
  for (const auto& [ticket, outcome] : outcomes) acks_->tell(ticket, outcome);
}

// These have their receipts, but the session that asked of peers is given up.
void Publisher::give_up_outcomes(const std::vector<Ticket>& receipted) {
  if (acks_ == nullptr || !acks_->any()) return;
  acks_->tell(receipted, {RefusalCode::session_unknown, "peers",
                          "the session was given up before the node said how many others hold the event", 0});
}

}  // namespace lianxi::sdk
