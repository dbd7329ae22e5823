// Reading segments: form, bounds and checksums; the chain is checked elsewhere.
#include <fmt/format.h>

#include "schemas/codec/segment_layout.h"
#include "schemas/codec/segment_parts.h"
#include "schemas/limits.h"

namespace lianxi {

using namespace codec::layout;
using codec::SegmentHeader;

namespace {

bool is_zero(BytesView bytes) {
  for (const std::uint8_t byte : bytes) {
    if (byte != 0) return false;
  }
  return true;
}

template <std::size_t N>
std::array<std::uint8_t, N> array_at(const std::uint8_t* at) {
  std::array<std::uint8_t, N> result;
  std::copy(at, at + N, result.begin());
  return result;
}

tl::unexpected<Refusal> malformed(std::string field, std::string reason) {
  return refuse(RefusalCode::malformed, std::move(field), std::move(reason));
}

}  // namespace

Result<SegmentHeader> codec::read_segment_header(BytesView bytes) {
  if (bytes.size() < header_bytes(0)) return malformed("segment", "cut short in its header");
  const std::uint8_t* at = bytes.data();
  if (!std::equal(kMagic.begin(), kMagic.end(), at)) return malformed("segment.magic", "no segment begins here");
  if (const auto version = codec::load<std::uint16_t>(at + kVersionAt); version != kVersion) {
    return refuse(RefusalCode::unsupported_version, "segment.version",
                  fmt::format("segment version {} is not read here; {} is", version, kVersion));
  }
  const std::size_t audience_bytes = at[kAudienceLengthAt];
  SegmentHeader header;
  header.bytes = header_bytes(audience_bytes);
  if (audience_bytes > kMaxAudienceBytes || bytes.size() < header.bytes) return malformed("segment", "cut short in its header");
  if (codec::load<std::uint64_t>(at + header.bytes - 8) != checksum(bytes.first(header.bytes - 8))) {
    return malformed("segment.checksum", "the header's checksum is wrong");
  }
  const auto flags = codec::load<std::uint16_t>(at + kFlagsAt);
  const auto audience = Audience::parse(codec::text_of(bytes.subspan(kAudienceAt, audience_bytes)));
  const bool padded = is_zero(bytes.subspan(kAudienceAt + audience_bytes, header.bytes - 8 - kAudienceAt - audience_bytes));
  if ((flags & ~unsigned{kFlagSealed | kFlagFiltered}) != 0 || at[kLaneAt] >= kLaneCount || !audience || !padded ||
      codec::load<std::uint16_t>(at + kReservedAt) != 0) {
    return malformed("segment", "the header holds values that no writer makes");
  }
  const auto records_bytes = codec::load<std::uint64_t>(at + kRecordsBytesAt);
  if (records_bytes > kMaxSegmentBytes) {
    return refuse(RefusalCode::oversize, "segment",
                  fmt::format("{} bytes; a segment has at most {}", records_bytes, kMaxSegmentBytes));
  }
  SegmentInfo& info = header.info;
  info.feed = FeedId{RegionCode(codec::load<std::uint32_t>(at + kRegionAt)), Epoch(codec::load<std::uint32_t>(at + kEpochAt)),
                     static_cast<Lane>(at[kLaneAt]), *audience};
  info.first_sequence = Sequence(codec::load<std::uint64_t>(at + kFirstSequenceAt));
  info.count = codec::load<std::uint32_t>(at + kCountAt);
  info.first_offset = Offset(codec::load<std::uint64_t>(at + kFirstOffsetAt));
  info.previous = array_at<32>(at + kPreviousAt);
  info.filtered = (flags & kFlagFiltered) != 0;
  header.sealed = (flags & kFlagSealed) != 0;
  header.records_bytes = static_cast<std::size_t>(records_bytes);
  constexpr std::uint64_t kMostPosition = UINT64_MAX - kMaxSegmentBytes;
  if (info.count == 0 || info.first_sequence.value == 0 || info.first_sequence.value > kMostPosition ||
      info.first_offset.value > kMostPosition || info.count > header.records_bytes / record_bytes(0, 0)) {
    return malformed("segment", "count, sequence or offset in the header cannot be");
  }
  header.segment_bytes = header.bytes + header.records_bytes + (header.sealed ? kSealBlockBytes : 0);
  if (header.segment_bytes > kMaxSegmentBytes) {
    return refuse(RefusalCode::oversize, "segment",
                  fmt::format("{} bytes; a segment has at most {}", header.segment_bytes, kMaxSegmentBytes));
  }
  if (header.segment_bytes > bytes.size()) return malformed("segment", "cut short");
  return header;
}

Result<BytesView> codec::check_record(BytesView bytes, std::string_view& publisher) {
  if (bytes.size() < record_bytes(0, 0)) return malformed("", "cut short");
  const std::uint8_t* at = bytes.data();
  const std::size_t length = codec::load<std::uint32_t>(at + kLengthAt);
  const std::size_t publisher_bytes = codec::load<std::uint16_t>(at + kPublisherLengthAt);
  const std::size_t body_bytes = codec::load<std::uint32_t>(at + kBodyLengthAt);
  if (publisher_bytes > kMaxAgentIdBytes || body_bytes > kMaxBodyBytes || length != record_bytes(publisher_bytes, body_bytes) ||
      length > bytes.size()) {
    return malformed("", "its lengths do not fit");
  }
  const BytesView record = bytes.first(length);
  const auto stored = codec::load<std::uint32_t>(at + kChecksumAt);
  if (stored != static_cast<std::uint32_t>(checksum(record.subspan(kCheckedAt)))) {
    return malformed("", "its checksum is wrong");
  }
  const auto flags = codec::load<std::uint16_t>(at + kRecordFlagsAt);
  const std::size_t body_at = kPublisherAt + codec::padded_to_8(publisher_bytes);
  const bool padded = is_zero(record.subspan(kPublisherAt + publisher_bytes, body_at - kPublisherAt - publisher_bytes)) &&
                      is_zero(record.subspan(body_at + body_bytes));
  const std::string_view name = codec::text_of(record.subspan(kPublisherAt, publisher_bytes));
  const bool named = (!name.empty() && name == publisher) || AgentId::parse(name).has_value();
  const bool redacted = (flags & kFlagRedacted) != 0;
  if ((flags & ~unsigned{kFlagRedacted}) != 0 || !padded || !named || (redacted && body_bytes != 0)) {
    return malformed("", "it holds values that no writer makes");
  }
  publisher = name;
  return record;
}

void codec::load_record(BytesView record, RecordView& into) {
  const std::uint8_t* at = record.data();
  const std::size_t publisher_bytes = codec::load<std::uint16_t>(at + kPublisherLengthAt);
  const std::string_view name = codec::text_of(record.subspan(kPublisherAt, publisher_bytes));
  if (into.stamp.publisher.text() != name) into.stamp.publisher = AgentId::parse(name).value();
  into.stamp.sequence = sequence_of(at);
  into.stamp.ordinal = Ordinal(codec::load<std::uint64_t>(at + kOrdinalAt));
  into.stamp.time = Hlc(codec::load<std::uint64_t>(at + kTimeAt));
  into.stamp.session = SessionId(codec::load<std::uint64_t>(at + kSessionAt));
  into.stamp.session_sequence = Sequence(codec::load<std::uint64_t>(at + kSessionSequenceAt));
  into.salt = array_at<16>(at + kSaltAt);
  into.body_digest = array_at<32>(at + kBodyDigestAt);
  into.hash = array_at<32>(at + kHashAt);
  into.redacted = (codec::load<std::uint16_t>(at + kRecordFlagsAt) & kFlagRedacted) != 0;
  into.body = record.subspan(kPublisherAt + codec::padded_to_8(publisher_bytes), codec::load<std::uint32_t>(at + kBodyLengthAt));
  into.bytes = record;
}

Sequence codec::sequence_of(const std::uint8_t* record) {
  return Sequence(codec::load<std::uint64_t>(record + kSequenceAt));
}

Refusal codec::about_record(Refusal refusal, const SegmentInfo& info, std::uint32_t index) {
  refusal.field = fmt::format("segment.records[{}]", index);
  refusal.reason += fmt::format(" ({} sequence {})", to_text(info.feed), info.first_sequence.value + index);
  return refusal;
}

Result<Seal> codec::read_seal(BytesView bytes, Sequence last) {
  if (bytes.size() < kSealBlockBytes) return malformed("segment.seal", "cut short");
  if (codec::load<std::uint64_t>(bytes.data() + kSealedBytes) != checksum(bytes.first(kSealedBytes))) {
    return malformed("segment.seal", "its checksum is wrong");
  }
  const Seal seal{Sequence(codec::load<std::uint64_t>(bytes.data())), array_at<32>(bytes.data() + 8),
                  array_at<64>(bytes.data() + 40)};
  if (seal.sequence != last) return malformed("segment.seal", "it seals another place than the segment's end");
  return seal;
}

tl::unexpected<Refusal> codec::too_large_delivery(std::size_t bytes) {
  return refuse(RefusalCode::oversize, "segments", fmt::format("{} bytes; a delivery has at most {}", bytes, kMaxDeliverBytes));
}

tl::unexpected<Refusal> codec::broken_feed(const FeedId& feed, std::uint64_t sequence, std::string_view why) {
  return refuse(RefusalCode::feed_broken, fmt::format("{}#{}", to_text(feed), sequence),
                fmt::format("feed {} is broken at sequence {}: {}", to_text(feed), sequence, why));
}

Result<void> codec::check_begin(const SegmentInfo& info, const FeedHead& before) {
  if (info.first_sequence.value != before.sequence.value + 1) {
    return broken_feed(info.feed, info.first_sequence.value, fmt::format("expected sequence {}", before.sequence.value + 1));
  }
  if (info.previous != before.hash) {
    return broken_feed(info.feed, info.first_sequence.value, "it does not follow on the hash held before it");
  }
  return {};
}

Result<SegmentInfo> segment_info(BytesView bytes) {
  auto header = codec::read_segment_header(bytes);
  if (!header) return tl::unexpected(std::move(header.error()));
  return std::move(header->info);
}

Result<Segment> Segment::parse(BytesView bytes) {
  auto header = codec::read_segment_header(bytes);
  if (!header) return tl::unexpected(std::move(header.error()));
  Segment segment;
  segment.info_ = header->info;
  segment.size_bytes_ = header->segment_bytes;
  segment.bytes_ = bytes.first(header->segment_bytes);
  segment.records_.reserve(header->info.count);
  auto read = codec::each_record(*header, segment.bytes_, [&](BytesView record) {
    RecordView& to = segment.records_.emplace_back();
    if (segment.records_.size() > 1) to.stamp.publisher = segment.records_[segment.records_.size() - 2].stamp.publisher;
    codec::load_record(record, to);
  });
  if (!read) return tl::unexpected(std::move(read.error()));
  if (header->sealed) {
    auto seal = codec::read_seal(bytes.subspan(header->bytes + header->records_bytes), segment.last().sequence);
    if (!seal) return tl::unexpected(std::move(seal.error()));
    segment.seal_ = *seal;
  }
  return segment;
}

FeedHead Segment::last() const {
  return FeedHead{records_.back().stamp.sequence, records_.back().hash};
}

Result<std::vector<Segment>> parse_segments(BytesView payload) {
  if (payload.size() > kMaxDeliverBytes) return codec::too_large_delivery(payload.size());
  std::vector<Segment> segments;
  while (!payload.empty()) {
    auto segment = Segment::parse(payload);
    if (!segment) {
      segment.error().field = fmt::format("segments[{}].{}", segments.size(), segment.error().field);
      return tl::unexpected(std::move(segment.error()));
    }
    payload = payload.subspan(segment->size_bytes());
    segments.push_back(std::move(*segment));
  }
  return segments;
}

}  // namespace lianxi
