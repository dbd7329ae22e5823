// Proof that two views hold the same rows: hashes of rows, added up modulo 2^256, so that the order does not matter and a row
// can be taken out again.
#pragma once

#include <optional>
#include <string_view>

#include "schemas/ids.h"

namespace lianxi::store {

class Digest {
 public:
  Digest() = default;
  explicit Digest(const Hash& sum) : sum_(sum) {}
  void add(const Hash& row);
  void subtract(const Hash& row);
  [[nodiscard]] const Hash& sum() const { return sum_; }

 private:
  Hash sum_{};  // little endian
};

// A row's content, field by field, each with its length or presence: no two contents give the same bytes.
class RowHasher {
 public:
  explicit RowHasher(std::string_view table) {
    content_.reserve(kUsualBytes);
    text(table);
  }
  RowHasher& text(std::string_view value);
  RowHasher& bytes(BytesView value);
  RowHasher& number(std::int64_t value);
  RowHasher& real(const std::optional<double>& value);
  RowHasher& maybe(const std::optional<std::int32_t>& value);
  [[nodiscard]] Hash finish() const;

 private:
  static constexpr std::size_t kUsualBytes = 512;
  Bytes content_;
};

}  // namespace lianxi::store
