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

// One commit after another, kept in memory.
class Commits {
 public:
  // One segment of `count` events; `body` makes each from its offset.
  const SharedSegment& add(std::size_t count, Lane lane, const std::function<Bytes(std::uint64_t)>& body) {
    const FeedId feed{kQuzhou, Epoch(1), lane, Audience::conference()};
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
    StoredSegment stored{info, head, std::move(writer).finish(), sign_seal(keys_.secret_key, feed, head)};
    return segments.emplace_back(std::make_shared<const HeldSegment>(std::move(stored), true));
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

 private:
  SealKeyPair keys_ = seal_keys_from_seed(Hash{7});
};

}  // namespace lianxi::app::test
