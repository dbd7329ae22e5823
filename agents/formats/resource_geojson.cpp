#include <deque>
#include <nlohmann/json.hpp>

#include "agents/formats/json_window.h"
#include "agents/formats/resource_words.h"
#include "agents/formats/row_file.h"
#include "agents/formats/text.h"
#include "schemas/text.h"

namespace lianxi::formats {
namespace {

using json = nlohmann::ordered_json;  // attributes keep their order

// One feature to the cells of a resource. Texts live as long as the feature and this.
class FeatureReader {
 public:
  FeatureReader(ResourceCells& cells, const BadCell& bad) : cells_(cells), bad_(bad) {}

  // False if something is wrong, which was told.
  bool read(const json& feature, std::optional<Datum> datum) {
    cells_.clear();
    texts_.clear();
    good_ = true;
    if (!feature.is_object() || feature.value("type", json()) != "Feature") {
      bad("type", "it is not an object with \"type\": \"Feature\"");
      return false;
    }
    for (const auto& [name, value] : feature.items()) {
      if (name == "id") {
        if (value.is_string() || value.is_number_integer()) {
          cells_.at(Column::id) = text_of(value, "id");
        } else {
          bad("id", "it is a text or a whole number");
        }
      } else if (name == "properties" && value.is_object()) {
        for (const auto& [key, property] : value.items()) read_property(key, property);
      } else if (name != "type" && name != "geometry" && name != "bbox" && !(name == "properties" && value.is_null())) {
        bad(shortened(name), "a feature has type, id, geometry and properties: put it there as attr.NAME");
      }
    }
    datum = datum_of(datum);
    if (feature.contains("geometry")) read_geometry(feature["geometry"], datum, true);
    return good_;
  }

 private:
  void bad(std::string_view where, std::string reason) {
    good_ = false;
    bad_(where, std::move(reason));
  }

  std::string_view text_of(const json& value, const std::string& where) {
    if (value.is_null()) return {};
    if (value.is_string()) {
      const auto& text = value.get_ref<const std::string&>();
      if (!is_text(text) && !text.empty()) bad(where, "it holds control characters");
      return trimmed(text);
    }
    if (value.is_number_integer()) return texts_.emplace_back(value.dump());
    if (value.is_number()) return texts_.emplace_back(degrees_text(value.get<double>()));
    bad(where, "it is a text or a number");
    return {};
  }

  // A list of texts, as the one text of a CSV.
  std::string_view list_of(const json& list, const std::string& where) {
    std::string joined;
    for (const json& each : list) {
      const std::string_view text = text_of(each, where);
      if (text.find(';') != std::string_view::npos) bad(where, "a text of a list holds no ';'");
      joined += (joined.empty() ? "" : ";") + std::string(text);
    }
    return texts_.emplace_back(std::move(joined));
  }

  void read_property(const std::string& key, const json& value) {
    const std::string where = "properties." + shortened(key);
    if (key == "attributes" && value.is_object()) {
      cells_.there.add(Column::attributes);
      for (const auto& [name, text] : value.items()) cells_.attributes.emplace_back(name, text_of(text, where + "." + name));
      return;
    }
    if (const auto attribute = attribute_named(key)) {
      cells_.there.add(Column::attributes);
      cells_.attributes.emplace_back(*attribute, text_of(value, where));
      return;
    }
    const auto column = column_named(key);
    if (!column) {
      bad(where, "the property is not known; known are " + all_headings());
      return;
    }
    if (!cells_.at(*column).empty()) {
      bad(where, "it stands twice: keep one of the two");
      return;
    }
    cells_.there.add(*column);
    const bool listed = *column == Column::capabilities || *column == Column::languages || *column == Column::on_call;
    cells_.at(*column) = listed && value.is_array() ? list_of(value, where) : text_of(value, where);
  }

