#include "broker/core/durability.h"

#include <algorithm>

#include "broker/core/ground.h"
#include "schemas/limits.h"

namespace lianxi::core {
namespace {

constexpr Lane kLanes[] = {Lane::flash, Lane::normal, Lane::bulk};
constexpr std::size_t kRangesPerMessage = kMaxAnswersBytes / 64;  // more than a range's table takes

std::size_t others_of(const Ground& ground, const Audience& audience) {
  const auto& members = ground.members().all();
  return static_cast<std::size_t>(std::count_if(members.begin(), members.end(), [&](const Member& member) {
    return member.region != ground.region() && ground.members().holds(audience, member.region);
  }));
}

bool follows_own_feeds(const Ground& ground, const AgentMessage& from, const Follow& follow) {
  return from.agent.role == Role::node && follow.mode == FollowMode::feeds && from.agent.id.region() != ground.region() &&
         (follow.regions.empty() ||
          std::find(follow.regions.begin(), follow.regions.end(), ground.region()) != follow.regions.end());
}

// Own feeds that the vector shows longer than here, or with another hash at the head.
std::vector<FeedId> shown_otherwise(const Ground& ground, const FeedVector& vector) {
  std::vector<FeedId> feeds;
  for (const FeedPosition& theirs : vector) {
    const FeedHead ours = ground.sequencer.head(theirs.feed);
    const bool other = theirs.head.sequence == ours.sequence && theirs.head.hash != ours.hash;
    if (theirs.feed.region == ground.region() && (other || theirs.head.sequence > ours.sequence)) feeds.push_back(theirs.feed);
  }
  return feeds;
}

}  // namespace

// --- what is asked ---

Result<void> Durability::askable(const Ground& ground, const Audience& audience, std::uint8_t peers) {
  if (audience.is_local())
    return refuse(RefusalCode::invalid_field, "peers",
                  "an event of audience local never leaves this node, so no other can hold it; publish it with peers 0");
  const std::size_t others = others_of(ground, audience);
  if (peers <= others) return {};
  return refuse(RefusalCode::invalid_field, "peers",
                std::to_string(others) + " other nodes hold the audience \"" + audience.text() + "\"; " + std::to_string(peers) +
                    " cannot: ask for at most " + std::to_string(others));
}

bool Durability::full(const AgentId& agent) const {
  const auto own = of_agent_.find(agent);
  return (own != of_agent_.end() && own->second >= kMaxWaitingPerAgent) || waiting_.size() + asked_.size() >= kMaxWaiting;
}

Durability::Asked& Durability::asked(const AgentMessage& from, const Publish& publish, Sequence sequence, const FeedId& feed,
                                     bool this_turn) {
  if (!asked_.empty()) {
    Asked& last = asked_.back();
    ReplicatedRange& range = last.waiting.range;
    const bool behind = range.first_sequence.value + range.count == sequence.value && sequence != publish.first_sequence;
    if (behind && last.this_turn == this_turn && range.lane == publish.lane && last.waiting.session == publish.session &&
        last.waiting.feed == feed && last.waiting.to == from.connection) {
      range.count += 1;
      return last;
    }
  }
  const bool no_wait = full(from.agent.id);
  of_agent_[from.agent.id] += 1;
  Asked fresh;
  fresh.waiting.to = from.connection;
  fresh.waiting.agent = from.agent.id;
  fresh.waiting.session = publish.session;
  fresh.waiting.range = {publish.lane, sequence, 1, publish.peers, 0};
  fresh.waiting.feed = feed;
  fresh.waiting.deadline = no_wait ? 0 : std::min<std::int64_t>(publish.deadline_ms, kMaxPeersDeadlineMs);
  fresh.this_turn = this_turn;
  return asked_.emplace_back(std::move(fresh));
}

void Durability::ask(const AgentMessage& from, const Publish& publish, Sequence sequence, const FeedId& feed,
                     Sequencer::Ticket ticket) {
  Asked& range = asked(from, publish, sequence, feed, true);
  if (range.waiting.range.count == 1) range.first_ticket = ticket;
  range.last_ticket = ticket;
}

void Durability::ask(const AgentMessage& from, const Publish& publish, Sequence sequence, const FeedId& feed,
                     const Place& place) {
  Waiting& range = asked(from, publish, sequence, feed, false).waiting;
  if (range.range.count == 1) {
    range.first = place.offset;
    range.first_sequence = place.sequence;
  }
  range.last = place.offset;
}

// --- what peers hold ---

void Durability::followed(const Ground& ground, const AgentMessage& from, const Follow& follow, Offset start,
                          const FeedVector& spared) {
  if (!follows_own_feeds(ground, from, follow)) return;
  // From the beginning, or by a vector: what the vector names is skipped, and the first event behind it proves its chain.
  // Beginning at the head, the vector was compared with all that is here.
  const bool whole = follow.from == FollowFrom::vector || follow.from == FollowFrom::beginning;
  Held now{{from.connection, follow.follow},       whole ? Offset{1} : start,
           ground.sequencer.next_offset(),         start,
           shown_otherwise(ground, follow.vector), {}};
  for (const FeedPosition& position : follow.vector)
    if (position.begins.value > 0) now.begins[position.feed] = position.begins;
  for (const FeedPosition& position : spared) now.begins[position.feed] = position.head.sequence;
  for (const Lane lane : kLanes) {
    if ((follow.lanes & mask_of(lane)) == 0) continue;
    held_[{from.agent.id.region(), lane}] = now;
    moved(ground, lane, Offset{}, now.counted());
  }
}

void Durability::credited(const Ground& ground, const AgentMessage& from, const Credit& credit) {
  if (from.agent.role != Role::node) return;
  const Offset through = std::min(credit.offset, ground.sequencer.next_offset());
  for (const Lane lane : kLanes) {
    const auto at = held_.find({from.agent.id.region(), lane});
    if (at == held_.end()) continue;
    Held& held = at->second;
    if (through <= held.through || held.follow != FollowKey{from.connection, credit.follow}) continue;
    const Offset before = held.counted();
    held.through = through;
    moved(ground, lane, before, held.counted());
  }
}

void Durability::members_changed(const Ground& ground, const Members& before) {
  const Members& now = ground.members();
  std::erase_if(held_, [&](const auto& entry) { return !now.active(entry.first.first); });
  for (auto& [place, held] : held_) {
    const RegionCode peer = place.first;
    const auto new_to = [&](const Audience& audience) { return now.holds(audience, peer) && !before.holds(audience, peer); };
    const bool joins = new_to(Audience::conference()) ||
                       std::any_of(now.groups().begin(), now.groups().end(), [&](const Group& g) { return new_to(g.audience); });
    // It was passed over in what it may have from now on.
    if (joins) held.since = ground.sequencer.next_offset();
  }
}

std::uint8_t Durability::holders(const Ground& ground, const Waiting& waiting) const {
  if (ground.forks.stopped(waiting.feed) != nullptr) return 0;
  std::size_t count = 0;
  for (const Member& member : ground.members().all()) {
    const auto at = held_.find({member.region, waiting.feed.lane});
    if (at == held_.end() || !ground.members().holds(waiting.feed.audience, member.region)) continue;
    const std::vector<FeedId>& otherwise = at->second.otherwise;
    if (std::find(otherwise.begin(), otherwise.end(), waiting.feed) != otherwise.end()) continue;
    const auto begins = at->second.begins.find(waiting.feed);
    if (begins != at->second.begins.end() && waiting.first_sequence <= begins->second) continue;
    if (at->second.since <= waiting.first && waiting.last < at->second.counted()) ++count;
  }
  return static_cast<std::uint8_t>(std::min<std::size_t>(count, 255));
}

bool Durability::another_holds(const Ground& ground, const FeedId& feed, Offset offset, RegionCode but) const {
  return std::any_of(held_.begin(), held_.end(), [&](const auto& entry) {
    const auto& [place, held] = entry;
    return place.first != but && ground.members().holds(feed.audience, place.first) && place.second == feed.lane &&
           held.since <= Offset{1} && offset < held.counted() && !held.begins.contains(feed) &&
           std::find(held.otherwise.begin(), held.otherwise.end(), feed) == held.otherwise.end();
  });
}

void Durability::moved(const Ground& ground, Lane lane, Offset from, Offset to) {
  const auto& waits = by_last_[static_cast<std::size_t>(lane)];
  std::vector<std::pair<Id, std::uint8_t>> reached;
  for (auto at = waits.lower_bound({from, 0}); at != waits.end() && at->first < to; ++at) {
    const Waiting& waiting = waiting_.at(at->second);
    const std::uint8_t held = holders(ground, waiting);
    if (held >= waiting.range.wanted) reached.emplace_back(at->second, held);
  }
  for (const auto& [id, held] : reached) end(id, held);
}

// --- who waits ---

Durability::RangeKey Durability::key_of(const Waiting& waiting) {
  return {waiting.to, waiting.session, waiting.range.lane, waiting.range.first_sequence};
}

void Durability::take_in(const Ground& ground, Waiting waiting) {
  const std::uint8_t held = holders(ground, waiting);
  const bool never = waiting.range.wanted > others_of(ground, waiting.feed.audience);  // a repeat may ask for more than there are
  if (held >= waiting.range.wanted || never) {
    answer(waiting, held);
    return release(waiting.agent);
  }
  waiting.deadline += elapsed_;
  if (const auto before = by_range_.find(key_of(waiting)); before != by_range_.end()) forget(before->second);
  const Id id = next_id_++;
  by_range_[key_of(waiting)] = id;
  by_last_[static_cast<std::size_t>(waiting.feed.lane)].insert({waiting.last, id});
  by_deadline_.insert({waiting.deadline, id});
  by_connection_[waiting.to].insert(id);
  waiting_.emplace(id, std::move(waiting));
}

void Durability::answer(const Waiting& waiting, std::uint8_t held) {
  Replicated& outcome = outcomes_[{waiting.to, waiting.session}];
  outcome.session = waiting.session;
  outcome.ranges.push_back(waiting.range);
  outcome.ranges.back().held = held;
  (held >= waiting.range.wanted ? reached_ : late_) += 1;
}

void Durability::end(Id id, std::uint8_t held) {
  answer(waiting_.at(id), held);
  forget(id);
}

void Durability::forget(Id id) {
  const auto at = waiting_.find(id);
  const Waiting& waiting = at->second;
  by_last_[static_cast<std::size_t>(waiting.feed.lane)].erase({waiting.last, id});
  by_deadline_.erase({waiting.deadline, id});
  by_range_.erase(key_of(waiting));
  const auto connection = by_connection_.find(waiting.to);
  connection->second.erase(id);
  if (connection->second.empty()) by_connection_.erase(connection);
  release(waiting.agent);
  waiting_.erase(at);
}

void Durability::release(const AgentId& agent) {
  const auto own = of_agent_.find(agent);
  if (--own->second == 0) of_agent_.erase(own);
}

void Durability::lost(const Connection& connection) {
  std::erase_if(asked_, [&](const Asked& range) {
    if (range.waiting.to != connection) return false;
    release(range.waiting.agent);
    return true;
  });
  const auto found = by_connection_.find(connection);
  if (found == by_connection_.end()) return;
  const std::set<Id> ids = found->second;
  for (const Id id : ids) forget(id);
}

// --- the turn's end ---

void Durability::pass_time(TimeMs now) {
  if (last_now_) elapsed_ += std::clamp<TimeMs>(now - *last_now_, 0, kPeerSilenceMs);
  last_now_ = now;
}

void Durability::say(Turn& turn) {
  for (auto& [to, outcome] : outcomes_) {
    for (std::size_t first = 0; first < outcome.ranges.size(); first += kRangesPerMessage) {
      const auto begin = outcome.ranges.begin() + static_cast<std::ptrdiff_t>(first);
      const auto count = std::min(kRangesPerMessage, outcome.ranges.size() - first);
      turn.send(to.first, Replicated{outcome.session, {begin, begin + static_cast<std::ptrdiff_t>(count)}});
    }
  }
  outcomes_.clear();
}

void Durability::close_turn(const Ground& ground, Turn& turn) {
  if (asked_.empty() && waiting_.empty() && outcomes_.empty()) {
    last_now_.reset();
    return;
  }
  pass_time(turn.now);
  for (Asked& range : asked_) {
    if (range.this_turn) {
      range.waiting.first = ground.sequencer.position(range.first_ticket).offset;
      range.waiting.first_sequence = ground.sequencer.position(range.first_ticket).sequence;
      range.waiting.last = ground.sequencer.position(range.last_ticket).offset;
    }
    take_in(ground, std::move(range.waiting));
  }
  asked_.clear();
  while (!by_deadline_.empty() && by_deadline_.begin()->first <= elapsed_) {
    const Id id = by_deadline_.begin()->second;
    end(id, holders(ground, waiting_.at(id)));
  }
  say(turn);
}

}  // namespace lianxi::core
