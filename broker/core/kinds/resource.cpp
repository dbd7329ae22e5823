#include "broker/core/kinds/resource.h"

namespace lianxi::core {

Result<void> judge_resource(const Event& event, RegionCode own, const Members&, const KindMemory&) {
  if (!std::holds_alternative<Resource>(event.body)) return body_missing(event);
  if (auto home = home_is(event, own); !home) return home;
  const std::string& entity = event.envelope.entity;
  const std::string start = resource_entity(own, "");
  if (!entity.starts_with(start) || entity.size() == start.size())
    return refuse(RefusalCode::invalid_field, "entity", "a resource's entity is \"" + start + "<local name>\"");
  return {};
}

}  // namespace lianxi::core
