#include "broker/core/kinds/override.h"

namespace lianxi::core {

// All members see it, so that nobody takes what follows for a mistake; and a drill lifts nothing.
Result<void> judge_override(const Candidate& candidate, RegionCode own, const Members&, const KindMemory& memory) {
  const Envelope& envelope = candidate.event.envelope();
  if (!candidate.event.has_body()) return body_missing(envelope);
  if (auto home = home_is(envelope, own); !home) return home;
  if (!memory.fenced)
    return refuse(RefusalCode::conflict, "entity", "this node holds nothing back: there is nothing to override");
  if (auto named = entity_is(envelope, override_entity(own, *memory.fenced)); !named) return named;
  if (envelope.audience != Audience::conference())
    return refuse(RefusalCode::invalid_field, "audience", "an override is for all to see: its audience is conference");
  if (envelope.status != Status::Actual)
    return refuse(RefusalCode::invalid_field, "status", "an override is Actual; a drill lifts nothing");
  return {};
}

void remember_override(const Said& said, KindMemory& memory) {
  const auto event = decode_event(said.bytes);
  if (!event || !memory.fenced) return;
  const auto* order = std::get_if<Override>(&event->body);
  const auto home = home_region(event->envelope.entity);
  // One of a former epoch may come back from a peer.
  if (order == nullptr || !home || event->envelope.entity != override_entity(*home, *memory.fenced)) return;
  memory.fenced.reset();
  memory.override_reason = order->reason;
}

}  // namespace lianxi::core
