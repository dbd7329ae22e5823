// What an answer shows of a resource's row beside what questions judge, packed into one block of memory: an answer is made
// without reading a row, whose columns lie on a page of their own somewhere in the table. A value; some 160 bytes of an ordinary
// row.
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

inline constexpr std::size_t kMaxCardBytes = 4'096;  // a row that says more is read from the table

class MapCard {
 public:
  MapCard() = default;  // keeps nothing
  // Of a visible row all; of one without a record its contact, if it states one. Keeps nothing that is larger than kMaxCardBytes.
  MapCard(const CardFields& fields, bool visible, bool contact);
  [[nodiscard]] bool kept() const { return block_ != nullptr; }
  [[nodiscard]] CardFields fields() const;  // borrowed; of what is not kept they say nothing
  [[nodiscard]] std::size_t bytes() const { return size_; }

 private:
  std::unique_ptr<char[]> block_;
  std::uint32_t size_ = 0;
};

}  // namespace lianxi::store