  // RFC 7946: WGS-84, unless the file itself says otherwise.
  std::optional<Datum> datum_of(std::optional<Datum> datum) {
    const std::string_view said = cells_.at(Column::datum);
    if (said.empty()) {
      texts_.emplace_back(datum == Datum::gcj02 ? "GCJ02" : datum == Datum::cgcs2000 ? "CGCS2000" : "WGS84");
      cells_.at(Column::datum) = texts_.back();
      return datum.value_or(Datum::wgs84);
    }
    const auto parsed = parse_datum(said);
    if (!parsed) bad("properties.datum", parsed.error().reason);
    return parsed ? std::optional(*parsed) : std::nullopt;
  }

  std::optional<LonLat> position(const json& value, std::optional<Datum> datum) {
    if (!value.is_array() || value.size() != 2 || !value[0].is_number() || !value[1].is_number()) {
      bad("geometry.coordinates", "a position is [longitude, latitude] and no more");
      return std::nullopt;
    }
    const LonLat point{value[0].get<double>(), value[1].get<double>()};
    if (!(std::abs(point.lon) <= 180 && std::abs(point.lat) <= 90)) {
      bad("geometry.coordinates", "the longitude is within -180..180 and the latitude within -90..90: are the two exchanged?");
      return std::nullopt;
    }
    return to_cgcs2000(point, datum.value_or(Datum::wgs84));
  }

  void read_geometry(const json& geometry, std::optional<Datum> datum, bool outer) {
    if (geometry.is_null()) return;
    const json type = geometry.is_object() ? geometry.value("type", json()) : json();
    if (!cells_.at(Column::lon).empty() || !cells_.at(Column::lat).empty() || !cells_.at(Column::area).empty()) {
      bad("geometry", "properties say a place, too: keep one of the two");
      return;
    }
    const json coordinates = geometry.is_object() ? geometry.value("coordinates", json()) : json();
    if (type == "Point") {
      if (cells_.point) bad("geometry", "there are two points: a resource has one");
      cells_.there.add(Column::lon);
      cells_.there.add(Column::lat);
      cells_.point = position(coordinates, datum);
    } else if (type == "Polygon") {
      if (!cells_.ring.empty() || !coordinates.is_array() || coordinates.size() != 1 || !coordinates[0].is_array()) {
        bad("geometry.coordinates", "an area is one ring without holes");
        return;
      }
      cells_.there.add(Column::area);
      for (const json& each : coordinates[0]) {
        const auto point = position(each, datum);
        if (!point) return;
        cells_.ring.push_back(*point);
      }
    } else if (type == "GeometryCollection" && outer && geometry.contains("geometries") && geometry["geometries"].is_array()) {
      for (const json& each : geometry["geometries"]) read_geometry(each, datum, false);
    } else {
      bad("geometry.type", "a place is a Point, a Polygon, or a GeometryCollection of one of each");
    }
  }

  ResourceCells& cells_;
  const BadCell& bad_;
  std::deque<std::string> texts_;
  bool good_ = true;
};

class GeoJsonFile : public RowFile {
 public:
  GeoJsonFile(ReadBlock read, const ResourceFileContext& context)
      : RowFile("feature"), window_(std::move(read)), context_(context), datum_(context.default_datum) {}

 private:
  bool to_row() override {
    while (!over()) {
      if (!inside_ && !to_features()) return false;
      if (!inside_ || !to_feature()) continue;
      line_ = window_.line();
      const auto text = window_.value();
      if (!text) return end_with(text.error());
      feature_ = *text;
      return true;
    }
    return false;
  }
  bool broken(const std::string& reason) {
    return end_with({RefusalCode::malformed, "line " + std::to_string(window_.line()), reason, 0});
  }
  [[nodiscard]] std::string where() const override {
    return "feature " + std::to_string(rows_) + " (line " + std::to_string(line_) + ")";
  }

