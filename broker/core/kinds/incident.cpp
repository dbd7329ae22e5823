#include "broker/core/kinds/incident.h"

namespace lianxi::core {

Result<void> judge_incident(const Event& event, RegionCode own, const Members& members, const KindMemory&) {
  const auto* report = std::get_if<IncidentReport>(&event.body);
  if (report == nullptr) return body_missing(event);
  const auto home = home_region(event.envelope.entity);
  if (!home) return tl::unexpected(home.error());
  if (*home != own && members.find(*home) == nullptr)
    return refuse(RefusalCode::wrong_region, "entity", "the incident's home " + to_text(*home) + " is no member here");
  return entity_is(event, incident_entity(*home, report->case_reference));
}

}  // namespace lianxi::core
