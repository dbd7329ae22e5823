// Where an answer about resources ended, as text that its asker gives back: where the last row stands in the order of its
// question. For the node and for whoever cuts an answer short; to everybody else it is opaque.
#pragma once

#include "schemas/queries.h"

namespace lianxi {

struct MapCursor {
  std::optional<double> distance_m;  // in the order of distance; exactly as it was computed
  std::string id;
  bool operator==(const MapCursor&) const = default;
};
[[nodiscard]] std::string to_text(const MapCursor& cursor);
[[nodiscard]] Result<MapCursor> parse_map_cursor(std::string_view text);

// Behind the last of the rows; empty if there are none.
[[nodiscard]] std::string next_behind(const ResourceRows& rows);

}  // namespace lianxi
