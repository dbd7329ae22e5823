#include "broker/core/replication.h"

#include <algorithm>

#include "schemas/limits.h"

namespace lianxi::core {
namespace {

constexpr LaneClass kClasses[] = {LaneClass::flash, LaneClass::rest};

// SplitMix64: spreads the attempts of many links over time without a source of randomness.
std::uint64_t mixed(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31U);
}

TimeMs wait_ms(RegionCode own, const LinkId& id, std::uint32_t attempt) {
  const TimeMs base = std::min(kMaxReconnectMs, kMinReconnectMs << std::min(attempt, 10U));
  const std::uint64_t seed = (std::uint64_t{own.value} << 40U) ^ (std::uint64_t{id.peer.value} << 16U) ^
                             (std::uint64_t{static_cast<std::uint8_t>(id.lanes)} << 8U) ^ attempt;
  return base / 2 + static_cast<TimeMs>(mixed(seed) % static_cast<std::uint64_t>(base / 2 + 1));
}

}  // namespace

void Replication::tick(Ground& ground, Turn& turn) {
  for (const Member& member : ground.members().all()) {
    if (member.region == ground.region()) continue;
    for (const LaneClass lanes : kClasses) {
      const LinkId id{member.region, lanes};
      Link& link = links_[id];
      link.heard = std::min(link.heard, turn.now);  // the wall clock may have been set back
      link.sent = std::min(link.sent, turn.now);
      link.retry_at = std::min(link.retry_at, turn.now + kRefusedLinkRetryMs);
      const bool open_now = link.state == State::connecting || link.state == State::following;
      if (!open_now) {
        if (turn.now >= link.retry_at && !ground.disk_low) open(ground, turn, id, link);
      } else if (turn.now - link.heard > kPeerSilenceMs) {
        back_off(ground, turn, id, link, "no word from the peer for " + std::to_string(kPeerSilenceMs) + " ms");
      } else if (link.state == State::following && turn.now - link.sent >= kHeartbeatMs) {
        turn.effects.link_sends.push_back({id, Heartbeat{turn.now, held_of(ground, id)}});
        link.sent = turn.now;
      }
    }
  }
}

FeedVector Replication::held_of(const Ground& ground, const LinkId& id) const {
  FeedVector vector;
  for (const auto& [feed, head] : ground.sequencer.heads()) {
    if (feed.region != id.peer || (lanes_of(id.lanes) & mask_of(feed.lane)) == 0) continue;
    vector.push_back({feed, head});
  }
  // Later epochs stand last; what is cut off comes again and is known then.
  if (vector.size() > kMaxLinkVectorFeeds)
    vector.erase(vector.begin(), vector.end() - static_cast<std::ptrdiff_t>(kMaxLinkVectorFeeds));
  return vector;
}

void Replication::open(const Ground& ground, Turn& turn, const LinkId& id, Link& link) {
  link.follow = SessionId{link.follow.value + 1};
  link.state = State::connecting;
  link.passed_over = false;
  link.heard = link.sent = turn.now;
  Follow follow;
  follow.follow = link.follow;
  follow.mode = FollowMode::feeds;
  follow.from = FollowFrom::vector;
  follow.vector = held_of(ground, id);
  follow.regions = {id.peer};
  follow.lanes = lanes_of(id.lanes);
  follow.credit_bytes = kLinkCreditBytes;
  follow.credit_messages = kLinkCreditMessages;
  turn.effects.link_resets.push_back({id, link.reason});
  turn.effects.link_sends.push_back({id, std::move(follow)});
}

void Replication::say_unfollow(Turn& turn, const LinkId& id, const Link& link, const std::string& reason) {
  turn.effects.link_sends.push_back({id, Unfollow{link.follow, reason}});
}

void Replication::back_off(const Ground& ground, Turn& turn, const LinkId& id, Link& link, std::string reason) {
  link.state = State::down;
  link.retry_at = turn.now + wait_ms(ground.region(), id, link.attempt);
  link.attempt += 1;
  link.reason = std::move(reason);
}

