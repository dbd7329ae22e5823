#include "broker/store/map_card.h"

#include <array>
#include <cstring>
#include <string>

namespace lianxi::store {

namespace {

// Seven bits a byte, the low ones first; a set top bit: more come.
constexpr unsigned kBits = 7;
constexpr std::uint64_t kMore = 1U << kBits;

void put(std::string& to, std::uint64_t number) {
  for (; number >= kMore; number >>= kBits) to += static_cast<char>(number | kMore);
  to += static_cast<char>(number);
}

std::uint64_t take(const char*& at) {
  std::uint64_t number = 0;
  for (unsigned shift = 0;; shift += kBits) {
    const auto byte = static_cast<std::uint8_t>(*at++);
    number |= (byte & (kMore - 1)) << shift;
    if (byte < kMore) return number;
  }
}

// Small ones of either sign take few bytes.
std::uint64_t folded_sign(std::int64_t number) {
  return (static_cast<std::uint64_t>(number) << 1U) ^ static_cast<std::uint64_t>(number >> 63);
}
std::int64_t unfolded_sign(std::uint64_t number) {
  return static_cast<std::int64_t>(number >> 1U) ^ -static_cast<std::int64_t>(number & 1U);
}

void put_optional(std::string& to, const std::optional<std::int32_t>& number) {
  put(to, number ? folded_sign(*number) + 1 : 0);
}
std::optional<std::int32_t> take_optional(const char*& at) {
  const std::uint64_t number = take(at);
  if (number == 0) return std::nullopt;
  return static_cast<std::int32_t>(unfolded_sign(number - 1));
}

// The order in which they stand in the block.
template <class Fields>
auto texts_of(Fields& fields) {
  return std::array{
      &fields.name,    &fields.capabilities, &fields.unit,       &fields.supply_code, &fields.owner,           &fields.address,
      &fields.contact, &fields.phone,        &fields.attributes, &fields.answerable,  &fields.answerable_phone};
}

}  // namespace

MapCard::MapCard(const CardFields& all, bool visible, bool contact) {
  if (!visible && !contact) return;
  CardFields alone;
  alone.contact = all.contact;
  alone.phone = all.phone;
  const CardFields& fields = visible ? all : alone;
  std::size_t size = 0;
  for (const std::string_view* text : texts_of(fields)) size += text->size();
  if (size > kMaxCardBytes) return;
  static thread_local std::string packed;  // keeps its memory
  packed.clear();
  put(packed, fields.region.value);
  put(packed, folded_sign(fields.quantity_milli));
  put(packed, folded_sign(fields.held_milli));
  put_optional(packed, fields.capacity);
  put_optional(packed, fields.occupancy);
  put(packed, folded_sign(fields.updated_at));
  for (const std::string_view* text : texts_of(fields)) {
    put(packed, text->size());
    packed += *text;
  }
  size_ = static_cast<std::uint32_t>(packed.size());
  block_ = std::make_unique_for_overwrite<char[]>(packed.size());
  std::memcpy(block_.get(), packed.data(), packed.size());
}

CardFields MapCard::fields() const {
  CardFields fields;
  if (!block_) return fields;
  const char* at = block_.get();
  fields.region = RegionCode(static_cast<std::uint32_t>(take(at)));
  fields.quantity_milli = unfolded_sign(take(at));
  fields.held_milli = unfolded_sign(take(at));
  fields.capacity = take_optional(at);
  fields.occupancy = take_optional(at);
  fields.updated_at = unfolded_sign(take(at));
  for (std::string_view* text : texts_of(fields)) {
    const std::size_t size = take(at);
    *text = {at, size};
    at += size;
  }
  return fields;
}

}  // namespace lianxi::store
