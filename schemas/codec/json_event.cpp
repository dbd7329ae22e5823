// Events to JSON and back. One function per table names its fields for both directions, so that what is printed reads back.
#include <fmt/format.h>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "schemas/codec/event_codec.h"
#include "schemas/codec/json.h"
#include "schemas/codec/json_parts.h"
#include "schemas/vocabulary.h"

namespace lianxi {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

class Writer {
 public:
  template <class T>
  using Ref = const T&;
  static constexpr bool kReads = false;

  explicit Writer(ordered_json& out) : out_(out) {}

  void text(const char* name, const std::string& value) {
    if (!value.empty()) out_[name] = value;
  }
  void required_text(const char* name, const std::string& value) { out_[name] = value; }
  template <class E>
  void word(const char* name, E value) {
    out_[name] = to_word(value);
  }
  template <class E>
  void required_word(const char* name, E value) {
    word(name, value);
  }
  template <class E>
  void words(const char* name, const std::vector<E>& values) {
    for (const E value : values) out_[name].push_back(to_word(value));
  }
  void texts(const char* name, const std::vector<std::string>& values) {
    if (!values.empty()) out_[name] = values;
  }
  void required_time(const char* name, TimeMs value) { out_[name] = to_iso8601(value); }
  void time(const char* name, const std::optional<TimeMs>& value) {
    if (value) out_[name] = to_iso8601(*value);
  }
  template <class T>
  void number(const char* name, const std::optional<T>& value) {
    if (value) out_[name] = *value;
  }
  void required_number(const char* name, double value) { out_[name] = value; }
  void thousandths(const char* name, std::int64_t value) { out_[name] = codec::json_thousandths(value); }
  void point(const std::optional<LonLat>& value) {
    if (!value) return;
    out_["lon"] = value->lon;
    out_["lat"] = value->lat;
  }
  void polygons(const char* name, const std::vector<std::vector<LonLat>>& polygons) {
    for (const auto& polygon : polygons) {
      ordered_json points = ordered_json::array();
      for (const LonLat& point : polygon) points.push_back({point.lon, point.lat});
      out_[name].push_back(std::move(points));
    }
  }
  template <class T>
  void list(const char* name, const std::vector<T>& items);

 private:
  ordered_json& out_;
};

// Reads one object; the first fault of all is kept in `fault`, with its path.
class Reader {
 public:
  template <class T>
  using Ref = T&;
  static constexpr bool kReads = true;

  Reader(const json& from, std::string path, std::optional<Refusal>& fault) : from_(from), path_(std::move(path)), fault_(fault) {
    if (!from_.is_object())
      fail(RefusalCode::invalid_field, path_.empty() ? "" : path_.substr(0, path_.size() - 1), "it must be an object");
  }

