#include <algorithm>
#include <array>

#include "agents/formats/cap.h"
#include "agents/formats/text.h"
#include "schemas/vocabulary.h"

namespace lianxi::formats {
namespace {

// First two digits of GB/T 2260: provinces and what ranks with them.
constexpr std::array<std::string_view, 34> kProvinces = {"11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34",
                                                         "35", "36", "37", "41", "42", "43", "44", "45", "46", "50", "51", "52",
                                                         "53", "54", "61", "62", "63", "64", "65", "71", "81", "82"};
constexpr std::size_t kPlaceDigits12379 = 6;

// The digits of a code that name something: 330802000000 -> 330802, 330800 -> 3308. Empty if it is not a Chinese code.
std::string significant_digits(std::string_view code) {
  if (!all_digits(code) || (code.size() != 6 && code.size() != 9 && code.size() != 12)) return {};
  if (std::ranges::find(kProvinces, code.substr(0, 2)) == kProvinces.end()) return {};
  while (code.size() > 6 && code.ends_with("000")) code.remove_suffix(3);
  while (code.size() <= 6 && code.ends_with("00")) code.remove_suffix(2);
  return std::string(code);
}

// ZZZZZZDDDUUUXX_YYYYMMDDhhmmss[_N]: the warning identifiers of 12379 begin with the place.
std::string place_of_12379(std::string_view identifier) {
  constexpr std::size_t kHead = 14;
  constexpr std::size_t kTime = 14;
  if (identifier.size() < kHead + 1 + kTime || identifier[kHead] != '_' || !all_digits(identifier.substr(kHead + 1, kTime)))
    return {};
  return significant_digits(identifier.substr(0, kPlaceDigits12379));
}

// Cut to the nearest level: province 2, city 4, county 6, town 9, village 12 digits.
std::string common_prefix(const std::string& a, const std::string& b) {
  const auto end = std::ranges::mismatch(a, b).in1;
  const auto same = static_cast<std::size_t>(end - a.begin());
  constexpr std::array<std::size_t, 5> kLevels = {12, 9, 6, 4, 2};
  for (const std::size_t digits : kLevels) {
    if (same >= digits) return a.substr(0, digits);
  }
  return {};
}

PlaceCode place_of(const Alert& alert, const PlaceCode& fallback) {
  std::string prefix;
  bool any = false;
  for (const AlertInfo& info : alert.infos) {
    for (const AlertArea& area : info.areas) {
      for (const NameValue& geocode : area.geocodes) {
        for (const std::string_view word : words(geocode.value)) {
          std::string digits = significant_digits(word);
          if (digits.empty()) digits = place_of_12379(word);
          if (digits.empty()) continue;
          prefix = any ? common_prefix(prefix, digits) : digits;
          any = true;
        }
      }
    }
  }
  if (!any) prefix = place_of_12379(alert.identifier);
  return PlaceCode::parse(prefix).value_or(fallback);
}

Level level_of(const Alert& alert) {
  Level gravest = Level::none;
  for (const AlertInfo& info : alert.infos) {
    const Level level = lianxi::level_of(info.severity);
    if (level != Level::none && (gravest == Level::none || level < gravest)) gravest = level;
  }
  return gravest;
}

}  // namespace

Event alert_event(const CapDocument& document, const CapContext& context) {
  const Alert& alert = document.alert;
  Event event;
  event.envelope.kind = Kind::alert;
  event.envelope.entity = alert_entity(context.region, alert.sender, alert.identifier, alert.sent);
  event.envelope.status = document.status;
  event.envelope.place = place_of(alert, context.fallback_place);
  event.envelope.agency = context.agency;
  event.envelope.level = level_of(alert);
  const bool narrow = alert.scope != Scope::Public;
  event.envelope.audience = narrow && context.audience == Audience::conference() ? Audience::local() : context.audience;
  event.envelope.occurred_at = alert.sent;
  event.body = alert;
  return event;
}

}  // namespace lianxi::formats
