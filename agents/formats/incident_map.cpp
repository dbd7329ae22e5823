#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include "agents/formats/records.h"
#include "agents/formats/target_words.h"
#include "agents/formats/text.h"
#include "schemas/codec/event_codec.h"
#include "schemas/vocabulary.h"

namespace lianxi::formats {
namespace {

using Text = std::string IncidentReport::*;
using Count = std::optional<std::int32_t> IncidentReport::*;

struct TextTarget {
  std::string_view name;
  Text member;
};
constexpr std::array<TextTarget, 7> kTexts = {{{"case_reference", &IncidentReport::case_reference},
                                               {"event_code", &IncidentReport::event_code},
                                               {"title", &IncidentReport::title},
                                               {"text", &IncidentReport::text},
                                               {"address", &IncidentReport::address},
                                               {"own_reference", &IncidentReport::own_reference},
                                               {"reporter", &IncidentReport::reporter}}};
struct CountTarget {
  std::string_view name;
  Count member;
};
constexpr std::array<CountTarget, 5> kCounts = {{{"deaths", &IncidentReport::deaths},
                                                 {"missing", &IncidentReport::missing},
                                                 {"injured", &IncidentReport::injured},
                                                 {"trapped", &IncidentReport::trapped},
                                                 {"affected", &IncidentReport::affected}}};
constexpr std::array<std::string_view, 9> kOthers = {"report_type", "incident_class", "state",  "lon",        "lat",
                                                     "place",       "level",          "status", "occurred_at"};

template <class E>
Result<void> as_word(const std::string& word) {
  const auto value = parse_word<E>(word);
  if (!value) return tl::unexpected(value.error());
  return {};
}

// One record on its way to an event; the first fault is kept.
class Reader {
 public:
  Reader(const Source& source, const std::vector<NameValue>& fields) : source_(source), fields_(fields) {}

  Result<Event> read() {
    Event event;
    IncidentReport report;
    for (const TextTarget& target : kTexts) report.*target.member = ours(std::string(target.name));
    for (const CountTarget& target : kCounts) report.*target.member = count(std::string(target.name));
    report.report_type = word("report_type", ReportType::first);
    report.incident_class = word("incident_class", IncidentClass::unknown);
    report.state = word("state", IncidentState::reported);
    report.location = location();
    Envelope& envelope = event.envelope;
    envelope.kind = Kind::incident;
    envelope.status = word("status", source_.status);
    envelope.place = place();
    envelope.agency = source_.agency;
    envelope.level = word("level", Level::none);
    envelope.audience = source_.audience;
    envelope.occurred_at = time();
    require("case_reference", report.case_reference);
    envelope.entity = incident_entity(source_.region, report.case_reference);
    keep_words(report.fields);
    if (fault_) return tl::unexpected(*fault_);
    event.body = std::move(report);
    if (const auto checked = check_event(event); !checked) return tl::unexpected(checked.error());
    return event;
  }

 private:
  void fail(RefusalCode code, const std::string& target, const std::string& why) {
    if (fault_) return;
    const auto rule = source_.map.find(target);
    const std::string theirs = rule == source_.map.end() ? target : listed(rule->second.names);
    fault_ = Refusal{code, theirs, theirs + " (our " + target + "): " + why, 0};
  }
  void require(const char* target, const std::string& text) {
    if (text.empty()) fail(RefusalCode::missing_field, target, "it is empty or not there, and every report needs it");
  }

  // The agency's text, joined; empty if they say nothing.
  std::string theirs(const std::string& target) {
    const auto rule = source_.map.find(target);
    if (rule == source_.map.end()) return {};
    std::string text;
    for (const std::string& name : rule->second.names) {
      const auto field = std::ranges::find(fields_, name, &NameValue::name);
      if (field == fields_.end()) continue;
      const std::string part(trimmed(field->value));
      if (part.empty() || source_.empty.contains(part)) continue;
      text += (text.empty() ? "" : rule->second.join) + part;
    }
    return text;
  }
  // In our words: through the table of values, else as it is; the default where there is nothing.
  std::string ours(const std::string& target) {
    std::string text = theirs(target);
    if (text.empty()) {
      const auto otherwise = source_.defaults.find(target);
      return otherwise == source_.defaults.end() ? std::string{} : otherwise->second;
    }
    const auto table = source_.values.find(target);
    if (table == source_.values.end()) return text;
    auto found = table->second.find(text);
    if (found == table->second.end()) found = table->second.find("*");
    if (found != table->second.end()) return found->second;
    std::vector<std::string> known;
    for (const auto& [word, value] : table->second) known.push_back(word);
    fail(RefusalCode::invalid_field, target,
         "\"" + shortened(text) + "\" is not a word of the mapping; known are " + listed(known) + "; add it there, or \"*\"");
    return {};
  }

