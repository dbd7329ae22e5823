// Numbers and byte runs of our own formats: little endian, at any alignment. For codec/ alone.
#pragma once

#include <algorithm>
#include <bit>
#include <cstring>
#include <type_traits>

#include "schemas/ids.h"

namespace lianxi::codec {

template <class T>
[[nodiscard]] T load(const std::uint8_t* from) {
  static_assert(std::is_unsigned_v<T>);
  std::array<std::uint8_t, sizeof(T)> raw;
  std::memcpy(raw.data(), from, sizeof(T));
  if constexpr (std::endian::native == std::endian::big) std::ranges::reverse(raw);
  return std::bit_cast<T>(raw);
}

template <class T>
void store(std::uint8_t* to, T value) {
  static_assert(std::is_unsigned_v<T>);
  auto raw = std::bit_cast<std::array<std::uint8_t, sizeof(T)>>(value);
  if constexpr (std::endian::native == std::endian::big) std::ranges::reverse(raw);
  std::memcpy(to, raw.data(), sizeof(T));
}

template <class T>
void append(Bytes& to, T value) {
  const std::size_t at = to.size();
  to.resize(at + sizeof(T));
  store(to.data() + at, value);
}

inline void append_bytes(Bytes& to, BytesView bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

[[nodiscard]] inline BytesView view_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

[[nodiscard]] inline std::string_view text_of(BytesView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

[[nodiscard]] constexpr std::size_t padded_to_8(std::size_t size) {
  return (size + 7U) & ~std::size_t{7};
}

// Reads onward; past the end it gives zeros and stays failed, so that a reader checks once.
class Reader {
 public:
  explicit Reader(BytesView bytes) : bytes_(bytes) {}
  template <class T>
  [[nodiscard]] T number() {
    const BytesView raw = run(sizeof(T));
    return failed_ ? T{} : load<T>(raw.data());
  }
  [[nodiscard]] BytesView run(std::size_t size) {
    if (failed_ || size > bytes_.size()) {
      failed_ = true;
      return {};
    }
    const BytesView result = bytes_.first(size);
    bytes_ = bytes_.subspan(size);
    return result;
  }
  template <std::size_t N>
  [[nodiscard]] std::array<std::uint8_t, N> array() {
    std::array<std::uint8_t, N> result{};
    const BytesView raw = run(N);
    if (!failed_) std::copy(raw.begin(), raw.end(), result.begin());
    return result;
  }
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] std::size_t left() const { return bytes_.size(); }

 private:
  BytesView bytes_;
  bool failed_ = false;
};

}  // namespace lianxi::codec
