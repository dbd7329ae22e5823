// A resource as a row of named texts, as CSV and GeoJSON both have it. For resource_*.cpp alone.
#pragma once

#include <algorithm>
#include <array>
#include <bitset>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agents/formats/resource_file.h"

namespace lianxi::formats {

enum class Column : std::uint8_t {
  id,
  type,
  name,
  owner,
  place,
  address,
  lon,
  lat,
  datum,
  area,
  capabilities,
  state,
  quantity,
  unit,
  capacity,
  occupancy,
  supply_code,
  contact,
  phone,
  answerable,
  answerable_phone,
  valid_from,
  valid_until,
  languages,
  on_call,
  attributes,
};
inline constexpr std::size_t kColumns = static_cast<std::size_t>(Column::attributes) + 1;

class Columns {
 public:
  void add(Column column) { bits_.set(static_cast<std::size_t>(column)); }
  [[nodiscard]] bool has(Column column) const { return bits_.test(static_cast<std::size_t>(column)); }
  [[nodiscard]] bool any_of(std::span<const Column> columns) const {
    return std::ranges::any_of(columns, [this](Column column) { return has(column); });
  }
  void operator|=(const Columns& other) { bits_ |= other.bits_; }

 private:
  std::bitset<kColumns> bits_;
};

[[nodiscard]] std::string_view heading_of(Column column);                                 // English
[[nodiscard]] std::optional<Column> column_named(std::string_view heading);               // English or Chinese
[[nodiscard]] std::optional<std::string_view> attribute_named(std::string_view heading);  // behind "attr." or "属性."
[[nodiscard]] std::string all_headings();

// Texts are trimmed and borrowed; empty: not there, or there without a text.
struct ResourceCells {
  Columns there;
  std::array<std::string_view, kColumns> texts{};
  std::vector<std::pair<std::string_view, std::string_view>> attributes;
  // Instead of the texts of that name, in CGCS2000.
  std::optional<LonLat> point;
  std::vector<LonLat> ring;

  [[nodiscard]] std::string_view& at(Column column) { return texts[static_cast<std::size_t>(column)]; }
  [[nodiscard]] std::string_view at(Column column) const { return texts[static_cast<std::size_t>(column)]; }
  void clear() {
    there = {};
    texts.fill({});
    attributes.clear();
    point.reset();
    ring.clear();
  }
};

// What is wrong in a cell, and how to mend it.
using BadCell = std::function<void(std::string_view column, std::string reason)>;

// What a file with these columns does not say of its resources.
[[nodiscard]] Unsaid unsaid_by(const Columns& columns);

// Fills `event`, whose memory is used again: envelope and upsert, by the rules of check_event. The upsert keeps the groups of
// which no column is there, and the state where its text is empty. Tells every bad cell; false if there was one.
[[nodiscard]] bool read_resource(const ResourceCells& cells, const ResourceFileContext& context, Event& event,
                                 const BadCell& bad);

}  // namespace lianxi::formats
