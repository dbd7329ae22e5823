#include "broker/app/retention_proofs.h"

#include "schemas/codec/segment.h"
#include "schemas/limits.h"

namespace lianxi::app {
namespace {

// The retention at `offset`, and of what follows in its feed up to the first seal its place in the chain.
class Proof {
 public:
  explicit Proof(Offset offset) : offset_(offset) {}

  [[nodiscard]] bool begun() const { return writer_.has_value(); }
  [[nodiscard]] bool of(const FeedId& feed) const { return feed_ == feed; }
  // False: it has no room.
  bool take(const Segment& segment) {
    const SegmentInfo& info = segment.info();
    FeedHead before{Sequence(info.first_sequence.value - 1), info.previous};
    for (std::size_t i = 0; i < segment.records().size(); ++i) {
      const RecordView& record = segment.records()[i];
      if (!begun() && info.first_offset.value + i == offset_.value) {
        feed_ = info.feed;
        writer_.emplace(info.feed, before, offset_).append(record);
      } else if (begun()) {
        if (!writer_->has_room(record.stamp.publisher.text().size(), 0)) return false;
        writer_->append_redacted(record);
      }
      before = {record.stamp.sequence, record.hash};
    }
    return true;
  }
  [[nodiscard]] Bytes finish(const Seal& seal) && { return std::move(*writer_).finish(seal); }

 private:
  Offset offset_;
  FeedId feed_;
  std::optional<SegmentWriter> writer_;
};

tl::unexpected<store::StoreFailure> missing(const char* what, Offset offset) {
  return tl::unexpected(
      store::StoreFailure{store::StoreError::not_found, what + (" the retention at offset " + std::to_string(offset.value))});
}

// Nothing if the plan does not admit it, or if it is longer than a segment may be.
store::StoreResult<Bytes> proof_at(const DeliveryPlan& plan, Offset offset, SegmentSource& source) {
  Proof proof(offset);
  for (Offset next = offset;;) {
    const auto read = source.read(next, 1);
    if (!read) return tl::unexpected(read.error());
    if (read->empty()) break;
    for (const SharedSegment& segment : *read) {
      next = segment->end();
      const FeedId& feed = segment->info().feed;
      if (!proof.begun() && !plan.feed_admitted(feed)) return Bytes{};
      if (proof.begun() && !proof.of(feed)) continue;
      const auto parsed = Segment::parse(segment->bytes());
      if (!parsed) return tl::unexpected(store::StoreFailure{store::StoreError::corrupt, parsed.error().reason});
      if (!proof.take(*parsed)) return Bytes{};
      if (!proof.begun()) return missing("the journal lacks", offset);
      if (segment->seal()) return std::move(proof).finish(*segment->seal());
    }
  }
  return missing("no seal stands behind", offset);
}

}  // namespace

store::StoreResult<Bytes> gather_proofs(const DeliveryPlan& plan, const std::vector<Offset>& retentions, SegmentSource& source) {
  Bytes all;
  for (const Offset offset : retentions) {
    auto proof = proof_at(plan, offset, source);
    if (!proof) return proof;
    if (all.size() + proof->size() > kMaxDeliverBytes) break;
    all.insert(all.end(), proof->begin(), proof->end());
  }
  return all;
}

}  // namespace lianxi::app
