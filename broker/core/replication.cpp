#include "broker/core/replication.h"

#include <algorithm>

#include "schemas/limits.h"

namespace lianxi::core {
namespace {

// At most, until a peer that was lost is tried again: when the line heals it is to be found at once.
constexpr TimeMs kCutWaitMs = 1'000;
// A heartbeat is due on each lane each kHeartbeatMs.
constexpr TimeMs kSilentLaneMs = kHeartbeatMs + kHeartbeatMs / 4;
constexpr TimeMs kRenewMs = 60'000;

// SplitMix64: spreads the attempts of many links over time without a source of randomness.
std::uint64_t mixed(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27U)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31U);
}

// Of a word that names one; 0: none.
SessionId follow_of(const Message& message) {
  if (const auto* followed = std::get_if<Followed>(&message)) return followed->follow;
  if (const auto* deliver = std::get_if<Deliver>(&message)) return deliver->follow;
  if (const auto* refused = std::get_if<Refused>(&message)) return refused->session;
  if (const auto* unfollow = std::get_if<Unfollow>(&message)) return unfollow->follow;
  return {};
}

TimeMs wait_ms(RegionCode own, const LinkId& id, std::uint32_t attempt, TimeMs most) {
  const TimeMs base = std::min(most, kMinReconnectMs << std::min(attempt, 10U));
  const std::uint64_t seed = (std::uint64_t{own.value} << 40U) ^ (std::uint64_t{id.peer.value} << 16U) ^
                             (std::uint64_t{static_cast<std::uint8_t>(id.lanes)} << 8U) ^ attempt;
  return base / 2 + static_cast<TimeMs>(mixed(seed) % static_cast<std::uint64_t>(base / 2 + 1));
}

}  // namespace

// Whole feeds of the link's member in its lanes, from what is held of them on.
Follow Replication::question(const Ground& ground, RegionCode peer, SessionId follow, const LinkId& of, FeedVector held,
                             bool from_retention) {
  const LinkSetting setting = setting_of(ground.config.links, peer);
  Follow question;
  question.follow = follow;
  question.mode = FollowMode::feeds;
  question.from = FollowFrom::vector;
  question.vector = std::move(held);
  question.from_retention = from_retention;
  question.regions = {of.peer};
  question.lanes = lanes_of(of.lanes);
  question.credit_bytes = kLinkCreditBytes;
  question.credit_messages = kLinkCreditMessages;
  if (of.lanes == LaneClass::flash) return question;
  question.zstd = setting.compress;
  if (setting.bytes_per_second > 0)
    question.credit_messages = static_cast<std::uint32_t>(
        std::clamp<std::uint64_t>(setting.bytes_per_second / kLinkMessageBytes, kThinLinkMessages, kLinkCreditMessages));
  return question;
}

void Replication::tick(Ground& ground, Turn& turn) {
  const Members& members = ground.members();
  if (const Standing own = members.standing(ground.region()); own == Standing::retired || own == Standing::not_yet) {
    for (auto& [id, detour] : detours_) close_detour(turn, id.lanes, detour, members.why_not(ground.region()));
    detours_.clear();
    for (auto& [id, link] : links_) end_link(turn, id, link, members.why_not(ground.region()));
    return;
  }
  for (const Member& member : members.all()) {
    if (member.region == ground.region() || members.standing(member.region) == Standing::not_yet) continue;
    for (const LaneClass lanes : kLaneClasses) {
      const LinkId id{member.region, lanes};
      Link& link = links_.try_emplace(id, Link{.down_since = turn.now}).first->second;
      if (members.active(member.region)) link.all_here = false;
      if (members.active(member.region) || still_fetches(ground, turn, id, link)) {
        tend(ground, turn, id, link);
        pay_owed(ground, turn, id, link);
      } else {
        end_link(turn, id, link, members.why_not(member.region) + (link.all_here ? "; all that it published is here" : ""));
      }
    }
  }
  take_detours(ground, turn);
  look_at_ends(ground, turn);
  ground.former_shown = former_shown(ground);
  ask_repairs(ground, turn);
}

