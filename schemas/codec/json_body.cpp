// Bodies of events as JSON.
#include <nlohmann/json.hpp>

#include "schemas/codec/json_fields.h"
#include "schemas/codec/json_parts.h"
#include "schemas/vocabulary.h"

namespace lianxi::codec {
namespace {

using nlohmann::ordered_json;

class Writer {
 public:
  template <class T>
  using Ref = const T&;

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
  void maybe_word(const char* name, const std::optional<E>& value) {
    if (value) word(name, *value);
  }
  template <class E>
  void required_word(const char* name, E value) {
    word(name, value);
  }
  template <class E>
  void words(const char* name, const std::vector<E>& values) {
    for (const E value : values) out_[name].push_back(to_word(value));
  }
  void groups(const char* name, const ResourceGroups& groups) {
    for (std::size_t i = 0; i < kResourceGroups; ++i) {
      if (const auto group = static_cast<ResourceGroup>(i); groups.has(group)) out_[name].push_back(to_word(group));
    }
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
  void count(const char* name, std::uint64_t value) {
    if (value != 0) out_[name] = value;
  }
  template <class T>
  void required_count(const char* name, T value) {
    out_[name] = value;
  }
  void regions(const char* name, const std::vector<RegionCode>& values) {
    for (const RegionCode region : values) out_[name].push_back(to_text(region));
  }
  void hash(const char* name, const Hash& value) { out_[name] = to_hex(value); }
  void thousandths(const char* name, std::int64_t value) { out_[name] = codec::json_thousandths(value); }
  void point(const std::optional<LonLat>& value) {
    if (!value) return;
    out_["lon"] = value->lon;
    out_["lat"] = value->lat;
  }
  void points(const char* name, const std::vector<LonLat>& ring) {
    if (!ring.empty()) out_[name] = list_of(ring);
  }
  void polygons(const char* name, const std::vector<std::vector<LonLat>>& polygons) {
    for (const auto& polygon : polygons) out_[name].push_back(list_of(polygon));
  }
  template <class T>
  void list(const char* name, const std::vector<T>& items);

 private:
  static ordered_json list_of(const std::vector<LonLat>& ring) {
    ordered_json points = ordered_json::array();
    for (const LonLat& point : ring) points.push_back({point.lon, point.lat});
    return points;
  }
  ordered_json& out_;
};

template <class T>
void Writer::list(const char* name, const std::vector<T>& items) {
  for (const T& item : items) {
    ordered_json object = ordered_json::object();
    Writer writer(object);
    fields(writer, item);
    out_[name].push_back(std::move(object));
  }
}

}  // namespace

ordered_json json_thousandths(std::int64_t milli) {
  if (milli % 1000 == 0) return milli / 1000;
  return static_cast<double>(milli) / 1000;
}

void write_json_fields(ordered_json& to, const Mobilisation& mobilisation) {
  Writer out(to);
  fields(out, mobilisation);
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

}  // namespace lianxi::codec
