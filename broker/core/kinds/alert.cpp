#include "broker/core/kinds/alert.h"

#include "broker/core/broker_core.h"
#include "schemas/codec/event_codec.h"
#include "schemas/vocabulary.h"

namespace lianxi::core {

std::string alert_memory_key(const Event& event) {
  return std::string(to_word(event.envelope.status)) + " " + event.envelope.entity;
}

// Content is what CAP says (with its status, and the place, agency and level it is routed by), not whom it is for nor when
// its publisher saw it.
Hash alert_content_hash(const Event& event) {
  Event content = event;
  content.envelope.audience = Audience::conference();
  content.envelope.occurred_at = 0;
  return blake2b(encode_event(content));
}

// A triple is accepted once for each status (a drill never stands in the way of the real alert), whoever repeats it: another
// content is a contradiction, and the same content again (from another session; a repeat within the session is answered before
// this) would be a second event that says nothing new. What an Update or Cancel refers to is kept as it is: it may be on its way.
Result<void> judge_alert(const Candidate& candidate, RegionCode own, const Members&, const KindMemory& memory) {
  const Envelope& envelope = candidate.event.envelope();
  if (!candidate.event.has_body()) return body_missing(envelope);
  if (auto home = home_is(envelope, own); !home) return home;
  const auto decoded = decode_event(candidate.bytes);
  if (!decoded) return tl::unexpected(decoded.error());
  const Event& event = *decoded;
  const auto* alert = std::get_if<Alert>(&event.body);
  if (auto same = entity_is(envelope, alert_entity(own, alert->sender, alert->identifier, alert->sent)); !same) return same;
  const auto known = memory.alerts.find(alert_memory_key(event));
  if (known == memory.alerts.end()) return {};
  if (known->second == alert_content_hash(event))
    return refuse(RefusalCode::conflict, "identifier", "this alert is already there, with the same content; nothing was added");
  return refuse(RefusalCode::conflict, "identifier",
                "an alert with this sender, identifier and sent is already there with other content; issue an Update with its "
                "own identifier");
}

void remember_alert(const Said& said, KindMemory& memory) {
  if (const auto event = decode_event(said.bytes)) memory.alerts.emplace(alert_memory_key(*event), alert_content_hash(*event));
}

}  // namespace lianxi::core
