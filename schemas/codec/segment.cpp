// Layouts of segment, record and seal: schemas/README.md.
#include "schemas/codec/segment.h"

#include <fmt/format.h>
#include <cstdlib>

#include "schemas/codec/chain_run.h"
#include "schemas/codec/segment_layout.h"
#include "schemas/limits.h"

namespace lianxi {
namespace {

using namespace codec::layout;

static_assert(kMaxPublishEvents * record_bytes(kMaxAgentIdBytes, 0) + header_bytes(kMaxAudienceBytes) < kMaxSegmentBytes);
static_assert(record_bytes(kMaxAgentIdBytes, kMaxBodyBytes) + header_bytes(kMaxAudienceBytes) + kSealBlockBytes <=
                  kMaxSegmentBytes,
              "the largest event must fit into a segment");

void require(bool holds) {
  if (!holds) std::abort();
}

void append_seal(Bytes& bytes, const Seal& seal) {
  const std::size_t at = bytes.size();
  codec::append(bytes, seal.sequence.value);
  codec::append_bytes(bytes, seal.hash);
  codec::append_bytes(bytes, seal.signature);
  codec::append(bytes, checksum(BytesView(bytes).subspan(at)));
}

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

// What the header says beyond SegmentInfo.
struct Header {
  SegmentInfo info;
  std::size_t bytes = 0;
  std::size_t records_bytes = 0;
  bool sealed = false;
};

Result<Header> read_header(BytesView bytes) {
  if (bytes.size() < header_bytes(0)) return malformed("segment", "cut short in its header");
  const std::uint8_t* at = bytes.data();
  if (!std::equal(kMagic.begin(), kMagic.end(), at)) return malformed("segment.magic", "no segment begins here");
  if (const auto version = codec::load<std::uint16_t>(at + kVersionAt); version != kVersion) {
    return refuse(RefusalCode::unsupported_version, "segment.version",
                  fmt::format("segment version {} is not read here; {} is", version, kVersion));
  }
  const std::size_t audience_bytes = at[kAudienceLengthAt];
  Header header;
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
  return header;
}

// The record at the front of `bytes`; the refusal has no field yet. `before`: the one in front of it, if any: neighbours are
// often of one publisher, whose id then need not be read again.
Result<RecordView> read_record(BytesView bytes, const RecordView* before) {
  if (bytes.size() < record_bytes(0, 0)) return malformed("", "cut short");
  const std::uint8_t* at = bytes.data();
  const std::size_t length = codec::load<std::uint32_t>(at + kLengthAt);
  const std::size_t publisher_bytes = codec::load<std::uint16_t>(at + kPublisherLengthAt);
  const std::size_t body_bytes = codec::load<std::uint32_t>(at + kBodyLengthAt);
  if (publisher_bytes > kMaxAgentIdBytes || body_bytes > kMaxBodyBytes || length != record_bytes(publisher_bytes, body_bytes) ||
      length > bytes.size()) {
    return malformed("", "its lengths do not fit");
  }
  RecordView record;
  record.bytes = bytes.first(length);
  const auto stored = codec::load<std::uint32_t>(at + kChecksumAt);
  if (stored != static_cast<std::uint32_t>(checksum(record.bytes.subspan(kCheckedAt))))
    return malformed("", "its checksum is wrong");
  const auto flags = codec::load<std::uint16_t>(at + kRecordFlagsAt);
  record.redacted = (flags & kFlagRedacted) != 0;
  const std::size_t body_at = kPublisherAt + codec::padded_to_8(publisher_bytes);
  record.body = record.bytes.subspan(body_at, body_bytes);
  const bool padded = is_zero(record.bytes.subspan(kPublisherAt + publisher_bytes, body_at - kPublisherAt - publisher_bytes)) &&
                      is_zero(record.bytes.subspan(body_at + body_bytes));
  const std::string_view name = codec::text_of(record.bytes.subspan(kPublisherAt, publisher_bytes));
  const bool same = before != nullptr && before->stamp.publisher.text() == name;
  Result<AgentId> publisher = same ? Result<AgentId>(before->stamp.publisher) : AgentId::parse(name);
  if ((flags & ~unsigned{kFlagRedacted}) != 0 || !padded || !publisher || (record.redacted && body_bytes != 0)) {
    return malformed("", "it holds values that no writer makes");
  }
  record.stamp = Stamp{
      Sequence(codec::load<std::uint64_t>(at + kSequenceAt)), Ordinal(codec::load<std::uint64_t>(at + kOrdinalAt)),
      Hlc(codec::load<std::uint64_t>(at + kTimeAt)),          std::move(*publisher),
      SessionId(codec::load<std::uint64_t>(at + kSessionAt)), Sequence(codec::load<std::uint64_t>(at + kSessionSequenceAt))};
  record.salt = array_at<16>(at + kSaltAt);
  record.body_digest = array_at<32>(at + kBodyDigestAt);
  record.hash = array_at<32>(at + kHashAt);
  return record;
}

Result<Seal> read_seal(BytesView bytes, Sequence last) {
  if (bytes.size() < kSealBlockBytes) return malformed("segment.seal", "cut short");
  if (codec::load<std::uint64_t>(bytes.data() + kSealedBytes) != checksum(bytes.first(kSealedBytes))) {
    return malformed("segment.seal", "its checksum is wrong");
  }
  const Seal seal{Sequence(codec::load<std::uint64_t>(bytes.data())), array_at<32>(bytes.data() + 8),
                  array_at<64>(bytes.data() + 40)};
  if (seal.sequence != last) return malformed("segment.seal", "it seals another place than the segment's end");
  return seal;
}

}  // namespace

SegmentWriter::SegmentWriter(const FeedId& feed, const FeedHead& before, Offset first_offset) : feed_(feed), head_(before) {
  const std::string& audience = feed.audience.text();
  require(!audience.empty());
  bytes_.resize(header_bytes(audience.size()));
  std::uint8_t* at = bytes_.data();
  std::copy(kMagic.begin(), kMagic.end(), at);
  codec::store(at + kVersionAt, kVersion);
  codec::store(at + kRegionAt, feed.region.value);
  codec::store(at + kEpochAt, feed.epoch.value);
  at[kLaneAt] = static_cast<std::uint8_t>(feed.lane);
  at[kAudienceLengthAt] = static_cast<std::uint8_t>(audience.size());
  codec::store(at + kFirstSequenceAt, before.sequence.value + 1);
  codec::store(at + kFirstOffsetAt, first_offset.value);
  std::copy(before.hash.begin(), before.hash.end(), at + kPreviousAt);
  std::copy(audience.begin(), audience.end(), at + kAudienceAt);
}

bool SegmentWriter::has_room(std::size_t publisher_bytes, std::size_t body_bytes) const {
  return bytes_.size() + record_bytes(publisher_bytes, body_bytes) + kSealBlockBytes <= kMaxSegmentBytes;
}

FeedHead SegmentWriter::append(const Stamp& stamp, const Salt& salt, BytesView body) {
  return append(stamp, salt, body_digest(salt, body), body);
}

void SegmentWriter::reserve(std::size_t bytes) {
  bytes_.reserve(bytes_.size() + bytes + kSealBlockBytes);
}

FeedHead SegmentWriter::append(const Stamp& stamp, const Salt& salt, const Hash& digest, BytesView body) {
  require(stamp.sequence.value == head_.sequence.value + 1 && body.size() <= kMaxBodyBytes);
  const std::string& publisher = stamp.publisher.text();
  const std::size_t length = record_bytes(publisher.size(), body.size());
  const std::size_t start = bytes_.size();
  head_ = FeedHead{stamp.sequence, chain_hash(head_.hash, feed_, stamp, digest)};
  bytes_.resize(start + length);
  std::uint8_t* at = bytes_.data() + start;
  codec::store(at + kLengthAt, static_cast<std::uint32_t>(length));
  codec::store(at + kPublisherLengthAt, static_cast<std::uint16_t>(publisher.size()));
  codec::store(at + kBodyLengthAt, static_cast<std::uint32_t>(body.size()));
  codec::store(at + kSequenceAt, stamp.sequence.value);
  codec::store(at + kOrdinalAt, stamp.ordinal.value);
  codec::store(at + kTimeAt, stamp.time.value);
  codec::store(at + kSessionAt, stamp.session.value);
  codec::store(at + kSessionSequenceAt, stamp.session_sequence.value);
  std::copy(salt.begin(), salt.end(), at + kSaltAt);
  std::copy(digest.begin(), digest.end(), at + kBodyDigestAt);
  std::copy(head_.hash.begin(), head_.hash.end(), at + kHashAt);
  std::copy(publisher.begin(), publisher.end(), at + kPublisherAt);
  std::copy(body.begin(), body.end(), at + kPublisherAt + codec::padded_to_8(publisher.size()));
  codec::store(at + kChecksumAt, static_cast<std::uint32_t>(checksum({at + kCheckedAt, length - kCheckedAt})));
  ++count_;
  return head_;
}

void SegmentWriter::append(const RecordView& record) {
  require(record.stamp.sequence.value == head_.sequence.value + 1);
  codec::append_bytes(bytes_, record.bytes);
  head_ = FeedHead{record.stamp.sequence, record.hash};
  ++count_;
}

void SegmentWriter::mark_filtered() {
  codec::store(bytes_.data() + kFlagsAt, kFlagFiltered);
}

std::size_t SegmentWriter::size_bytes() const {
  return bytes_.size();
}

std::uint32_t SegmentWriter::count() const {
  return count_;
}

const FeedHead& SegmentWriter::head() const {
  return head_;
}

Bytes SegmentWriter::finish() && {
  require(count_ > 0);
  const std::size_t records_bytes = bytes_.size() - header_bytes(feed_.audience.text().size());
  codec::store(bytes_.data() + kCountAt, count_);
  codec::store(bytes_.data() + kRecordsBytesAt, std::uint64_t{records_bytes});
  seal_header(bytes_.data());
  return std::move(bytes_);
}

Bytes SegmentWriter::finish(const Seal& seal) && {
  require(seal.sequence == head_.sequence);
  return with_seal(std::move(*this).finish(), seal);
}

Result<Segment> Segment::parse(BytesView bytes) {
  auto header = read_header(bytes);
  if (!header) return tl::unexpected(std::move(header.error()));
  const std::size_t size = header->bytes + header->records_bytes + (header->sealed ? kSealBlockBytes : 0);
  if (size > kMaxSegmentBytes) {
    return refuse(RefusalCode::oversize, "segment", fmt::format("{} bytes; a segment has at most {}", size, kMaxSegmentBytes));
  }
  if (size > bytes.size()) return malformed("segment", "cut short");
  Segment segment;
  segment.info_ = header->info;
  segment.size_bytes_ = size;
  segment.bytes_ = bytes.first(size);
  segment.records_.reserve(header->info.count);
  BytesView left = bytes.subspan(header->bytes, header->records_bytes);
  for (std::uint32_t i = 0; i < header->info.count; ++i) {
    auto record = read_record(left, segment.records_.empty() ? nullptr : &segment.records_.back());
    if (record && record->stamp.sequence.value != header->info.first_sequence.value + i) {
      record = malformed("", "its sequence is not the next one");
    }
    if (!record) {
      record.error().field = fmt::format("segment.records[{}]", i);
      record.error().reason +=
          fmt::format(" ({} sequence {})", to_text(header->info.feed), header->info.first_sequence.value + i);
      return tl::unexpected(std::move(record.error()));
    }
    left = left.subspan(record->bytes.size());
    segment.records_.push_back(std::move(*record));
  }
  if (!left.empty()) return malformed("segment", "bytes follow its last record");
  if (header->sealed) {
    auto seal = read_seal(bytes.subspan(header->bytes + header->records_bytes), segment.last().sequence);
    if (!seal) return tl::unexpected(std::move(seal.error()));
    segment.seal_ = *seal;
  }
  return segment;
}

FeedHead Segment::last() const {
  return FeedHead{records_.back().stamp.sequence, records_.back().hash};
}

Result<std::vector<Segment>> parse_segments(BytesView payload) {
  if (payload.size() > kMaxDeliverBytes) {
    return refuse(RefusalCode::oversize, "segments",
                  fmt::format("{} bytes; a delivery has at most {}", payload.size(), kMaxDeliverBytes));
  }
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

namespace {

constexpr std::size_t kCheckedAtOnce = 256;

struct ChainFault {
  std::size_t index = 0;
  std::string_view why;
};
// The first record that breaks the chain from `previous` on. Each is checked against the hash that stands before it, so that
// none waits for another: the first to fail is the one that a walk would find.
std::optional<ChainFault> fault_in(const FeedId& feed, const Hash& previous, std::span<const RecordView> records) {
  std::vector<Salt> salts;
  std::vector<BytesView> bodies;
  std::vector<codec::ChainLink> links;
  salts.reserve(records.size());
  bodies.reserve(records.size());
  links.reserve(records.size());
  for (const RecordView& record : records) {
    links.push_back({links.empty() ? &previous : &records[links.size() - 1].hash, &record.stamp, &record.body_digest});
    if (record.redacted) continue;
    salts.push_back(record.salt);
    bodies.push_back(record.body);
  }
  std::vector<Hash> digests(bodies.size());
  body_digests(salts, bodies, digests);
  std::vector<Hash> hashes(links.size());
  codec::chain_hashes(feed, links, hashes);
  for (std::size_t i = 0, hashed = 0; i < records.size(); ++i) {
    if (!records[i].redacted && digests[hashed++] != records[i].body_digest) {
      return ChainFault{i, "the event's bytes are not those that were hashed"};
    }
    if (hashes[i] != records[i].hash) return ChainFault{i, "the chain hash is wrong"};
  }
  return std::nullopt;
}

}  // namespace

Result<FeedHead> verify_chain(const Segment& segment, const FeedHead& before) {
  const SegmentInfo& info = segment.info();
  const auto broken = [&](std::uint64_t sequence, std::string_view why) {
    return refuse(RefusalCode::feed_broken, fmt::format("{}#{}", to_text(info.feed), sequence),
                  fmt::format("feed {} is broken at sequence {}: {}", to_text(info.feed), sequence, why));
  };
  if (info.first_sequence.value != before.sequence.value + 1) {
    return broken(info.first_sequence.value, fmt::format("expected sequence {}", before.sequence.value + 1));
  }
  if (info.previous != before.hash) return broken(info.first_sequence.value, "it does not follow on the hash held before it");
  FeedHead head = before;
  const std::span<const RecordView> records(segment.records());
  for (std::size_t begin = 0; begin < records.size(); begin += kCheckedAtOnce) {
    const auto run = records.subspan(begin, std::min(kCheckedAtOnce, records.size() - begin));
    if (const auto fault = fault_in(info.feed, head.hash, run)) {
      return broken(run[fault->index].stamp.sequence.value, fault->why);
    }
    head = FeedHead{run.back().stamp.sequence, run.back().hash};
  }
  if (segment.seal() && segment.seal()->hash != head.hash) return broken(head.sequence.value, "its seal is of another hash");
  return head;
}

Bytes with_seal(BytesView stored, const Seal& seal) {
  require(stored.size() >= header_bytes(0));
  Bytes bytes;
  bytes.reserve(stored.size() + kSealBlockBytes);
  codec::append_bytes(bytes, stored);
  const auto flags = codec::load<std::uint16_t>(bytes.data() + kFlagsAt);
  require((flags & kFlagSealed) == 0);
  codec::store(bytes.data() + kFlagsAt, static_cast<std::uint16_t>(flags | kFlagSealed));
  seal_header(bytes.data());
  append_seal(bytes, seal);
  return bytes;
}

Bytes as_stored(const Segment& segment, Offset first_offset) {
  const std::size_t size = segment.size_bytes() - (segment.seal() ? kSealBlockBytes : 0);
  const BytesView kept = segment.bytes().first(size);
  Bytes bytes(kept.begin(), kept.end());
  const auto flags = codec::load<std::uint16_t>(bytes.data() + kFlagsAt);
  codec::store(bytes.data() + kFlagsAt, static_cast<std::uint16_t>(flags & ~unsigned{kFlagSealed}));
  codec::store(bytes.data() + kFirstOffsetAt, first_offset.value);
  seal_header(bytes.data());
  return bytes;
}

}  // namespace lianxi
