// Events to bytes and back. The only code that reads an event's bytes.
#pragma once

#include <memory>
#include <span>

#include "schemas/event.h"

namespace lianxi {

struct ReportView;    // event_rules.h
struct ResourceView;  // event_rules.h

// Never fails for values that `check_event` admits; deterministic: equal events give equal bytes.
[[nodiscard]] Bytes encode_event(const Event& event);
// The same into memory that is used again: for whoever encodes many. One thread at a time.
class EventEncoder {
 public:
  EventEncoder();
  ~EventEncoder();
  EventEncoder(const EventEncoder&) = delete;
  EventEncoder& operator=(const EventEncoder&) = delete;
  [[nodiscard]] BytesView encode(const Event& event);  // borrowed until the next call

 private:
  struct Buffer;
  std::unique_ptr<Buffer> buffer_;
};

// Full reading: size, verifier, enums, required texts, places, entity form, vocabulary ranges, finite coordinates.
// A kind without a table here reads as std::monostate. Refusals: oversize, malformed, invalid_field, missing_field.
[[nodiscard]] Result<Event> decode_event(BytesView bytes);

// What acceptance and the view ask of an event: its envelope, and its body where its bytes lie. Reads one event after another
// with the checks and refusals of decode_event, and copies next to nothing. One thread.
class EventReader {
 public:
  EventReader();
  ~EventReader();
  EventReader(const EventReader&) = delete;
  EventReader& operator=(const EventReader&) = delete;

  // `bytes` are borrowed until the next read.
  [[nodiscard]] Result<void> read(BytesView bytes);
  [[nodiscard]] const Envelope& envelope() const;  // of the last event that was read
  [[nodiscard]] bool same_rights() const;          // as the event read before: all of the envelope but entity and time
  [[nodiscard]] bool has_body() const;
  [[nodiscard]] Lane lane() const;        // lane_of the event
  [[nodiscard]] RegionCode home() const;  // of the event's entity
  // The body, if it is of that kind; nullptr if not. Borrowed from the event's bytes and this reader until the next read.
  [[nodiscard]] const ReportView* report() const;
  [[nodiscard]] const ResourceView* resource() const;
  [[nodiscard]] const Alert* alert() const;  // decoded
  [[nodiscard]] const Mobilisation* mobilisation() const;
  [[nodiscard]] const Retention* retention() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Envelope alone, for routing and filters; same checks of the envelope, the body is only verified for memory safety.
[[nodiscard]] Result<Envelope> decode_envelope(BytesView bytes);

// Rules of form that hold for any publisher, by kind (CAP's own rules included); what decode_event applies.
[[nodiscard]] Result<void> check_event(const Event& event);

[[nodiscard]] BodyHash body_hash(BytesView event_bytes);
// Of a batch, at a third of the cost. As many hashes as events.
void body_hashes(std::span<const BytesView> events, std::span<BodyHash> hashes);

}  // namespace lianxi
