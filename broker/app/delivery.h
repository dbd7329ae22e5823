// A stretch of the journal turned into one message for whoever follows by one plan. Pure but for the source it reads.
#pragma once

#include <algorithm>
#include <functional>

#include "broker/app/delivery_plan.h"
#include "schemas/codec/packing.h"
#include "schemas/limits.h"

namespace lianxi::app {

// One message, past its first event (in mode feeds: past its first sealed run): what may pass a flash event that arrives now.
inline constexpr std::size_t kStepBytes = 48 * 1024;
inline constexpr std::size_t kMaxDeliverScanBytes = 1024 * 1024;  // journal bytes that one message reads past what it admits
static_assert(kStepBytes <= kDeliverTargetBytes && kMaxSegmentBytes + kStepBytes <= kMaxDeliverBytes);

// How long messages may be in the making. Work is counted in an area's comparisons, some 5 ns each; what is not judged but
// only passed on costs nothing here, and is bounded by its bytes.
inline constexpr std::size_t kLookWork = 10'000;  // between two looks at what is more urgent

class Pace {
 public:
  explicit Pace(std::size_t work, std::function<bool()> urgent = {}) : left_(work), urgent_(std::move(urgent)) {}
  // True: end here. So much was done, whatever the answer; it is asked behind each piece, so that every message moves on.
  [[nodiscard]] bool spend(std::size_t work) {
    charge(work);
    unlooked_ += work;
    if (unlooked_ >= kLookWork) look();
    return over();
  }
  void charge(std::size_t work) { left_ -= std::min(left_, work); }
  // What is urgent waits for the message that is being made, but for no further one.
  void unbroken(bool value) { unbroken_ = value; }
  [[nodiscard]] bool broken() const { return broken_; }
  [[nodiscard]] bool over() const { return left_ == 0 || broken_; }
  [[nodiscard]] std::size_t left() const { return left_; }

 private:
  void look() {
    unlooked_ = 0;
    broken_ = broken_ || (urgent_ && !unbroken_ && urgent_());
  }
  std::size_t left_;
  std::function<bool()> urgent_;
  std::size_t unlooked_ = 0;
  bool unbroken_ = false;
  bool broken_ = false;
};

struct Stretch {
  Offset from;
  Offset head;                  // no further
  std::uint64_t max_bytes = 0;  // of segments
  std::uint64_t step_bytes = kStepBytes;
};

struct Chunk {
  std::shared_ptr<const Bytes> segments;  // parse_segments reads them; may be empty
  Offset next;        // behind all that was admitted or passed over; `from`: the first event exceeds the bound
  bool full = false;  // more may stand behind `next` below the head
  std::shared_ptr<const Bytes> packed = {};  // pack_chunk

  [[nodiscard]] std::size_t wire_bytes() const { return packed ? packed->size() : segments->size(); }
  [[nodiscard]] std::size_t held_bytes() const { return segments->size() + (packed ? packed->size() : 0); }
};

// `next` moves over what is not admitted, so a chunk may carry no segment. When the pace is over it ends early, and is `full`.
[[nodiscard]] store::StoreResult<Chunk> make_chunk(const DeliveryPlan& plan, const Stretch& stretch, SegmentSource& source,
                                                   Pace& pace);

// Compresses what a plan's followers take compressed; charged to the pace as it takes time.
void pack_chunk(const DeliveryPlan& plan, Chunk& chunk, Packer& packer, Pace& pace);

}  // namespace lianxi::app
