// What a peer delivers: verified, cut to what is new, appended, and paid for with credit.
#include <algorithm>

#include "broker/core/replication.h"
#include "schemas/codec/event_codec.h"
#include "schemas/decision.h"
#include "schemas/limits.h"

namespace lianxi::core {
namespace {

// Counted only when a feed is opened. Each region has a bound of its own: none can use up what the others need.
std::size_t feeds_of(const Sequencer& sequencer, RegionCode region) {
  return static_cast<std::size_t>(std::count_if(sequencer.heads().begin(), sequencer.heads().end(),
                                                [&](const auto& entry) { return entry.first.region == region; }));
}

}  // namespace

void Replication::deliver(Ground& ground, Turn& turn, const Source& source, const Deliver& deliver, std::size_t wire_bytes) {
  LinkSight& sight = source.link.sight;
  sight.plain_bytes += deliver.segments.size();
  sight.wire_bytes += wire_bytes > 0 ? wire_bytes : deliver.segments.size();
  if (ground.disk_low || turn.bytes + deliver.segments.size() > kMaxTurnBytes) {
    const char* reason = ground.disk_low ? "this node's disk is below its headroom" : "this node has too much at once";
    turn.count(ground.disk_low ? RefusalCode::disk_full : RefusalCode::busy);
    return back_off(ground, turn, source, reason);
  }
  const auto segments = parse_segments(deliver.segments);
  if (!segments) return give_up(turn, source, RefusalCode::feed_broken, "unreadable delivery: " + segments.error().reason);
  turn.bytes += deliver.segments.size();
  const std::uint64_t before = sight.received_events;
  for (const Segment& segment : *segments)
    if (!take(ground, turn, source, segment)) return;
  beginnings_of(source).proofs = false;
  if (source.detour != nullptr) {
    if (sight.received_events != before) {
      source.detour->moved_at = turn.now;
      source.detour->vain = 0;
    }
    return pay(ground, turn, source.id, source.link, {source.detour->follow, deliver.segments.size(), 1, Offset{}}, wire_bytes);
  }
  // Sent after the commit, so the credit's offset says: all below is on disk here. The peer's ack level peers(k) rests on it.
  const Offset held = source.link.passed_over ? Offset{} : deliver.next;
  if (deliver.caught_up && !source.link.passed_over) sight.in_step_at = turn.now;
  pay(ground, turn, source.id, source.link, {source.link.follow, deliver.segments.size(), 1, held}, wire_bytes);
}

bool Replication::take(Ground& ground, Turn& turn, const Source& source, const Segment& segment) {
  const FeedId& feed = segment.info().feed;
  source.link.sight.delivered_events += segment.info().count;
  if (auto may = may_deliver(ground, source, segment); !may) return leave(turn, source, std::move(may.error()));
  if (feed.region == ground.region() && feed.epoch >= ground.config.epoch) return take_own(ground, turn, source, segment);
  if (ended_.contains(feed)) {
    pass_over(source);
    return true;
  }
  const FeedHead held = ground.sequencer.head(feed);
  if (held.sequence.value == 0 && feeds_of(ground.sequencer, feed.region) >= kMaxFeedsOfRegion)
    return leave(turn, source,
                 {RefusalCode::oversize,
                  {},
                  std::to_string(kMaxFeedsOfRegion) + " feeds of " + to_text(feed.region) +
                      " are held, the most a region may open; " + to_text(feed) + " is too many"});
  const SealPublicKey& key = ground.members().find(source.of)->seal_key;
  const Beginnings& beginnings = beginnings_of(source);
  if (beginnings.proofs && take_proof(held, segment, key)) return true;
  const bool in_its_middle = beginnings.asked && held.sequence.value == 0 && segment.info().first_sequence > Sequence{1};
  const Beginning* beginning = in_its_middle ? shown_for(segment) : nullptr;
  return act_on(judge_segment(segment, beginning != nullptr ? beginning->through : held, key), ground, turn, source, segment,
                beginning);
}

Result<void> Replication::may_deliver(const Ground& ground, const Source& source, const Segment& segment) {
  const FeedId& feed = segment.info().feed;
  if (ground.members().find(source.of) == nullptr || feed.region != source.of)
    return refuse(RefusalCode::wrong_region, {},
                  "the peer delivers " + to_text(feed) +
                      (source.detour == nullptr ? ", which is not its own" : ", which was not asked for"));
  if (segment.info().filtered)
    return refuse(RefusalCode::feed_broken, {}, "the peer delivers a filtered segment of " + to_text(feed));
  if ((lanes_of(source.id.lanes) & mask_of(feed.lane)) == 0)
    return refuse(RefusalCode::wrong_lane, {}, "the peer delivers " + to_text(feed) + " on the link of other lanes");
  if (!ground.members().holds(feed.audience, ground.region()))
    return refuse(RefusalCode::not_allowed, {}, "the peer delivers " + to_text(feed) + ", which this node may not hold");
  return {};
}

bool Replication::leave(Turn& turn, const Source& source, Refusal why) {
  give_up(turn, source, why.code, std::move(why.reason));
  return false;
}

bool Replication::act_on(const SegmentVerdict& verdict, Ground& ground, Turn& turn, const Source& source, const Segment& segment,
                         const Beginning* beginning) {
  using Outcome = SegmentVerdict::Outcome;
  const FeedId& feed = segment.info().feed;
  if (beginning != nullptr && verdict.outcome == Outcome::forked) {
    beginnings_of(source).whole = true;
    back_off(ground, turn, source, "what " + to_text(feed) + " says in its retention is not so: " + verdict.reason);
    return false;
  }
  // Of a forked feed only what goes on from the history that is held here: when the other copy is gone, the feed is whole again.
  if (forked_.contains(feed) && verdict.outcome != Outcome::append) {
    pass_over(source);
    ground.standing.raise(turn, "feed_forked", to_text(feed),
                          to_text(feed) + " is forked: what does not continue what is held here is not taken");
    suspect(turn, source, segment);
    return true;
  }
  switch (verdict.outcome) {
    case Outcome::known:
      return true;
    case Outcome::append:
      return take_new(ground, turn, source, segment, beginning);
    case Outcome::forked:
      return forked(ground, turn, source, segment, verdict.reason);
    case Outcome::broken:
      return leave(turn, source, {RefusalCode::feed_broken, {}, verdict.reason});
    case Outcome::gap:
      break;
  }
  gap(ground, turn, source, segment, verdict.reason);
  return false;
}

bool Replication::take_new(Ground& ground, Turn& turn, const Source& source, const Segment& segment, const Beginning* beginning) {
  const FeedId& feed = segment.info().feed;
  if (lacks_body(segment, ground.sequencer.head(feed).sequence))
    return leave(
        turn, source,
        {RefusalCode::feed_broken, {}, "the peer delivers " + to_text(feed) + " with an event that is without its body"});
  if (std::string late = behind_the_end(ground, segment); !late.empty()) {
    if (ended_.size() >= kMaxHeldFeeds) return leave(turn, source, {RefusalCode::not_allowed, {}, std::move(late)});
    ended_[feed] = ground.members().closes(feed.audience, feed.region);
    pass_over(source);
    turn.count(RefusalCode::not_allowed);
    ground.standing.raise(turn, "feed_ended", to_text(feed), std::move(late));
    return true;
  }
  if (beginning != nullptr) begin(ground, *beginning);
  append(ground, turn, source, segment);
  return true;
}

bool Replication::forked(Ground& ground, Turn& turn, const Source& source, const Segment& segment, const std::string& reason) {
  const FeedId& feed = segment.info().feed;
  if (ground.sequencer.head(feed).sequence.value == 0)  // not a history beside ours, and nothing that is held bounds such feeds
    return leave(turn, source, {RefusalCode::feed_broken, {}, to_text(feed) + " does not begin at its beginning"});
  forked_.insert(feed);
  pass_over(source);
  turn.count(RefusalCode::feed_forked);
  ground.standing.raise(turn, "feed_forked", to_text(feed), reason);
  suspect(turn, source, segment);
  return true;
}

void Replication::gap(Ground& ground, Turn& turn, const Source& source, const Segment& segment, const std::string& reason) {
  if (source.of == ground.region()) return former_gap(ground, turn, source, segment);
  // The question was for all of them: what it begins with here is not at its beginning, and no retention was shown.
  Beginnings& beginnings = beginnings_of(source);
  if (beginnings.asked && ground.sequencer.head(segment.info().feed).sequence.value == 0) beginnings.whole = true;
  back_off(ground, turn, source, reason);
}

// A segment is taken whole or not at all: what is cut out of it could not be proven any more. A node that knows of its own end
// seals nothing across it.
std::string Replication::behind_the_end(const Ground& ground, const Segment& segment) {
  const FeedId& feed = segment.info().feed;
  const auto end = ground.members().closes(feed.audience, feed.region);
  if (!end || feed.region == ground.region()) return {};
  for (const RecordView& record : segment.records()) {
    if (physical_ms(record.stamp.time) < *end) continue;
    return to_text(feed) + " goes on at " + std::to_string(record.stamp.sequence.value) + ", stamped " +
           to_iso8601(physical_ms(record.stamp.time)) + ", though it ends at " + to_iso8601(*end) +
           ": its node runs another members file";
  }
  return {};
}

void Replication::pass_over(const Source& source) {
  source.link.passed_over = source.link.passed_over || source.detour == nullptr;
}

void Replication::give_up(Turn& turn, const Source& source, RefusalCode code, std::string reason) {
  if (source.detour == nullptr) return give_up(turn, source.id, source.link, code, std::move(reason));
  turn.count(code);
  reason = "a detour for " + to_text(source.of) + " through " + to_text(source.id.peer) + ": " + reason;
  alarm(turn, std::string(to_word(code)), to_text(source.of) + " through " + to_text(source.id.peer), reason);
  close_detour(turn, source.id.lanes, *source.detour, reason);
  source.detour->retry_at = turn.now + kRefusedLinkRetryMs;
  source.detour->given_up = true;
}

void Replication::back_off(const Ground& ground, Turn& turn, const Source& source, const std::string& reason) {
  if (source.detour != nullptr) {
    close_detour(turn, source.id.lanes, *source.detour, reason);
    source.detour->retry_at = turn.now + kDetourAfterMs;
    return;
  }
  say_unfollow(turn, source.id, source.link, reason);
  back_off(ground, turn, source.id, source.link, reason);
}

void Replication::append(Ground& ground, Turn& turn, const Source& source, const Segment& segment) {
  const FeedHead ours = ground.sequencer.head(segment.info().feed);
  CutSegment cut = cut_behind(segment, ours, ground.sequencer.peer_offset());
  source.link.sight.received_events += cut.info.count;
  merge_clock(ground, turn, source.of, segment);
  if (source.of == ground.region() || segment.info().feed.lane == Lane::flash) remember(ground, segment);
  if (segment.info().feed.lane == Lane::flash) turn.effects.flash = true;
  ground.sequencer.append_peer(StoredSegment{cut.info, segment.last(), std::move(cut.bytes), segment.seal()});
}

// What this node accepted before the restore binds it still; what peers ask for may be answered.
void Replication::remember(Ground& ground, const Segment& segment) {
  const FeedId& feed = segment.info().feed;
  const bool own = feed.region == ground.region();
  EventReader reader;
  for (const RecordView& record : segment.records()) {
    // Of peers' events few are looked at whole.
    const auto envelope = record.redacted ? Result<Envelope>(Envelope{}) : decode_envelope(record.body);
    const KindRules* rules = envelope && envelope->audience == feed.audience ? rules_of(envelope->kind) : nullptr;
    const auto remember = rules == nullptr ? nullptr : own ? rules->remember : rules->hear;
    if (remember == nullptr || !reader.read(record.body) || (reader.has_body() && reader.lane() != feed.lane)) continue;
    // As in the view: what has no place in the order counts for nothing.
    const auto version = decision_of(feed.epoch, record.stamp.ordinal);
    if (version) remember({reader, record.body, feed.region, *version, record.stamp.time}, ground.memory);
  }
}

void Replication::merge_clock(Ground& ground, Turn& turn, RegionCode peer, const Segment& segment) {
  Hlc latest;
  for (const RecordView& record : segment.records()) latest = std::max(latest, record.stamp.time);
  // What the peer had before its last event is held here, since its events come in their order.
  if (const auto link = links_.find({peer, static_cast<LaneClass>(segment.info().feed.lane)}); link != links_.end()) {
    auto& in_step_at = link->second.sight.in_step_at;
    in_step_at = std::max(in_step_at.value_or(0), std::min(turn.now, physical_ms(latest)));
  }
  if (!ground.sequencer.clock().merge(latest, turn.now) && ground.members().active(peer))
    ground.clocks.stamped(ground.standing, turn, peer, latest);
}

}  // namespace lianxi::core
