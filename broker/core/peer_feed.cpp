#include "broker/core/peer_feed.h"

#include <algorithm>

namespace lianxi::core {
namespace {

using Outcome = SegmentVerdict::Outcome;

std::string at(const FeedId& feed, Sequence sequence) {
  return to_text(feed) + " at " + std::to_string(sequence.value);
}

// What the segment says the hash at `sequence` is, if it reaches there.
const Hash* hash_at(const Segment& segment, Sequence sequence) {
  const std::uint64_t first = segment.info().first_sequence.value;
  if (sequence.value + 1 == first) return &segment.info().previous;
  if (sequence.value < first || sequence.value - first >= segment.records().size()) return nullptr;
  return &segment.records()[static_cast<std::size_t>(sequence.value - first)].hash;
}

SegmentVerdict proven(const Segment& segment, const SealPublicKey& key) {
  const SegmentInfo& info = segment.info();
  const auto head = verify_chain(segment, FeedHead{Sequence{info.first_sequence.value - 1}, info.previous});
  if (!head) return {Outcome::broken, head.error().reason};
  const auto& seal = segment.seal();
  if (!seal) return {Outcome::broken, at(info.feed, head->sequence) + " comes without a seal"};
  if (seal->sequence != head->sequence || seal->hash != head->hash || !verify_seal(key, info.feed, *seal))
    return {Outcome::broken, "the seal of " + at(info.feed, head->sequence) + " does not verify with the member's key"};
  return {};
}

}  // namespace

SegmentVerdict judge_segment(const Segment& segment, const FeedHead& ours, const SealPublicKey& key) {
  const SegmentInfo& info = segment.info();
  if (info.first_sequence.value == 0 || segment.records().empty())
    return {Outcome::broken, "an empty segment of " + to_text(info.feed)};
  if (info.first_sequence.value > ours.sequence.value + 1)
    return {Outcome::gap, to_text(info.feed) + ": held up to " + std::to_string(ours.sequence.value) + ", given from " +
                              std::to_string(info.first_sequence.value)};
  const Hash* theirs = hash_at(segment, ours.sequence);
  const bool agrees = theirs == nullptr || *theirs == ours.hash;  // null: it ends below our head
  if (agrees && segment.last().sequence <= ours.sequence) return {Outcome::known, {}};
  // New, or another history: either way it must first be the member's own word.
  if (auto verdict = proven(segment, key); verdict.outcome != Outcome::append) return verdict;
  if (!agrees) return {Outcome::forked, at(info.feed, ours.sequence) + " was sealed twice with different hashes by its own node"};
  return {};
}

bool lacks_body(const Segment& segment, Sequence held) {
  return std::any_of(segment.records().begin(), segment.records().end(),
                     [&](const RecordView& record) { return record.redacted && record.stamp.sequence > held; });
}

CutSegment cut_behind(const Segment& segment, const FeedHead& ours, Offset offset) {
  SegmentInfo info = segment.info();
  info.first_offset = offset;
  if (info.first_sequence.value == ours.sequence.value + 1) return {info, as_stored(segment, offset)};
  SegmentWriter writer(info.feed, ours, offset);
  for (const RecordView& record : segment.records())
    if (record.stamp.sequence > ours.sequence) writer.append(record);
  info.first_sequence = Sequence{ours.sequence.value + 1};
  info.previous = ours.hash;
  info.count = writer.count();
  return {info, std::move(writer).finish()};
}

}  // namespace lianxi::core
