// Why a link does not follow, or an alarm stands: the node says it in English, with its own values in it.
#pragma once

#include <string>
#include <string_view>

#include "agents/operator/say.h"

namespace lianxi::cli {

// In Chinese what is known of it, values as they are; what is not known stays as the node said it.
[[nodiscard]] std::string reason_text(std::string_view reason, const Say& say);
// "时钟偏快 clock_ahead"; in English the word alone.
[[nodiscard]] std::string alarm_word(std::string_view what, const Say& say);

}  // namespace lianxi::cli
