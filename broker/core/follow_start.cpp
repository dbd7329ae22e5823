// Whether a follow is admissible, where it starts, and when it has to start again.
#include <algorithm>
#include <limits>

#include "broker/core/area.h"
#include "broker/core/followers.h"
#include "schemas/limits.h"

namespace lianxi::core {
namespace {

Result<void> bounded(std::size_t size, std::size_t bound, const char* field) {
  if (size <= bound) return {};
  return refuse(RefusalCode::oversize, field, "at most " + std::to_string(bound) + " items");
}

Result<void> bounds(const Follow& follow) {
  const Filter& f = follow.filter;
  for (const auto& [size, field] :
       {std::pair{f.kinds.size(), "filter.kinds"}, std::pair{f.places.size(), "filter.places"},
        std::pair{f.agencies.size(), "filter.agencies"}, std::pair{f.levels.size(), "filter.levels"},
        std::pair{f.audiences.size(), "filter.audiences"}, std::pair{follow.regions.size(), "regions"}})
    if (auto fits = bounded(size, kMaxFilterItems, field); !fits) return fits;
  if (follow.mode == FollowMode::feeds && f != Filter{})
    return refuse(RefusalCode::invalid_field, "filter", "whole feeds come without a filter");
  if (follow.lanes == 0 || (follow.lanes & ~kAllLanes) != 0)
    return refuse(RefusalCode::invalid_field, "lanes", "name at least one of the lanes flash (1), normal (2), bulk (4)");
  if (follow.from == FollowFrom::named && follow.cursor_name.empty())
    return refuse(RefusalCode::missing_field, "cursor_name", "a follow from a named cursor names it");
  if (follow.from_retention && (follow.mode != FollowMode::feeds || follow.from != FollowFrom::vector))
    return refuse(RefusalCode::invalid_field, "from_retention",
                  "whole feeds, asked for by a vector, may begin behind a retention");
  if (follow.mode == FollowMode::feeds && !follow.cursor_name.empty())
    return refuse(RefusalCode::invalid_field, "cursor_name", "nodes follow by vector; a named cursor is for events");
  return bounded(follow.vector.size(), kMaxVectorFeeds, "vector");
}

bool may_hold(const Ground& ground, const Agent& agent, FollowMode mode, const FeedId& feed) {
  return mode == FollowMode::events || ground.members().holds(feed.audience, agent.id.region());
}

// True if the vector stands at the head of every feed that the follow asks for: nothing in the journal so far is new to it.
bool covers_all(const Ground& ground, const Agent& agent, const Follow& follow) {
  for (const auto& [feed, head] : ground.sequencer.heads()) {
    if (!asked_for(follow, feed) || !may_hold(ground, agent, follow.mode, feed)) continue;
    const bool has = std::any_of(follow.vector.begin(), follow.vector.end(),
                                 [&, f = &feed, h = &head](const FeedPosition& p) { return p.feed == *f && p.head == *h; });
    if (!has) return false;
  }
  return true;
}

// No cursor of this name, or one of a journal that has lost its end: from the beginning, and `Followed` says so.
Offset named_start(const std::optional<Offset>& kept, Offset next) {
  return kept && *kept <= next ? *kept : Offset{1};
}

}  // namespace

bool asked_for(const Follow& follow, const FeedId& feed) {
  return (follow.lanes & mask_of(feed.lane)) != 0 &&
         (follow.regions.empty() || std::find(follow.regions.begin(), follow.regions.end(), feed.region) != follow.regions.end());
}

// A feed is spared its beginning only while its owner and one more have all of it: so the chain can be made whole again where
// one of them is lost. Of another region's feed this node is that one, or began itself because there was one.
FeedVector Followers::spared(const Ground& ground, const Agent& agent, const Follow& follow, Follower& follower) {
  FeedVector spared;
  if (follow.mode != FollowMode::feeds) return spared;
  const RegionCode asker = agent.id.region();
  std::map<FeedId, Sequence> held;
  for (const FeedPosition& position : follow.vector) held[position.feed] = position.head.sequence;
  for (const auto& [feed, head] : ground.sequencer.heads()) {
    if (feed.region == asker || !asked_for(follow, feed) || !may_hold(ground, agent, follow.mode, feed)) continue;
    const Sequence begins = ground.sequencer.begins(feed);
    const auto theirs = held.find(feed);
    const bool nothing = theirs == held.end() || theirs->second.value == 0;
    const auto retained = ground.retained.find(feed);
    const bool may_begin =
        nothing && follow.from_retention && retained != ground.retained.end() && retained->second.through.sequence >= begins &&
        (feed.region != ground.region() || ground.durability.another_holds(ground, feed, retained->second.offset, asker));
    if (may_begin) {
      spared.push_back({feed, retained->second.through});
      follower.proofs.push_back(retained->second.offset);
    } else if (begins.value > 0 && (nothing || theirs->second < begins)) {
      // What is here does not go on from there: others have what lies between.
      spared.push_back({feed, {Sequence(static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())), {}}});
      if (nothing && follow.from_retention) follower.unproven.insert(feed);
    }
  }
  return spared;
}

