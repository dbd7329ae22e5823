// A publish packed straight from where its events lie, each byte copied once. The same table as encode() writes for a Publish,
// laid out forwards.
#pragma once

#include "schemas/codec/frame.h"

namespace lianxi {

struct PublishView {
  SessionId session;
  Lane lane{};
  Sequence first_sequence;
  Sequence answered_through;
  std::uint8_t peers = 0;
  std::uint32_t deadline_ms = 0;
  std::vector<BytesView> events;  // 1 to kMaxPublishEvents, borrowed
};

// The events' bytes must fit (kPublishBytesPerEvent, kPublishBytesAround in schemas/protocol.h).
[[nodiscard]] Frames encode(const PublishView& publish);

}  // namespace lianxi
