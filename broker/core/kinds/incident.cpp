#include "broker/core/kinds/incident.h"

namespace lianxi::core {

Result<void> judge_incident(const Candidate& candidate, RegionCode own, const Members& members, const KindMemory&) {
  const Envelope& envelope = candidate.event.envelope();
  if (!candidate.event.has_body()) return body_missing(envelope);
  // The decoder has checked that the entity is named after the case.
  if (is_of(envelope.entity, own)) return {};
  const auto home = home_region(envelope.entity);
  if (!home) return tl::unexpected(home.error());
  if (*home != own && members.find(*home) == nullptr)
    return refuse(RefusalCode::wrong_region, "entity", "the incident's home " + to_text(*home) + " is no member here");
  return {};
}

}  // namespace lianxi::core
