#include "agents/formats/seen_ids.h"

#include <xxhash.h>

namespace lianxi::formats {

std::optional<std::size_t> SeenIds::add(std::string_view id, std::size_t row) {
  if (slots_.size() < 2 * (taken_ + 1)) grow();
  const XXH128_hash_t hash = XXH3_128bits(id.data(), id.size());
  for (std::size_t at = hash.low64 & (slots_.size() - 1);; at = (at + 1) & (slots_.size() - 1)) {
    Slot& slot = slots_[at];
    if (slot.row == 0) {
      slot = {hash.low64, hash.high64, static_cast<std::uint32_t>(row)};
      ++taken_;
      return std::nullopt;
    }
    if (slot.low == hash.low64 && slot.high == hash.high64) return slot.row;
  }
}

void SeenIds::grow() {
  const std::vector<Slot> old = std::move(slots_);
  slots_.assign(old.empty() ? 1024 : old.size() * 2, Slot{});
  for (const Slot& each : old) {
    if (each.row == 0) continue;
    std::size_t at = each.low & (slots_.size() - 1);
    while (slots_[at].row != 0) at = (at + 1) & (slots_.size() - 1);
    slots_[at] = each;
  }
}

}  // namespace lianxi::formats
