// Resources from a CSV (RFC 4180, UTF-8 with or without BOM, header row). Columns, in any order, English or Chinese headings:
//   id type name owner place address lon lat datum capabilities state quantity unit capacity occupancy supply_code contact phone
//   编号 类型 名称 所属单位 行政区划 地址 经度 纬度 坐标系 能力 状态 数量 单位 容量 在住人数 物资编码 联系人 电话
// id, type and name are required, and words may be Chinese (队伍, 可用). Columns `attr.NAME` (属性.NAME) become attributes.
// A missing place is the region. `datum` is CGCS2000, WGS84 or GCJ02 per row (or given by `default_datum`); a coordinate whose
// datum is not said is refused.
// `capabilities` are separated by ';'. An unknown heading is refused, as is every bad row, with row and column.
#pragma once

#include <optional>

#include "schemas/event.h"

namespace lianxi::formats {

enum class Datum : std::uint8_t { cgcs2000, wgs84, gcj02 };
struct ResourceCsvContext {
  RegionCode region;
  std::string agency;
  Audience audience;
  std::optional<Datum> default_datum;
  Status status = Status::Actual;
  TimeMs now = 0;
};
// All rows or the refusals of all bad ones (csv_row; field "row 17, column lat"): an import is whole or nothing.
[[nodiscard]] Result<std::vector<Event>, std::vector<Refusal>> read_resources_csv(std::string_view text,
                                                                                  const ResourceCsvContext& context);

[[nodiscard]] Result<Datum> parse_datum(std::string_view word);
// WGS84 differs from CGCS2000 by centimetres and is taken as equal.
[[nodiscard]] LonLat to_cgcs2000(LonLat point, Datum datum);

// GCJ-02 -> CGCS2000 by iteration, within 0.5 m inside China; outside China the same point.
[[nodiscard]] LonLat from_gcj02(LonLat point);
[[nodiscard]] LonLat to_gcj02(LonLat point);

}  // namespace lianxi::formats
