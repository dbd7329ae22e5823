// A segment in memory, as deliveries want it: shared by all of them, read as little as it must be, and judged once instead of
// once for each follower.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "broker/core/area.h"
#include "broker/store/journal.h"
#include "schemas/codec/segment_cut.h"
#include "schemas/event.h"

namespace lianxi::app {

// What filters and rights ask of a segment's events. Most segments hold many events that are alike; where they are not, a
// class may stand twice.
struct SegmentFacts {
  static constexpr std::uint16_t kNobody = 0xffff;  // redacted, or not to be read: delivered to nobody
  std::vector<Envelope> classes;                    // without what tells one event from the next: entity and time
  std::vector<std::uint16_t> class_of;              // of each event; kNobody
};

// Immutable but for what it works out when first asked. One thread.
class HeldSegment {
 public:
  // What a commit has just written.
  explicit HeldSegment(StoredSegment segment, bool own);
  // What was read back: checked before anything is believed.
  [[nodiscard]] static store::StoreResult<std::shared_ptr<const HeldSegment>> read_back(store::JournalSegment segment);
  HeldSegment(const HeldSegment&) = delete;
  HeldSegment& operator=(const HeldSegment&) = delete;

  [[nodiscard]] const SegmentInfo& info() const { return info_; }
  [[nodiscard]] Offset first() const { return info_.first_offset; }
  [[nodiscard]] Offset end() const { return Offset(info_.first_offset.value + info_.count); }
  [[nodiscard]] const Bytes& bytes() const { return *bytes_; }
  [[nodiscard]] const std::shared_ptr<const Bytes>& shared_bytes() const { return bytes_; }
  [[nodiscard]] const std::optional<Seal>& seal() const { return seal_; }
  [[nodiscard]] store::JournalSegment as_journal_segment() const { return {first(), *bytes_, seal_}; }

  [[nodiscard]] const StoredRecords& records() const;
  // Own events are never redacted while they are this young.
  [[nodiscard]] bool may_hold_redacted() const { return may_hold_redacted_; }
  [[nodiscard]] const SegmentFacts& facts() const;
  [[nodiscard]] bool has_facts() const { return facts_ != nullptr; }
  // Where event `i` is; null: it does not say, or cannot be read. A body is decoded once for all who ask, and `work` grows by
  // what that took, in an area's comparisons.
  [[nodiscard]] const core::Whereabouts* where(std::size_t i, std::size_t& work) const;

 private:
  HeldSegment(SegmentInfo info, Bytes bytes, std::optional<Seal> seal);

  SegmentInfo info_;
  std::shared_ptr<const Bytes> bytes_;
  std::optional<Seal> seal_;
  bool may_hold_redacted_ = true;
  mutable std::unique_ptr<StoredRecords> records_;
  mutable std::unique_ptr<SegmentFacts> facts_;
  struct Where {
    bool known = false;
    std::unique_ptr<const core::Whereabouts> at;
  };
  mutable std::vector<Where> where_;
};
using SharedSegment = std::shared_ptr<const HeldSegment>;

// Where deliveries read from: memory, or the journal.
class SegmentSource {
 public:
  virtual ~SegmentSource() = default;
  // Segments holding offsets >= from, in order and without a gap, until `max_bytes` are exceeded (at least one, if there is
  // one). The first may begin below `from`.
  [[nodiscard]] virtual store::StoreResult<std::vector<SharedSegment>> read(Offset from, std::size_t max_bytes) = 0;
};

}  // namespace lianxi::app
