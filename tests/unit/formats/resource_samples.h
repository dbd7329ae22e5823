// Files of resources for tests.
#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "agents/formats/resource_csv.h"
#include "agents/formats/resource_write.h"

namespace lianxi::formats {

// `step` bytes a block at most: what is read must not depend on where blocks end.
inline ReadBlock blocks_of(const std::string& text, std::size_t step = 1 << 20) {
  return [&text, step, at = std::size_t{0}](char* into, std::size_t size) mutable {
    const std::size_t count = std::min({size, step, text.size() - at});
    std::memcpy(into, text.data() + at, count);
    at += count;
    return count;
  };
}

inline ResourceFileContext file_context() {
  return {RegionCode(330800), "emergency", Audience::conference(), std::nullopt, Status::Actual, 1604881865000};
}

struct ReadFile {
  std::vector<Event> events;
  RowProblems problems;
  std::vector<std::string> said;  // "field: reason"
};
inline ReadFile read_all(ResourceFile& file) {
  ReadFile read;
  Event event;
  while (file.next(event)) read.events.push_back(event);
  read.problems = file.problems();
  for (const Refusal& each : read.problems.first) read.said.push_back(each.field + ": " + each.reason);
  return read;
}
inline ReadFile read_csv_file(const std::string& text, const ResourceFileContext& context = file_context(),
                              std::size_t step = 1 << 20) {
  return read_all(*open_resources_csv(blocks_of(text, step), context));
}
inline ReadFile read_geojson(const std::string& text, const ResourceFileContext& context = file_context(),
                             std::size_t step = 1 << 20) {
  return read_all(*open_resources_geojson(blocks_of(text, step), context));
}
inline std::string collection(const std::string& features, const std::string& members = "") {
  return "{\"type\":\"FeatureCollection\"," + members + "\"features\":[" + features + "]}";
}

// Every field that a row can say.
inline Event full_row() {
  Event event;
  event.envelope = {Kind::resource, "330800:resource:site-1", Status::Actual, PlaceCode::parse("330802").value(), "emergency",
                    Level::none,    Audience::conference(),   1604881865000};
  Resource resource;
  resource.type = ResourceType::site;
  resource.name = "黄坛口, \"水库\"";
  resource.owner = "水利局";
  resource.address = "柯城区\n黄坛口乡";
  resource.location = LonLat{118.8125, 28.834375};
  resource.capabilities = {"flood", "water-rescue"};
  resource.state = ResourceState::returning;
  resource.quantity_milli = 12'345;
  resource.unit = "座";
  resource.capacity = 40;
  resource.occupancy = 0;
  resource.supply_code = "2010101";
  resource.contact = "王";
  resource.phone = "0570-1";
  resource.attributes = {{"库容", "8.2; 亿=方\\"}, {"b", ""}, {"note", "一\n二"}};
  resource.answerable = "李 县长";
  resource.answerable_phone = "13900000000";
  resource.valid_from = 1604881865000;
  resource.valid_until = 1704881865123;
  resource.area = {{118.5, 28.5}, {119, 28.5}, {119, 29.25}, {118.5, 28.5}};
  resource.languages = {"zh", "en-GB"};
  resource.on_call = {{31, 480, 1080}, {96, 0, 1440}, {64, 1320, 1440}, {1, 0, 360}};
  event.body = resource;
  return event;
}
inline Event bare_row() {
  Event event = full_row();
  event.envelope.entity = "330800:resource:team-1";
  event.envelope.place = PlaceCode::of(RegionCode(330800));
  Resource resource;
  resource.name = "队";
  event.body = resource;
  return event;
}

}  // namespace lianxi::formats
