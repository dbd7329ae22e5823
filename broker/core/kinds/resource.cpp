#include "broker/core/kinds/resource.h"

#include <algorithm>
#include <string_view>

#include "broker/core/kinds/mobilisation.h"
#include "schemas/event_rules.h"

namespace lianxi::core {

Result<void> judge_resource(const Candidate& candidate, RegionCode own, const Members&, const KindMemory& memory) {
  const Envelope& envelope = candidate.event.envelope();
  if (!candidate.event.has_body()) return body_missing(envelope);
  if (auto home = home_is(envelope, own); !home) return home;
  const std::string& entity = envelope.entity;
  // Its home is checked: six digits and a colon stand before the kind.
  constexpr std::string_view kKind = "resource:";
  const std::string_view rest = std::string_view(entity).substr(std::min<std::size_t>(entity.size(), 7));
  if (!rest.starts_with(kKind) || rest.size() == kKind.size())
    return refuse(RefusalCode::invalid_field, "entity",
                  "a resource's entity is \"" + resource_entity(own, "") + "<local name>\"");
  const Offset as_of = candidate.event.resource()->as_of;
  if (as_of.value != 0 && !memory.resources.unchanged_since(envelope, as_of))
    return refuse(RefusalCode::conflict, "as_of",
                  "the resource may have changed since it was read at offset " + std::to_string(as_of.value) +
                      "; read it again and state what it is now");
  return check_undercut(candidate, memory);
}

void remember_resource(const Said& said, KindMemory& memory) {
  const ResourceView* resource = said.event.resource();
  if (resource == nullptr) return;
  memory.resources.changed(said.event.envelope());
  memory.stock.remember(said.event.envelope(), *resource, said.version);
}

bool resource_promises(const Candidate& candidate) {
  const ResourceView* resource = candidate.event.resource();
  if (resource == nullptr) return false;
  return states(*resource, ResourceGroup::state) &&
         (resource->state == ResourceState::reserved || resource->state == ResourceState::committed ||
          resource->state == ResourceState::deployed);
}

}  // namespace lianxi::core
