// Any bytes as a CSV and as a GeoJSON of resources: what is read of them is written, and reads back the same.
#include "agents/formats/resource_file.h"
#include "agents/formats/resource_write.h"
#include "tests/fuzz/fuzz.h"

#include <algorithm>
#include <cstring>

using namespace lianxi;

namespace {

formats::ReadBlock blocks_of(std::string_view text) {
  return [text](char* into, std::size_t size) mutable {
    const std::size_t count = std::min({size, text.size(), std::size_t{97}});
    std::memcpy(into, text.data(), count);
    text.remove_prefix(count);
    return count;
  };
}

formats::ResourceFileContext context() {
  return {RegionCode(330800), "emergency", Audience::conference(), formats::Datum::wgs84, Status::Actual, 1604881865000};
}

// What is written is a whole row, as an export has it: it keeps nothing.
void write_and_read(Event event) {
  std::get<Resource>(event.body).keeps = {};
  const formats::ResourceName name{event.envelope.entity, event.envelope.place};
  std::string csv = formats::resource_csv_heading(), json(formats::kGeoJsonHead);
  formats::append_resource_csv(csv, name, std::get<Resource>(event.body));
  formats::append_resource_geojson(json, name, std::get<Resource>(event.body));
  json += formats::kGeoJsonTail;
  Event again;
  FUZZ_REQUIRE(formats::open_resources_csv(blocks_of(csv), context())->next(again));
  FUZZ_REQUIRE(again == event);
  FUZZ_REQUIRE(formats::open_resources_geojson(blocks_of(json), context())->next(again));
  FUZZ_REQUIRE(again == event);
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto& file :
       {formats::open_resources_csv(blocks_of(text), context()), formats::open_resources_geojson(blocks_of(text), context())}) {
    Event event;
    while (file->next(event)) write_and_read(event);
    for (const Refusal& each : file->problems().first) FUZZ_REQUIRE(!each.reason.empty());
  }
  return 0;
}
