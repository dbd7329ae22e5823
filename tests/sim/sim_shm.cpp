#include "tests/sim/sim_shm.h"

#include <sqlite3.h>

namespace lianxi::sim {

void* SharedMemory::part(int number, int bytes, bool extend) {
  const auto at = static_cast<std::size_t>(number);
  if (at >= parts_.size() && !extend) return nullptr;
  while (at >= parts_.size()) parts_.push_back(std::make_unique<std::uint64_t[]>(static_cast<std::size_t>(bytes) / 8));
  return parts_[at].get();
}

int SharedMemory::lock(Held& held, int first, int count, int flags) {
  const std::uint32_t mask = ((1U << static_cast<unsigned>(count)) - 1U) << static_cast<unsigned>(first);
  if ((flags & SQLITE_SHM_UNLOCK) != 0) {
    for (int i = first; i < first + count; ++i) {
      const std::uint32_t bit = 1U << static_cast<unsigned>(i);
      if ((held.exclusive & bit) != 0) holders_[static_cast<std::size_t>(i)] = 0;
      if ((held.shared & bit) != 0) --holders_[static_cast<std::size_t>(i)];
    }
    held.shared &= ~mask;
    held.exclusive &= ~mask;
    return SQLITE_OK;
  }
  const bool exclusive = (flags & SQLITE_SHM_EXCLUSIVE) != 0;
  for (int i = first; i < first + count; ++i) {
    const std::uint32_t bit = 1U << static_cast<unsigned>(i);
    const int others = holders_[static_cast<std::size_t>(i)] - ((held.shared & bit) != 0 ? 1 : 0);
    if ((held.exclusive & bit) == 0 && (holders_[static_cast<std::size_t>(i)] < 0 || (exclusive && others > 0)))
      return SQLITE_BUSY;
  }
  for (int i = first; i < first + count; ++i) {
    const std::uint32_t bit = 1U << static_cast<unsigned>(i);
    if (((held.shared | held.exclusive) & bit) != 0 && !exclusive) continue;
    if (exclusive) {
      holders_[static_cast<std::size_t>(i)] = -1;
      held.exclusive |= bit;
      held.shared &= ~bit;
    } else {
      ++holders_[static_cast<std::size_t>(i)];
      held.shared |= bit;
    }
  }
  return SQLITE_OK;
}

std::shared_ptr<SharedMemory> SharedMemories::of(const std::string& path) {
  std::weak_ptr<SharedMemory>& known = all_[path];
  std::shared_ptr<SharedMemory> out = known.lock();
  if (!out) known = out = std::make_shared<SharedMemory>();
  return out;
}

}  // namespace lianxi::sim
