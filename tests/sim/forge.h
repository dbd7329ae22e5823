// Segments as somebody would write them who wants to deceive: every checksum holds, the chain does not.
#pragma once

#include <functional>

#include "schemas/codec/segment.h"
#include "tests/sim/prng.h"

namespace lianxi::sim {

// Changes the body of one event in a payload of segments; false if none has a body.
bool falsify(Bytes& segments, Prng& random);

// Makes the events that `chosen` names unreadable in one stored segment; stamps, hashes and all else stay as they are.
void blot_out(Bytes& segment, const std::function<bool(const RecordView&)>& chosen);

// A segment of the feed that holds the event as the feed's latest: with the head that the feed has already.
[[nodiscard]] Bytes retold(const FeedId& feed, const FeedHead& head, const RecordView& record, BytesView body, Offset offset);

}  // namespace lianxi::sim
