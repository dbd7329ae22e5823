// Events to bytes and back. The only code that reads an event's bytes.
#pragma once

#include <span>

#include <memory>

#include "schemas/event.h"

namespace lianxi {

// Never fails for values that `check_event` admits; deterministic: equal events give equal bytes.
[[nodiscard]] Bytes encode_event(const Event& event);

// Full reading: size, verifier, enums, required texts, places, entity form, vocabulary ranges, finite coordinates.
// A kind without a table here reads as std::monostate. Refusals: oversize, malformed, invalid_field, missing_field.
[[nodiscard]] Result<Event> decode_event(BytesView bytes);

// Envelope alone, for routing and filters; same checks of the envelope, the body is only verified for memory safety.
[[nodiscard]] Result<Envelope> decode_envelope(BytesView bytes);

// Rules of form that hold for any publisher, by kind (CAP's own rules included); what decode_event applies.
[[nodiscard]] Result<void> check_event(const Event& event);

[[nodiscard]] BodyHash body_hash(BytesView event_bytes);
// Of a batch, at a third of the cost. As many hashes as events.
void body_hashes(std::span<const BytesView> events, std::span<BodyHash> hashes);

}  // namespace lianxi
