// Messages between agents, nodes and a node, from bytes.
#include <algorithm>

#include "schemas/codec/message_io.h"
#include "schemas/codec/packing.h"

namespace lianxi {
namespace {

using codec::MessageReader;

std::vector<LaneState> read_lanes(MessageReader& in, const flatbuffers::Vector<flatbuffers::Offset<wire::LaneState>>* from) {
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
  hello.volatile_outbox = from->volatile_outbox();
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
  welcome.head = Offset(from->head());
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
    range.first_offset = Offset(item->first_offset());
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

Result<Message> read(const FrameHeader& header, const wire::Replicated* from, MessageReader in) {
  Replicated replicated;
  replicated.session = in.session(header.session);
  replicated.ranges = in.list<ReplicatedRange>(from->ranges(), [&](const wire::ReplicatedRange* item) {
    return ReplicatedRange{in.known<Lane>("ranges", item->lane()), Sequence(item->first_sequence()), item->count(),
                           item->wanted(), item->held()};
  });
  return in.result<Message>(std::move(replicated));
}

Result<Message> read(const FrameHeader& header, const wire::Refused* from, MessageReader in) {
  Refused refused{header.session, header.sequence, header.lane, read_refusal(in, from->refusal())};
  return in.result<Message>(std::move(refused));
}

std::optional<FilterArea> read_area(MessageReader& in, const wire::Area* from) {
  if (from == nullptr) return std::nullopt;
  FilterArea area;
  const std::size_t points = from->ring() == nullptr ? 0 : from->ring()->size();
  if (points > kMaxAreaPoints) {
    in.fail(RefusalCode::oversize, "filter.area.ring", fmt::format("{} points; it may have {}", points, kMaxAreaPoints));
    return area;
  }
  for (std::size_t i = 0; i < points; ++i) {
    const auto point = in.point("filter.area.ring", from->ring()->Get(static_cast<flatbuffers::uoffset_t>(i)));
    area.ring.push_back(*point);
  }
  if (!area.ring.empty() && (area.ring.size() < 4 || area.ring.front() != area.ring.back()))
    in.invalid("filter.area.ring", "a ring has at least 4 points and ends where it begins");
  if (const auto centre = in.point("filter.area.centre", from->centre())) {
    area.circle = Circle{*centre, from->radius_m()};
    if (!(from->radius_m() >= 0 && from->radius_m() <= kMaxAreaRadiusM))
      in.invalid("filter.area.radius_m", fmt::format("a radius is 0 to {} m", kMaxAreaRadiusM));
  }
  if (area.ring.empty() && !area.circle) in.invalid("filter.area", "it has a ring, or a centre with a radius");
  return area;
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
  filter.area = read_area(in, from->area());
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
  if (from->from() > static_cast<std::uint8_t>(FollowFrom::named)) {
    in.invalid("from", "it begins at 0 beginning, 1 now, 2 cursor, 3 vector or 4 named");
  }
  follow.mode = static_cast<FollowMode>(from->mode());
  follow.from = static_cast<FollowFrom>(from->from());
  follow.node = RegionCode(from->node());
  follow.incarnation = Incarnation(from->incarnation());
  follow.offset = Offset(from->offset());
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
  follow.cursor_name = in.line("cursor_name", from->cursor_name());
  if (follow.cursor_name.size() > kMaxCursorNameBytes)
    in.fail(RefusalCode::oversize, "cursor_name", fmt::format("at most {} bytes", kMaxCursorNameBytes));
  follow.zstd = (from->compression() & codec::kTakesZstd) != 0;
  follow.from_retention = from->from_retention();
  if (follow.from == FollowFrom::named && follow.cursor_name.empty())
    in.invalid("cursor_name", "a follow from a named cursor names it");
  return in.result<Message>(std::move(follow));
}

Result<Message> read(const FrameHeader& header, const wire::Followed* from, MessageReader in) {
  Followed followed{in.session(header.session), RegionCode(from->node()), Incarnation(from->incarnation()),
                    Offset(from->offset()), Offset(from->head())};
  return in.result<Message>(std::move(followed));
}

Result<Message> read(const FrameHeader& header, const wire::Credit* from, MessageReader in) {
  Credit credit{in.session(header.session), from->bytes(), from->messages(), Offset(from->offset())};
  return in.result<Message>(std::move(credit));
}

Result<Message> read(const FrameHeader& header, const wire::Unfollow* from, MessageReader in) {
  Unfollow unfollow{in.session(header.session), in.free_text("reason", from->reason())};
  return in.result<Message>(std::move(unfollow));
}

Result<Message> read(const FrameHeader& /*header*/, const wire::Heartbeat* from, MessageReader in) {
  Heartbeat heartbeat{from->time(), in.feed_vector("vector", from->vector()), MembersVersion(from->members()), from->echo(),
                      from->held_ms()};
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
  Deliver deliver{header.session, Offset(header.sequence), (header.flags & kFlagCaughtUp) != 0, {}};
  if ((header.flags & kFlagPacked) == 0) {
    deliver.segments.assign(payload.begin(), payload.end());
    return deliver;
  }
  auto unpacked = unpack(payload);
  if (!unpacked) return tl::unexpected(std::move(unpacked.error()));
  deliver.segments = std::move(*unpacked);
  return deliver;
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
    case MessageType::replicated:
      return read_table<wire::Replicated>(header, aligned, kMaxAnswerTables);
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

}  // namespace

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