void Replication::tend(const Ground& ground, Turn& turn, const LinkId& id, Link& link) {
  link.down_since = std::min(link.down_since, turn.now);
  link.heard = std::min(link.heard, turn.now);  // the wall clock may have been set back
  link.sent = std::min(link.sent, turn.now);
  link.opened_at = std::min(link.opened_at, turn.now);
  link.back_at = std::min(link.back_at, turn.now);
  if (link.renewed_at) link.renewed_at = std::min(*link.renewed_at, turn.now);
  link.retry_at = std::min(link.retry_at, turn.now + kRefusedLinkRetryMs);
  const bool open_now = link.state == State::connecting || link.state == State::following;
  if (!open_now) {
    if (turn.now >= link.retry_at && !ground.disk_low) open(ground, turn, id, link);
  } else if (const TimeMs silence = silence_ms(ground, turn, id); turn.now - link.heard > silence) {
    back_off(ground, turn, id, link, "no word from the peer for " + std::to_string(silence) + " ms", kCutWaitMs);
  } else if (hangs(ground, turn, id, link)) {
    link.renewed_at = turn.now;
    back_off(ground, turn, id, link, "silent, and another lane of the peer is back", kCutWaitMs);
    link.retry_at = turn.now;
  } else if (link.state == State::following && turn.now - link.sent >= kHeartbeatMs) {
    turn.effects.link_sends.push_back({id, Heartbeat{turn.now, held_of(ground, id), ground.members().version()}});
    link.sent = turn.now;
  }
}

