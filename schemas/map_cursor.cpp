#include "schemas/map_cursor.h"

#include <fmt/format.h>

#include <bit>
#include <charconv>
#include <cmath>

#include "schemas/limits.h"
#include "schemas/text.h"

namespace lianxi {

// "i:<id>", or "d<16 hex digits of the distance>:<id>".
std::string to_text(const MapCursor& cursor) {
  if (!cursor.distance_m) return "i:" + cursor.id;
  return fmt::format("d{:016x}:{}", std::bit_cast<std::uint64_t>(*cursor.distance_m), cursor.id);
}

Result<MapCursor> parse_map_cursor(std::string_view text) {
  constexpr std::size_t kHexDigits = 16;
  const auto bad = [] {
    return refuse(RefusalCode::invalid_field, "after", "this is no cursor; give back `next` of the answer before, as it is");
  };
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || text.size() > kMaxCursorBytes || !is_line(text)) return bad();
  MapCursor cursor{std::nullopt, std::string(text.substr(colon + 1))};
  const std::string_view head = text.substr(0, colon);
  if (cursor.id.empty()) return bad();
  if (head == "i") return cursor;
  if (head.size() != kHexDigits + 1 || head.front() != 'd') return bad();
  std::uint64_t bits = 0;
  const auto [end, error] = std::from_chars(head.data() + 1, head.data() + head.size(), bits, 16);
  if (error != std::errc() || end != head.data() + head.size()) return bad();
  cursor.distance_m = std::bit_cast<double>(bits);
  if (!std::isfinite(*cursor.distance_m) || *cursor.distance_m < 0) return bad();
  return cursor;
}

std::string next_behind(const ResourceRows& rows) {
  if (rows.rows.empty()) return {};
  return to_text(MapCursor{rows.rows.back().distance_m, rows.rows.back().id});
}

}  // namespace lianxi
