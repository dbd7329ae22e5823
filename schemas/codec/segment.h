// A run of stamped events of one feed, as stored, delivered and replicated. May be cut or joined at event bounds.
//
//   SegmentWriter w(feed, previous_hash, first_offset); w.append(stamp, salt, body); ... Bytes b = std::move(w).finish();
//   for (const RecordView& r : segment.records()) ...
#pragma once

#include <optional>

#include "schemas/codec/chain.h"

namespace lianxi {

// Borrows from the segment's bytes.
struct RecordView {
  Stamp stamp;
  Salt salt{};
  Hash body_digest{};
  Hash hash{};
  bool redacted = false;
  BytesView body;   // the event's bytes; empty if redacted. 8-aligned relative to the segment's start
  BytesView bytes;  // the whole record
};

struct SegmentInfo {
  FeedId feed;
  Sequence first_sequence;
  std::uint32_t count = 0;
  Offset first_offset;    // in the journal of the node it came from
  Hash previous{};        // chain hash before the first record
  bool filtered = false;  // cut for a follower by a filter: the chain cannot be checked across its bounds
};

class SegmentWriter {
 public:
  SegmentWriter(const FeedId& feed, const FeedHead& before, Offset first_offset);
  // Computes digest and chain. Returns the new head. `stamp.sequence` must be the next one (aborts otherwise).
  FeedHead append(const Stamp& stamp, const Salt& salt, BytesView body);
  // The same with the digest of (salt, body) at hand; see body_digests.
  FeedHead append(const Stamp& stamp, const Salt& salt, const Hash& digest, BytesView body);
  void reserve(std::size_t bytes);  // of records to come
  // Appends a record as it is (its chain was checked by the caller); for cutting, joining and filtering.
  // Its sequence must be the next one here too: a filter that skips an event begins a new segment, so that the offset of
  // record i is always first_offset + i.
  void append(const RecordView& record);
  // The same without its body and salt: its place in the chain alone.
  void append_redacted(const RecordView& record);
  void mark_filtered();
  // True if one more record and a seal fit into kMaxSegmentBytes; if not, begin another segment.
  [[nodiscard]] bool has_room(std::size_t publisher_bytes, std::size_t body_bytes) const;
  [[nodiscard]] std::size_t size_bytes() const;
  [[nodiscard]] std::uint32_t count() const;
  [[nodiscard]] const FeedHead& head() const;
  [[nodiscard]] Bytes finish() &&;                  // without a seal: the stored form
  [[nodiscard]] Bytes finish(const Seal& seal) &&;  // with its seal: the replicated form

 private:
  FeedId feed_;
  FeedHead head_;
  std::uint32_t count_ = 0;
  Bytes bytes_;
};

// Of the segment at the front of `bytes`, which hold the whole of it: its header alone, checked. Refusals as Segment::parse.
[[nodiscard]] Result<SegmentInfo> segment_info(BytesView bytes);

// A parsed segment. Owns nothing: borrows `bytes`.
class Segment {
 public:
  // Parses one segment at the front of `bytes`; `size_bytes()` tells where the next begins. Checks form, bounds and every
  // record's checksum, not the chain. Refusals: malformed (the field names the record), oversize, unsupported_version.
  [[nodiscard]] static Result<Segment> parse(BytesView bytes);

  [[nodiscard]] const SegmentInfo& info() const { return info_; }
  [[nodiscard]] const std::vector<RecordView>& records() const { return records_; }
  [[nodiscard]] const std::optional<Seal>& seal() const { return seal_; }
  [[nodiscard]] std::size_t size_bytes() const { return size_bytes_; }
  [[nodiscard]] BytesView bytes() const { return bytes_; }
  [[nodiscard]] FeedHead last() const;  // sequence and hash of the last record

 private:
  SegmentInfo info_;
  std::vector<RecordView> records_;
  std::optional<Seal> seal_;
  std::size_t size_bytes_ = 0;
  BytesView bytes_;
};

// Walks a payload of concatenated segments.
[[nodiscard]] Result<std::vector<Segment>> parse_segments(BytesView payload);

// The chain from `before` through every record; the refusal (feed_broken) names feed and sequence.
[[nodiscard]] Result<FeedHead> verify_chain(const Segment& segment, const FeedHead& before);

// A stored segment with a seal behind it; `stored` must be one unsealed segment.
[[nodiscard]] Bytes with_seal(BytesView stored, const Seal& seal);
// The same segment as stored: without its seal, at this node's offset.
[[nodiscard]] Bytes as_stored(const Segment& segment, Offset first_offset);

}  // namespace lianxi