  template <class E>
  E word(const std::string& target, E otherwise) {
    const std::string text = ours(target);
    if (text.empty()) return otherwise;
    const auto value = parse_word<E>(text);
    if (!value) fail(RefusalCode::invalid_field, target, value.error().reason);
    return value.value_or(otherwise);
  }
  std::optional<std::int32_t> count(const std::string& target) {
    const std::string text = ours(target);
    if (text.empty()) return std::nullopt;
    const auto value = number<std::int32_t>(text);
    if (!value || *value < 0) {
      fail(RefusalCode::invalid_field, target, "\"" + shortened(text) + "\" is not a whole number of persons from 0");
    }
    return value;
  }
  PlaceCode place() {
    const std::string text = ours("place");
    if (text.empty()) return source_.place;
    const auto code = PlaceCode::parse(text);
    if (!code) fail(RefusalCode::invalid_field, "place", code.error().reason);
    return code.value_or(source_.place);
  }
  TimeMs time() {
    const std::string text = theirs("occurred_at");
    require("occurred_at", text);
    const auto value = read_time(text, source_.time);
    if (!value) fail(RefusalCode::invalid_field, "occurred_at", value.error().reason);
    return value.value_or(0);
  }
  std::optional<LonLat> location() {
    const std::string lon = theirs("lon");
    const std::string lat = theirs("lat");
    if (lon.empty() && lat.empty()) return std::nullopt;
    const auto x = number<double>(lon);
    const auto y = number<double>(lat);
    if (!x || std::abs(*x) > 180)
      fail(RefusalCode::invalid_field, "lon", "\"" + shortened(lon) + "\" is not a longitude in degrees");
    if (!y || std::abs(*y) > 90)
      fail(RefusalCode::invalid_field, "lat", "\"" + shortened(lat) + "\" is not a latitude in degrees");
    if (!x || !y || !source_.datum) return std::nullopt;
    if (*x == 0 && *y == 0) return std::nullopt;  // how dispatch systems write that they do not know
    return to_cgcs2000({*x, *y}, *source_.datum);
  }

  // What is not mapped, and the agency's own code words behind a table of values.
  void keep_words(std::vector<NameValue>& kept) {
    const auto is_mapped = [&](const std::string& name) {
      return std::ranges::any_of(source_.map, [&](const auto& rule) {
        return !source_.values.contains(rule.first) && std::ranges::find(rule.second.names, name) != rule.second.names.end();
      });
    };
    for (const NameValue& field : fields_) {
      if (field.value.empty() || source_.drop.contains(field.name) || is_mapped(field.name)) continue;
      kept.push_back(field);
    }
  }

  const Source& source_;
  const std::vector<NameValue>& fields_;
  std::optional<Refusal> fault_;
};

}  // namespace

const std::vector<std::string>& incident_targets() {
  static const std::vector<std::string> kAll = [] {
    std::vector<std::string> all;
    for (const TextTarget& target : kTexts) all.emplace_back(target.name);
    for (const CountTarget& target : kCounts) all.emplace_back(target.name);
    for (const std::string_view name : kOthers) all.emplace_back(name);
    std::ranges::sort(all);
    return all;
  }();
  return kAll;
}

Result<void> check_target_word(std::string_view target, const std::string& word) {
  if (target == "report_type") return as_word<ReportType>(word);
  if (target == "incident_class") return as_word<IncidentClass>(word);
  if (target == "state") return as_word<IncidentState>(word);
  if (target == "level") return as_word<Level>(word);
  if (target == "status") return as_word<Status>(word);
  if (target == "place") {
    const auto code = PlaceCode::parse(word);
    if (!code) return tl::unexpected(code.error());
  }
  if (target == "lon" || target == "lat" || target == "occurred_at" || target == "case_reference") {
    return refuse(RefusalCode::config, "", "it comes from each record alone: it has no default and no table of words");
  }
  return {};
}

Result<Event> incident_event(const Source& source, const std::vector<NameValue>& fields) {
  return Reader(source, fields).read();
}

}  // namespace lianxi::formats
