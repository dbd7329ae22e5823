#include "schemas/event_rules.h"

#include <fmt/format.h>
#include <algorithm>

#include "schemas/limits.h"
#include "schemas/mobilisation_rules.h"
#include "schemas/rule_checker.h"
#include "schemas/vocabulary.h"

namespace lianxi {
namespace {

template <class Ring>
void check_ring(Checker& check, std::string_view field, const Ring& ring) {
  if (ring.size() < 4) check.invalid(field, fmt::format("a polygon has at least 4 points, this one {}", ring.size()));
  for (const LonLat& point : ring) check.point(field, point);
  if (!ring.empty() && ring.front() != ring.back()) {
    check.invalid(field, "a polygon is closed: repeat its first point at its end");
  }
}
void check_polygon(Checker& check, const std::vector<LonLat>& polygon) {
  check_ring(check, "points", polygon);
}

void check_area(Checker& check, const AlertArea& area) {
  if (area.description.empty()) check.fail(RefusalCode::missing_field, "description", "an area needs its description");
  check.text("description", area.description);
  each(check, "polygons", area.polygons, check_polygon);
  each(check, "circles", area.circles, [](Checker& c, const Circle& circle) {
    c.point("centre", circle.centre);
    if (!(std::isfinite(circle.radius_m) && circle.radius_m >= 0)) c.invalid("radius_m", "it must be a number, not negative");
  });
  check.name_values("geocodes", area.geocodes);
  check.finite("altitude_ft", area.altitude_ft);
  check.finite("ceiling_ft", area.ceiling_ft);
  if (area.ceiling_ft && !area.altitude_ft) check.invalid("ceiling_ft", "a ceiling needs an altitude beside it");
}

void check_resource_file(Checker& check, const AlertResource& resource) {
  if (resource.description.empty()) check.fail(RefusalCode::missing_field, "description", "a resource needs its description");
  check.text("description", resource.description);
  check.line("mime_type", resource.mime_type);
  check.not_negative("size_bytes", resource.size_bytes);
  check.line("uri", resource.uri);
  check.line("digest", resource.digest);
}

void check_info(Checker& check, const AlertInfo& info) {
  check.required_line("language", info.language);
  if (info.categories.empty()) check.fail(RefusalCode::missing_field, "categories", "an info needs at least one category");
  for (const Category category : info.categories) check.known("categories", category);
  check.required_line("event", info.event);
  for (const ResponseType type : info.response_types) check.known("response_types", type);
  check.known("urgency", info.urgency);
  check.known("severity", info.severity);
  check.known("certainty", info.certainty);
  check.text("audience_text", info.audience_text);
  check.name_values("event_codes", info.event_codes);
  check.time("effective", info.effective);
  check.time("onset", info.onset);
  check.time("expires", info.expires);
  check.text("sender_name", info.sender_name);
  check.text("headline", info.headline);
  check.text("description", info.description);
  check.text("instruction", info.instruction);
  check.line("web", info.web);
  check.text("contact", info.contact);
  check.name_values("parameters", info.parameters);
  each(check, "resources", info.resources, check_resource_file);
  each(check, "areas", info.areas, check_area);
}

void check_alert(Checker& check, const Alert& alert) {
  check.cap_name("identifier", alert.identifier);
  check.cap_name("sender", alert.sender);
  check.time("sent", alert.sent);
  check.known("msg_type", alert.msg_type);
  check.known("scope", alert.scope);
  check.text("source", alert.source);
  check.text("restriction", alert.restriction);
  if (!alert.restriction.empty() && alert.scope != Scope::Restricted) {
    check.invalid("restriction", "a restriction is only for scope Restricted");
  }
  check.lines("addresses", alert.addresses);
  if (alert.scope == Scope::Private && alert.addresses.empty()) {
    check.fail(RefusalCode::missing_field, "addresses", "scope Private needs the addresses it is meant for");
  }
  check.lines("codes", alert.codes);
  check.text("note", alert.note);
  each(check, "references", alert.references, [](Checker& c, const AlertReference& reference) {
    c.cap_name("sender", reference.sender);
    c.cap_name("identifier", reference.identifier);
    c.time("sent", reference.sent);
  });
  if (alert.msg_type != MsgType::Alert && alert.references.empty()) {
    check.fail(RefusalCode::missing_field, "references",
               fmt::format("msg_type {} needs references to the alerts it is about", to_word(alert.msg_type)));
  }
  check.lines("incidents", alert.incidents);
  each(check, "infos", alert.infos, check_info);
}

// IncidentReport or ReportView.
template <class Report>
void check_report(Checker& check, const Report& report) {
  check.required_line("case_reference", report.case_reference);
  check.known("report_type", report.report_type);
  check.known("incident_class", report.incident_class);
  check.known("state", report.state);
  check.line("event_code", report.event_code);
  check.line("title", report.title);
  check.text("text", report.text);
  check.text("address", report.address);
  if (report.location) check.point("location", *report.location);
  check.not_negative("deaths", report.deaths);
  check.not_negative("missing", report.missing);
  check.not_negative("injured", report.injured);
  check.not_negative("trapped", report.trapped);
  check.not_negative("affected", report.affected);
  check.line("own_reference", report.own_reference);
  check.line("reporter", report.reporter);
  check.name_values("fields", report.fields);
}

bool is_capability(std::string_view word) {
  return !word.empty() && std::ranges::all_of(word, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

bool is_language(std::string_view tag) {
  return tag.size() >= 2 && tag.size() <= 35 && std::ranges::all_of(tag, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
         });
}

void check_on_call(Checker& check, const OnCall& on_call) {
  constexpr std::uint8_t kEveryDay = 0x7F;
  constexpr std::uint16_t kDayMinutes = 24 * 60;
  if (on_call.days == 0 || on_call.days > kEveryDay) check.invalid("on_call", "it names at least one of the seven days");
  if (on_call.from_minute >= on_call.to_minute || on_call.to_minute > kDayMinutes)
    check.invalid("on_call", "it ends after it begins, on the same day; over midnight it is two of them");
}

template <class Ring>
void check_resource_area(Checker& check, const Ring& area) {
  if (area.size() > kMaxAreaPoints)
    check.invalid("area", fmt::format("{} points; an area has at most {}", area.size(), kMaxAreaPoints));
  check_ring(check, "area", area);
}

// What an event keeps it does not say as well.
template <class R>
void check_keeps(Checker& check, const R& resource) {
  if (resource.keeps.bits == 0) return;
  if (resource.change != ResourceChange::upsert) check.invalid("keeps", "only an upsert leaves groups as they are");
  if (resource.keeps.bits >> kResourceGroups != 0) check.invalid("keeps", "a group is state, quantity, place or contact");
  const auto said = [&](ResourceGroup group, bool any) {
    if (any && resource.keeps.has(group)) check.invalid("keeps", fmt::format("it says the {}, too", to_word(group)));
  };
  said(ResourceGroup::state, resource.state != ResourceState::available);
  said(ResourceGroup::quantity, resource.quantity_milli != 0 || resource.capacity || resource.occupancy);
  said(ResourceGroup::place, resource.location || !resource.area.empty() || !resource.address.empty());
  said(ResourceGroup::contact, !resource.contact.empty() || !resource.phone.empty());
}

// Resource or ResourceView.
template <class R>
void check_resource(Checker& check, const R& resource) {
  check.known("change", resource.change);
  check.known("type", resource.type);
  if (resource.change == ResourceChange::upsert && resource.name.empty()) {
    check.fail(RefusalCode::missing_field, "name", "a resource needs its name");
  }
  check.line("name", resource.name);
  check.line("owner", resource.owner);
  check.text("address", resource.address);
  if (resource.location) check.point("location", *resource.location);
  for (const auto& word : resource.capabilities) {
    if (!is_capability(word)) check.invalid("capabilities", "a capability is a word of lower case letters, digits, '-' and '_'");
  }
  check.known("state", resource.state);
  if (resource.quantity_milli < 0) check.invalid("quantity", "it must not be negative");
  check.line("unit", resource.unit);
  check.not_negative("capacity", resource.capacity);
  check.not_negative("occupancy", resource.occupancy);
  const bool digits = std::ranges::all_of(resource.supply_code, [](char c) { return c >= '0' && c <= '9'; });
  if (!digits || resource.supply_code.size() > 7) check.invalid("supply_code", "a supply code of GB/T 38565 has up to 7 digits");
  check.line("contact", resource.contact);
  check.line("phone", resource.phone);
  check.name_values("attributes", resource.attributes);
  check.line("answerable", resource.answerable);
  check.line("answerable_phone", resource.answerable_phone);
  check.time("valid_from", resource.valid_from);
  check.time("valid_until", resource.valid_until);
  if (resource.valid_from && resource.valid_until && *resource.valid_until <= *resource.valid_from)
    check.invalid("valid_until", "it must be later than valid_from");
  if (!resource.area.empty()) check_resource_area(check, resource.area);
  for (const auto& language : resource.languages) {
    if (!is_language(language)) check.invalid("languages", "a language is a tag of BCP 47, e.g. zh or en-GB");
  }
  for (const OnCall& on_call : resource.on_call) check_on_call(check, on_call);
  check_keeps(check, resource);
}

void check_retention(Checker& check, const Retention& retention) {
  check.known("lane", retention.lane);
  if (retention.through.sequence.value == 0) check.fail(RefusalCode::missing_field, "through", "it says up to which event");
  if (retention.through.hash == Hash{}) check.fail(RefusalCode::missing_field, "hash", "the chain's hash there has 32 bytes");
  if (retention.ordinal.value == 0) check.fail(RefusalCode::missing_field, "ordinal", "the ordinal of the event there");
  if (retention.position < retention.through.sequence) check.invalid("position", "the feed stands behind what goes");
  check.time("before", retention.before);
}

void check_override(Checker& check, const Override& order) {
  check.known("what", order.what);
  check.required_text("reason", order.reason);
}

std::string other_incident(std::string_view entity, std::string_view case_reference) {
  constexpr std::string_view kKind = ":incident:";  // behind the home's six digits
  const std::string_view rest = entity.substr(6);
  if (rest.starts_with(kKind) && rest.substr(kKind.size()) == case_reference) return {};
  return incident_entity(*home_region(entity), case_reference);
}

// The name that the body gives to its entity, empty if the publisher chooses it or it stands there already.
std::string other_entity_of(const Event& event) {
  const std::string& entity = event.envelope.entity;
  if (const auto* alert = std::get_if<Alert>(&event.body)) {
    std::string named = alert_entity(*home_region(entity), alert->sender, alert->identifier, alert->sent);
    return named == entity ? std::string() : named;
  }
  if (const auto* report = std::get_if<IncidentReport>(&event.body)) return other_incident(entity, report->case_reference);
  if (const auto* mobilisation = std::get_if<Mobilisation>(&event.body)) {
    std::string named = mobilisation_entity(*home_region(entity), mobilisation->originating_id);
    return named == entity ? std::string() : named;
  }
  if (const auto* retention = std::get_if<Retention>(&event.body)) {
    std::string named = retention_entity(*home_region(entity), retention->lane, event.envelope.audience);
    return named == entity ? std::string() : named;
  }
  return {};
}

Result<void> entity_named(const std::string& other) {
  if (other.empty()) return {};
  return refuse(RefusalCode::invalid_field, "entity", fmt::format("with this body the entity is named {}", other));
}

bool is_agency(std::string_view text) {
  return !text.empty() && text.size() <= kMaxAgencyBytes &&
         std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

}  // namespace

Result<void> check_envelope(const Envelope& envelope) {
  if (envelope.kind == Kind::unknown) return refuse(RefusalCode::missing_field, "kind", "an event needs its kind");
  if (const auto home = home_region(envelope.entity); !home) return tl::unexpected(home.error());
  if (const auto number = static_cast<std::uint64_t>(envelope.kind); is_known<Kind>(number)) {
    // "330800:alert:…": the word stands behind the region's six digits.
    const std::string_view word = to_word(envelope.kind);
    const std::string_view rest = std::string_view(envelope.entity).substr(7);
    if (!rest.starts_with(word) || rest.substr(word.size(), 1) != ":") {
      return refuse(RefusalCode::invalid_field, "entity",
                    fmt::format("an entity of kind {0} is named <home region>:{0}:<name>", word));
    }
  }
  if (!is_known<Status>(static_cast<std::uint64_t>(envelope.status))) {
    return refuse(RefusalCode::invalid_field, "status", "statuses are Actual, Exercise, System, Test and Draft (0 to 4)");
  }
  if (envelope.place.text().empty()) return refuse(RefusalCode::missing_field, "place", "an event needs its place");
  if (!is_agency(envelope.agency)) {
    return refuse(RefusalCode::invalid_field, "agency",
                  fmt::format("an agency is lower case letters, digits and '-', at most {} bytes, e.g. fire", kMaxAgencyBytes));
  }
  if (!is_known<Level>(static_cast<std::uint64_t>(envelope.level))) {
    return refuse(RefusalCode::invalid_field, "level", "levels are none, red, orange, yellow and blue (0 to 4)");
  }
  if (envelope.audience.text().empty()) return refuse(RefusalCode::missing_field, "audience", "an event needs its audience");
  if (envelope.occurred_at < kMinTimeMs || envelope.occurred_at > kMaxTimeMs) {
    return refuse(RefusalCode::invalid_field, "occurred_at",
                  "the time is outside the years 1 to 9999; give milliseconds since 1970");
  }
  return {};
}

Result<void> check_body(const Event& event) {
  Checker check;
  switch (event.envelope.kind) {
    case Kind::alert:
      if (const auto* alert = std::get_if<Alert>(&event.body)) {
        check_alert(check, *alert);
        break;
      }
      return refuse(RefusalCode::missing_field, "body", "an alert needs its body");
    case Kind::incident:
      if (const auto* report = std::get_if<IncidentReport>(&event.body)) {
        check_report(check, *report);
        break;
      }
      return refuse(RefusalCode::missing_field, "body", "an incident needs its report");
    case Kind::resource:
      if (const auto* resource = std::get_if<Resource>(&event.body)) {
        check_resource(check, *resource);
        break;
      }
      return refuse(RefusalCode::missing_field, "body", "a resource needs its body");
    case Kind::mobilisation:
      if (const auto* mobilisation = std::get_if<Mobilisation>(&event.body)) {
        if (auto rules = check_mobilisation(*mobilisation); !rules) return rules;
        break;
      }
      return refuse(RefusalCode::missing_field, "body", "a mobilisation needs its message");
    case Kind::retention:
      if (const auto* retention = std::get_if<Retention>(&event.body)) {
        check_retention(check, *retention);
        break;
      }
      return refuse(RefusalCode::missing_field, "body", "a retention needs its body");
    case Kind::override:
      if (const auto* order = std::get_if<Override>(&event.body)) {
        check_override(check, *order);
        break;
      }
      return refuse(RefusalCode::missing_field, "body", "an override needs its body");
    default:
      if (!std::holds_alternative<std::monostate>(event.body)) {
        return refuse(RefusalCode::invalid_field, "body", "this kind has no such body");
      }
      return {};
  }
  if (auto result = std::move(check).result(); !result) return result;
  return entity_named(other_entity_of(event));
}

Result<void> check_body(const Envelope& envelope, const ReportView& report) {
  Checker check;
  check_report(check, report);
  if (auto result = std::move(check).result(); !result) return result;
  return entity_named(other_incident(envelope.entity, report.case_reference));
}

Result<void> check_body(const Envelope& /*envelope*/, const ResourceView& resource) {
  Checker check;
  check_resource(check, resource);
  return std::move(check).result();
}

}  // namespace lianxi
