// Messages between agents, nodes and a node. What the header carries of each stands in schemas/README.md.
#include <algorithm>
#include <cassert>

#include "schemas/codec/message_io.h"

namespace lianxi {
namespace {

using codec::Builder;
using codec::MessageReader;
using flatbuffers::Offset;

template <class Table>
Bytes finish(Builder& out, Offset<Table> root) {
  out.Finish(root);
  return codec::finished(out);
}

// --- writing: payload and header of each message ---

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
  return finish(out, wire::CreateHello(out, lanes, closed, software));
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

Bytes write_payload(const Refused& refused) {
  Builder out;
  return finish(out, wire::CreateRefused(out, write_refusal(out, Lane::flash, Sequence(), refused.refusal, {})));
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
  return wire::CreateFilter(out, kinds, places, agencies, levels, audiences);
}

Bytes write_payload(const Follow& follow) {
  Builder out;
  const auto vector = codec::write_vector(out, follow.vector);
  const auto regions = write_ids<std::uint32_t>(out, follow.regions);
  const auto filter = write_filter(out, follow.filter);
  return finish(out, wire::CreateFollow(out, static_cast<std::uint8_t>(follow.mode), static_cast<std::uint8_t>(follow.from),
                                        follow.node.value, follow.incarnation.value, follow.offset.value, vector, regions,
                                        follow.lanes, filter, follow.credit_bytes, follow.credit_messages));
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
  return finish(out, wire::CreateHeartbeat(out, heartbeat.time, vector));
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

// --- reading ---

std::vector<LaneState> read_lanes(MessageReader& in, const flatbuffers::Vector<Offset<wire::LaneState>>* from) {
  in.bounded("lanes", from, kLaneCount);
  if (in.failed()) return {};
  auto lanes = in.list<LaneState>(from, [&](const wire::LaneState* item) {
    return LaneState{in.known<Lane>("lanes", item->lane()), Sequence(item->high_water()), Sequence(item->answered_through())};
  });
  LaneMask seen = 0;
  for (const LaneState& state : lanes) {
    if ((seen & mask_of(state.lane)) != 0) in.invalid("lanes", "it names a lane twice");
    seen = static_cast<LaneMask>(seen | mask_of(state.lane));
  }
  return lanes;
}

Refusal read_refusal(MessageReader& in, const wire::Refusal* from) {
  return Refusal{static_cast<RefusalCode>(from->code()), in.free_text("field", from->field()),
                 in.free_text("reason", from->reason()), from->retry_after_ms()};
}

Result<Message> read(const FrameHeader& header, const wire::Hello* from, MessageReader in) {
  Hello hello;
  hello.session = in.session(header.session);
  hello.lanes = read_lanes(in, from->lanes());
  hello.close_sessions = in.list<SessionId>(from->close_sessions(), [](std::uint64_t id) { return SessionId(id); });
  hello.software = in.line("software", from->software());
  return in.result<Message>(std::move(hello));
}

Result<Message> read(const FrameHeader& header, const wire::Welcome* from, MessageReader in) {
  Welcome welcome;
  welcome.session = in.session(header.session);
  welcome.region = RegionCode(from->region());
  welcome.epoch = Epoch(from->epoch());
  welcome.incarnation = Incarnation(from->incarnation());
  welcome.agent = in.agent("agent", from->agent());
  welcome.session_known = from->session_known();
  welcome.lanes = read_lanes(in, from->lanes());
  welcome.head = lianxi::Offset(from->head());
  welcome.time = from->time();
  welcome.max_body_bytes = from->max_body_bytes();
  welcome.max_publish_events = from->max_publish_events();
  welcome.heartbeat_ms = from->heartbeat_ms();
  return in.result<Message>(std::move(welcome));
}

Result<Message> read(const FrameHeader& header, const wire::Publish* from, MessageReader in) {
  Publish publish;
  publish.session = in.session(header.session);
  publish.lane = header.lane;
  publish.first_sequence = Sequence(header.sequence);
  publish.answered_through = Sequence(from->answered_through());
  publish.peers = from->peers();
  publish.deadline_ms = from->deadline_ms();
  constexpr std::uint64_t kMostSequence = UINT64_MAX / 2;
  if (header.sequence == 0 || header.sequence > kMostSequence) in.invalid("header.sequence", "sequences count from 1");
  in.bounded("events", from->events(), kMaxPublishEvents);
  if (codec::size_of(from->events()) == 0) in.fail(RefusalCode::missing_field, "events", "a publish carries at least one event");
  if (!in.failed()) {
    std::size_t index = 0;
    publish.events = in.list<Bytes>(from->events(), [&](const wire::EventBytes* item) {
      const std::size_t size = codec::size_of(item->bytes());
      if (size > kMaxBodyBytes || size == 0) {
        in.fail(size == 0 ? RefusalCode::malformed : RefusalCode::oversize, fmt::format("events[{}]", index),
                fmt::format("{} bytes; an event has 1 to {}", size, kMaxBodyBytes));
      }
      ++index;
      return in.failed() ? Bytes{} : in.bytes(item->bytes());
    });
  }
  return in.result<Message>(std::move(publish));
}

Result<Message> read(const FrameHeader& header, const wire::Answers* from, MessageReader in) {
  Answers answers;
  answers.session = in.session(header.session);
  answers.receipts = in.list<ReceiptRange>(from->receipts(), [&](const wire::ReceiptRange* item) {
    ReceiptRange range;
    range.lane = in.known<Lane>("receipts", item->lane());
    range.audience = in.audience("receipts", item->audience());
    range.first_sequence = Sequence(item->first_sequence());
    range.count = item->count();
    range.epoch = Epoch(item->epoch());
    range.first_feed_sequence = Sequence(item->first_feed_sequence());
    range.first_ordinal = Ordinal(item->first_ordinal());
    range.first_offset = lianxi::Offset(item->first_offset());
    const Bytes hashes = in.bytes(item->body_hashes());
    if (hashes.size() != std::size_t{range.count} * sizeof(BodyHash)) {
      in.invalid("receipts", "it carries another number of hashes than events");
      return range;
    }
    range.body_hashes.resize(range.count);
    std::copy(hashes.begin(), hashes.end(), reinterpret_cast<std::uint8_t*>(range.body_hashes.data()));
    return range;
  });
  answers.refusals = in.list<SequenceRefusal>(from->refusals(), [&](const wire::Refusal* item) {
    return SequenceRefusal{in.known<Lane>("refusals", item->lane()), Sequence(item->sequence()), read_refusal(in, item),
                           in.array<16>("refusals", item->body_hash())};
  });
  return in.result<Message>(std::move(answers));
}

Result<Message> read(const FrameHeader& header, const wire::Refused* from, MessageReader in) {
  Refused refused{header.session, header.sequence, header.lane, read_refusal(in, from->refusal())};
  return in.result<Message>(std::move(refused));
}

Filter read_filter(MessageReader& in, const wire::Filter* from) {
  Filter filter;
  if (from == nullptr) return filter;
  in.bounded("filter.kinds", from->kinds(), kMaxFilterItems);
  in.bounded("filter.places", from->places(), kMaxFilterItems);
  in.bounded("filter.agencies", from->agencies(), kMaxFilterItems);
  in.bounded("filter.levels", from->levels(), kMaxFilterItems);
  in.bounded("filter.audiences", from->audiences(), kMaxFilterItems);
  if (in.failed()) return filter;
  filter.kinds = in.enums<Kind>(from->kinds());
  filter.places =
      in.list<PlaceCode>(from->places(), [&](const flatbuffers::String* item) { return in.place("filter.places", item); });
  filter.agencies = in.texts(from->agencies());
  filter.levels = in.list<Level>(from->levels(), [&](std::uint8_t item) { return in.known<Level>("filter.levels", item); });
  filter.audiences = in.list<Audience>(from->audiences(),
                                       [&](const flatbuffers::String* item) { return in.audience("filter.audiences", item); });
  // An empty text would read as an empty value that matches nothing.
  if (std::ranges::find(filter.places, PlaceCode()) != filter.places.end()) in.invalid("filter.places", "a place is empty");
  if (std::ranges::find(filter.audiences, Audience()) != filter.audiences.end()) in.invalid("filter.audiences", "one is empty");
  for (const std::string& agency : filter.agencies) {
    if (agency.empty() || !is_line(agency)) in.invalid("filter.agencies", "an agency is a word, e.g. fire");
  }
  return filter;
}

Result<Message> read(const FrameHeader& header, const wire::Follow* from, MessageReader in) {
  Follow follow;
  follow.follow = in.session(header.session);
  if (from->mode() > static_cast<std::uint8_t>(FollowMode::feeds)) in.invalid("mode", "modes are 0 events and 1 feeds");
  if (from->from() > static_cast<std::uint8_t>(FollowFrom::vector)) {
    in.invalid("from", "it begins at 0 beginning, 1 now, 2 cursor or 3 vector");
  }
  follow.mode = static_cast<FollowMode>(from->mode());
  follow.from = static_cast<FollowFrom>(from->from());
  follow.node = RegionCode(from->node());
  follow.incarnation = Incarnation(from->incarnation());
  follow.offset = lianxi::Offset(from->offset());
  follow.vector = in.feed_vector("vector", from->vector());
  in.bounded("regions", from->regions(), kMaxFilterItems);
  if (!in.failed()) {
    follow.regions = in.list<RegionCode>(from->regions(), [](std::uint32_t region) { return RegionCode(region); });
  }
  follow.lanes = from->lanes();
  if (follow.lanes == 0 || follow.lanes > kAllLanes)
    in.invalid("lanes", "it has a bit for each of lanes 0, 1, 2, and at least one");
  follow.filter = read_filter(in, from->filter());
  follow.credit_bytes = from->credit_bytes();
  follow.credit_messages = from->credit_messages();
  return in.result<Message>(std::move(follow));
}

Result<Message> read(const FrameHeader& header, const wire::Followed* from, MessageReader in) {
  Followed followed{in.session(header.session), RegionCode(from->node()), Incarnation(from->incarnation()),
                    lianxi::Offset(from->offset()), lianxi::Offset(from->head())};
  return in.result<Message>(std::move(followed));
}

Result<Message> read(const FrameHeader& header, const wire::Credit* from, MessageReader in) {
  Credit credit{in.session(header.session), from->bytes(), from->messages(), lianxi::Offset(from->offset())};
  return in.result<Message>(std::move(credit));
}

Result<Message> read(const FrameHeader& header, const wire::Unfollow* from, MessageReader in) {
  Unfollow unfollow{in.session(header.session), in.free_text("reason", from->reason())};
  return in.result<Message>(std::move(unfollow));
}

Result<Message> read(const FrameHeader& /*header*/, const wire::Heartbeat* from, MessageReader in) {
  Heartbeat heartbeat{from->time(), in.feed_vector("vector", from->vector())};
  return in.result<Message>(std::move(heartbeat));
}

template <class Table>
Result<Message> read_table(const FrameHeader& header, BytesView aligned, std::uint32_t max_tables = kMaxTables) {
  const auto root = codec::verified_root<Table>(aligned, max_tables);
  if (!root) return tl::unexpected(root.error());
  return read(header, *root, MessageReader(aligned.size()));
}

Result<Message> read_deliver(const FrameHeader& header, BytesView payload) {
  if (header.session.value == 0) return refuse(RefusalCode::invalid_field, "header.session", "0 is no follow");
  return Deliver{header.session, lianxi::Offset(header.sequence), (header.flags & kFlagCaughtUp) != 0,
                 Bytes(payload.begin(), payload.end())};
}

Result<Message> read_payload(const FrameHeader& header, BytesView aligned) {
  switch (header.type) {
    case MessageType::hello:
      return read_table<wire::Hello>(header, aligned);
    case MessageType::welcome:
      return read_table<wire::Welcome>(header, aligned);
    case MessageType::publish:
      return read_table<wire::Publish>(header, aligned);
    case MessageType::answers:
      return read_table<wire::Answers>(header, aligned, kMaxAnswerTables);
    case MessageType::refused:
      return read_table<wire::Refused>(header, aligned);
    case MessageType::follow:
      return read_table<wire::Follow>(header, aligned);
    case MessageType::followed:
      return read_table<wire::Followed>(header, aligned);
    case MessageType::deliver:
      return read_deliver(header, aligned);
    case MessageType::credit:
      return read_table<wire::Credit>(header, aligned);
    case MessageType::unfollow:
      return read_table<wire::Unfollow>(header, aligned);
    case MessageType::heartbeat:
      return read_table<wire::Heartbeat>(header, aligned);
    case MessageType::query:
      return codec::read_query(header, aligned);
    case MessageType::answer:
      return codec::read_answer(header, aligned);
  }
  return refuse(RefusalCode::unknown_type, "header.type", "this message is not known here");
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

Result<Message> decode(BytesView header, BytesView payload, Speaker speaker) {
  const auto read = decode_header(header, payload);
  if (!read) return tl::unexpected(read.error());
  if (!speaks(speaker, read->type)) {
    return refuse(RefusalCode::unknown_type, "header.type", "this message is not spoken in this direction");
  }
  if (read->type == MessageType::deliver) return read_payload(*read, payload);
  const codec::AlignedBytes aligned(payload);
  return read_payload(*read, aligned.view());
}

}  // namespace lianxi