// On a thin link a message may be under way for longer than heartbeats are apart; that the peer is there its flash lane says.
TimeMs Replication::silence_ms(const Ground& ground, const Turn& turn, const LinkId& id) const {
  const std::uint64_t rate = setting_of(ground.config.links, id.peer).bytes_per_second;
  const auto flash = links_.find({id.peer, LaneClass::flash});
  if (rate == 0 || id.lanes == LaneClass::flash || flash == links_.end()) return kPeerSilenceMs;
  const bool heard = flash->second.state == State::following && turn.now - flash->second.heard <= kPeerSilenceMs;
  return kPeerSilenceMs + (heard ? static_cast<TimeMs>(kMaxDeliverBytes * 1'000 / rate) : 0);
}

// A lane that stays silent then hangs on a connection from before the cut, which TCP goes on with much later. Seldom enough for
// the longest message to come through in between.
bool Replication::hangs(const Ground& ground, const Turn& turn, const LinkId& id, const Link& link) const {
  if (turn.now - link.heard <= kSilentLaneMs) return false;
  if (link.renewed_at && turn.now - *link.renewed_at < std::max(kRenewMs, 2 * silence_ms(ground, turn, id))) return false;
  return std::any_of(std::begin(kLaneClasses), std::end(kLaneClasses), [&](LaneClass lanes) {
    const auto other = lanes == id.lanes ? links_.end() : links_.find({id.peer, lanes});
    return other != links_.end() && other->second.state == State::following && other->second.back_at > link.heard &&
           turn.now - other->second.back_at <= kPeerSilenceMs;
  });
}

// Flash does not wait out a pause of its own.
void Replication::lane_is_back(const Turn& turn, const LinkId& id, Link& link) {
  link.back_at = turn.now;
  const auto flash = links_.find({id.peer, LaneClass::flash});
  if (flash != links_.end() && flash->second.state == State::down)
    flash->second.retry_at = std::min(flash->second.retry_at, turn.now);
}

bool Replication::still_fetches(const Ground& ground, const Turn& turn, const LinkId& id, const Link& link) const {
  const Member* member = ground.members().find(id.peer);
  return !link.all_here && member != nullptr && member->window.until && turn.now - *member->window.until < kLastFetchMs;
}

// Its socket is closed by the ring, which sees the state.
void Replication::end_link(Turn& turn, const LinkId& id, Link& link, const std::string& reason) {
  if (link.state == State::retired) return;
  if (link.state == State::connecting || link.state == State::following) say_unfollow(turn, id, link, reason);
  left(turn, link);
  link.former = {};
  link.state = State::retired;
  link.retry_at = turn.now;
  link.reason = reason;
}

FeedVector Replication::held_of(const Ground& ground, const LinkId& id) {
  FeedVector vector;
  for (const auto& [feed, head] : ground.sequencer.heads()) {
    if (feed.region != id.peer || (lanes_of(id.lanes) & mask_of(feed.lane)) == 0) continue;
    vector.push_back({feed, head, ground.sequencer.begins(feed)});
  }
  // Later epochs stand last; what is cut off comes again and is known then.
  if (vector.size() > kMaxLinkVectorFeeds)
    vector.erase(vector.begin(), vector.end() - static_cast<std::ptrdiff_t>(kMaxLinkVectorFeeds));
  return vector;
}

void Replication::open(const Ground& ground, Turn& turn, const LinkId& id, Link& link) {
  // Its connection goes, and what was asked on it besides.
  for (auto& [of, detour] : detours_)
    if (detour.via == id.peer && of.lanes == id.lanes) detour.open = false;
  link.former = {};
  if (const auto asked = repairs_.asked(); asked && asked->link == id) repairs_.cut_off();
  link.follow = link.last_follow = SessionId{link.last_follow.value + 1};
  link.state = State::connecting;
  link.passed_over = false;
  link.heard = link.sent = link.opened_at = turn.now;
  link.sight.round_trip_ms.reset();
  link.sight.clock_ahead_ms.reset();
  link.owed.clear();
  turn.effects.link_resets.push_back({id, link.reason});
  FeedVector held = held_of(ground, id);
  const bool behind = may_begin(ground, link.beginnings, held);
  turn.effects.link_sends.push_back({id, question(ground, id.peer, link.follow, id, std::move(held), behind)});
}

void Replication::say_unfollow(Turn& turn, const LinkId& id, const Link& link, const std::string& reason) {
  turn.effects.link_sends.push_back({id, Unfollow{link.follow, reason}});
}

void Replication::back_off(const Ground& ground, Turn& turn, const LinkId& id, Link& link, std::string reason, TimeMs most) {
  left(turn, link);
  link.state = State::down;
  link.retry_at = turn.now + wait_ms(ground.region(), id, link.attempt, most);
  link.attempt += 1;
  link.reason = std::move(reason);
}

void Replication::give_up(Turn& turn, const LinkId& id, Link& link, RefusalCode code, std::string reason) {
  turn.count(code);
  alarm(turn, std::string(to_word(code)), to_text(id.peer), reason);
  say_unfollow(turn, id, link, reason);
  left(turn, link);
  link.state = State::refused;
  link.retry_at = turn.now + kRefusedLinkRetryMs;
  link.reason = std::move(reason);
}

void Replication::left(const Turn& turn, Link& link) {
  if (link.state == State::following) link.down_since = turn.now;
}

void Replication::lost(const Ground& ground, Turn& turn, const LinkLost& lost) {
  const auto found = links_.find(lost.link);
  if (found == links_.end()) return;
  Link& link = found->second;
  if (link.state != State::connecting && link.state != State::following) return;
  if (lost.broken) return give_up(turn, lost.link, link, *lost.broken, lost.reason);
  back_off(ground, turn, lost.link, link, lost.reason, kCutWaitMs);
}

// An end that a new members file moves: what was left out is asked for again.
void Replication::look_at_ends(Ground& ground, Turn& turn) {
  for (auto at = ended_.begin(); at != ended_.end();) {
    const auto& [feed, end] = *at;
    if (ground.members().closes(feed.audience, feed.region) == end) {
      ++at;
      continue;
    }
    ground.standing.end(turn, "feed_ended", to_text(feed), to_text(feed) + " ends otherwise by the members file of now");
    const LinkId id{feed.region, static_cast<LaneClass>(feed.lane)};
    if (const auto link = links_.find(id); link != links_.end() && link->second.state == State::following) {
      say_unfollow(turn, id, link->second, "the members file has changed");
      back_off(ground, turn, id, link->second, "the members file has changed");
    }
    at = ended_.erase(at);
  }
}

void Replication::members_changed(const Ground& ground) {
  const auto gone = [&](const auto& entry) {
    const Standing now = ground.members().standing(entry.first.peer);
    return now == Standing::stranger || now == Standing::not_yet;
  };
  std::erase_if(links_, gone);
  std::erase_if(detours_, gone);
  std::erase_if(sights_, [&](const auto& entry) { return gone(std::pair{LinkId{entry.first, {}}, 0}); });
}

void Replication::message(Ground& ground, Turn& turn, const PeerMessage& from) {
  const auto found = links_.find(from.link);
  if (found == links_.end()) return turn.count(RefusalCode::wrong_region);
  Link& link = found->second;
  if (link.state != State::connecting && link.state != State::following) return;  // of a connection that was left
  if (turn.now - link.heard > kSilentLaneMs) lane_is_back(turn, from.link, link);
  link.heard = turn.now;
  link.last_contact = turn.now;
  const auto ours = [&](SessionId follow) { return follow == link.follow; };
  if (repairs_.asked() == Repairs::Asked{from.link, follow_of(from.message)}) return repair_message(ground, turn, from, link);
  if (const auto [of, detour] = detour_of(ground, from.link, link, follow_of(from.message)); detour != nullptr)
    return detour_message(ground, turn, from, {from.link, link, of, detour});
  if (const auto* followed = std::get_if<Followed>(&from.message)) {
    if (!ours(followed->follow)) return;
    link.state = State::following;
    link.attempt = 0;
    link.reason.clear();
    link.sent = 0;  // a heartbeat with the next tick: how long it takes, and how far the peer is
    lane_is_back(turn, from.link, link);
  } else if (const auto* deliver_message = std::get_if<Deliver>(&from.message)) {
    if (ours(deliver_message->follow) && link.state == State::following)
      deliver(ground, turn, {from.link, link, from.link.peer, nullptr}, *deliver_message, from.wire_bytes);
  } else if (const auto* beat = std::get_if<Heartbeat>(&from.message)) {
    sighted(ground, turn, from.link, link, *beat);
    heartbeat(ground, turn, from.link, link, *beat);
  } else if (const auto* said_no = std::get_if<Refused>(&from.message)) {
    refused(ground, turn, from.link, link, *said_no);
  } else if (const auto* unfollow = std::get_if<Unfollow>(&from.message)) {
    if (ours(unfollow->follow)) back_off(ground, turn, from.link, link, "the peer ended the follow: " + unfollow->reason);
  } else if (!std::holds_alternative<Welcome>(from.message)) {
    turn.count(RefusalCode::unknown_type);
  }
}

void Replication::heartbeat(Ground& ground, Turn& turn, const LinkId& id, Link& link, const Heartbeat& heartbeat) {
  const Members& members = ground.members();
  link.members = heartbeat.members;
  PeerSight& sight = sights_[id.peer];
  sight = {id.peer, heartbeat.vector, turn.now};
  std::erase_if(sight.held, [&](const FeedPosition& position) { return position.feed.region != ground.region(); });
  if (members.active(id.peer)) {
    ground.clocks.heard(ground.standing, turn, id.peer, heartbeat.time);
    ground.forks.compare(turn, ground.sequencer, heartbeat.vector, id.peer);
  } else if (const Member* gone = members.find(id.peer); gone != nullptr && gone->window.until) {
    // A heartbeat later than the end by its sender's own clock tells of all that it ever stamped before the end.
    link.all_here = heartbeat.time >= *gone->window.until + kHeartbeatMs &&
                    std::all_of(heartbeat.vector.begin(), heartbeat.vector.end(), [&](const FeedPosition& position) {
                      return position.feed.region != id.peer || (lanes_of(id.lanes) & mask_of(position.feed.lane)) == 0 ||
                             position.head.sequence <= ground.sequencer.head(position.feed).sequence;
                    });
  }
  if (heartbeat.members == members.version() || heartbeat.members.value == 0 || members.version().value == 0)
    return link.differs_since.reset();
  link.differs_since = std::min(link.differs_since.value_or(turn.now), turn.now);
  if (turn.now - *link.differs_since >= kMembersDifferMs)
    alarm(turn, "members_differ", to_text(id.peer),
          "the node of " + to_text(id.peer) + " runs members file " + to_text(heartbeat.members) + ", this one " +
              to_text(members.version()) + ": bring the same file to both");
}

void Replication::refused(const Ground& ground, Turn& turn, const LinkId& id, Link& link, const Refused& refused) {
  if (refused.session.value != 0 && refused.session != link.follow) return;
  const Refusal& refusal = refused.refusal;
  std::string reason = "the peer refuses: " + std::string(to_word(refusal.code)) + ": " + refusal.reason;
  // The follow is gone over there (a restart), or the peer is busy: soon again.
  if (refusal.code == RefusalCode::not_found || refusal.retry_after_ms > 0)
    return back_off(ground, turn, id, link, std::move(reason));
  left(turn, link);
  link.state = State::refused;
  link.retry_at = turn.now + kRefusedLinkRetryMs;
  link.reason = std::move(reason);
}

std::vector<PeerSight> Replication::peers() const {
  std::vector<PeerSight> all;
  for (const auto& [region, sight] : sights_) all.push_back(sight);
  return all;
}

void Replication::alarm(Turn& turn, const std::string& what, const std::string& about, std::string reason) {
  const auto [told, fresh] = alarms_.try_emplace({what, about}, turn.now);
  if (!fresh && turn.now >= told->second && turn.now - told->second < kAlarmRepeatMs) return;
  told->second = turn.now;
  turn.alarm(what, std::move(reason));
}

}  // namespace lianxi::core
