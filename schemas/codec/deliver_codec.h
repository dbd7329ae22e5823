// A delivery whose segments stay where they lie: decode() would copy them, and they are most of what a follower receives.
#pragma once

#include <optional>

#include "schemas/ids.h"

namespace lianxi {

struct DeliverView {
  SessionId follow;
  Offset next;
  bool caught_up = false;
  BytesView segments;  // the payload, borrowed; SegmentScan, parse_segments
};

// Checked as decode() checks it; a compressed one is refused, for only links ask for it. Nothing: the header is of another type,
// or none, and decode() is to judge it.
[[nodiscard]] std::optional<Result<DeliverView>> decode_deliver(BytesView header, BytesView payload);

}  // namespace lianxi
