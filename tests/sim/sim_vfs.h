// The disk of one simulated node: a SQLite VFS over the default one that remembers what was never synced. Its files are
// real ones in a folder, so that the code under test may list them.
//
//   process crash: what was written survives, synced or not; nothing more reaches the files.
//   power cut: per file, whatever changed since its last xSync is lost, wholly or for a random part of its sectors, size
//   changes included; a truncation holds or is undone as a whole; files whose entry was never synced may vanish, deleted
//   ones may come back.
//
//   disk error: the n-th write or sync from now fails, once or for a while, and the disk goes on: without space, with an I/O
//   error at a write (half of it may stand there), or at a sync. What was dirty at a failed sync counts as clean from then on, as
//   in Linux: later syncs do not write it, though everybody reads it until the power goes.
//
// To crash in the middle of an operation, set the fuse: the n-th operation that changes something fails, and all after it,
// until the disk is started again. One thread.
#pragma once

#include <sqlite3.h>

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/old_sectors.h"
#include "tests/sim/prng.h"
#include "tests/sim/sim_shm.h"

namespace lianxi::sim {

class SimDisk {
 public:
  static constexpr std::size_t kSectorBytes = OldSectors::kBytes;
  static constexpr std::size_t kPageBytes = 2048;  // the smallest that the code under test writes

  SimDisk(const std::string& vfs_name, std::uint64_t seed);
  ~SimDisk();  // every connection must be closed by then
  SimDisk(const SimDisk&) = delete;
  SimDisk& operator=(const SimDisk&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }

  // The operation after `operations` more changing ones dies, and everything after it.
  void set_fuse(std::uint64_t operations) { fuse_ = operations; }
  void clear_fuse() { fuse_.reset(); }
  enum class Error : std::uint8_t { no_space, write, sync };
  // The operation of that kind after `operations` more of it fails, and `more` after that. Until the next restart.
  void fail_later(Error error, std::uint64_t operations, std::uint64_t more);
  // An error was given since the last restart: whoever goes on had better have a reason.
  [[nodiscard]] bool failed() const { return failed_; }
  void forgive_errors() { plan_.reset(); }
  // Mutation: syncs are only done by settle(), after what they were to come before.
  void defer_syncs(bool defer) { defers_ = defer; }
  void settle();
  // Mutation: whoever asks for a checkpoint, or for the sync of a log, is told that it is done.
  void skip_recovery(bool skip) { skips_recovery_ = skip; }
  // Nothing of it waits for a sync.
  [[nodiscard]] bool at_rest(const std::string& path) const;
  // All its files were replaced by others, which are on disk.
  void is_another();
  void kill() { dead_ = true; }
  [[nodiscard]] bool dead() const { return dead_; }

  // Both demand that all connections are closed; the disk then runs again.
  void restart_after_process_crash();
  void restart_after_power_cut();

  struct Counters {
    std::uint64_t writes = 0, syncs = 0, sectors_lost = 0, pages_torn = 0, files_returned = 0;
    std::array<std::uint64_t, 3> errors{};  // by Error
  };
  [[nodiscard]] const Counters& counters() const { return counters_; }
  [[nodiscard]] std::uint64_t changes() const { return changes_; }
  [[nodiscard]] std::size_t open_files() const { return open_files_; }
  [[nodiscard]] std::size_t unsynced_sectors() const;

 private:
  friend struct SimVfs;
  using Sector = std::vector<std::uint8_t>;
  struct FileState {
    bool entry_synced = false;
    std::uint64_t synced_size = 0;
    OldSectors changed;                   // since the last sync
    std::set<std::uint64_t> forgotten;    // of those: a sync failed, and no later one writes them
    std::optional<std::uint64_t> cut_to;  // the smallest size it was truncated to since, if below synced_size
  };
  enum class Change : std::uint8_t { write, sync, other };
  // False: the fuse is spent or the disk is dead; the operation must fail.
  bool change();
  // The error that this operation is to fail with, if any.
  std::optional<Error> error(Change change);
  struct Plan {
    Error error{};
    std::uint64_t operations = 0, more = 0;
  };
  void remember(FileState& file, sqlite3_file* real, std::uint64_t begin, std::uint64_t end);
  void synced(const std::string& path, FileState& file, std::uint64_t size, bool folder_too);
  void lose(const std::string& path, FileState& file);
  // What of the file is lost, below `size`; `base`: nothing behind it was synced.
  void rewrite(const std::string& path, const FileState& file, std::uint64_t base, std::uint64_t size, bool all);
  void revive();

  std::string name_;
  Prng random_;
  std::optional<std::uint64_t> fuse_;
  std::optional<Plan> plan_;
  bool dead_ = false, failed_ = false, defers_ = false, skips_recovery_ = false;
  std::map<std::string, std::pair<std::uint64_t, bool>> deferred_;  // syncs: file -> size, and whether its folder too
  std::size_t open_files_ = 0;
  std::uint64_t changes_ = 0;
  std::map<std::string, FileState> files_;
  std::map<std::string, Sector> deleted_;  // content of files whose deletion was never synced
  Sector before_;                          // of what is about to change
  SharedMemories memories_;
  Counters counters_;
  std::unique_ptr<sqlite3_vfs> vfs_;
};

}  // namespace lianxi::sim
