#include "broker/store/digest.h"

#include <bit>

#include "schemas/codec/chain.h"

namespace lianxi::store {

void Digest::add(const Hash& row) {
  unsigned carry = 0;
  for (std::size_t i = 0; i < sum_.size(); ++i) {
    carry += static_cast<unsigned>(sum_[i]) + row[i];
    sum_[i] = static_cast<std::uint8_t>(carry);
    carry >>= 8U;
  }
}

void Digest::subtract(const Hash& row) {
  unsigned borrow = 0;
  for (std::size_t i = 0; i < sum_.size(); ++i) {
    const unsigned less = static_cast<unsigned>(row[i]) + borrow;
    borrow = sum_[i] < less ? 1U : 0U;
    sum_[i] = static_cast<std::uint8_t>(sum_[i] - less);
  }
}

RowHasher& RowHasher::number(std::int64_t value) {
  const auto bits = static_cast<std::uint64_t>(value);
  for (unsigned shift = 0; shift < 64; shift += 8) content_.push_back(static_cast<std::uint8_t>(bits >> shift));
  return *this;
}

RowHasher& RowHasher::text(std::string_view value) {
  number(static_cast<std::int64_t>(value.size()));
  content_.insert(content_.end(), value.begin(), value.end());
  return *this;
}

RowHasher& RowHasher::bytes(BytesView value) {
  number(static_cast<std::int64_t>(value.size()));
  content_.insert(content_.end(), value.begin(), value.end());
  return *this;
}

RowHasher& RowHasher::real(const std::optional<double>& value) {
  content_.push_back(value ? 1 : 0);
  return value ? number(std::bit_cast<std::int64_t>(*value)) : *this;
}

RowHasher& RowHasher::maybe(const std::optional<std::int32_t>& value) {
  content_.push_back(value ? 1 : 0);
  return value ? number(*value) : *this;
}

Hash RowHasher::finish() const {
  return blake2b(content_);
}

}  // namespace lianxi::store
