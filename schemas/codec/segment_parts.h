// What reads the pieces of a segment, for Segment and SegmentScan alike. For segment*.cpp alone.
#pragma once

#include "schemas/codec/segment.h"

namespace lianxi::codec {

struct SegmentHeader {
  SegmentInfo info;
  std::size_t bytes = 0;
  std::size_t records_bytes = 0;
  bool sealed = false;
  std::size_t segment_bytes = 0;
};
// `bytes` hold the whole segment if this succeeds.
[[nodiscard]] Result<SegmentHeader> read_segment_header(BytesView bytes);

// The bytes of the record at the front of `bytes`, checked but for the chain; the refusal has no field yet. `publisher`: whose
// record the one before was, if any: neighbours are often of one publisher, whose id then need not be checked again.
[[nodiscard]] Result<BytesView> check_record(BytesView bytes, std::string_view& publisher);
// Of a record that was checked. Into the memory of another, which often has the same publisher.
void load_record(BytesView record, RecordView& into);
[[nodiscard]] Sequence sequence_of(const std::uint8_t* record);
// A refusal about record `index` gets its field, and says which event it would be.
[[nodiscard]] Refusal about_record(Refusal refusal, const SegmentInfo& info, std::uint32_t index);
// Calls `take` with the bytes of each record, checked.
template <class Take>
[[nodiscard]] Result<void> each_record(const SegmentHeader& header, BytesView segment, Take take) {
  BytesView left = segment.subspan(header.bytes, header.records_bytes);
  std::string_view publisher;
  for (std::uint32_t i = 0; i < header.info.count; ++i) {
    auto record = check_record(left, publisher);
    if (record && sequence_of(record->data()).value != header.info.first_sequence.value + i) {
      record = refuse(RefusalCode::malformed, "", "its sequence is not the next one");
    }
    if (!record) return tl::unexpected(about_record(std::move(record.error()), header.info, i));
    left = left.subspan(record->size());
    take(*record);
  }
  if (!left.empty()) return refuse(RefusalCode::malformed, "segment", "bytes follow its last record");
  return {};
}
[[nodiscard]] Result<Seal> read_seal(BytesView bytes, Sequence last);

[[nodiscard]] tl::unexpected<Refusal> too_large_delivery(std::size_t bytes);
// That a segment goes on where `before` ends.
[[nodiscard]] Result<void> check_begin(const SegmentInfo& info, const FeedHead& before);
[[nodiscard]] tl::unexpected<Refusal> broken_feed(const FeedId& feed, std::uint64_t sequence, std::string_view why);

}  // namespace lianxi::codec
