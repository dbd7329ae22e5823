// Strong ids. Each is explicit both ways and ordered, so that it can key a map and cannot be mistaken for another.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/result.h"

namespace lianxi {

using Bytes = std::vector<std::uint8_t>;
using BytesView = std::span<const std::uint8_t>;
using Hash = std::array<std::uint8_t, 32>;      // BLAKE2b-256
using BodyHash = std::array<std::uint8_t, 16>;  // BLAKE2b-128 of an event's bytes, unsalted, for the author only
using Salt = std::array<std::uint8_t, 16>;
using Signature = std::array<std::uint8_t, 64>;  // Ed25519
using SealPublicKey = std::array<std::uint8_t, 32>;
using SealSecretKey = std::array<std::uint8_t, 64>;

template <class Tag, class Value>
struct Strong {
  Value value{};
  constexpr Strong() = default;
  constexpr explicit Strong(Value v) : value(std::move(v)) {}
  auto operator<=>(const Strong&) const = default;
};

using RegionCode = Strong<struct RegionTag, std::uint32_t>;        // GB/T 2260, 6 digits: 330800
using Epoch = Strong<struct EpochTag, std::uint32_t>;              // from 1; a restore starts the next
using Sequence = Strong<struct SequenceTag, std::uint64_t>;        // in a feed or a session's lane, from 1
using Ordinal = Strong<struct OrdinalTag, std::uint64_t>;          // one counter per region over all its feeds, from 1
using Offset = Strong<struct OffsetTag, std::uint64_t>;            // of an event in one node's journal, from 1; node-local
using SessionId = Strong<struct SessionTag, std::uint64_t>;        // chosen by the client at random, never 0
using Incarnation = Strong<struct IncarnationTag, std::uint64_t>;  // of a journal: made at birth and at restore

// Milliseconds since 1970 UTC.
using TimeMs = std::int64_t;

// Hybrid logical clock: 48 bits of milliseconds, 16 bits of counter. Ordered as a number.
using Hlc = Strong<struct HlcTag, std::uint64_t>;
[[nodiscard]] constexpr TimeMs physical_ms(Hlc t) {
  return static_cast<TimeMs>(t.value >> 16U);
}

enum class Lane : std::uint8_t { flash = 0, normal = 1, bulk = 2 };
inline constexpr std::size_t kLaneCount = 3;
using LaneMask = std::uint8_t;  // bit per lane
[[nodiscard]] constexpr LaneMask mask_of(Lane lane) {
  return static_cast<LaneMask>(1U << static_cast<unsigned>(lane));
}
inline constexpr LaneMask kAllLanes = 7;

[[nodiscard]] std::string_view to_word(Lane lane);

// `330800.police.dispatch`: region, agency, name; lower case letters, digits and '-', at most kMaxAgentIdBytes.
class AgentId {
 public:
  AgentId() = default;
  [[nodiscard]] static Result<AgentId> parse(std::string_view text);
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] RegionCode region() const;
  [[nodiscard]] std::string_view agency() const;
  auto operator<=>(const AgentId&) const = default;

 private:
  std::string text_;
};

// `local`, `conference`, or the name of a group of members (lower case letters, digits and '-').
class Audience {
 public:
  Audience() = default;
  [[nodiscard]] static Result<Audience> parse(std::string_view text);
  [[nodiscard]] static Audience local();
  [[nodiscard]] static Audience conference();
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] bool is_local() const { return text_ == "local"; }
  auto operator<=>(const Audience&) const = default;

 private:
  std::string text_;
};

// GB/T 2260 code, hierarchical by prefix. Two and four digits are padded to six: "3308" is 330800.
class PlaceCode {
 public:
  PlaceCode() = default;
  [[nodiscard]] static Result<PlaceCode> parse(std::string_view digits);  // 2, 4, 6, 9 or 12 digits
  [[nodiscard]] static PlaceCode of(RegionCode region);
  [[nodiscard]] const std::string& text() const { return text_; }  // 6, 9 or 12 digits
  // The digits that count: 330000 -> "33", 330800 -> "3308", 330802 -> "330802".
  [[nodiscard]] std::string_view prefix() const;
  // True if `other` is this place or lies below it.
  [[nodiscard]] bool covers(const PlaceCode& other) const;
  auto operator<=>(const PlaceCode&) const = default;

 private:
  std::string text_;
};

// A dense, hash-chained sequence that only `region`'s node writes.
struct FeedId {
  RegionCode region;
  Epoch epoch{1};
  Lane lane{};
  Audience audience;
  auto operator<=>(const FeedId&) const = default;
};

// How far a feed is held: sequence 0 and a zero hash before its first event.
struct FeedHead {
  Sequence sequence;
  Hash hash{};
  bool operator==(const FeedHead&) const = default;
};

struct FeedPosition {
  FeedId feed;
  FeedHead head;
  Sequence begins = {};  // what is held of it begins behind here, by a retention; 0: at its beginning
  bool operator==(const FeedPosition&) const = default;
};
using FeedVector = std::vector<FeedPosition>;  // ordered by feed

[[nodiscard]] Result<RegionCode> parse_region(std::string_view digits);
[[nodiscard]] std::string to_text(RegionCode region);
[[nodiscard]] std::string to_text(const FeedId& feed);  // "330800/1/flash/conference"
[[nodiscard]] std::string to_hex(BytesView bytes);
[[nodiscard]] std::optional<Hash> hash_from_hex(std::string_view text);  // 64 digits, lower case
// "2020-11-09T08:31:05.123+08:00": Beijing time, the one clock of all members.
[[nodiscard]] std::string to_iso8601(TimeMs time);
// RFC 3339 / CAP dateTime with an offset or Z; seconds may have a fraction.
[[nodiscard]] Result<TimeMs> parse_iso8601(std::string_view text);

}  // namespace lianxi
