// The wal-index of simulated files, in the process's own memory: nobody else opens them, and no wal-index outlives the last
// connection anyway. What the default VFS does with mapped files and their locks costs a run a tenth of its time.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace lianxi::sim {

class SharedMemory {  // of one file, while it is mapped
 public:
  static constexpr int kLocks = 8;  // SQLite's
  // The part's memory, made if `extend`; null if it is not there.
  void* part(int number, int bytes, bool extend);

  struct Held {  // by one connection: bit for each lock
    std::uint32_t shared = 0, exclusive = 0;
  };
  // SQLite's flags; its result.
  int lock(Held& held, int first, int count, int flags);

 private:
  std::vector<std::unique_ptr<std::uint64_t[]>> parts_;
  std::array<int, kLocks> holders_{};  // -1: one alone
};

class SharedMemories {
 public:
  [[nodiscard]] std::shared_ptr<SharedMemory> of(const std::string& path);

 private:
  std::map<std::string, std::weak_ptr<SharedMemory>> all_;
};

}  // namespace lianxi::sim
