#include "schemas/codec/frame.h"

#include <fmt/format.h>
#include <xxhash.h>
#include <cstdlib>

#include "schemas/codec/little_endian.h"
#include "schemas/limits.h"

namespace lianxi {
namespace {

constexpr std::array<std::uint8_t, 4> kMagic{'L', 'X', 'N', '1'};
constexpr std::size_t kVersionAt = 4;
constexpr std::size_t kTypeAt = 5;
constexpr std::size_t kFlagsAt = 6;
constexpr std::size_t kLaneAt = 7;
constexpr std::size_t kSessionAt = 8;
constexpr std::size_t kSequenceAt = 16;
constexpr std::size_t kChecksumAt = 24;
static_assert(kChecksumAt + 8 == kHeaderBytes);

std::uint64_t checksum(const std::uint8_t* header, BytesView payload) {
  return XXH3_64bits_withSeed(payload.data(), payload.size(), XXH3_64bits(header, kChecksumAt));
}

bool is_type(std::uint8_t number) {
  return (number >= static_cast<std::uint8_t>(MessageType::hello) &&
          number <= static_cast<std::uint8_t>(MessageType::replicated)) ||
         number == static_cast<std::uint8_t>(MessageType::query) || number == static_cast<std::uint8_t>(MessageType::answer);
}

}  // namespace

Bytes encode_header(const FrameHeader& header, BytesView payload) {
  Bytes bytes(kHeaderBytes);
  std::uint8_t* at = bytes.data();
  std::copy(kMagic.begin(), kMagic.end(), at);
  at[kVersionAt] = kWireVersion;
  at[kTypeAt] = static_cast<std::uint8_t>(header.type);
  at[kFlagsAt] = header.flags;
  at[kLaneAt] = static_cast<std::uint8_t>(header.lane);
  codec::store(at + kSessionAt, header.session.value);
  codec::store(at + kSequenceAt, header.sequence);
  codec::store(at + kChecksumAt, checksum(at, payload));
  return bytes;
}

Frames encode_frames(const FrameHeader& header, Bytes payload) {
  Bytes first = encode_header(header, payload);
  return {std::move(first), std::move(payload)};
}

Result<FrameHeader> decode_header(BytesView header, BytesView payload) {
  if (header.size() != kHeaderBytes) {
    return refuse(RefusalCode::malformed, "header",
                  fmt::format("the first frame has {} bytes; a header has {}", header.size(), kHeaderBytes));
  }
  const std::uint8_t* at = header.data();
  if (!std::equal(kMagic.begin(), kMagic.end(), at)) {
    return refuse(RefusalCode::malformed, "header.magic", "the message does not begin with LXN1; is this a lianxi client?");
  }
  if (at[kVersionAt] != kWireVersion) {
    return refuse(RefusalCode::unsupported_version, "header.version",
                  fmt::format("wire version {} is not spoken here; speak {}", at[kVersionAt], kWireVersion));
  }
  if (!is_type(at[kTypeAt])) {
    return refuse(RefusalCode::unknown_type, "header.type", fmt::format("message type {} is not known here", at[kTypeAt]));
  }
  if (at[kLaneAt] >= kLaneCount) {
    return refuse(RefusalCode::malformed, "header.lane", fmt::format("lane {} does not exist; lanes are 0, 1, 2", at[kLaneAt]));
  }
  const FrameHeader read{static_cast<MessageType>(at[kTypeAt]), at[kFlagsAt], static_cast<Lane>(at[kLaneAt]),
                         SessionId(codec::load<std::uint64_t>(at + kSessionAt)), codec::load<std::uint64_t>(at + kSequenceAt)};
  if (const std::size_t bound = max_payload_bytes(read.type); payload.size() > bound) {
    return refuse(RefusalCode::oversize, "payload", fmt::format("{} bytes; this message may have {}", payload.size(), bound));
  }
  if (codec::load<std::uint64_t>(at + kChecksumAt) != checksum(at, payload)) {
    return refuse(RefusalCode::malformed, "header.checksum", "the checksum does not fit header and payload; damaged on the way?");
  }
  return read;
}

std::size_t max_payload_bytes(MessageType type) {
  switch (type) {
    case MessageType::publish:
      return kMaxPublishBytes;
    case MessageType::deliver:
      return kMaxDeliverBytes;
    case MessageType::answers:
    case MessageType::replicated:
    case MessageType::answer:
      return kMaxAnswerBytes;
    case MessageType::follow:
    case MessageType::heartbeat:
      return kMaxVectorBytes;
    case MessageType::hello:
    case MessageType::welcome:
    case MessageType::refused:
    case MessageType::followed:
    case MessageType::credit:
    case MessageType::unfollow:
    case MessageType::query:
      return kMaxControlBytes;
  }
  return 0;
}

}  // namespace lianxi
