// The only places that read a clock: all else is told the time.
#pragma once

#include <chrono>

#include "schemas/ids.h"

namespace lianxi::app {

[[nodiscard]] inline TimeMs wall_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}
// For intervals: never set back.
[[nodiscard]] inline std::int64_t steady_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

}  // namespace lianxi::app
