// Enumerations as the operator reads them, and numbers as they are said.
#pragma once

#include <optional>

#include "agents/operator/say.h"
#include "schemas/queries.h"
#include "schemas/vocabulary.h"

namespace lianxi::cli {

template <class E>
[[nodiscard]] std::string word(E value, const Say& say) {
  return std::string(say.chinese() ? to_chinese(value) : to_word(value));
}

// The contract's word, in Chinese behind what it means: "无权限 not_allowed".
[[nodiscard]] std::string refusal_word(RefusalCode code, const Say& say);
[[nodiscard]] std::string kind_word(Kind kind, const Say& say);
[[nodiscard]] std::string agency_word(const std::string& agency, const Say& say);
[[nodiscard]] std::string distance_text(std::optional<double> metres);                          // "12.3 km", "800 m"
[[nodiscard]] std::string quantity_text(std::int64_t quantity_milli, const std::string& unit);  // "2.5 吨"
[[nodiscard]] std::string casualties_text(const IncidentReport& report, const Say& say);

}  // namespace lianxi::cli
