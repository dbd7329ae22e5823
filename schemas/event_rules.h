// Rules of form that hold for an event whoever publishes it: ranges, words, CAP 1.2's own rules. Pure. A refusal names the
// field by its path (`infos[0].areas[1].polygons[0]`) and says how to mend it.
#pragma once

#include <span>
#include <string_view>

#include "schemas/event.h"

namespace lianxi {

// The bodies that come by the thousand, where their bytes lie: the fields of IncidentReport and Resource, borrowed. The rules
// hold for both forms.
struct NameValueView {
  std::string_view name;
  std::string_view value;
};
struct ReportView {
  std::string_view case_reference;
  ReportType report_type{};
  IncidentClass incident_class{};
  IncidentState state{};
  std::string_view event_code, title, text, address;
  std::optional<LonLat> location;
  std::optional<std::int32_t> deaths, missing, injured, trapped, affected;
  std::string_view own_reference, reporter;
  std::span<const NameValueView> fields;
};
struct ResourceView {
  ResourceChange change{};
  ResourceType type{};
  std::string_view name, owner, address;
  std::optional<LonLat> location;
  std::span<const std::string_view> capabilities;
  ResourceState state{};
  std::int64_t quantity_milli = 0;
  std::string_view unit;
  std::optional<std::int32_t> capacity, occupancy;
  std::string_view supply_code, contact, phone;
  std::span<const NameValueView> attributes;
  Offset as_of;
  std::string_view answerable, answerable_phone;
  std::optional<TimeMs> valid_from, valid_until;
  std::span<const LonLat> area;
  std::span<const std::string_view> languages;
  std::span<const OnCall> on_call;
  ResourceGroups keeps;
};

// Whether a resource's event (Resource or ResourceView) states this group.
template <class R>
[[nodiscard]] constexpr bool states(const R& resource, ResourceGroup group) {
  constexpr ResourceChange kAlone[kResourceGroups] = {ResourceChange::state, ResourceChange::quantity, ResourceChange::place,
                                                      ResourceChange::contact};
  if (resource.change == ResourceChange::upsert) return !resource.keeps.has(group);
  return resource.change == kAlone[static_cast<std::size_t>(group)];
}

// The table of lane_of, for who knows no more than this of an event.
[[nodiscard]] Lane lane_of(Kind kind, ResourceChange change);

[[nodiscard]] Result<void> check_envelope(const Envelope& envelope);
// The body by its kind, and that the entity's name is the one its body gives. The envelope must have passed.
[[nodiscard]] Result<void> check_body(const Event& event);
[[nodiscard]] Result<void> check_body(const Envelope& envelope, const ReportView& report);
[[nodiscard]] Result<void> check_body(const Envelope& envelope, const ResourceView& resource);

}  // namespace lianxi
