// A stretch of the journal turned into one message for whoever follows by one plan. Pure but for the source it reads.
#pragma once

#include "broker/app/delivery_plan.h"
#include "schemas/limits.h"

namespace lianxi::app {

// One message, past its first event (in mode feeds: past its first sealed run): what may pass a flash event that arrives now.
inline constexpr std::size_t kStepBytes = 48 * 1024;
inline constexpr std::size_t kMaxDeliverScanBytes = 1024 * 1024;  // journal bytes that one message reads past what it admits
static_assert(kStepBytes <= kDeliverTargetBytes && kMaxSegmentBytes + kStepBytes <= kMaxDeliverBytes);

struct Stretch {
  Offset from;
  Offset head;                  // no further
  std::uint64_t max_bytes = 0;  // of segments
};

struct Chunk {
  std::shared_ptr<const Bytes> segments;  // parse_segments reads them; may be empty
  Offset next;        // behind all that was admitted or passed over; `from`: the first event exceeds the bound
  bool full = false;  // more may stand behind `next` below the head
};

// `next` moves over what is not admitted, so a chunk may carry no segment.
[[nodiscard]] store::StoreResult<Chunk> make_chunk(const DeliveryPlan& plan, const Stretch& stretch, SegmentSource& source);

}  // namespace lianxi::app
