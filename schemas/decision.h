// The order of a region's decisions: (epoch, ordinal) as one number that orders alike, 18 bits of epoch above 44 of ordinal. The
// rules tell by it what was said last, and the view's rows bear it. 0 is before every event.
#pragma once

#include <optional>

#include "schemas/ids.h"

namespace lianxi {

using Decision = std::int64_t;
inline constexpr unsigned kDecisionOrdinalBits = 44;
inline constexpr unsigned kDecisionEpochBits = 18;

// Nothing if either has more bits than that: no node gives such a number out.
[[nodiscard]] constexpr std::optional<Decision> decision_of(Epoch epoch, Ordinal ordinal) {
  const std::uint64_t high = epoch.value;
  if (high >> kDecisionEpochBits != 0 || ordinal.value >> kDecisionOrdinalBits != 0) return std::nullopt;
  return static_cast<Decision>(high << kDecisionOrdinalBits | ordinal.value);
}

}  // namespace lianxi
