// A resource map of four cities in four provinces, as large as asked for, and questions to it: functions of a number, so that
// both sides of the bench hold and are asked the same.
#pragma once

#include <random>

#include "schemas/event.h"

namespace lianxi::bench {

struct MapResource {
  std::string id, name, owner, address, place, agency;
  ResourceType type{};
  ResourceState state{};
  LonLat location;
  std::vector<std::string> capabilities;
  std::int64_t quantity_milli = 0;
};
[[nodiscard]] MapResource map_resource(std::uint64_t number);
[[nodiscard]] Event event_of(const MapResource& resource);
// The state of a resource after its `change`-th change.
struct MapChange {
  std::uint64_t resource = 0;
  ResourceState state{};
};
[[nodiscard]] MapChange map_change(std::uint64_t number, std::uint64_t resources);
[[nodiscard]] Event event_of(const MapChange& change);

enum class MapKind : std::uint8_t { nearest, radius, polygon, text };
inline constexpr MapKind kMapKinds[] = {MapKind::nearest, MapKind::radius, MapKind::polygon, MapKind::text};
[[nodiscard]] const char* to_text(MapKind kind);
struct MapAsk {
  MapKind kind{};
  LonLat at;
  std::string capability;  // nearest: and available
  double within_m = 0;     // radius
  std::vector<LonLat> ring;
  std::string text;
  std::uint32_t limit = 10;
};
[[nodiscard]] MapAsk map_ask(MapKind kind, std::uint64_t number);

}  // namespace lianxi::bench
