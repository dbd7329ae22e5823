// What an answer shows of a resource's row beside what questions judge, packed into one block of memory: an answer is made
// without reading a row, whose columns lie on a page of their own somewhere in the table.
#pragma once

#include <memory>
#include <optional>
#include <string_view>

#include "schemas/event.h"

namespace lianxi::store {

struct CardFields {
  RegionCode region;
  std::int64_t quantity_milli = 0, held_milli = 0;
  std::optional<std::int32_t> capacity, occupancy;
  TimeMs updated_at = 0;
  // Borrowed, from the card or from what it is made of. Lists as they stand in their columns.
  std::string_view name, capabilities, unit, supply_code, owner, address, contact, phone, attributes, answerable,
      answerable_phone;
};

class MapCard {
 public:
  MapCard() = default;  // of fields that say nothing
  explicit MapCard(const CardFields& fields);
  [[nodiscard]] CardFields fields() const;
  [[nodiscard]] std::size_t bytes() const { return size_; }

 private:
  std::unique_ptr<char[]> block_;
  std::uint32_t size_ = 0;
};

}  // namespace lianxi::store
