#include "agents/formats/resource_write.h"

#include <nlohmann/json.hpp>

#include "agents/formats/resource_row.h"
#include "agents/formats/resource_words.h"
#include "agents/formats/text.h"
#include "schemas/vocabulary.h"

namespace lianxi::formats {
namespace {

using nlohmann::ordered_json;

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : ";") + text;
  return all;
}

std::string persons(const std::optional<std::int32_t>& count) {
  return count ? std::to_string(*count) : std::string{};
}

std::string time(const std::optional<TimeMs>& at) {
  return at ? to_iso8601(*at) : std::string{};
}

// Every field but its place and attributes as the text of its column, in the columns' order.
template <class Each>
void each_text(const ResourceName& name, const Resource& resource, Each each) {
  each(Column::id, name.id);
  each(Column::type, to_word(resource.type));
  each(Column::name, resource.name);
  each(Column::owner, resource.owner);
  each(Column::place, name.place.text());
  each(Column::address, resource.address);
  each(Column::capabilities, joined(resource.capabilities));
  each(Column::state, to_word(resource.state));
  each(Column::quantity, resource.quantity_milli == 0 ? std::string{} : thousandths_text(resource.quantity_milli));
  each(Column::unit, resource.unit);
  each(Column::capacity, persons(resource.capacity));
  each(Column::occupancy, persons(resource.occupancy));
  each(Column::supply_code, resource.supply_code);
  each(Column::contact, resource.contact);
  each(Column::phone, resource.phone);
  each(Column::answerable, resource.answerable);
  each(Column::answerable_phone, resource.answerable_phone);
  each(Column::valid_from, time(resource.valid_from));
  each(Column::valid_until, time(resource.valid_until));
  each(Column::languages, joined(resource.languages));
  each(Column::on_call, on_call_text(resource.on_call));
}

ordered_json position(const LonLat& point) {
  return ordered_json::array({point.lon, point.lat});
}

ordered_json geometry_of(const Resource& resource) {
  ordered_json point, polygon;
  if (resource.location) point = {{"type", "Point"}, {"coordinates", position(*resource.location)}};
  if (!resource.area.empty()) {
    ordered_json ring = ordered_json::array();
    for (const LonLat& each : resource.area) ring.push_back(position(each));
    polygon = {{"type", "Polygon"}, {"coordinates", ordered_json::array({std::move(ring)})}};
  }
  if (point.is_null()) return polygon;
  if (polygon.is_null()) return point;
  return {{"type", "GeometryCollection"}, {"geometries", ordered_json::array({std::move(point), std::move(polygon)})}};
}

}  // namespace

std::string resource_csv_heading() {
  std::string text;
  for (std::size_t i = 0; i < kColumns; ++i) text += (i == 0 ? "" : ",") + std::string(heading_of(static_cast<Column>(i)));
  return text + "\n";
}

void append_resource_csv(std::string& out, const ResourceName& name, const Resource& resource) {
  std::array<std::string, kColumns> cells;
  const auto cell = [&](Column column) -> std::string& { return cells[static_cast<std::size_t>(column)]; };
  each_text(name, resource, [&](Column column, std::string_view text) { cell(column) = text; });
  if (resource.location) {
    cell(Column::lon) = degrees_text(resource.location->lon);
    cell(Column::lat) = degrees_text(resource.location->lat);
  }
  cell(Column::area) = area_text(resource.area);
  if (resource.location || !resource.area.empty()) cell(Column::datum) = "CGCS2000";
  cell(Column::attributes) = attributes_text(resource.attributes);
  for (std::size_t i = 0; i < kColumns; ++i) {
    if (i > 0) out += ',';
    append_csv_cell(out, cells[i]);
  }
  out += '\n';
}

void append_resource_geojson(std::string& out, const ResourceName& name, const Resource& resource) {
  ordered_json properties = ordered_json::object();
  each_text(name, resource, [&](Column column, std::string_view text) {
    if (!text.empty() && column != Column::id) properties[std::string(heading_of(column))] = text;
  });
  // A feature that says nothing of a group would leave it as it was.
  if (resource.quantity_milli == 0) properties["quantity"] = nullptr;
  if (resource.contact.empty()) properties["contact"] = nullptr;
  if (resource.capacity) properties["capacity"] = *resource.capacity;
  if (resource.occupancy) properties["occupancy"] = *resource.occupancy;
  if (!resource.capabilities.empty()) properties["capabilities"] = resource.capabilities;
  if (!resource.languages.empty()) properties["languages"] = resource.languages;
  if (!resource.attributes.empty()) {
    ordered_json attributes = ordered_json::object();
    bool plain = true;  // an object has each name once, and reads an empty text as nothing
    for (const NameValue& each : resource.attributes) {
      plain = plain && !attributes.contains(each.name) && !each.value.empty();
      attributes[each.name] = each.value;
    }
    properties["attributes"] = plain ? attributes : ordered_json(attributes_text(resource.attributes));
  }
  const ordered_json feature = {
      {"type", "Feature"}, {"id", name.id}, {"geometry", geometry_of(resource)}, {"properties", std::move(properties)}};
  out += feature.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace lianxi::formats
