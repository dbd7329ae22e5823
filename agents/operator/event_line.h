// One event as one readable line.
#pragma once

#include "agents/operator/console.h"

namespace lianxi::cli {

[[nodiscard]] std::string event_line(const sdk::Delivery& delivery, const Say& say, bool colour);

}  // namespace lianxi::cli
