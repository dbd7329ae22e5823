// What the sectors of one file held when they were last synced, for those that changed since. Flat: a run writes a million.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

namespace lianxi::sim {

class OldSectors {
 public:
  static constexpr std::size_t kBytes = 512;

  [[nodiscard]] bool empty() const { return marks_.empty(); }
  [[nodiscard]] std::size_t size() const { return marks_.size(); }
  // False: it is known already.
  bool add(std::uint64_t sector);
  // What was there, for the sector added last; without it there was nothing.
  void keep(const std::uint8_t* bytes);
  // Ascending; null: it had no content.
  void each(const std::function<void(std::uint64_t sector, const std::uint8_t* old)>& visit) const;
  void clear();
  void keep_only(const std::function<bool(std::uint64_t sector)>& chosen);

 private:
  static constexpr std::uint32_t kNothing = std::numeric_limits<std::uint32_t>::max();
  struct Mark {
    std::uint32_t sector = 0;
    std::uint32_t at = kNothing;  // in kept_, in sectors
  };
  std::vector<bool> known_;  // by sector
  std::vector<Mark> marks_;
  std::vector<std::uint8_t> kept_;
};

}  // namespace lianxi::sim
