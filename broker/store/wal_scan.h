// The frames of an SQLite write-ahead log, judged one by one. SQLite itself stops at the first bad frame without a word; this
// tells whether commits that had been synced stand behind it. Format: https://www.sqlite.org/fileformat2.html#walformat
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace lianxi::store {

struct WalScan {
  std::uint64_t frames = 0;        // whole frames in the file
  std::uint64_t valid_frames = 0;  // from the first on, without a gap
  std::uint64_t valid_bytes = 0;   // header and those frames
  // The first frame that does not verify though it belongs to this log, or others that do stand behind it; 0 is the log's
  // header. What an earlier log left in the same blocks is no part of this one.
  std::optional<std::uint64_t> bad_frame;
  // Valid frames of a later commit stand behind the bad one. A commit is only begun when the one before it is synced, so
  // this is damage and never the trace of a power cut.
  bool later_commits = false;
  std::string place;  // of the bad frame: "frame 7, byte 24752, page 3"
};

// `path` is that of the WAL. No such file, or an empty one: no frames. Throws Broken if it cannot be read.
[[nodiscard]] WalScan scan_wal(const std::string& path, std::uint32_t page_bytes, const std::string& vfs);

// The page size that a database's header states; 0 if there is no header.
[[nodiscard]] std::uint32_t page_bytes_of(const std::string& database, const std::string& vfs);

}  // namespace lianxi::store