  void text(const char* name, std::string& value) {
    const json* found = find(name);
    if (found == nullptr) return;
    if (!found->is_string()) return wrong(name, "it must be text");
    value = found->get<std::string>();
  }
  void required_text(const char* name, std::string& value) {
    if (require(name)) text(name, value);
  }
  template <class E>
  void word(const char* name, E& value) {
    if (const json* found = find(name)) read_word(name, *found, value);
  }
  template <class E>
  void required_word(const char* name, E& value) {
    if (require(name)) word(name, value);
  }
  template <class E>
  void words(const char* name, std::vector<E>& values) {
    each(name, [&](const json& item, const std::string& at) { read_word(at, item, values.emplace_back()); });
  }
  void texts(const char* name, std::vector<std::string>& values) {
    each(name, [&](const json& item, const std::string& at) {
      if (!item.is_string()) return wrong(at, "it must be text");
      values.push_back(item.get<std::string>());
    });
  }
  void required_time(const char* name, TimeMs& value) {
    if (!require(name)) return;
    std::optional<TimeMs> read;
    time(name, read);
    value = read.value_or(0);
  }
  void time(const char* name, std::optional<TimeMs>& value) {
    std::string written;
    text(name, written);
    if (written.empty()) return;
    auto read = parse_iso8601(written);
    if (!read) return wrong(name, std::move(read.error().reason));
    value = *read;
  }
  template <class T>
  void number(const char* name, std::optional<T>& value) {
    const json* found = find(name);
    if (found == nullptr) return;
    if constexpr (std::is_floating_point_v<T>) {
      if (!found->is_number()) return wrong(name, "it must be a number");
      value = found->get<double>();
    } else {
      // A number above int64 reads as unsigned and would wrap.
      const bool fits = found->is_number_integer() &&
                        (!found->is_number_unsigned() || found->get<std::uint64_t>() <= INT64_MAX) &&
                        std::in_range<T>(found->get<std::int64_t>());
      if (!fits) return wrong(name, "it must be a whole number within its range");
      value = static_cast<T>(found->get<std::int64_t>());
    }
  }
  void required_number(const char* name, double& value) {
    std::optional<double> read;
    if (require(name)) number(name, read);
    value = read.value_or(0);
  }
  void thousandths(const char* name, std::int64_t& value) {
    std::optional<double> read;
    number(name, read);
    if (!read) return;
    constexpr double kMost = 9e12;
    const double milli = std::round(*read * 1000);
    if (!(std::abs(*read) <= kMost)) return wrong(name, "it is out of range");
    if (std::abs(*read * 1000 - milli) > 1e-3) return wrong(name, "it has more than three decimals");
    value = static_cast<std::int64_t>(milli);
  }
  void point(std::optional<LonLat>& value) {
    std::optional<double> lon;
    std::optional<double> lat;
    number("lon", lon);
    number("lat", lat);
    if (lon.has_value() != lat.has_value()) return wrong(lon ? "lat" : "lon", "lon and lat come together");
    if (lon) value = LonLat{*lon, *lat};
  }
  void polygons(const char* name, std::vector<std::vector<LonLat>>& polygons) {
    each(name, [&](const json& item, const std::string& at) {
      std::vector<LonLat>& polygon = polygons.emplace_back();
      if (!item.is_array()) return wrong(at, "a polygon is a list of [lon, lat]");
      for (const json& point : item) {
        const bool pair = point.is_array() && point.size() == 2 && point[0].is_number() && point[1].is_number();
        if (!pair) return wrong(at, "a polygon is a list of [lon, lat]");
        polygon.push_back({point[0].get<double>(), point[1].get<double>()});
      }
    });
  }
  template <class T>
  void list(const char* name, std::vector<T>& items);

  // A value that has its own parser: place, audience.
  template <class T>
  void parsed(const char* name, T& value) {
    std::string written;
    required_text(name, written);
    if (fault_) return;
    auto read = T::parse(written);
    if (!read) return wrong(name, std::move(read.error().reason));
    value = std::move(*read);
  }
  [[nodiscard]] bool has(const char* name) const { return from_.is_object() && from_.contains(name); }

  // What nobody asked for is a typo.
  void finish() {
    if (!from_.is_object()) return;
    for (const auto& [name, value] : from_.items()) {
      if (!known_.contains(name)) wrong(name, fmt::format("no such field here; known are: {}", fmt::join(known_, ", ")));
    }
  }

 private:
  const json* find(const char* name) {
    known_.insert(name);
    if (fault_ || !from_.is_object()) return nullptr;
    const auto& object = from_.get_ref<const json::object_t&>();
    const auto at = object.find(name);
    return at == object.end() || at->second.is_null() ? nullptr : &at->second;
  }
  bool require(const char* name) {
    if (find(name) == nullptr) fail(RefusalCode::missing_field, path_ + name, "it is required");
    return !fault_;
  }
  template <class Read>
  void each(const char* name, Read read) {
    const json* found = find(name);
    if (found == nullptr) return;
    if (!found->is_array()) return wrong(name, "it must be a list");
    std::size_t i = 0;
    for (const json& item : *found) {
      if (fault_) return;
      read(item, fmt::format("{}[{}]", name, i++));
    }
  }
  template <class E>
  void read_word(const std::string& name, const json& from, E& value) {
    if (!from.is_string()) return wrong(name, "it must be a word");
    auto read = parse_word<E>(from.get<std::string>());
    if (!read) return wrong(name, std::move(read.error().reason));
    value = *read;
  }
  void wrong(const std::string& name, std::string reason) { fail(RefusalCode::invalid_field, path_ + name, std::move(reason)); }
  void fail(RefusalCode code, std::string field, std::string reason) {
    if (!fault_) fault_ = Refusal{code, std::move(field), std::move(reason), 0};
  }

