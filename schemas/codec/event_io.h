// What decode_event and EventReader share. For codec/*.cpp alone.
#pragma once

#include "schemas/codec/wire_io.h"
#include "wire/envelope_generated.h"

namespace lianxi::codec {

// The table, once its size and form are checked; `aligned` to 8 bytes.
[[nodiscard]] Result<const wire::Event*> verified_event(BytesView aligned);
// The body's union number is the kind's; a kind without a table here may carry anything but the tables of others.
[[nodiscard]] Result<void> check_body_type(const wire::Event* from);
[[nodiscard]] tl::unexpected<Refusal> too_much_shared();

}  // namespace lianxi::codec
