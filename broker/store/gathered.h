// Pieces of the VFS in log_vfs.h: neighbouring writes to one file, given to the system in one call; and reads of one file ahead
// of what was asked for. One connection's file: one thread at a time. Results are SQLite's codes.
#pragma once

#include <sqlite3.h>

#include <cstddef>
#include <vector>

namespace lianxi::store {

class Gathered {
 public:
  // Takes the bytes, or writes first what does not touch them, or what would exceed `bound`.
  [[nodiscard]] int write(sqlite3_file* file, const void* from, int amount, sqlite3_int64 offset, std::size_t bound);
  [[nodiscard]] int flush(sqlite3_file* file);
  void drop() { bytes_.clear(); }
  void release() { std::vector<unsigned char>().swap(bytes_); }  // what was dropped or flushed: its memory too
  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  [[nodiscard]] bool overlaps(sqlite3_int64 offset, int amount) const {
    return !bytes_.empty() && offset < end() && offset + amount > begin_;
  }
  [[nodiscard]] sqlite3_int64 end() const { return begin_ + static_cast<sqlite3_int64>(bytes_.size()); }

 private:
  sqlite3_int64 begin_ = 0;
  std::vector<unsigned char> bytes_;
};

// For pages of a log that are read in the order in which they were written, or nearly. The file must not change meanwhile.
class ReadAhead {
 public:
  [[nodiscard]] int read(sqlite3_file* file, void* to, int amount, sqlite3_int64 offset);
  void forget();

 private:
  sqlite3_int64 begin_ = 0, end_ = 0;  // of what is held
  sqlite3_int64 last_ = 0;             // where the last read ended
  std::vector<unsigned char> bytes_;
};

}  // namespace lianxi::store
