// What the tests of deliveries share: committed segments of one region, and orders of followers.
#pragma once

#include <functional>
#include <map>
#include <optional>

#include "broker/app/delivery_desk.h"
#include "schemas/codec/event_codec.h"
#include "schemas/codec/segment.h"

namespace lianxi::app::test {

inline const RegionCode kQuzhou{330800};

inline Bytes report(std::uint64_t number, const std::string& place, std::size_t bytes, std::optional<LonLat> where = {}) {
  Event event;
  event.envelope.kind = Kind::incident;
  event.envelope.entity = incident_entity(kQuzhou, "c" + std::to_string(number));
  event.envelope.place = *PlaceCode::parse(place);
  event.envelope.agency = "police";
  event.envelope.audience = Audience::conference();
  IncidentReport body;
  body.case_reference = "c" + std::to_string(number);
  body.title = std::string(bytes, 't');
  body.location = where;
  event.body = body;
  return encode_event(event);
}

inline FeedId feed_of(Lane lane) {
  return {kQuzhou, Epoch(1), lane, Audience::conference()};
}

// Stands behind `position`.
inline Bytes retention(const FeedId& feed, const FeedHead& through, Sequence position) {
  Event event;
  event.envelope.kind = Kind::retention;
  event.envelope.entity = retention_entity(feed.region, feed.lane, feed.audience);
  event.envelope.place = PlaceCode::of(feed.region);
  event.envelope.agency = "emergency";
  event.envelope.audience = feed.audience;
  event.body = Retention{feed.epoch, feed.lane, through, Ordinal(1), 0, position, Hash{9}};
  return encode_event(event);
}

// One commit after another, kept in memory.
class Commits {
 public:
  // One segment of `count` events; `body` makes each from its offset.
  const SharedSegment& add(std::size_t count, Lane lane, const std::function<Bytes(std::uint64_t)>& body, bool sealed = true) {
    const FeedId feed = feed_of(lane);
    FeedHead& head = heads[feed];
    SegmentInfo info{feed, Sequence(head.sequence.value + 1), static_cast<std::uint32_t>(count), next, head.hash, false};
    SegmentWriter writer(feed, head, next);
    for (std::size_t i = 0; i < count; ++i) {
      Stamp stamp;
      stamp.sequence = Sequence(head.sequence.value + 1);
      stamp.ordinal = Ordinal(next.value + i);
      stamp.publisher = *AgentId::parse("330800.police.a");
      head = writer.append(stamp, Salt{}, body(next.value + i));
    }
    next = Offset(next.value + count);
    StoredSegment stored{info, head, std::move(writer).finish(), std::nullopt};
    if (sealed) stored.seal = sign_seal(keys.secret_key, feed, head);
    return segments.emplace_back(std::make_shared<const HeldSegment>(std::move(stored), true));
  }
  // A commit of `before` small events, a retention through the feed's first event, and `behind` small ones; where it stands.
  Offset retain(std::size_t before, std::size_t behind, Lane lane = Lane::normal, bool sealed = true) {
    const FeedId feed = feed_of(lane);
    const Offset at(next.value + before);
    const Sequence position(heads[feed].sequence.value + before);
    const auto body = [&](std::uint64_t offset) {
      return offset == at.value ? retention(feed, {Sequence(1), Hash{1}}, position) : Bytes(8, 'b');
    };
    add(before + 1 + behind, lane, body, sealed);
    return at;
  }
  // Of a follower who wants all that is committed from `from` on.
  [[nodiscard]] core::DeliverOrder order(const std::string& to, std::shared_ptr<const core::FollowSpec> spec,
                                         Offset from = Offset(1)) const {
    core::DeliverOrder out;
    out.connection = {2, to};
    out.follow = SessionId(1);
    out.spec = std::move(spec);
    out.from = from;
    out.head = next;
    out.max_bytes = kMaxCreditBytes;
    out.max_messages = 1000;
    return out;
  }

  std::vector<SharedSegment> segments;
  std::map<FeedId, FeedHead> heads;
  Offset next{1};
  SealKeyPair keys = seal_keys_from_seed(Hash{7});
};

// A journal of such commits; counts how often it is read.
class Reader final : public store::JournalReader {
 public:
  explicit Reader(const std::vector<SharedSegment>& segments, int& reads) : segments_(segments), reads_(reads) {}
  store::StoreResult<std::vector<store::JournalSegment>> read(Offset from, std::size_t max_bytes) override {
    ++reads_;
    std::vector<store::JournalSegment> out;
    std::size_t bytes = 0;
    for (const SharedSegment& segment : segments_) {
      if (segment->end() <= from || bytes > max_bytes) continue;
      bytes += segment->bytes().size();
      out.push_back(segment->as_journal_segment());
    }
    return out;
  }
  store::StoreResult<Offset> first_beyond(const FeedVector& have) override {
    for (const SharedSegment& segment : segments_) {
      const auto held = std::find_if(have.begin(), have.end(), [&](const auto& p) { return p.feed == segment->info().feed; });
      const std::uint64_t sequence = held == have.end() ? 0 : held->head.sequence.value;
      const std::uint64_t first = segment->info().first_sequence.value;
      if (sequence + 1 < first + segment->info().count)
        return Offset(segment->first().value + (sequence >= first ? sequence + 1 - first : 0));
    }
    return segments_.empty() ? Offset(1) : segments_.back()->end();
  }
  store::StoreResult<Offset> next_offset() override { return segments_.back()->end(); }

 private:
  const std::vector<SharedSegment>& segments_;
  int& reads_;
};

// Another member's node, that follows the normal lane's whole feeds.
inline std::shared_ptr<core::FollowSpec> link_of(const std::string& node) {
  auto out = std::make_shared<core::FollowSpec>();
  out->agent = {*AgentId::parse(node + ".broker.node"), "broker", core::Role::node};
  out->mode = FollowMode::feeds;
  out->lanes = mask_of(Lane::normal);
  out->zstd = true;
  return out;
}

}  // namespace lianxi::app::test
