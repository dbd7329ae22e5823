// The fixed header of every message. Two frames: this header, then one payload (a FlatBuffer, or segments).
#pragma once

#include "schemas/ids.h"

namespace lianxi {

enum class MessageType : std::uint8_t {
  hello = 1,
  welcome = 2,
  publish = 3,
  answers = 4,
  refused = 5,
  follow = 6,
  followed = 7,
  deliver = 8,
  credit = 9,
  unfollow = 10,
  heartbeat = 11,
  replicated = 12,
  query = 20,
  answer = 21,
};

struct FrameHeader {
  MessageType type{};
  std::uint8_t flags = 0;
  Lane lane = Lane::flash;
  SessionId session;
  std::uint64_t sequence = 0;
  bool operator==(const FrameHeader&) const = default;
};

// A message as it crosses a socket.
struct Frames {
  Bytes header;  // kHeaderBytes
  Bytes payload;
};

inline constexpr std::uint8_t kWireVersion = 1;   // versions N and N-1 are understood; the first has no N-1
inline constexpr std::uint8_t kFlagCaughtUp = 1;  // deliver: the cursor stood at the node's head
inline constexpr std::uint8_t kFlagPacked = 2;    // deliver: the segments are compressed (packing.h)

// Layout (little endian): magic "LXN1" | version u8 | type u8 | flags u8 | lane u8 | session u64 | sequence u64 |
// checksum u64 = XXH3-64 of the payload, seeded with XXH3-64 of the 24 bytes before it.
[[nodiscard]] Frames encode_frames(const FrameHeader& header, Bytes payload);
// The first frame alone, for a payload that several messages share.
[[nodiscard]] Bytes encode_header(const FrameHeader& header, BytesView payload);

// Checks magic, version, type, lane, checksum and the payload bound of the type. Refusals: malformed, oversize,
// unsupported_version, unknown_type. Unknown flags are ignored.
[[nodiscard]] Result<FrameHeader> decode_header(BytesView header, BytesView payload);

// Bound of a type's second frame, for either direction.
[[nodiscard]] std::size_t max_payload_bytes(MessageType type);

}  // namespace lianxi
