// Events from JSON: every mistake named by its path, nothing unknown passed over.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "schemas/codec/event_codec.h"
#include "schemas/codec/json.h"
#include "schemas/codec/json_fields.h"
#include "schemas/limits.h"
#include "schemas/vocabulary.h"

namespace lianxi {
namespace {

using codec::fields;
using nlohmann::json;

// Reads one object; the first fault of all is kept in `fault`, with its path.
class Reader {
 public:
  template <class T>
  using Ref = T&;

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
  void maybe_word(const char* name, std::optional<E>& value) {
    if (const json* found = find(name)) read_word(name, *found, value.emplace());
  }
  template <class E>
  void required_word(const char* name, E& value) {
    if (require(name)) word(name, value);
  }
  template <class E>
  void words(const char* name, std::vector<E>& values) {
    each(name, [&](const json& item, const std::string& at) { read_word(at, item, values.emplace_back()); });
  }
  void groups(const char* name, ResourceGroups& groups) {
    std::vector<ResourceGroup> read;
    words(name, read);
    for (const ResourceGroup group : read) groups.add(group);
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
  template <class T>
  void count(const char* name, T& value) {
    std::optional<std::int64_t> read;
    number(name, read);
    if (!read) return;
    if (!std::in_range<T>(*read)) return wrong(name, "it must be a whole number within its range");
    value = static_cast<T>(*read);
  }
  template <class T>
  void required_count(const char* name, T& value) {
    if (require(name)) count(name, value);
  }
  void regions(const char* name, std::vector<RegionCode>& values) {
    each(name, [&](const json& item, const std::string& at) {
      if (!item.is_string()) return wrong(at, "it must be text: a region's 6 digits");
      const auto region = parse_region(item.get<std::string>());
      if (!region) return wrong(at, region.error().reason);
      values.push_back(*region);
    });
  }
  void hash(const char* name, Hash& value) {
    std::string written;
    required_text(name, written);
    if (fault_) return;
    const auto read = hash_from_hex(written);
    if (!read) return wrong(name, "a hash has 64 digits of 0 to 9 and a to f");
    value = *read;
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
  void points(const char* name, std::vector<LonLat>& ring) {
    if (const json* found = find(name)) read_ring(name, *found, ring);
  }
  void polygons(const char* name, std::vector<std::vector<LonLat>>& polygons) {
    each(name, [&](const json& item, const std::string& at) { read_ring(at, item, polygons.emplace_back()); });
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
  void read_ring(const std::string& name, const json& from, std::vector<LonLat>& ring) {
    if (!from.is_array()) return wrong(name, "a polygon is a list of [lon, lat]");
    for (const json& point : from) {
      const bool pair = point.is_array() && point.size() == 2 && point[0].is_number() && point[1].is_number();
      if (!pair) return wrong(name, "a polygon is a list of [lon, lat]");
      ring.push_back({point[0].get<double>(), point[1].get<double>()});
    }
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
    case Kind::mobilisation:
      return fields(in, event.body.emplace<Mobilisation>());
    case Kind::retention:
      return fields(in, event.body.emplace<Retention>());
    case Kind::override:
      return fields(in, event.body.emplace<Override>());
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
