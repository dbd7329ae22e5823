#include "schemas/event.h"

#include <fmt/format.h>
#include <algorithm>
#include <chrono>
#include <optional>

#include "schemas/event_rules.h"
#include "schemas/limits.h"
#include "schemas/text.h"
#include "schemas/vocabulary.h"

namespace lianxi {
namespace {

// As CAP writes a time, in UTC, so that one triple has one spelling whatever offset its author wrote.
std::string utc_text(TimeMs time) {
  using namespace std::chrono;
  const sys_time<milliseconds> at{milliseconds(std::clamp(time, kMinTimeMs, kMaxTimeMs))};
  const auto day = floor<days>(at);
  const year_month_day date{day};
  const hh_mm_ss clock{at - day};
  const std::string fraction = clock.subseconds().count() == 0 ? "" : fmt::format(".{:03}", clock.subseconds().count());
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}Z", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                     static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     fraction);
}

}  // namespace

Lane lane_of(const Event& event) {
  if (const auto* retention = std::get_if<Retention>(&event.body)) return retention->lane;
  const auto* resource = std::get_if<Resource>(&event.body);
  return lane_of(event.envelope.kind, resource != nullptr ? resource->change : ResourceChange::upsert);
}

Lane lane_of(Kind kind, ResourceChange change) {
  switch (kind) {
    case Kind::alert:
    case Kind::mobilisation:
    case Kind::roll_call:
    case Kind::call_out:
      return Lane::flash;
    case Kind::resource:
      return change == ResourceChange::state ? Lane::normal : Lane::bulk;
    case Kind::attachment:
      return Lane::bulk;
    default:
      return Lane::normal;
  }
}

std::string alert_entity(RegionCode home, std::string_view sender, std::string_view identifier, TimeMs sent) {
  return fmt::format("{:06}:alert:{},{},{}", home.value, sender, identifier, utc_text(sent));
}

std::string incident_entity(RegionCode home, std::string_view case_reference) {
  return fmt::format("{:06}:incident:{}", home.value, case_reference);
}

std::string resource_entity(RegionCode home, std::string_view local_name) {
  return fmt::format("{:06}:resource:{}", home.value, local_name);
}

std::string mobilisation_entity(RegionCode home, std::string_view originating_id) {
  return fmt::format("{:06}:mobilisation:{}", home.value, originating_id);
}

std::string retention_entity(RegionCode home, Lane lane, const Audience& audience) {
  return fmt::format("{:06}:retention:{}/{}", home.value, to_word(lane), audience.text());
}

std::string override_entity(RegionCode home, Epoch epoch) {
  return fmt::format("{:06}:override:{}", home.value, epoch.value);
}

namespace {

bool is_kind_letter(char c) {
  return (c >= 'a' && c <= 'z') || c == '_';
}

// Of an id without fault, in one pass: every event has one, and most have nothing to refuse.
std::optional<RegionCode> home_of_good(std::string_view entity) {
  constexpr std::size_t kDigits = 6;
  if (entity.size() <= kDigits || entity.size() > kMaxEntityBytes || entity[kDigits] != ':') return std::nullopt;
  std::size_t end = kDigits + 1;
  while (end < entity.size() && is_kind_letter(entity[end])) ++end;
  const bool formed = end > kDigits + 1 && end + 1 < entity.size() && entity[end] == ':' && is_line(entity.substr(end + 1));
  if (!formed) return std::nullopt;
  const auto region = parse_region(entity.substr(0, kDigits));
  return region ? std::optional(*region) : std::nullopt;
}

}  // namespace

Result<RegionCode> home_region(std::string_view entity) {
  if (const auto home = home_of_good(entity)) return *home;
  const auto wrong = [](std::string_view why) {
    return refuse(RefusalCode::invalid_field, "entity",
                  fmt::format("{}; write <home region>:<kind>:<name>, e.g. 330800:resource:team-17", why));
  };
  if (entity.size() > kMaxEntityBytes) return wrong(fmt::format("an entity id has at most {} bytes", kMaxEntityBytes));
  const std::size_t first = entity.find(':');
  const std::size_t second = first == std::string_view::npos ? first : entity.find(':', first + 1);
  if (second == std::string_view::npos) return wrong("an entity id has three parts");
  const auto region = parse_region(entity.substr(0, first));
  if (!region) return wrong("an entity id begins with its home region's 6 digits");
  const std::string_view kind = entity.substr(first + 1, second - first - 1);
  const bool is_kind = !kind.empty() && std::ranges::all_of(kind, is_kind_letter);
  if (!is_kind) return wrong("an entity id's kind is lower case letters and '_'");
  const std::string_view name = entity.substr(second + 1);
  if (name.empty() || !is_line(name)) return wrong("an entity id's name is one line of UTF-8 text, not empty");
  return *region;
}

}  // namespace lianxi
