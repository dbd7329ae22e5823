// Rules of form of a mobilisation's message, by its type: what EDXL-RM 1.0 requires of each, and what the life cycle needs.
#pragma once

#include "schemas/event.h"

namespace lianxi {

// A refusal names the field by its path (`items[2].response`).
[[nodiscard]] Result<void> check_mobilisation(const Mobilisation& mobilisation);

// ResponseTo...: the answer to a request of its own.
[[nodiscard]] bool is_response(ResourceMessage message);
// It begins a thread of its own: a request, or an offer that nobody asked for.
[[nodiscard]] bool can_begin(ResourceMessage message);

}  // namespace lianxi
