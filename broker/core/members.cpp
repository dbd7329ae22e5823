#include <algorithm>

#include "broker/core/policy.h"

namespace lianxi::core {

Members::Members(std::vector<Member> members, std::vector<Group> groups)
    : members_(std::move(members)), groups_(std::move(groups)) {}

const Member* Members::find(RegionCode region) const {
  for (const Member& member : members_)
    if (member.region == region) return &member;
  return nullptr;
}

bool Members::is_audience(const Audience& audience) const {
  if (audience.is_local() || audience == Audience::conference()) return true;
  return std::any_of(groups_.begin(), groups_.end(), [&](const Group& g) { return g.audience == audience; });
}

bool Members::holds(const Audience& audience, RegionCode region) const {
  if (audience.is_local() || find(region) == nullptr) return false;
  if (audience == Audience::conference()) return true;
  for (const Group& group : groups_)
    if (group.audience == audience) return std::find(group.members.begin(), group.members.end(), region) != group.members.end();
  return false;
}

}  // namespace lianxi::core
