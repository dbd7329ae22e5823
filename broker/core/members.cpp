#include <algorithm>

#include "broker/core/policy.h"

namespace lianxi::core {
namespace {

bool is_bounded(const Window& window) {
  return window.since.has_value() || window.until.has_value();
}

}  // namespace

Members::Members(std::vector<Member> members, std::vector<Group> groups, MembersVersion version)
    : members_(std::move(members)), groups_(std::move(groups)), standings_(members_.size(), Standing::member), version_(version) {
  if (std::any_of(members_.begin(), members_.end(), [](const Member& m) { return is_bounded(m.window); })) to_ = from_;
}

Members Members::at(TimeMs now) const {
  Members then = *this;
  then.from_ = std::numeric_limits<TimeMs>::min();
  then.to_ = std::numeric_limits<TimeMs>::max();
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const Window& window = members_[i].window;
    then.standings_[i] = standing_of(window, now);
    for (const std::optional<TimeMs>& edge : {window.since, window.until}) {
      if (edge && *edge <= now) then.from_ = std::max(then.from_, *edge);
      if (edge && *edge > now) then.to_ = std::min(then.to_, *edge);
    }
  }
  return then;
}

const Member* Members::find(RegionCode region) const {
  for (const Member& member : members_)
    if (member.region == region) return &member;
  return nullptr;
}

Standing Members::standing(RegionCode region) const {
  const Member* member = find(region);
  return member == nullptr ? Standing::stranger : standings_[static_cast<std::size_t>(member - members_.data())];
}

std::string Members::why_not(RegionCode region) const {
  const Member* member = find(region);
  if (member == nullptr) return to_text(region) + " is not in the members file";
  switch (standing(region)) {
    case Standing::retired:
      return to_text(region) + " is no member since " + to_iso8601(*member->window.until);
    case Standing::not_yet:
      return to_text(region) + " is a member from " + to_iso8601(*member->window.since) + " on, and not yet";
    case Standing::member:
    case Standing::stranger:
      break;
  }
  return {};
}

Result<void> Members::takes_part(RegionCode agent, RegionCode node) const {
  const Standing now = standing(agent);
  if (agent == node || now == Standing::member || now == Standing::stranger) return {};
  return refuse(RefusalCode::not_allowed, "agent", why_not(agent) + "; its agents and its node are served by no other");
}

const Group* Members::group(const Audience& audience) const {
  const auto found = std::find_if(groups_.begin(), groups_.end(), [&](const Group& g) { return g.audience == audience; });
  return found == groups_.end() ? nullptr : &*found;
}

bool Members::is_audience(const Audience& audience) const {
  return audience.is_local() || audience == Audience::conference() || group(audience) != nullptr;
}

bool Members::entitled(const Audience& audience, RegionCode region) const {
  if (audience.is_local() || find(region) == nullptr) return false;
  if (audience == Audience::conference()) return true;
  const Group* of = group(audience);
  return of != nullptr && std::find(of->members.begin(), of->members.end(), region) != of->members.end();
}

bool Members::holds(const Audience& audience, RegionCode region) const {
  return active(region) && entitled(audience, region);
}

std::optional<TimeMs> Members::closes(const Audience& audience, RegionCode home) const {
  const Member* member = find(home);
  const Group* of = group(audience);
  std::optional<TimeMs> end;
  if (member != nullptr) end = member->window.until;
  if (of != nullptr && of->window.until) end = std::min(end.value_or(*of->window.until), *of->window.until);
  return end;
}

}  // namespace lianxi::core