Result<void> Followers::rights(const Ground& ground, const Agent& agent, FollowMode mode, const Filter& filter) const {
  if (mode == FollowMode::feeds) {
    if (agent.role == Role::node && ground.members().active(agent.id.region())) return {};
    if (auto part = ground.members().takes_part(agent.id.region(), ground.region()); !part) return part;
    return refuse(RefusalCode::not_allowed, "mode", "whole feeds are for the nodes of members; follow events instead");
  }
  if (auto part = ground.members().takes_part(agent.id.region(), ground.region()); !part) return part;
  return ground.policy().may_follow_some(agent, filter);
}

Result<void> Followers::room(const AgentMessage& from, const Follow& follow) const {
  if (const auto same = followers_.find(Key{from.connection, follow.follow}); same != followers_.end()) {
    if (!same->second.closed)
      return refuse(RefusalCode::conflict, "follow", "this follow is open on this connection; unfollow it or choose another id");
    return tl::unexpected(Refusal{RefusalCode::busy, "follow", "the follow of this id is being closed", kRetryAfterMs});
  }
  const auto own = of_agent_.find(from.agent.id);
  if (own != of_agent_.end() && own->second.follows >= kMaxFollowersPerAgent)
    return refuse(RefusalCode::too_many_followers, "follow",
                  "this agent has " + std::to_string(kMaxFollowersPerAgent) + " follows open, the most it may");
  const std::size_t points = points_of(follow.filter.area);
  if (own != of_agent_.end() && points > 0 && own->second.area_points + points > kMaxAreaPointsOfAgent)
    return refuse(RefusalCode::too_many_followers, "filter.area",
                  "the areas of this agent's open follows have " + std::to_string(own->second.area_points) +
                      " points, and this " + std::to_string(points) + "; together they may have " +
                      std::to_string(kMaxAreaPointsOfAgent) + ", so draw them with fewer");
  if (followers_.size() >= kMaxFollowers)
    return refuse(RefusalCode::too_many_followers, "follow", "the node serves as many followers as it can");
  return {};
}

Result<void> Followers::admissible(const Ground& ground, const AgentMessage& from, const Follow& follow) const {
  if (auto bounded_ok = bounds(follow); !bounded_ok) return bounded_ok;
  if (auto allowed = rights(ground, from.agent, follow.mode, follow.filter); !allowed) return allowed;
  return room(from, follow);
}

Result<Offset> Followers::start(const Ground& ground, const Agent& agent, const Follow& follow) const {
  const Offset next = ground.sequencer.next_offset();
  switch (follow.from) {
    case FollowFrom::beginning:
      return Offset{1};
    case FollowFrom::now:
      return next;
    case FollowFrom::vector:
      return covers_all(ground, agent, follow) ? next : Offset{1};
    case FollowFrom::named:
      return named_start(cursors_.find({agent.id, follow.cursor_name}), next);
    case FollowFrom::cursor:
      break;
  }
  if (follow.node != ground.region() || follow.incarnation != ground.config.incarnation || follow.offset > next)
    return refuse(
        RefusalCode::cursor_unknown, "offset",
        "the cursor is not of this node's journal as it stands (another node, or before a restore); follow by vector or "
        "from the beginning");
  return std::max(follow.offset, Offset{1});
}

void Followers::ask_again(Turn& turn, const std::function<bool(const Follower&)>& those) {
  std::set<Connection> changed;
  for (auto it = followers_.begin(); it != followers_.end();) {
    if (it->second.closed || it->second.spec->mode != FollowMode::feeds || !those(it->second)) {
      ++it;
      continue;
    }
    turn.send(it->first.first, Unfollow{it->first.second, "a feed begins here behind a retention; follow again"});
    changed.insert(it->first.first);
    it = drop(it);
  }
  for (const Connection& connection : changed) forget_contact(connection);
}

void Followers::retained(const Ground& ground, Turn& turn) {
  ask_again(turn, [&](const Follower& f) {
    return std::any_of(f.unproven.begin(), f.unproven.end(), [&](const FeedId& feed) {
      const auto known = ground.retained.find(feed);
      return known != ground.retained.end() && known->second.through.sequence >= ground.sequencer.begins(feed);
    });
  });
}

void Followers::begun(const Ground& ground, Turn& turn) {
  const auto before = [&](const Follower& f, const Beginning& beginning) {
    const FeedId& feed = beginning.feed;
    const FollowSpec& spec = *f.spec;
    const bool asked =
        (spec.lanes & mask_of(feed.lane)) != 0 &&
        (spec.regions.empty() || std::find(spec.regions.begin(), spec.regions.end(), feed.region) != spec.regions.end());
    if (!asked || feed.region == spec.agent.id.region() || !ground.members().holds(feed.audience, spec.agent.id.region()))
      return false;
    return std::none_of(spec.have.begin(), spec.have.end(),
                        [&](const FeedPosition& p) { return p.feed == feed && p.head.sequence >= beginning.through.sequence; });
  };
  const auto& beginnings = turn.effects.batch.beginnings;
  if (beginnings.empty()) return;
  ask_again(turn, [&](const Follower& f) {
    return std::any_of(beginnings.begin(), beginnings.end(), [&](const Beginning& beginning) { return before(f, beginning); });
  });
}

}  // namespace lianxi::core
