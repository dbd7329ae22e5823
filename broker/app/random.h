// What chance decides, for those parts that may not: the rules are handed it.
#pragma once

#include "schemas/ids.h"

namespace lianxi::app {

[[nodiscard]] Incarnation random_incarnation();  // never 0
[[nodiscard]] Hash random_entropy();

}  // namespace lianxi::app
