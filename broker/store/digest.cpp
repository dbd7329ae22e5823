#include "broker/store/digest.h"

#include <bit>
#include <cstring>

#include "schemas/codec/chain.h"

namespace lianxi::store {

namespace {

constexpr std::size_t kLimbs = sizeof(Hash) / sizeof(std::uint64_t);

std::uint64_t limb_of(const Hash& hash, std::size_t i) {
  std::uint64_t limb = 0;
  std::memcpy(&limb, hash.data() + i * sizeof limb, sizeof limb);
  return limb;
}
void set_limb(Hash& hash, std::size_t i, std::uint64_t limb) {
  std::memcpy(hash.data() + i * sizeof limb, &limb, sizeof limb);
}
static_assert(std::endian::native == std::endian::little, "limbs are read as they lie");

}  // namespace

void Digest::add(const Hash& row) {
  bool carry = false;
  for (std::size_t i = 0; i < kLimbs; ++i) {
    std::uint64_t sum = 0;
    const bool over = __builtin_add_overflow(limb_of(sum_, i), limb_of(row, i), &sum);
    carry = __builtin_add_overflow(sum, std::uint64_t{carry}, &sum) || over;
    set_limb(sum_, i, sum);
  }
}

void Digest::subtract(const Hash& row) {
  bool borrow = false;
  for (std::size_t i = 0; i < kLimbs; ++i) {
    std::uint64_t rest = 0;
    const bool under = __builtin_sub_overflow(limb_of(sum_, i), limb_of(row, i), &rest);
    borrow = __builtin_sub_overflow(rest, std::uint64_t{borrow}, &rest) || under;
    set_limb(sum_, i, rest);
  }
}

RowHasher& RowHasher::number(std::int64_t value) {
  const auto at = content_.size();
  content_.resize(at + sizeof value);
  std::memcpy(content_.data() + at, &value, sizeof value);  // little endian, as limbs
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
