// Layouts of segment, record and seal: schemas/README.md.
#include "schemas/codec/segment.h"

#include <cstdlib>

#include "schemas/codec/chain_run.h"
#include "schemas/codec/segment_layout.h"
#include "schemas/codec/segment_parts.h"
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
  std::array<std::uint8_t, kPublisherAt> fixed{};
  std::uint8_t* at = fixed.data();
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
  codec::append_bytes(bytes_, fixed);
  codec::append_bytes(bytes_, codec::view_of(publisher));
  bytes_.resize(start + kPublisherAt + codec::padded_to_8(publisher.size()));
  codec::append_bytes(bytes_, body);
  bytes_.resize(start + length);
  at = bytes_.data() + start;
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

void SegmentWriter::append_redacted(const RecordView& record) {
  const std::size_t start = bytes_.size();
  append(record.stamp, Salt{}, record.body_digest, BytesView{});
  std::uint8_t* at = bytes_.data() + start;
  codec::store(at + kRecordFlagsAt, kFlagRedacted);
  codec::store(at + kChecksumAt, static_cast<std::uint32_t>(checksum({at + kCheckedAt, bytes_.size() - start - kCheckedAt})));
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

Result<FeedHead> verify_chain(const Segment& segment, const FeedHead& before) {
  const SegmentInfo& info = segment.info();
  if (auto follows = codec::check_begin(info, before); !follows) return tl::unexpected(std::move(follows.error()));
  const codec::FeedPrefix feed(info.feed);
  const std::uint8_t* previous = before.hash.data();
  std::vector<codec::StoredLink> links;
  links.reserve(segment.records().size());
  for (const RecordView& record : segment.records()) {
    links.push_back({&feed, previous, record.bytes.data()});
    previous = record.bytes.data() + kHashAt;
  }
  if (const auto fault = codec::fault_in(links)) {
    return codec::broken_feed(info.feed, info.first_sequence.value + fault->index, fault->why);
  }
  const FeedHead head = segment.last();
  if (segment.seal() && segment.seal()->hash != head.hash) {
    return codec::broken_feed(info.feed, head.sequence.value, "its seal is of another hash");
  }
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
