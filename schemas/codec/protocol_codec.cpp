// Messages between agents, nodes and a node, to bytes. What the header carries of each stands in schemas/README.md.
#include <algorithm>
#include <cassert>

#include "schemas/codec/message_io.h"

namespace lianxi {
namespace {

using codec::Builder;
using flatbuffers::Offset;

template <class Table>
Bytes finish(Builder& out, Offset<Table> root) {
  out.Finish(root);
  return codec::finished(out);
}

Offset<flatbuffers::Vector<Offset<wire::LaneState>>> write_lanes(Builder& out, const std::vector<LaneState>& lanes) {
  return codec::write_list<Offset<wire::LaneState>>(out, lanes, [&](const LaneState& state) {
    return wire::CreateLaneState(out, static_cast<std::uint8_t>(state.lane), state.high_water.value,
                                 state.answered_through.value);
  });
}

Offset<wire::Refusal> write_refusal(Builder& out, Lane lane, Sequence sequence, const Refusal& refusal, const BodyHash& hash) {
  const auto field = codec::write_text(out, refusal.field);
  const auto reason = codec::write_text(out, refusal.reason);
  const auto body_hash = hash == BodyHash{} ? Offset<flatbuffers::Vector<std::uint8_t>>() : codec::write_bytes(out, hash);
  return wire::CreateRefusal(out, static_cast<std::uint8_t>(lane), sequence.value, static_cast<std::uint16_t>(refusal.code),
                             field, reason, refusal.retry_after_ms, body_hash);
}

template <class Number, class Id>
Offset<flatbuffers::Vector<Number>> write_ids(Builder& out, const std::vector<Id>& ids) {
  std::vector<Number> numbers;
  numbers.reserve(ids.size());
  for (const Id& id : ids) numbers.push_back(id.value);
  return codec::write_numbers<Number>(out, numbers);
}

Bytes write_payload(const Hello& hello) {
  Builder out;
  const auto lanes = write_lanes(out, hello.lanes);
  const auto closed = write_ids<std::uint64_t>(out, hello.close_sessions);
  const auto software = codec::write_text(out, hello.software);
  return finish(out, wire::CreateHello(out, lanes, closed, software, hello.volatile_outbox));
}

Bytes write_payload(const Welcome& welcome) {
  Builder out;
  const auto agent = codec::write_required(out, welcome.agent.text());
  const auto lanes = write_lanes(out, welcome.lanes);
  return finish(out, wire::CreateWelcome(out, welcome.region.value, welcome.epoch.value, welcome.incarnation.value, agent,
                                         welcome.session_known, lanes, welcome.head.value, welcome.time, welcome.max_body_bytes,
                                         welcome.max_publish_events, welcome.heartbeat_ms));
}

Bytes write_payload(const Publish& publish) {
  std::size_t bytes = kPublishBytesAround;
  for (const Bytes& event : publish.events) bytes += event.size() + kPublishBytesPerEvent;
  Builder out(bytes);
  std::vector<Offset<wire::EventBytes>> events;
  events.reserve(publish.events.size());
  for (const Bytes& event : publish.events) {
    events.push_back(wire::CreateEventBytes(out, out.CreateVector(event.data(), event.size())));
  }
  return finish(out, wire::CreatePublish(out, publish.answered_through.value, publish.peers, publish.deadline_ms,
                                         out.CreateVector(events)));
}

Bytes write_payload(const Answers& answers) {
  Builder out;
  const auto receipts = codec::write_list<Offset<wire::ReceiptRange>>(out, answers.receipts, [&](const ReceiptRange& range) {
    const auto audience = codec::write_required(out, range.audience.text());
    const auto* hashes = reinterpret_cast<const std::uint8_t*>(range.body_hashes.data());
    const auto body_hashes = out.CreateVector(hashes, range.body_hashes.size() * sizeof(BodyHash));
    return wire::CreateReceiptRange(out, static_cast<std::uint8_t>(range.lane), audience, range.first_sequence.value, range.count,
                                    range.epoch.value, range.first_feed_sequence.value, range.first_ordinal.value,
                                    range.first_offset.value, body_hashes);
  });
  const auto refusals = codec::write_list<Offset<wire::Refusal>>(out, answers.refusals, [&](const SequenceRefusal& refusal) {
    return write_refusal(out, refusal.lane, refusal.sequence, refusal.refusal, refusal.body_hash);
  });
  return finish(out, wire::CreateAnswers(out, receipts, refusals));
}

Bytes write_payload(const Replicated& replicated) {
  Builder out;
  const auto ranges = codec::write_list<Offset<wire::ReplicatedRange>>(out, replicated.ranges, [&](const ReplicatedRange& range) {
    return wire::CreateReplicatedRange(out, static_cast<std::uint8_t>(range.lane), range.first_sequence.value, range.count,
                                       range.wanted, range.held);
  });
  return finish(out, wire::CreateReplicated(out, ranges));
}

Bytes write_payload(const Refused& refused) {
  Builder out;
  return finish(out, wire::CreateRefused(out, write_refusal(out, Lane::flash, Sequence(), refused.refusal, {})));
}

Offset<wire::Area> write_area(Builder& out, const FilterArea& area) {
  std::vector<wire::LonLat> ring;
  for (const LonLat& point : area.ring) ring.emplace_back(point.lon, point.lat);
  const auto points = ring.empty() ? Offset<flatbuffers::Vector<const wire::LonLat*>>() : out.CreateVectorOfStructs(ring);
  wire::AreaBuilder table(out);
  if (!ring.empty()) table.add_ring(points);
  const wire::LonLat centre = area.circle ? wire::LonLat(area.circle->centre.lon, area.circle->centre.lat) : wire::LonLat();
  if (area.circle) {
    table.add_centre(&centre);
    table.add_radius_m(area.circle->radius_m);
  }
  return table.Finish();
}

Offset<wire::Filter> write_filter(Builder& out, const Filter& filter) {
  if (filter == Filter{}) return {};
  const auto kinds = codec::write_numbers<std::uint16_t>(out, filter.kinds);
  const auto places = codec::write_list<codec::TextOffset>(
      out, filter.places, [&](const PlaceCode& place) { return codec::write_required(out, place.text()); });
  const auto agencies = codec::write_texts(out, filter.agencies);
  const auto levels = codec::write_numbers<std::uint8_t>(out, filter.levels);
  const auto audiences = codec::write_list<codec::TextOffset>(
      out, filter.audiences, [&](const Audience& audience) { return codec::write_required(out, audience.text()); });
  const auto area = filter.area ? write_area(out, *filter.area) : Offset<wire::Area>();
  return wire::CreateFilter(out, kinds, places, agencies, levels, audiences, area);
}

Bytes write_payload(const Follow& follow) {
  Builder out;
  const auto vector = codec::write_vector(out, follow.vector);
  const auto regions = write_ids<std::uint32_t>(out, follow.regions);
  const auto filter = write_filter(out, follow.filter);
  const auto cursor_name = codec::write_text(out, follow.cursor_name);
  return finish(out, wire::CreateFollow(out, static_cast<std::uint8_t>(follow.mode), static_cast<std::uint8_t>(follow.from),
                                        follow.node.value, follow.incarnation.value, follow.offset.value, vector, regions,
                                        follow.lanes, filter, follow.credit_bytes, follow.credit_messages, cursor_name,
                                        follow.zstd ? codec::kTakesZstd : std::uint8_t{0}, follow.from_retention));
}

Bytes write_payload(const Followed& followed) {
  Builder out;
  return finish(out, wire::CreateFollowed(out, followed.node.value, followed.incarnation.value, followed.offset.value,
                                          followed.head.value));
}

Bytes write_payload(const Deliver& deliver) {
  return deliver.segments;
}

Bytes write_payload(const Credit& credit) {
  Builder out;
  return finish(out, wire::CreateCredit(out, credit.bytes, credit.messages, credit.offset.value));
}

Bytes write_payload(const Unfollow& unfollow) {
  Builder out;
  return finish(out, wire::CreateUnfollow(out, codec::write_text(out, unfollow.reason)));
}

Bytes write_payload(const Heartbeat& heartbeat) {
  Builder out;
  const auto vector = codec::write_vector(out, heartbeat.vector);
  return finish(out,
                wire::CreateHeartbeat(out, heartbeat.time, vector, heartbeat.members.value, heartbeat.echo, heartbeat.held_ms));
}

using codec::write_payload;

FrameHeader header_of(const Message& message) {
  FrameHeader header;
  header.type = type_of(message);
  std::visit(
      [&]<class T>(const T& m) {
        if constexpr (requires { m.session; }) header.session = m.session;
        if constexpr (requires { m.follow; }) header.session = m.follow;
        if constexpr (requires { m.request; }) header.sequence = m.request;
        if constexpr (requires { m.lane; }) header.lane = m.lane;
        if constexpr (std::is_same_v<T, Publish>) header.sequence = m.first_sequence.value;
        if constexpr (std::is_same_v<T, Refused>) header.sequence = m.sequence;
        if constexpr (std::is_same_v<T, Deliver>) {
          header.sequence = m.next.value;
          header.flags = m.caught_up ? kFlagCaughtUp : 0;
        }
      },
      message);
  return header;
}

Bytes payload_of(const Message& message) {
  return std::visit([](const auto& m) { return write_payload(m); }, message);
}

tl::unexpected<Refusal> too_many(std::string field, std::size_t size, std::size_t most) {
  return refuse(RefusalCode::oversize, std::move(field), fmt::format("{} items; it may have {}", size, most));
}

// The lists' own bounds; the size of the whole comes after.
Result<void> lists_fit(const Message& message) {
  if (const auto* publish = std::get_if<Publish>(&message)) {
    if (publish->events.empty() || publish->events.size() > kMaxPublishEvents) {
      return refuse(RefusalCode::oversize, "events",
                    fmt::format("{} events; a publish carries 1 to {}", publish->events.size(), kMaxPublishEvents));
    }
    for (std::size_t i = 0; i < publish->events.size(); ++i) {
      if (const std::size_t size = publish->events[i].size(); size > kMaxBodyBytes || size == 0) {
        return refuse(RefusalCode::oversize, fmt::format("events[{}]", i),
                      fmt::format("{} bytes; an event has 1 to {}", size, kMaxBodyBytes));
      }
    }
  }
  if (const auto* follow = std::get_if<Follow>(&message)) {
    const Filter& filter = follow->filter;
    for (const std::size_t size : {filter.kinds.size(), filter.places.size(), filter.agencies.size(), filter.levels.size(),
                                   filter.audiences.size(), follow->regions.size()}) {
      if (size > kMaxFilterItems) return too_many("filter", size, kMaxFilterItems);
    }
    if (filter.area && filter.area->ring.size() > kMaxAreaPoints)
      return too_many("filter.area", filter.area->ring.size(), kMaxAreaPoints);
    if (follow->vector.size() > kMaxVectorFeeds) return too_many("vector", follow->vector.size(), kMaxVectorFeeds);
  }
  if (const auto* heartbeat = std::get_if<Heartbeat>(&message); heartbeat && heartbeat->vector.size() > kMaxVectorFeeds) {
    return too_many("vector", heartbeat->vector.size(), kMaxVectorFeeds);
  }
  return {};
}

std::size_t payload_bytes(const Message& message) {
  if (const auto* deliver = std::get_if<Deliver>(&message)) return deliver->segments.size();
  if (const auto* publish = std::get_if<Publish>(&message)) {
    std::size_t bytes = kPublishBytesAround;
    for (const Bytes& event : publish->events) bytes += event.size() + kPublishBytesPerEvent;
    return bytes;
  }
  return payload_of(message).size();
}

}  // namespace

Frames encode(const Message& message) {
  Frames frames = encode_frames(header_of(message), payload_of(message));
  assert(frames.payload.size() <= max_payload_bytes(type_of(message)));
  return frames;
}

Result<void> fits(const Message& message) {
  if (auto fit = lists_fit(message); !fit) return fit;
  const std::size_t bound = max_payload_bytes(type_of(message));
  if (const std::size_t bytes = payload_bytes(message); bytes > bound) {
    return refuse(RefusalCode::oversize, "payload", fmt::format("{} bytes; this message may have {}", bytes, bound));
  }
  return {};
}

}  // namespace lianxi
