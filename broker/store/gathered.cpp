#include "broker/store/gathered.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace lianxi::store {

namespace {

constexpr std::size_t kMaxCallBytes = 0x1f000;  // SQLite's VFS for Unix takes 17 bits of a size, and no more
constexpr sqlite3_int64 kNearBytes = 64 * 1024;

}  // namespace

int Gathered::flush(sqlite3_file* file) {
  for (std::size_t at = 0; at < bytes_.size(); at += kMaxCallBytes) {
    const std::size_t count = std::min(kMaxCallBytes, bytes_.size() - at);
    const int rc =
        file->pMethods->xWrite(file, bytes_.data() + at, static_cast<int>(count), begin_ + static_cast<sqlite3_int64>(at));
    if (rc != SQLITE_OK) return rc;
  }
  bytes_.clear();
  return SQLITE_OK;
}

int Gathered::write(sqlite3_file* file, const void* from, int amount, sqlite3_int64 offset, std::size_t bound) {
  const auto* bytes = static_cast<const unsigned char*>(from);
  const auto count = static_cast<std::size_t>(amount);
  const bool joins = offset >= begin_ && offset <= end() && static_cast<std::size_t>(offset - begin_) + count <= bound;
  if (!bytes_.empty() && !joins) {
    if (const int rc = flush(file); rc != SQLITE_OK) return rc;
  }
  try {
    if (bytes_.empty()) begin_ = offset;
    const auto at = static_cast<std::size_t>(offset - begin_);
    const std::size_t over = std::min(count, bytes_.size() - at);  // written before, and written again
    std::copy_n(bytes, over, bytes_.begin() + static_cast<std::ptrdiff_t>(at));
    bytes_.insert(bytes_.end(), bytes + over, bytes + count);
  } catch (const std::bad_alloc&) {
    return SQLITE_IOERR_NOMEM;
  }
  return SQLITE_OK;
}

int ReadAhead::read(sqlite3_file* file, void* to, int amount, sqlite3_int64 offset) {
  const auto direct = [&] {
    last_ = offset + amount;
    return file->pMethods->xRead(file, to, amount, offset);
  };
  if (offset < begin_ || offset + amount > end_) {
    if (offset < last_ || offset - last_ > kNearBytes) return direct();
    sqlite3_int64 size = 0;
    if (file->pMethods->xFileSize(file, &size) != SQLITE_OK || size - offset < amount) return direct();
    try {
      bytes_.resize(kMaxCallBytes);
    } catch (const std::bad_alloc&) {
      return direct();
    }
    const auto count = std::min(static_cast<sqlite3_int64>(kMaxCallBytes), size - offset);
    begin_ = end_ = 0;
    if (file->pMethods->xRead(file, bytes_.data(), static_cast<int>(count), offset) != SQLITE_OK) return direct();
    begin_ = offset;
    end_ = offset + count;
  }
  std::memcpy(to, bytes_.data() + (offset - begin_), static_cast<std::size_t>(amount));
  last_ = offset + amount;
  return SQLITE_OK;
}

void ReadAhead::forget() {
  begin_ = end_ = last_ = 0;
  if (!bytes_.empty()) std::vector<unsigned char>().swap(bytes_);
}

}  // namespace lianxi::store
