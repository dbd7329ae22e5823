// The conference's membership in words that brokers and operators share: which members.toml a node runs, from when to when a
// member belongs, and how it stands now.
#pragma once

#include <optional>

#include "schemas/ids.h"

namespace lianxi {

// Which members.toml somebody runs: 8 bytes of the BLAKE2b-256 of its text, carriage returns left out, since a copy that went
// through another system is the same file. 0: not said.
using MembersVersion = Strong<struct MembersVersionTag, std::uint64_t>;
[[nodiscard]] MembersVersion members_version(std::string_view text);
// "3f2a-91c0-77de-0b15", to be read out on the telephone; "-" if it is not said.
[[nodiscard]] std::string to_text(MembersVersion version);

// From when on, and until when (no longer at that instant), somebody belongs. Absent: without bound.
struct Window {
  std::optional<TimeMs> since, until;
  bool operator==(const Window&) const = default;
};
enum class Bound : std::uint8_t { since, until };
// RFC 3339, or a date: since its first instant, until its last, in Beijing time.
[[nodiscard]] Result<TimeMs> parse_bound(std::string_view text, Bound bound);

enum class Standing : std::uint8_t { member = 0, not_yet = 1, retired = 2, stranger = 3 };  // the last: not in the file at all
[[nodiscard]] Standing standing_of(const Window& window, TimeMs now);
[[nodiscard]] std::string_view to_word(Standing standing);  // "member", "not_yet", "retired", "stranger"

}  // namespace lianxi
