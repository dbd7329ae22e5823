// Which ids a file has had, and in which row, in 24 bytes or so an id: by 128 bits of a hash, so that no two ids are ever taken
// for one. For resource_*.cpp alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace lianxi::formats {

class SeenIds {
 public:
  // The row that had the id before, if one had.
  [[nodiscard]] std::optional<std::size_t> add(std::string_view id, std::size_t row);

 private:
  struct Slot {
    std::uint64_t low = 0, high = 0;
    std::uint32_t row = 0;  // 0: free
  };
  void grow();

  std::vector<Slot> slots_;  // a power of two, at most half of them taken
  std::size_t taken_ = 0;
};

}  // namespace lianxi::formats
