// The disk of one simulated node: a SQLite VFS over the default one that remembers what was never synced. Its files are
// real ones in a folder, so that the code under test may list them.
//
//   process crash: what was written survives, synced or not; nothing more reaches the files.
//   power cut: per file, whatever changed since its last xSync is lost, wholly or for a random part of its sectors, size
//   changes included; a truncation holds or is undone as a whole; files whose entry was never synced may vanish, deleted
//   ones may come back.
//
// To crash in the middle of an operation, set the fuse: the n-th operation that changes something fails, and all after it,
// until the disk is started again. One thread.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/sim/prng.h"

namespace lianxi::sim {

class SimDisk {
 public:
  static constexpr std::size_t kSectorBytes = 512;

  SimDisk(const std::string& vfs_name, std::uint64_t seed);
  ~SimDisk();  // every connection must be closed by then
  SimDisk(const SimDisk&) = delete;
  SimDisk& operator=(const SimDisk&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }

  // The operation after `operations` more changing ones dies, and everything after it.
  void set_fuse(std::uint64_t operations) { fuse_ = operations; }
  void clear_fuse() { fuse_.reset(); }
  void kill() { dead_ = true; }
  [[nodiscard]] bool dead() const { return dead_; }

  // Both demand that all connections are closed; the disk then runs again.
  void restart_after_process_crash();
  void restart_after_power_cut();

  struct Counters {
    std::uint64_t writes = 0, syncs = 0, sectors_lost = 0, files_torn = 0, files_vanished = 0, files_returned = 0;
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
    std::map<std::uint64_t, std::optional<Sector>> changed;  // sector -> content at the last sync; nothing: it had none
    std::optional<std::uint64_t> cut_to;                     // the smallest size it was truncated to since, if below synced_size
  };
  // False: the fuse is spent or the disk is dead; the operation must fail.
  bool change();
  void remember(FileState& file, sqlite3_file* real, std::uint64_t begin, std::uint64_t end);
  void synced(const std::string& path, FileState& file, std::uint64_t size, bool folder_too);
  void lose(const std::string& path, FileState& file);

  std::string name_;
  Prng random_;
  std::optional<std::uint64_t> fuse_;
  bool dead_ = false;
  std::size_t open_files_ = 0;
  std::uint64_t changes_ = 0;
  std::map<std::string, FileState> files_;
  std::map<std::string, Sector> deleted_;  // content of files whose deletion was never synced
  Counters counters_;
  std::unique_ptr<sqlite3_vfs> vfs_;
};

}  // namespace lianxi::sim