  const json& from_;
  std::string path_;
  std::optional<Refusal>& fault_;
  std::set<std::string, std::less<>> known_;
};

// --- the names of every table's fields ---

template <class A>
void fields(A& a, typename A::template Ref<NameValue> v) {
  a.required_text("name", v.name);
  a.required_text("value", v.value);
}

template <class A>
void fields(A& a, typename A::template Ref<AlertReference> v) {
  a.required_text("sender", v.sender);
  a.required_text("identifier", v.identifier);
  a.required_time("sent", v.sent);
}

template <class A>
void fields(A& a, typename A::template Ref<Circle> v) {
  a.required_number("lon", v.centre.lon);
  a.required_number("lat", v.centre.lat);
  a.required_number("radius_m", v.radius_m);
}

template <class A>
void fields(A& a, typename A::template Ref<AlertArea> v) {
  a.required_text("description", v.description);
  a.polygons("polygons", v.polygons);
  a.list("circles", v.circles);
  a.list("geocodes", v.geocodes);
  a.number("altitude_ft", v.altitude_ft);
  a.number("ceiling_ft", v.ceiling_ft);
}

template <class A>
void fields(A& a, typename A::template Ref<AlertResource> v) {
  a.required_text("description", v.description);
  a.text("mime_type", v.mime_type);
  a.number("size_bytes", v.size_bytes);
  a.text("uri", v.uri);
  a.text("digest", v.digest);
}

template <class A>
void fields(A& a, typename A::template Ref<AlertInfo> v) {
  a.text("language", v.language);
  a.words("categories", v.categories);
  a.required_text("event", v.event);
  a.words("response_types", v.response_types);
  a.required_word("urgency", v.urgency);
  a.required_word("severity", v.severity);
  a.required_word("certainty", v.certainty);
  a.text("audience_text", v.audience_text);
  a.list("event_codes", v.event_codes);
  a.time("effective", v.effective);
  a.time("onset", v.onset);
  a.time("expires", v.expires);
  a.text("sender_name", v.sender_name);
  a.text("headline", v.headline);
  a.text("description", v.description);
  a.text("instruction", v.instruction);
  a.text("web", v.web);
  a.text("contact", v.contact);
  a.list("parameters", v.parameters);
  a.list("resources", v.resources);
  a.list("areas", v.areas);
}

template <class A>
void fields(A& a, typename A::template Ref<Alert> v) {
  a.required_text("identifier", v.identifier);
  a.required_text("sender", v.sender);
  a.required_time("sent", v.sent);
  a.required_word("msg_type", v.msg_type);
  a.required_word("scope", v.scope);
  a.text("source", v.source);
  a.text("restriction", v.restriction);
  a.texts("addresses", v.addresses);
  a.texts("codes", v.codes);
  a.text("note", v.note);
  a.list("references", v.references);
  a.texts("incidents", v.incidents);
  a.list("infos", v.infos);
}

template <class A>
void fields(A& a, typename A::template Ref<IncidentReport> v) {
  a.required_text("case_reference", v.case_reference);
  a.required_word("report_type", v.report_type);
  a.word("class", v.incident_class);
  a.word("state", v.state);
  a.text("event_code", v.event_code);
  a.text("title", v.title);
  a.text("text", v.text);
  a.text("address", v.address);
  a.point(v.location);
  a.number("deaths", v.deaths);
  a.number("missing", v.missing);
  a.number("injured", v.injured);
  a.number("trapped", v.trapped);
  a.number("affected", v.affected);
  a.text("own_reference", v.own_reference);
  a.text("reporter", v.reporter);
  a.list("fields", v.fields);
}

template <class A>
void fields(A& a, typename A::template Ref<Resource> v) {
  a.required_word("change", v.change);
  a.required_word("type", v.type);
  a.text("name", v.name);
  a.text("owner", v.owner);
  a.text("address", v.address);
  a.point(v.location);
  a.texts("capabilities", v.capabilities);
  a.word("state", v.state);
  a.thousandths("quantity", v.quantity_milli);
  a.text("unit", v.unit);
  a.number("capacity", v.capacity);
  a.number("occupancy", v.occupancy);
  a.text("supply_code", v.supply_code);
  a.text("contact", v.contact);
  a.text("phone", v.phone);
  a.list("attributes", v.attributes);
}

template <class T>
void Writer::list(const char* name, const std::vector<T>& items) {
  for (const T& item : items) {
    ordered_json object = ordered_json::object();
    Writer writer(object);
    fields(writer, item);
    out_[name].push_back(std::move(object));
  }
}

template <class T>
void Reader::list(const char* name, std::vector<T>& items) {
  each(name, [&](const json& item, const std::string& at) {
    Reader reader(item, path_ + at + ".", fault_);
    fields(reader, items.emplace_back());
    reader.finish();
  });
}

// --- reading a whole event ---

void read_body(Reader& in, Event& event) {
  switch (event.envelope.kind) {
    case Kind::alert:
      return fields(in, event.body.emplace<Alert>());
    case Kind::incident:
      return fields(in, event.body.emplace<IncidentReport>());
    case Kind::resource:
      return fields(in, event.body.emplace<Resource>());
    default:
      return;
  }
}

// What the author left out and the rest of the event says: an alert's time, and the name of an entity that its body names,
// at home in the city of its place.
void complete(Event& event, bool has_time) {
  Envelope& envelope = event.envelope;
  const std::string city = envelope.place.text().substr(0, 4) + "00";
  const auto home = parse_region(city);
  if (!home) return;
  if (const auto* alert = std::get_if<Alert>(&event.body)) {
    if (!has_time) envelope.occurred_at = alert->sent;
    if (envelope.entity.empty()) envelope.entity = alert_entity(*home, alert->sender, alert->identifier, alert->sent);
  } else if (const auto* report = std::get_if<IncidentReport>(&event.body)) {
    if (envelope.entity.empty()) envelope.entity = incident_entity(*home, report->case_reference);
  }
}

// nlohmann keeps the last of two equal names without a word; a name that comes twice is a mistake like any other.
class Duplicates {
 public:
  bool operator()(int /*depth*/, json::parse_event_t event, const json& parsed) {
    if (event == json::parse_event_t::object_start) open_.emplace_back();
    if (event == json::parse_event_t::object_end) open_.pop_back();
    if (event == json::parse_event_t::key && !open_.back().insert(parsed.get<std::string>()).second && found_.empty()) {
      found_ = parsed.get<std::string>();
    }
    return true;
  }
  [[nodiscard]] const std::string& found() const { return found_; }

