#include "tests/sim/old_sectors.h"

#include <algorithm>

namespace lianxi::sim {

bool OldSectors::add(std::uint64_t sector) {
  if (sector < known_.size() && known_[sector]) return false;
  if (sector >= known_.size()) known_.resize(sector + 1);
  known_[sector] = true;
  marks_.push_back({static_cast<std::uint32_t>(sector), kNothing});
  return true;
}

void OldSectors::keep(const std::uint8_t* bytes) {
  marks_.back().at = static_cast<std::uint32_t>(kept_.size() / kBytes);
  kept_.insert(kept_.end(), bytes, bytes + kBytes);
}

void OldSectors::each(const std::function<void(std::uint64_t sector, const std::uint8_t* old)>& visit) const {
  std::vector<Mark> marks = marks_;
  std::sort(marks.begin(), marks.end(), [](const Mark& a, const Mark& b) { return a.sector < b.sector; });
  for (const Mark& mark : marks) visit(mark.sector, mark.at == kNothing ? nullptr : kept_.data() + std::size_t{mark.at} * kBytes);
}

void OldSectors::clear() {
  for (const Mark& mark : marks_) known_[mark.sector] = false;
  marks_.clear();
  kept_.clear();
}

void OldSectors::keep_only(const std::function<bool(std::uint64_t sector)>& chosen) {
  std::erase_if(marks_, [&](const Mark& mark) {
    const bool goes = !chosen(mark.sector);
    if (goes) known_[mark.sector] = false;
    return goes;
  });
}

}  // namespace lianxi::sim
