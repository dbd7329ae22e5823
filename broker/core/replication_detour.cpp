// Feeds of a member that cannot be reached, and what is lost or damaged here, asked of another that holds them.
#include <algorithm>
#include <utility>

#include "broker/core/replication.h"
#include "schemas/limits.h"

namespace lianxi::core {
namespace {

// A record of it stands here with another hash, below our head.
bool parts_from(const Sequencer& ours, const Segment& shown) {
  return std::any_of(shown.records().begin(), shown.records().end(), [&](const RecordView& record) {
    const auto here = ours.recent_hash(shown.info().feed, record.stamp.sequence);
    return here && *here != record.hash;
  });
}

}  // namespace

bool Replication::former_shown(const Ground& ground) const {
  return std::all_of(links_.begin(), links_.end(),
                     [&](const auto& entry) { return entry.second.former.done || !ground.members().active(entry.first.peer); });
}

void Replication::take_detours(const Ground& ground, Turn& turn) {
  for (auto& [id, link] : links_) {
    if (link.state == State::following || link.all_here) {
      if (link.state == State::following) ask_former(ground, turn, id, link);
      const auto over = detours_.find(id);
      if (over == detours_.end()) continue;
      close_detour(turn, id.lanes, over->second, "the member is reached again");
      detours_.erase(over);
      continue;
    }
    if (ground.disk_low || turn.now - link.down_since < kDetourAfterMs) continue;
    Detour& detour = detours_.try_emplace(id, Detour{.via = id.peer}).first->second;
    detour.moved_at = std::min(detour.moved_at, turn.now);  // the wall clock may have been set back
    detour.retry_at = std::min(detour.retry_at, turn.now + kRefusedLinkRetryMs);
    if (detour.open && turn.now - detour.moved_at <= patience(ground, id, detour)) continue;
    if (!detour.open && turn.now < detour.retry_at) continue;
    const auto via = next_via(ground, id, detour.via);
    // Who begins late itself has nothing to give who asks for all.
    if (!via || (detour.open && *via == detour.via && !detour.beginnings.asked_whole)) continue;
    close_detour(turn, id.lanes, detour, "another node is asked");
    detour.vain += 1;
    detour.via = *via;
    open_detour(ground, turn, id, detour);
  }
}

// Of a member that has gone nothing more may come, ever.
TimeMs Replication::patience(const Ground& ground, const LinkId& id, const Detour& detour) const {
  if (ground.members().active(id.peer)) return kDetourPatienceMs;
  return std::min(kMaxDetourPatienceMs, kDetourPatienceMs << std::min(detour.vain, 10U));
}

std::optional<RegionCode> Replication::next_via(const Ground& ground, const LinkId& id, RegionCode before) const {
  std::optional<RegionCode> first;
  for (const auto& [other, link] : links_) {
    if (other.lanes != id.lanes || other.peer == id.peer || link.state != State::following) continue;
    if (!ground.members().active(other.peer)) continue;
    if (other.peer > before) return other.peer;
    if (!first) first = other.peer;
  }
  return first;
}

void Replication::open_detour(const Ground& ground, Turn& turn, const LinkId& id, Detour& detour) {
  Link& link = links_.at({detour.via, id.lanes});
  detour.follow = link.last_follow = SessionId{link.last_follow.value + 1};
  detour.open = true;
  detour.moved_at = turn.now;
  FeedVector held = held_of(ground, id);
  const bool behind = may_begin(ground, detour.beginnings, held);
  turn.effects.link_sends.push_back(
      {{detour.via, id.lanes}, question(ground, detour.via, detour.follow, id, std::move(held), behind)});
}

void Replication::close_detour(Turn& turn, LaneClass lanes, Detour& detour, const std::string& reason) {
  if (!std::exchange(detour.open, false)) return;
  turn.effects.link_sends.push_back({{detour.via, lanes}, Unfollow{detour.follow, reason}});
  if (const auto via = links_.find({detour.via, lanes}); via != links_.end()) via->second.owed.erase(detour.follow);
}

std::pair<RegionCode, Replication::Detour*> Replication::detour_of(const Ground& ground, const LinkId& via, Link& link,
                                                                   SessionId follow) {
  if (link.former.open && link.former.follow == follow) return {ground.region(), &link.former};
  for (auto& [id, detour] : detours_) {
    if (detour.open && detour.via == via.peer && id.lanes == via.lanes && detour.follow == follow) return {id.peer, &detour};
  }
  return {};
}

void Replication::detour_message(Ground& ground, Turn& turn, const PeerMessage& from, const Source& source) {
  Detour& detour = *source.detour;
  const bool of_former = source.of == ground.region();
  Offset through;
  if (const auto* delivery = std::get_if<Deliver>(&from.message)) {
    deliver(ground, turn, source, *delivery, from.wire_bytes);
    through = delivery->next;
  } else if (const auto* followed = std::get_if<Followed>(&from.message)) {
    if (of_former) source.link.former.until = followed->head;
    through = followed->offset;
  } else {
    const auto* refused = std::get_if<Refused>(&from.message);
    detour.given_up =
        refused != nullptr && refused->refusal.retry_after_ms == 0 && refused->refusal.code != RefusalCode::not_found;
    detour.open = false;  // refused, or ended over there
    detour.retry_at = turn.now + kDetourAfterMs;
  }
  if (of_former) judge_former(ground, turn, source, from.message, through);
}

void Replication::judge_former(Ground& ground, Turn& turn, const Source& source, const Message& said, Offset through) {
  Former& former = source.link.former;
  // What it cannot show is as if it showed nothing.
  if (std::exchange(former.given_up, false)) return ground.forks.shown_all(turn, source.id.peer, former.claimed);
  if (!former.open) return;
  const auto* delivery = std::get_if<Deliver>(&said);
  if (delivery != nullptr && !delivery->segments.empty()) ground.forks.showing(turn, source.id.peer, former.claimed);
  if (!former.until || through < *former.until) return;
  former.done = true;
  former_gaps_over(ground, turn, source.id);
  close_detour(turn, source.id.lanes, former, "all that you hold of it is here");
  ground.forks.shown_all(turn, source.id.peer, former.claimed);
  ground.fence.seen(source.id.peer, lanes_of(source.id.lanes));
}

void Replication::ask_former(const Ground& ground, Turn& turn, const LinkId& id, Link& link) {
  Former& former = link.former;
  former.retry_at = std::min(former.retry_at, turn.now + kRefusedLinkRetryMs);  // the wall clock may have been set back
  if (former.open || turn.now < former.retry_at || ground.disk_low) return;
  std::set<FeedId> claimed = ground.forks.claimed(id.peer, lanes_of(id.lanes));
  const bool lost_some = ground.config.epoch > Epoch{1} && !former.done;
  if (!lost_some && claimed.empty()) return;
  former.until.reset();
  former.via = id.peer;
  former.follow = link.last_follow = SessionId{link.last_follow.value + 1};
  former.open = true;
  former.given_up = false;
  const LinkId own{ground.region(), id.lanes};
  FeedVector held = held_of(ground, own);
  // From our head on there may be nothing to show. Some way back, for where the histories part; what lies before proves no more.
  for (FeedPosition& position : held)
    if (claimed.contains(position.feed))
      position.head = {Sequence(position.head.sequence.value - std::min(position.head.sequence.value, kShownBack)), {}};
  former.claimed = std::move(claimed);
  turn.effects.link_sends.push_back({id, question(ground, id.peer, former.follow, own, std::move(held))});
}

void Replication::ask_repairs(Ground& ground, Turn& turn) {
  if (repairs_.idle()) return;
  std::map<LinkId, SessionId*> reachable;
  for (auto& [id, link] : links_)
    if (link.state == State::following) reachable.emplace(id, &link.last_follow);
  const auto before = repairs_.asked();
  if (before && !reachable.contains(before->link)) repairs_.cut_off();
  const auto asked = repairs_.ask(ground, turn, reachable);
  if (const auto left = before ? links_.find(before->link) : links_.end(); left != links_.end() && repairs_.asked() != before)
    left->second.owed.erase(before->follow);
  if (!asked) return;
  const LinkId of{asked->feed.region, asked->of.link.lanes};
  FeedVector held = held_of(ground, of);
  std::erase_if(held, [&](const FeedPosition& position) { return position.feed == asked->feed; });
  if (held.size() == kMaxLinkVectorFeeds) held.erase(held.begin());
  const auto place = std::find_if(held.begin(), held.end(), [&](const FeedPosition& p) { return asked->feed < p.feed; });
  if (asked->before.sequence.value > 0) held.insert(place, {asked->feed, asked->before});
  Follow follow = question(ground, asked->of.link.peer, asked->of.follow, of, std::move(held));
  follow.credit_bytes = kMaxDeliverBytes;
  follow.credit_messages = std::min(follow.credit_messages, kRepairMessages);
  turn.effects.link_sends.push_back({asked->of.link, std::move(follow)});
}

void Replication::repair_message(Ground& ground, Turn& turn, const PeerMessage& from, Link& link) {
  const SessionId follow = repairs_.asked()->follow;
  if (const auto credit = repairs_.message(ground, turn, from.message))
    return pay(ground, turn, from.link, link, *credit, from.wire_bytes);
  if (!repairs_.asked()) link.owed.erase(follow);
}

// Today's epoch has no other writer: what a peer shows beyond it, under this region's seal, is of a copy of this node.
bool Replication::take_own(Ground& ground, Turn& turn, const Source& source, const Segment& segment) {
  using Outcome = SegmentVerdict::Outcome;
  const FeedId& feed = segment.info().feed;
  const Member* own = ground.members().find(ground.region());
  if (own == nullptr) return true;
  // Of a later epoch nothing is held here, and any part of it will do; so it is with what contradicts our own, and with what
  // lies beyond it: the peer may hold no more than what stands behind a retention.
  const bool beyond = segment.info().first_sequence.value > ground.sequencer.head(feed).sequence.value + 1;
  const FeedHead ours = beyond || feed.epoch > ground.config.epoch || parts_from(ground.sequencer, segment)
                            ? FeedHead{Sequence{segment.info().first_sequence.value - 1}, segment.info().previous}
                            : ground.sequencer.head(feed);
  const SegmentVerdict verdict = judge_segment(segment, ours, own->seal_key);
  if (verdict.outcome == Outcome::broken) {
    give_up(turn, source, RefusalCode::feed_broken, verdict.reason);
    return false;
  }
  const bool proof = verdict.outcome == Outcome::append || verdict.outcome == Outcome::forked;
  if (proof)
    ground.forks.proven(turn, feed,
                        "the node of " + to_text(source.id.peer) + " holds " + to_text(feed) + " up to " +
                            std::to_string(segment.last().sequence.value) + " under this region's seal, this node up to " +
                            std::to_string(ground.sequencer.head(feed).sequence.value));
  // Where the histories part may lie below the head, and only the journal knows it.
  if (proof || source.link.former.claimed.contains(feed)) suspect(turn, source, segment);
  return true;
}

void Replication::suspect(Turn& turn, const Source& source, const Segment& segment) {
  const BytesView bytes = segment.bytes().first(segment.size_bytes());
  turn.effects.suspects.push_back({segment.info().feed, source.id.peer, Bytes(bytes.begin(), bytes.end())});
}

}  // namespace lianxi::core
