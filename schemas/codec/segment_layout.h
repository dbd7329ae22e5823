// Where everything stands in a segment, a record and a seal (schemas/README.md); for segment*.cpp alone.
#pragma once

#include <xxhash.h>

#include "schemas/codec/little_endian.h"

namespace lianxi::codec::layout {

// Segment header: the fixed part, the audience padded to 8, then a checksum over both.
inline constexpr std::array<std::uint8_t, 4> kMagic{'L', 'X', 'S', 'G'};
inline constexpr std::uint16_t kVersion = 1;
inline constexpr std::uint16_t kFlagSealed = 1;
inline constexpr std::uint16_t kFlagFiltered = 2;
inline constexpr std::size_t kVersionAt = 4;
inline constexpr std::size_t kFlagsAt = 6;
inline constexpr std::size_t kRegionAt = 8;
inline constexpr std::size_t kEpochAt = 12;
inline constexpr std::size_t kLaneAt = 16;
inline constexpr std::size_t kAudienceLengthAt = 17;
inline constexpr std::size_t kReservedAt = 18;
inline constexpr std::size_t kCountAt = 20;
inline constexpr std::size_t kFirstSequenceAt = 24;
inline constexpr std::size_t kFirstOffsetAt = 32;
inline constexpr std::size_t kRecordsBytesAt = 40;
inline constexpr std::size_t kPreviousAt = 48;
inline constexpr std::size_t kAudienceAt = 80;

// Record: the fixed part, publisher padded to 8, body padded to 8.
inline constexpr std::uint16_t kFlagRedacted = 1;
inline constexpr std::size_t kLengthAt = 0;
inline constexpr std::size_t kChecksumAt = 4;
inline constexpr std::size_t kCheckedAt = 8;
inline constexpr std::size_t kRecordFlagsAt = 8;
inline constexpr std::size_t kPublisherLengthAt = 10;
inline constexpr std::size_t kBodyLengthAt = 12;
inline constexpr std::size_t kSequenceAt = 16;
inline constexpr std::size_t kOrdinalAt = 24;
inline constexpr std::size_t kTimeAt = 32;
inline constexpr std::size_t kSessionAt = 40;
inline constexpr std::size_t kSessionSequenceAt = 48;
inline constexpr std::size_t kSaltAt = 56;
inline constexpr std::size_t kBodyDigestAt = 72;
inline constexpr std::size_t kHashAt = 104;
inline constexpr std::size_t kPublisherAt = 136;

// Seal block: sequence, hash, signature, checksum of the three.
inline constexpr std::size_t kSealedBytes = 8 + 32 + 64;
inline constexpr std::size_t kSealBlockBytes = kSealedBytes + 8;

constexpr std::size_t header_bytes(std::size_t audience_bytes) {
  return kAudienceAt + codec::padded_to_8(audience_bytes) + 8;
}
constexpr std::size_t record_bytes(std::size_t publisher_bytes, std::size_t body_bytes) {
  return kPublisherAt + codec::padded_to_8(publisher_bytes) + codec::padded_to_8(body_bytes);
}

inline std::uint64_t checksum(BytesView bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

// The header's checksum, once all else in it stands.
inline void seal_header(std::uint8_t* bytes) {
  const std::size_t checked = header_bytes(bytes[kAudienceLengthAt]) - 8;
  store(bytes + checked, checksum({bytes, checked}));
}

}  // namespace lianxi::codec::layout
