// Resources as rows of the files that resource_file.h reads. Pure.
#pragma once

#include <string>
#include <string_view>

#include "schemas/event.h"

namespace lianxi::formats {

// What a row says beside the record itself.
struct ResourceName {
  std::string_view id;  // the entity, or its local name where that is enough
  PlaceCode place;
};

[[nodiscard]] std::string resource_csv_heading();  // with its line's end
void append_resource_csv(std::string& out, const ResourceName& name, const Resource& resource);

inline constexpr std::string_view kGeoJsonHead = "{\"type\":\"FeatureCollection\",\"features\":[\n";
inline constexpr std::string_view kGeoJsonBetween = ",\n";
inline constexpr std::string_view kGeoJsonTail = "\n]}\n";
// One feature on a line of its own, without what stands between.
void append_resource_geojson(std::string& out, const ResourceName& name, const Resource& resource);

}  // namespace lianxi::formats
