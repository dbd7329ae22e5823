#include "broker/core/followers.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "broker/core/area.h"
#include "schemas/limits.h"

namespace lianxi::core {
namespace {

// The positions that can ever skip something: of feeds that are held here, or may come from a member.
FeedVector relevant(const Ground& ground, const Follow& follow) {
  FeedVector kept;
  std::size_t strange = 0;
  for (const FeedPosition& p : follow.vector) {
    if (p.head.sequence.value == 0 || !asked_for(follow, p.feed)) continue;
    const bool held = ground.sequencer.heads().contains(p.feed);
    if (!held && (ground.members().find(p.feed.region) == nullptr || ++strange > kMaxLinkVectorFeeds)) continue;
    kept.push_back(p);
  }
  std::sort(kept.begin(), kept.end(), [](const FeedPosition& a, const FeedPosition& b) { return a.feed < b.feed; });
  return kept;
}

FeedVector beyond_ours(const Ground& ground, const FeedVector& have) {
  FeedVector ahead;
  for (const FeedPosition& p : have)
    if (ground.sequencer.head(p.feed).sequence < p.head.sequence) ahead.push_back(p);
  return ahead;
}

}  // namespace

std::size_t Followers::count() const {
  return followers_.size();
}

void Followers::follow(Ground& ground, Turn& turn, const AgentMessage& from, const Follow& follow) {
  const auto refused = [&](Refusal refusal) {
    turn.refuse(from.connection, {follow.follow, 0, Lane::flash, std::move(refusal)});
  };
  if (auto ok = admissible(ground, from, follow); !ok) return refused(std::move(ok.error()));
  const auto offset = start(ground, from.agent, follow);
  if (!offset) return refused(offset.error());
  Offset done = *offset;
  if (!follow.cursor_name.empty()) {
    auto taken = take_cursor(turn, from, follow, *offset);
    if (!taken) return refused(std::move(taken.error()));
    done = *taken;
  }
  if (from.agent.role == Role::node) ground.forks.compare(turn, ground.sequencer, follow.vector, from.agent.id.region());

  auto spec = std::make_shared<FollowSpec>(FollowSpec{from.agent, follow.mode, follow.lanes, follow.filter, follow.regions, {}});
  spec->zstd = follow.zstd && follow.mode == FollowMode::feeds && (follow.lanes & mask_of(Lane::flash)) == 0 &&
               setting_of(ground.config.links, from.agent.id.region()).compress;
  Follower follower;
  FeedVector spared_feeds;
  if (follow.from == FollowFrom::vector) {
    spec->have = relevant(ground, follow);
    spared_feeds = spared(ground, from.agent, follow, follower);
    for (const FeedPosition& position : spared_feeds) {
      std::erase_if(spec->have, [&](const FeedPosition& p) { return p.feed == position.feed; });
      spec->have.push_back(position);
    }
    std::sort(spec->have.begin(), spec->have.end(), [](const FeedPosition& a, const FeedPosition& b) { return a.feed < b.feed; });
    follower.ahead = beyond_ours(ground, spec->have);
    follower.settled = ground.sequencer.peer_offset();  // below it lies all that is held now
    follower.search = !spec->have.empty();
  }
  follower.spec = std::move(spec);
  follower.cursor = *offset;
  follower.caught_up = *offset >= ground.sequencer.next_offset();
  follower.cursor_name = follow.cursor_name;
  follower.said = *offset;
  follower.done = done;
  follower.told_at = turn.now;
  add_credit(follower, follow.credit_bytes, follow.credit_messages);
  followers_.emplace(Key{from.connection, follow.follow}, std::move(follower));
  Share& share = of_agent_[from.agent.id];
  share.follows += 1;
  share.area_points += points_of(follow.filter.area);
  contacts_[from.connection] = Contact{turn.now, turn.now};
  ground.durability.followed(ground, from, follow, *offset, spared_feeds);
  turn.send(from.connection,
            Followed{follow.follow, ground.region(), ground.config.incarnation, *offset, ground.sequencer.next_offset()});
}

void Followers::add_credit(Follower& follower, std::uint64_t bytes, std::uint32_t messages) {
  follower.credit_bytes += std::min(bytes, kMaxCreditBytes - follower.credit_bytes);
  follower.credit_messages += std::min(messages, std::numeric_limits<std::uint32_t>::max() - follower.credit_messages);
  follower.blocked = false;
}

void Followers::unfollow(const AgentMessage& from, const Unfollow& unfollow) {
  const auto found = followers_.find(Key{from.connection, unfollow.follow});
  if (found == followers_.end() || found->second.closed) return;  // already gone: that is what was asked for
  drop(found);
  forget_contact(from.connection);
}

void Followers::credit(Turn& turn, const AgentMessage& from, const Credit& credit) {
  const auto found = followers_.find(Key{from.connection, credit.follow});
  if (found == followers_.end() || found->second.closed) {
    turn.refuse(from.connection, {credit.follow,
                                  0,
                                  Lane::flash,
                                  {RefusalCode::not_found, "follow", "no such follow on this connection; follow again", 0}});
    return;
  }
  add_credit(found->second, credit.bytes, credit.messages);
  done_with(turn, found->second, credit.offset);
}

// A publisher's heartbeat needs no answer. A node that believes to follow is told if it does not (this node was restarted
// behind its back), so that it need not wait for the silence.
void Followers::heartbeat(Ground& ground, Turn& turn, const AgentMessage& from, const Heartbeat& heartbeat) {
  if (from.agent.role != Role::node) return;
  ground.forks.compare(turn, ground.sequencer, heartbeat.vector, from.agent.id.region());
  if (ground.members().find(from.agent.id.region()) != nullptr)
    ground.clocks.heard(ground.standing, turn, from.agent.id.region(), heartbeat.time);
  if (const auto contact = contacts_.find(from.connection); contact != contacts_.end() && any_on(from.connection)) {
    contact->second.echo = heartbeat.time;
    contact->second.echo_at = turn.now;
    // At once, for its round trip; but who asks all the time is answered in time.
    if (turn.now - contact->second.beat >= kHeartbeatMs / 2) beat(ground, turn, from.connection, contact->second);
    return;
  }
  turn.refuse(from.connection,
              {SessionId{}, 0, Lane::flash, {RefusalCode::not_found, "follow", "nothing is followed here; follow again", 0}});
}

void Followers::delivered(const Ground& ground, const Turn& turn, const Delivered& delivered) {
  const auto found = followers_.find(Key{delivered.connection, delivered.follow});
  if (delivered.unreachable) {
    if (found != followers_.end()) found->second.under_way = false;
    lost(delivered.connection);
    return;
  }
  if (found == followers_.end()) return;
  Follower& follower = found->second;
  follower.under_way = false;
  if (follower.closed) {
    drop(found);
    return;
  }
  const bool moved = delivered.next > follower.cursor;
  follower.cursor = std::max(follower.cursor, delivered.next);
  follower.blocked = !delivered.sent && !moved;
  follower.retry_ms = follower.blocked ? std::clamp(2 * follower.retry_ms, kFirstRetryMs, kLastRetryMs) : 0;
  follower.retry_at = turn.now + follower.retry_ms;
  follower.caught_up = follower.caught_up || follower.cursor >= follower.ordered_head;
  if (moved || delivered.sent) {
    follower.search = false;
    follower.proofs.clear();
  }
  if (moved || delivered.sent) follower.stalled_at = 0;
  follower.untold = !delivered.sent && (moved || follower.untold);
  if (!delivered.sent) return;
  follower.said = delivered.next;
  follower.told_at = turn.now;
  if (const FollowSpec& spec = *follower.spec; spec.mode == FollowMode::feeds) {
    const RegionCode peer = spec.agent.id.region();
    sent_.spend(peer, delivered.wire_bytes > 0 ? delivered.wire_bytes : delivered.bytes,
                setting_of(ground.config.links, peer).bytes_per_second, turn.now);
  }
  follower.credit_bytes -= std::min(follower.credit_bytes, delivered.bytes);
  follower.credit_messages -= std::min(follower.credit_messages, delivered.messages);
  if (const auto contact = contacts_.find(delivered.connection); contact != contacts_.end()) contact->second.sent = turn.now;
}

void Followers::lost(const Connection& connection) {
  auto it = followers_.lower_bound(Key{connection, SessionId{}});
  while (it != followers_.end() && it->first.first == connection) {
    it->second.under_way = false;  // nothing of it can arrive any more
    it = drop(it);
  }
  contacts_.erase(connection);
}

void Followers::heard(const Turn& turn, const Connection& connection) {
  if (const auto contact = contacts_.find(connection); contact != contacts_.end()) contact->second.heard = turn.now;
}

std::map<Followers::Key, Followers::Follower>::iterator Followers::drop(std::map<Key, Follower>::iterator at) {
  if (!at->second.cursor_name.empty()) leave_cursor(at->first, at->second);
  if (at->second.under_way) {
    at->second.closed = true;
    return std::next(at);
  }
  const auto agent = of_agent_.find(at->second.spec->agent.id);
  if (agent != of_agent_.end()) {
    agent->second.area_points -= points_of(at->second.spec->filter.area);
    if (--agent->second.follows == 0) of_agent_.erase(agent);
  }
  return followers_.erase(at);
}

bool Followers::any_on(const Connection& connection) const {
  for (auto it = followers_.lower_bound(Key{connection, SessionId{}}); it != followers_.end() && it->first.first == connection;
       ++it)
    if (!it->second.closed) return true;
  return false;
}

void Followers::forget_contact(const Connection& connection) {
  if (!any_on(connection)) contacts_.erase(connection);
}

void Followers::policy_changed(const Ground& ground, Turn& turn, const PolicyChanged& change) {
  std::set<Connection> changed;
  // A role that has changed holds for follows that are open, as every right does.
  const auto judge = [&](Follower& f) -> Result<void> {
    if (change.agents) {
      const auto known = change.agents->find(f.spec->agent.id);
      if (known == change.agents->end())
        return refuse(RefusalCode::unknown_key, "key", "this key is no longer in the key folder");
      if (known->second.role != f.spec->agent.role || known->second.agency != f.spec->agent.agency) {
        auto spec = std::make_shared<FollowSpec>(*f.spec);
        spec->agent = known->second;
        f.spec = std::move(spec);
      }
    }
    return rights(ground, f.spec->agent, f.spec->mode, f.spec->filter);
  };
  for (auto it = followers_.begin(); it != followers_.end();) {
    const auto allowed = judge(it->second);
    if (allowed || it->second.closed) {
      ++it;
      continue;
    }
    turn.count(allowed.error().code);
    turn.send(it->first.first, Unfollow{it->first.second, allowed.error().reason});
    changed.insert(it->first.first);
    it = drop(it);
  }
  for (const Connection& connection : changed) forget_contact(connection);
}

void Followers::tick(const Ground& ground, Turn& turn) {
  std::vector<Connection> silent;
  for (auto& [connection, contact] : contacts_) {
    contact.heard = std::min(contact.heard, turn.now);  // the wall clock may have been set back
    contact.sent = std::min(contact.sent, turn.now);
    contact.beat = std::min(contact.beat, turn.now);
    contact.echo_at = std::min(contact.echo_at, turn.now);
    if (turn.now - contact.heard > kPeerSilenceMs) {
      silent.push_back(connection);
    } else if (turn.now - contact.sent >= kHeartbeatMs || (contact.echo != 0 && turn.now - contact.beat >= kHeartbeatMs)) {
      beat(ground, turn, connection, contact);
    }
  }
  for (const Connection& connection : silent) {
    auto it = followers_.lower_bound(Key{connection, SessionId{}});
    while (it != followers_.end() && it->first.first == connection) {
      if (!it->second.closed) turn.send(connection, Unfollow{it->first.second, "no word from you for too long; follow again"});
      it = drop(it);
    }
    contacts_.erase(connection);
  }
  for (auto& [key, follower] : followers_) follower.blocked = false;
  end_stuck(turn);
}

// Its connection may be full: whoever cannot take this word either is cut by the ring.
void Followers::end_stuck(Turn& turn) {
  for (auto it = followers_.begin(); it != followers_.end();) {
    Follower& follower = it->second;
    follower.stalled_at = std::min(follower.stalled_at, turn.now);
    if (follower.closed || follower.stalled_at == 0 || turn.now - follower.stalled_at <= kStuckFollowerMs) {
      ++it;
      continue;
    }
    const Connection connection = it->first.first;
    turn.send(connection, Unfollow{it->first.second, "you took nothing for " + std::to_string(kStuckFollowerMs / 1000) +
                                                         " s; follow again from your cursor when you can read"});
    turn.alarm("follower_stuck", "a follow of " + follower.spec->agent.id.text() + " at offset " +
                                     std::to_string(follower.cursor.value) + " took nothing for " +
                                     std::to_string(kStuckFollowerMs / 1000) + " s and was ended");
    it = drop(it);
    forget_contact(connection);
  }
}

void Followers::beat(const Ground& ground, Turn& turn, const Connection& connection, Contact& contact) {
  auto beat = heartbeat_for(ground, turn, connection);
  contact.sent = contact.beat = turn.now;
  if (!beat) return;
  if (contact.echo != 0) {
    beat->echo = std::exchange(contact.echo, 0);
    beat->held_ms = static_cast<std::uint32_t>(turn.now - contact.echo_at);
  }
  turn.send(connection, std::move(*beat));
}

std::optional<Heartbeat> Followers::heartbeat_for(const Ground& ground, const Turn& turn, const Connection& connection) const {
  auto it = followers_.lower_bound(Key{connection, SessionId{}});
  while (it != followers_.end() && it->first.first == connection && it->second.closed) ++it;
  if (it == followers_.end() || it->first.first != connection) return std::nullopt;
  Heartbeat beat{turn.now, {}};
  const Agent& agent = it->second.spec->agent;
  if (agent.role != Role::node) return beat;
  beat.members = ground.members().version();
  // A node learns how far it is held here (its own feeds), and how far this region's feeds go.
  for (const auto& [feed, head] : ground.sequencer.heads()) {
    if (feed.region != ground.region() && feed.region != agent.id.region()) continue;
    if (!ground.members().holds(feed.audience, agent.id.region()) || beat.vector.size() >= kMaxLinkVectorFeeds) continue;
    beat.vector.push_back({feed, head, ground.sequencer.begins(feed)});
  }
  return beat;
}

// Behind all that the vector held, only what this node did not hold then is still to be skipped. Equal specs share deliveries.
void Followers::settle(Follower& follower) const {
  if (follower.spec->have.size() == follower.ahead.size() || follower.cursor < follower.settled) return;
  FollowSpec spec = *follower.spec;
  spec.have = follower.ahead;
  follower.spec = std::make_shared<const FollowSpec>(std::move(spec));
}

TimeMs Followers::link_wait_ms(const Ground& ground, const Turn& turn, const Follower& f) {
  const RegionCode peer = f.spec->agent.id.region();
  if (f.spec->mode != FollowMode::feeds || setting_of(ground.config.links, peer).bytes_per_second == 0) return 0;
  return sent_.wait_ms(peer, f.spec->lanes, turn.now);
}

bool Followers::due(const Ground& ground, const Turn& turn, Follower& f) {
  const Offset head = ground.sequencer.next_offset();
  if (f.under_way || f.closed) return false;
  if (f.cursor < head && f.caught_up && ground.sequencer.nothing_behind(f.cursor, f.spec->regions, f.spec->lanes))
    f.cursor = head;  // a flash follower is not woken by bulk
  settle(f);
  f.told_at = std::min(f.told_at, turn.now);
  if (f.cursor >= head && !(f.untold && turn.now - f.told_at >= kStandingWordMs)) return false;
  const bool credit = f.credit_bytes > 0 && f.credit_messages > 0;
  if (credit && f.blocked && turn.now < f.retry_at) {
    f.retry_at = std::min(f.retry_at, turn.now + kLastRetryMs);  // the wall clock may have been set back
    retry_at_ = std::min(retry_at_.value_or(f.retry_at), f.retry_at);
  } else if (credit) {
    const TimeMs wait_ms = link_wait_ms(ground, turn, f);
    if (wait_ms == 0) return true;
    retry_at_ = std::min(retry_at_.value_or(turn.now + wait_ms), turn.now + wait_ms);
    return false;  // its own credit is not what it waits for
  }
  if (f.stalled_at == 0 && f.cursor < head) f.stalled_at = turn.now;
  return false;
}

void Followers::hand_out(const Ground& ground, Turn& turn) {
  begun(ground, turn);
  const Offset head = ground.sequencer.next_offset();
  std::vector<std::map<Key, Follower>::iterator> behind;
  retry_at_.reset();
  const auto collect = [&](auto from, auto to) {
    for (auto it = from; it != to; ++it)
      if (due(ground, turn, it->second)) behind.push_back(it);
  };
  const auto middle = last_served_ ? followers_.upper_bound(*last_served_) : followers_.begin();
  collect(middle, followers_.end());
  collect(followers_.begin(), middle);
  if (behind.empty()) return;
  last_served_ = behind.front()->first;
  const auto rank = [](const auto& it) {
    const LaneMask lanes = it->second.spec->lanes;
    return lanes == mask_of(Lane::flash) ? 0 : lanes == mask_of(Lane::bulk) ? 2 : 1;
  };
  std::stable_sort(behind.begin(), behind.end(), [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  for (const auto& it : behind) {
    Follower& f = it->second;
    f.under_way = true;
    f.ordered_head = head;
    const bool quiet = f.caught_up && turn.now - f.told_at < kStandingWordMs;
    turn.effects.deliveries.push_back(DeliverOrder{it->first.first, it->first.second, f.spec, f.cursor, head, f.credit_bytes,
                                                   f.credit_messages, f.search, f.proofs, quiet});
    const std::uint64_t rate = setting_of(ground.config.links, f.spec->agent.id.region()).bytes_per_second;
    if (rate == 0 || f.spec->mode != FollowMode::feeds || (f.spec->lanes & mask_of(Lane::flash)) != 0) continue;
    turn.effects.deliveries.back().max_messages = 1;
    turn.effects.deliveries.back().step_bytes = std::max<std::uint64_t>(1, rate * kLinkStepMs / 1000);
  }
}

bool Followers::open(const Connection& connection, SessionId follow) const {
  const auto found = followers_.find(Key{connection, follow});
  return found != followers_.end() && !found->second.closed;
}

}  // namespace lianxi::core