void Replication::give_up(Turn& turn, const LinkId& id, Link& link, RefusalCode code, std::string reason) {
  turn.count(code);
  alarm(turn, std::string(to_word(code)), to_text(id.peer), reason);
  say_unfollow(turn, id, link, reason);
  link.state = State::refused;
  link.retry_at = turn.now + kRefusedLinkRetryMs;
  link.reason = std::move(reason);
}

void Replication::lost(const Ground& ground, Turn& turn, const LinkLost& lost) {
  const auto found = links_.find(lost.link);
  if (found == links_.end()) return;
  Link& link = found->second;
  if (link.state != State::connecting && link.state != State::following) return;
  back_off(ground, turn, lost.link, link, lost.reason);
}

void Replication::members_changed(const Ground& ground) {
  std::erase_if(links_, [&](const auto& entry) { return ground.members().find(entry.first.peer) == nullptr; });
}

void Replication::message(Ground& ground, Turn& turn, const PeerMessage& from) {
  const auto found = links_.find(from.link);
  if (found == links_.end()) return turn.count(RefusalCode::wrong_region);
  Link& link = found->second;
  if (link.state != State::connecting && link.state != State::following) return;  // of a connection that was left
  link.heard = turn.now;
  link.last_contact = turn.now;
  const auto ours = [&](SessionId follow) { return follow == link.follow; };
  if (const auto* followed = std::get_if<Followed>(&from.message)) {
    if (!ours(followed->follow)) return;
    link.state = State::following;
    link.attempt = 0;
    link.reason.clear();
  } else if (const auto* deliver_message = std::get_if<Deliver>(&from.message)) {
    if (ours(deliver_message->follow) && link.state == State::following) deliver(ground, turn, from.link, link, *deliver_message);
  } else if (const auto* heartbeat = std::get_if<Heartbeat>(&from.message)) {
    ground.forks.compare(turn, ground.sequencer, heartbeat->vector, "the node of " + to_text(from.link.peer));
  } else if (const auto* said_no = std::get_if<Refused>(&from.message)) {
    refused(ground, turn, from.link, link, *said_no);
  } else if (const auto* unfollow = std::get_if<Unfollow>(&from.message)) {
    if (ours(unfollow->follow)) back_off(ground, turn, from.link, link, "the peer ended the follow: " + unfollow->reason);
  } else if (!std::holds_alternative<Welcome>(from.message)) {
    turn.count(RefusalCode::unknown_type);
  }
}

void Replication::refused(const Ground& ground, Turn& turn, const LinkId& id, Link& link, const Refused& refused) {
  if (refused.session.value != 0 && refused.session != link.follow) return;
  const Refusal& refusal = refused.refusal;
  std::string reason = "the peer refuses: " + std::string(to_word(refusal.code)) + ": " + refusal.reason;
  // The follow is gone over there (a restart), or the peer is busy: soon again.
  if (refusal.code == RefusalCode::not_found || refusal.retry_after_ms > 0)
    return back_off(ground, turn, id, link, std::move(reason));
  link.state = State::refused;
  link.retry_at = turn.now + kRefusedLinkRetryMs;
  link.reason = std::move(reason);
}

std::vector<LinkView> Replication::links() const {
  static constexpr const char* kWords[] = {"down", "connecting", "following", "refused"};
  std::vector<LinkView> views;
  for (const auto& [id, link] : links_)
    views.push_back({id, kWords[static_cast<std::size_t>(link.state)], link.last_contact, link.reason, link.received_events});
  return views;
}

void Replication::alarm(Turn& turn, const std::string& what, const std::string& about, std::string reason) {
  const auto [told, fresh] = alarms_.try_emplace({what, about}, turn.now);
  if (!fresh && turn.now >= told->second && turn.now - told->second < kAlarmRepeatMs) return;
  told->second = turn.now;
  turn.alarm(what, std::move(reason));
}

}  // namespace lianxi::core