  // Members of the collection up to its features, or to its end. False: it is over.
  bool to_features() {
    if (!begun_) {
      if (window_.peek() != '{') return broken("the file is not a JSON object: a FeatureCollection is one");
      window_.take();
      begun_ = true;
    }
    for (;;) {
      char c = window_.peek();
      if (c == ',') {
        window_.take();
        c = window_.peek();
      }
      if (c == '}') return collection_ends();
      if (c != '"') return broken("a member of the collection begins with its name in quotation marks");
      const auto key = window_.value();
      if (!key) return end_with(key.error());
      const std::string name(*key);
      if (window_.peek() != ':') return broken("behind a member's name stands ':'");
      window_.take();
      if (name == "\"features\"") {
        if (had_features_) return broken("the collection has its features twice");
        if (window_.peek() != '[') return broken("features are a list");
        window_.take();
        inside_ = had_features_ = true;
        first_ = true;
        return true;
      }
      const auto text = window_.value();
      if (!text) return end_with(text.error());
      if (!read_member(name, *text)) return false;
    }
  }

  bool collection_ends() {
    window_.take();
    if (window_.peek() != 0) return broken("the file goes on behind the collection");
    if (!typed_) return broken("the collection does not say \"type\": \"FeatureCollection\"");
    if (!had_features_) return broken("the collection has no features");
    return false;
  }

  bool read_member(const std::string& name, std::string_view text) {
    const json value = json::parse(text, nullptr, false);
    if (value.is_discarded()) return broken("the member " + shortened(name) + " is not JSON");
    if (name == "\"type\"") {
      if (value != "FeatureCollection") return broken("the type is \"FeatureCollection\", not " + shortened(text));
      typed_ = true;
    }
    if (name != "\"datum\"" && name != "\"crs\"") return true;
    if (had_features_) return broken("the member " + name + " stands behind the features: put it before them");
    if (name == "\"crs\"") {
      if (text.find("CRS84") != std::string_view::npos || text.find("EPSG::4326") != std::string_view::npos) return true;
      return broken("RFC 7946 has no crs: convert to WGS-84, or say \"datum\": \"CGCS2000\" or \"GCJ-02\"");
    }
    const auto datum = parse_datum(value.is_string() ? value.get<std::string>() : std::string(text));
    if (!datum) return broken(datum.error().reason);
    datum_ = *datum;
    return true;
  }

  // To the next feature. False: there is none, or the file is over.
  bool to_feature() {
    char c = window_.peek();
    if (c == ']') {
      window_.take();
      inside_ = false;
      return false;
    }
    if (!first_) {
      if (c != ',') return broken("between features stands ','");
      window_.take();
      c = window_.peek();
    }
    first_ = false;
    if (c == 0 || c == ']' || c == ',') return broken("a feature is missing");
    return true;
  }

  bool read_row(Event& event) override {
    json feature;
    try {
      feature = json::parse(feature_);
    } catch (const json::exception& error) {
      bad("feature", std::string("it is not JSON: ") + shortened(error.what(), 200));
      return false;
    }
    const bool clean = reader_.read(feature, datum_);
    columns_ |= cells_.there;
    const bool good = clean && read_resource(cells_, context_, event, named_);
    if (!good || cells_.at(Column::id).empty()) return good;
    return is_new(event.envelope.entity, rows_, "id");
  }

  JsonWindow window_;
  ResourceFileContext context_;
  std::optional<Datum> datum_;
  ResourceCells cells_;
  BadCell bad_ = [this](std::string_view what, std::string reason) { bad(what, std::move(reason)); };
  // What is told by its column stands among the properties.
  BadCell named_ = [this](std::string_view column, std::string reason) {
    bad(column == "id" ? std::string(column) : "properties." + std::string(column), std::move(reason));
  };
  FeatureReader reader_{cells_, bad_};
  std::string_view feature_;  // the text of the row in hand, within the window
  std::size_t line_ = 0;
  bool begun_ = false, inside_ = false, first_ = true, typed_ = false, had_features_ = false;
};

}  // namespace

std::unique_ptr<ResourceFile> open_resources_geojson(ReadBlock read, const ResourceFileContext& context) {
  return std::make_unique<GeoJsonFile>(std::move(read), context);
}

}  // namespace lianxi::formats
