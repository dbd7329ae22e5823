// One question to the node, with every failure already told.
#pragma once

#include "agents/operator/console.h"

namespace lianxi::cli {

// The answer's rows, or the exit status of what went wrong (which is printed).
template <class Rows>
[[nodiscard]] Result<Rows, Exit> ask(const Common& common, const Console& console, const Ask& question);

}  // namespace lianxi::cli
