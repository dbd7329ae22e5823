#include "broker/core/kinds/incident.h"

namespace lianxi::core {

Result<void> judge_incident(const Event& event, RegionCode own, const Members& members, const KindMemory&) {
  const auto* report = std::get_if<IncidentReport>(&event.body);
  if (report == nullptr) return body_missing(event);
  const std::string& entity = event.envelope.entity;
  constexpr std::string_view kKind = ":incident:";  // behind the home's six digits
  if (is_of(entity, own) && entity.size() == 6 + kKind.size() + report->case_reference.size() &&
      entity.ends_with(report->case_reference) && std::string_view(entity).substr(6, kKind.size()) == kKind)
    return {};
  const auto home = home_region(entity);
  if (!home) return tl::unexpected(home.error());
  if (*home != own && members.find(*home) == nullptr)
    return refuse(RefusalCode::wrong_region, "entity", "the incident's home " + to_text(*home) + " is no member here");
  return entity_is(event, incident_entity(*home, report->case_reference));
}

}  // namespace lianxi::core
