// Any bytes as a message: as they are, and behind a header with a right checksum, as whoever means harm would send them.
#include <algorithm>

#include "schemas/codec/packing.h"
#include "schemas/limits.h"
#include "schemas/protocol.h"
#include "tests/fuzz/fuzz.h"

using namespace lianxi;

namespace {

void check(const Result<Message>& message) {
  if (!message) {
    FUZZ_REQUIRE(!message.error().reason.empty());
    return;
  }
  if (!fits(*message)) return;
  const Frames frames = encode(*message);
  const auto read = decode(frames.header, frames.payload);
  FUZZ_REQUIRE(read && *read == *message);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const BytesView bytes(data, size);
  const std::size_t split = std::min(size, kHeaderBytes);
  check(decode(bytes.first(split), bytes.subspan(split)));
  if (size < kHeaderBytes) return 0;
  const Bytes payload(bytes.begin() + kHeaderBytes, bytes.end());
  Frames frames = encode_frames(
      {static_cast<MessageType>(data[5]), data[6], static_cast<Lane>(data[7] % kLaneCount), SessionId(data[8]), data[16]},
      payload);
  check(decode(frames.header, frames.payload));
  (void)decode(frames.header, frames.payload, Speaker::client);
  // As a compressed delivery: as it comes, and what was compressed and then damaged.
  const FrameHeader packed_header{MessageType::deliver, kFlagPacked, Lane::flash, SessionId(1), 1};
  frames = encode_frames(packed_header, payload);
  check(decode(frames.header, frames.payload));
  static Packer packer;
  if (auto packed = packer.pack(payload)) {
    const auto back = unpack(*packed);
    FUZZ_REQUIRE(back && *back == payload);
    (*packed)[data[8] * packed->size() / 256] ^= static_cast<std::uint8_t>(data[9] | 1U);
    frames = encode_frames(packed_header, std::move(*packed));
    check(decode(frames.header, frames.payload));
  }
  return 0;
}
