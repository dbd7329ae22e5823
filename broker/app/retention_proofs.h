// Retentions read back for a node that begins feeds behind them: each with what follows up to its seal, as one segment, in which
// no other event has its body. Pure but for the source it reads.
#pragma once

#include <vector>

#include "broker/app/delivery_plan.h"

namespace lianxi::app {

// Of feeds that the plan admits, in this order, while they fit into one delivery; the rest is left out.
[[nodiscard]] store::StoreResult<Bytes> gather_proofs(const DeliveryPlan& plan, const std::vector<Offset>& retentions,
                                                      SegmentSource& source);

}  // namespace lianxi::app
