// Expected failures are values. A refusal is what an outsider's bad input gets: what, where, why and how to mend.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace lianxi {

// Stable numbers: they stand on the wire and in the journal. Add at the end, never renumber.
enum class RefusalCode : std::uint16_t {
  malformed = 1,  // bytes, frame or document that cannot be read
  oversize = 2,   // above a bound of limits.h
  unsupported_version = 3,
  unknown_type = 4,   // message type not known, or not spoken on this endpoint
  unknown_kind = 5,   // publish of a kind that has no rules here
  not_allowed = 6,    // outside the agent's rights
  wrong_lane = 7,     // the event's lane is not that of the message
  invalid_field = 8,  // a value breaks a rule of the vocabulary
  missing_field = 9,
  not_home = 10,         // another region's node decides about this entity
  conflict = 11,         // e.g. the same CAP triple with other content
  sequence_gap = 12,     // sequences are dense; what is before is missing
  sequence_reused = 13,  // the same sequence with another body
  session_unknown = 14,  // Hello first, or the session was closed
  too_many_sessions = 15,
  busy = 16,            // retry_after
  disk_full = 17,       // retry_after
  cursor_unknown = 18,  // another node, or an incarnation before a restore
  too_many_followers = 19,
  cap_rule = 20,  // a CAP document breaks the standard; the reason names the rule
  csv_row = 21,
  unknown_key = 22,  // CURVE key not in the key folder
  feed_broken = 23,  // chain or seal of a peer's feed does not verify
  feed_forked = 24,
  not_found = 25,
  deadline = 26,  // the view did not reach the asked offset in time
  wrong_region = 27,
  config = 28,
  internal = 29,
  fenced = 30,  // a commitment, while a restored node has not seen every member
};

[[nodiscard]] std::string_view to_word(RefusalCode code);  // e.g. "not_allowed"

struct Refusal {
  RefusalCode code{};
  std::string field;   // path of what is wrong, e.g. "info[0].severity" or "header.magic"; may be empty
  std::string reason;  // why, and how to mend; one sentence a person understands
  std::uint32_t retry_after_ms = 0;

  bool operator==(const Refusal&) const = default;
};

template <class T, class E = Refusal>
using Result = tl::expected<T, E>;

[[nodiscard]] inline tl::unexpected<Refusal> refuse(RefusalCode code, std::string field, std::string reason) {
  return tl::unexpected<Refusal>(Refusal{code, std::move(field), std::move(reason), 0});
}

// A failure of a module that is nobody's input: `E` is the module's error enum, `detail` what the system said.
template <class E>
struct Failure {
  E code{};
  std::string detail;
};

}  // namespace lianxi
