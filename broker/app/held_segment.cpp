#include "broker/app/held_segment.h"

#include <algorithm>

#include "schemas/codec/event_codec.h"

namespace lianxi::app {
namespace {

constexpr std::size_t kClassesCompared = 16;  // the latest ones: what is made to differ in each event costs no more
constexpr std::size_t kDecodeWork = 200;      // a body's tables, and its bytes by four
constexpr std::size_t kDecodedBytes = 4;

SegmentFacts read_facts(const StoredRecords& records) {
  SegmentFacts facts;
  facts.class_of.reserve(records.count());
  std::uint16_t last = 0;
  for (std::size_t i = 0; i < records.count(); ++i) {
    auto envelope = records.redacted(i) ? Result<Envelope>() : decode_envelope(records.body(i));
    if (records.redacted(i) || !envelope) {
      facts.class_of.push_back(SegmentFacts::kNobody);
      continue;
    }
    envelope->entity.clear();
    envelope->occurred_at = 0;
    // Neighbours are mostly alike.
    if (last >= facts.classes.size() || facts.classes[last] != *envelope) {
      const auto lately = facts.classes.end() - static_cast<std::ptrdiff_t>(std::min(kClassesCompared, facts.classes.size()));
      const auto found = std::find(lately, facts.classes.end(), *envelope);
      last = static_cast<std::uint16_t>(found - facts.classes.begin());
      if (found == facts.classes.end()) facts.classes.push_back(std::move(*envelope));
    }
    facts.class_of.push_back(last);
  }
  return facts;
}

}  // namespace

HeldSegment::HeldSegment(SegmentInfo info, Bytes bytes, std::optional<Seal> seal)
    : info_(std::move(info)), bytes_(std::make_shared<const Bytes>(std::move(bytes))), seal_(std::move(seal)) {}

HeldSegment::HeldSegment(StoredSegment segment, bool own)
    : HeldSegment(std::move(segment.info), std::move(segment.bytes), std::move(segment.seal)) {
  may_hold_redacted_ = !own;
}

store::StoreResult<SharedSegment> HeldSegment::read_back(store::JournalSegment segment) {
  const Result<Segment> parsed = Segment::parse(segment.bytes);
  if (!parsed)
    return tl::unexpected(
        store::StoreFailure{store::StoreError::corrupt, "segment at offset " + std::to_string(segment.first_offset.value) + ": " +
                                                            parsed.error().field + " " + parsed.error().reason});
  SegmentInfo info = parsed->info();
  info.first_offset = segment.first_offset;
  const bool redacted = std::any_of(parsed->records().begin(), parsed->records().end(), [](const auto& r) { return r.redacted; });
  std::shared_ptr<HeldSegment> held(new HeldSegment(std::move(info), std::move(segment.bytes), segment.seal));
  held->may_hold_redacted_ = redacted;
  return held;
}

const StoredRecords& HeldSegment::records() const {
  if (!records_) records_ = std::make_unique<StoredRecords>(*bytes_);
  return *records_;
}

const SegmentFacts& HeldSegment::facts() const {
  if (!facts_) facts_ = std::make_unique<SegmentFacts>(read_facts(records()));
  return *facts_;
}

const core::Whereabouts* HeldSegment::where(std::size_t i, std::size_t& work) const {
  if (where_.empty()) where_.resize(records().count());
  Where& where = where_[i];
  if (!where.known) {
    where.known = true;
    const BytesView body = records().body(i);
    work += kDecodeWork + body.size() / kDecodedBytes;
    if (const Result<Event> event = decode_event(body)) {
      core::Whereabouts at = core::whereabouts_of(event->body);
      if (!at.none()) where.at = std::make_unique<const core::Whereabouts>(std::move(at));
    }
  }
  return where.at.get();
}

}  // namespace lianxi::app