 private:
  std::vector<std::set<std::string>> open_;
  std::string found_;
};

Result<Event> read_event(const json& from) {
  std::optional<Refusal> fault;
  Reader in(from, "", fault);
  Event event;
  Envelope& envelope = event.envelope;
  in.required_word("kind", envelope.kind);
  const bool names_itself = envelope.kind == Kind::alert || envelope.kind == Kind::incident;
  if (names_itself) {
    in.text("entity", envelope.entity);
  } else {
    in.required_text("entity", envelope.entity);
  }
  in.word("status", envelope.status);
  in.parsed("place", envelope.place);
  in.required_text("agency", envelope.agency);
  in.word("level", envelope.level);
  in.parsed("audience", envelope.audience);
  const bool has_time = in.has("occurred_at");
  if (has_time || envelope.kind != Kind::alert) in.required_time("occurred_at", envelope.occurred_at);
  std::optional<TimeMs> unused;
  in.time("occurred_at", unused);
  read_body(in, event);
  in.finish();
  if (fault) return tl::unexpected(std::move(*fault));
  complete(event, has_time);
  if (auto checked = check_event(event); !checked) return tl::unexpected(std::move(checked.error()));
  return event;
}

}  // namespace

namespace codec {

ordered_json json_thousandths(std::int64_t milli) {
  if (milli % 1000 == 0) return milli / 1000;
  return static_cast<double>(milli) / 1000;
}

void write_json_body(ordered_json& to, const Event& event) {
  Writer out(to);
  out.required_text("entity", event.envelope.entity);
  out.word("status", event.envelope.status);
  out.required_text("place", event.envelope.place.text());
  out.required_text("agency", event.envelope.agency);
  out.word("level", event.envelope.level);
  out.required_time("occurred_at", event.envelope.occurred_at);
  std::visit(
      [&]<class T>(const T& body) {
        if constexpr (!std::is_same_v<T, std::monostate>) fields(out, body);
      },
      event.body);
}

}  // namespace codec

Result<Event> event_from_json(std::string_view text) {
  constexpr std::size_t kMaxJsonBytes = 4 * kMaxBodyBytes;
  if (text.size() > kMaxJsonBytes) {
    return refuse(RefusalCode::oversize, "",
                  fmt::format("{} bytes of JSON; an event has at most {}", text.size(), kMaxJsonBytes));
  }
  try {
    Duplicates duplicates;
    const json parsed = json::parse(text, std::ref(duplicates));
    if (!duplicates.found().empty()) {
      return refuse(RefusalCode::invalid_field, duplicates.found(), "the name stands twice in one object");
    }
    return read_event(parsed);
  } catch (const json::exception& error) {
    return refuse(RefusalCode::malformed, "", fmt::format("not JSON: {}", error.what()));
  }
}

}  // namespace lianxi
