#include "broker/store/log_vfs.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <new>
#include <vector>

#include "broker/store/files.h"
#include "broker/store/sqlite.h"

namespace lianxi::store {

namespace {

constexpr std::size_t kLogHeaderBytes = 32;
constexpr std::size_t kMaxGathered = 4 * 1024 * 1024;  // more is written before the sync: a transaction that large waits anyway
constexpr std::size_t kMaxWriteBytes = 0x1f000;        // SQLite's VFS for Unix takes 17 bits of a write's size, and no more
constexpr std::size_t kZeroStepBytes = 1024 * 1024;
constexpr std::array<std::uint8_t, kLogHeaderBytes> kNoHeader{};

struct Gathered {
  std::uint64_t begin = 0;
  std::vector<std::uint8_t> bytes;
  [[nodiscard]] std::uint64_t end() const { return begin + bytes.size(); }
};

struct LogFile {  // what SQLite holds; the default VFS's own file lies behind it
  sqlite3_file base;
  Gathered* gathered;
};

sqlite3_vfs* real_vfs(sqlite3_vfs* vfs) {
  return static_cast<sqlite3_vfs*>(vfs->pAppData);
}
Gathered& gathered_of(sqlite3_file* file) {
  return *reinterpret_cast<LogFile*>(file)->gathered;
}
sqlite3_file* real_of(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(reinterpret_cast<LogFile*>(file) + 1);
}

int flush(sqlite3_file* file) {
  Gathered& gathered = gathered_of(file);
  if (gathered.bytes.empty()) return SQLITE_OK;
  for (std::size_t at = 0; at < gathered.bytes.size(); at += kMaxWriteBytes) {
    const std::size_t count = std::min(kMaxWriteBytes, gathered.bytes.size() - at);
    const int rc = real_of(file)->pMethods->xWrite(real_of(file), gathered.bytes.data() + at, static_cast<int>(count),
                                                   static_cast<sqlite3_int64>(gathered.begin + at));
    if (rc != SQLITE_OK) return rc;
  }
  gathered.bytes.clear();
  return SQLITE_OK;
}

int close(sqlite3_file* file) {
  const int flushed = flush(file);
  const int rc = real_of(file)->pMethods->xClose(real_of(file));
  delete reinterpret_cast<LogFile*>(file)->gathered;
  return rc == SQLITE_OK ? flushed : rc;
}

int read(sqlite3_file* file, void* to, int amount, sqlite3_int64 offset) {
  const Gathered& gathered = gathered_of(file);
  const auto begin = static_cast<std::uint64_t>(offset);
  if (!gathered.bytes.empty() && begin < gathered.end() && begin + static_cast<std::uint64_t>(amount) > gathered.begin) {
    if (const int rc = flush(file); rc != SQLITE_OK) return rc;
  }
  return real_of(file)->pMethods->xRead(real_of(file), to, amount, offset);
}

int write(sqlite3_file* file, const void* from, int amount, sqlite3_int64 offset) {
  Gathered& gathered = gathered_of(file);
  const auto begin = static_cast<std::uint64_t>(offset);
  const auto* bytes = static_cast<const std::uint8_t*>(from);
  const auto count = static_cast<std::size_t>(amount);
  const bool joins = begin >= gathered.begin && begin <= gathered.end() && begin - gathered.begin + count <= kMaxGathered;
  if (!gathered.bytes.empty() && !joins) {
    if (const int rc = flush(file); rc != SQLITE_OK) return rc;
  }
  try {
    if (gathered.bytes.empty()) gathered.begin = begin;
    const auto at = static_cast<std::size_t>(begin - gathered.begin);
    const std::size_t over = std::min(count, gathered.bytes.size() - at);  // written before, and written again
    std::copy_n(bytes, over, gathered.bytes.begin() + static_cast<std::ptrdiff_t>(at));
    gathered.bytes.insert(gathered.bytes.end(), bytes + over, bytes + count);
  } catch (const std::bad_alloc&) {
    return SQLITE_IOERR_NOMEM;
  }
  return SQLITE_OK;
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
  sqlite3_file* real = real_of(file);
  if (size > 0) {
    const int rc = flush(file);
    return rc == SQLITE_OK ? real->pMethods->xTruncate(real, size) : rc;
  }
  gathered_of(file).bytes.clear();
  sqlite3_int64 held = 0;
  if (const int rc = real->pMethods->xFileSize(real, &held); rc != SQLITE_OK || held == 0) return rc;
  return real->pMethods->xWrite(real, kNoHeader.data(), static_cast<int>(kNoHeader.size()), 0);
}

int sync(sqlite3_file* file, int flags) {
  const int rc = flush(file);
  return rc == SQLITE_OK ? real_of(file)->pMethods->xSync(real_of(file), flags) : rc;
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  const int rc = real_of(file)->pMethods->xFileSize(real_of(file), size);
  const Gathered& gathered = gathered_of(file);
  if (!gathered.bytes.empty()) *size = std::max(*size, static_cast<sqlite3_int64>(gathered.end()));
  return rc;
}

int lock(sqlite3_file* file, int level) {
  return real_of(file)->pMethods->xLock(real_of(file), level);
}
int unlock(sqlite3_file* file, int level) {
  return real_of(file)->pMethods->xUnlock(real_of(file), level);
}
int check_lock(sqlite3_file* file, int* out) {
  return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out);
}
int control(sqlite3_file* file, int op, void* argument) {
  return real_of(file)->pMethods->xFileControl(real_of(file), op, argument);
}
int sector_size(sqlite3_file* file) {
  return real_of(file)->pMethods->xSectorSize(real_of(file));
}
int characteristics(sqlite3_file* file) {
  return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

// Version 1: a log is neither shared memory nor mapped.
constexpr sqlite3_io_methods kMethods = {1,       close,      read,    write,       truncate,        sync,    file_size, lock,
                                         unlock,  check_lock, control, sector_size, characteristics, nullptr, nullptr,   nullptr,
                                         nullptr, nullptr,    nullptr};

int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  sqlite3_vfs* real = real_vfs(vfs);
  if ((flags & SQLITE_OPEN_WAL) == 0) return real->xOpen(real, name, file, flags, out_flags);
  file->pMethods = nullptr;
  auto* gathered = new (std::nothrow) Gathered;
  if (gathered == nullptr) return SQLITE_NOMEM;
  const int rc = real->xOpen(real, name, real_of(file), flags, out_flags);
  if (rc != SQLITE_OK) {
    delete gathered;
    return rc;
  }
  reinterpret_cast<LogFile*>(file)->gathered = gathered;
  file->pMethods = &kMethods;
  return SQLITE_OK;
}

[[noreturn]] void fail_on(const std::string& what, const std::string& path) {
  fail(StoreError::io, "cannot " + what + " " + path + ": " + std::strerror(errno));
}

class Descriptor {
 public:
  Descriptor(const std::string& path, int flags) : path_(path), fd_(::open(path.c_str(), flags | O_CLOEXEC, 0644)) {
    if (fd_ < 0) fail_on("open", path);
  }
  ~Descriptor() { ::close(fd_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  void write(const std::uint8_t* from, std::size_t count, std::uint64_t at) const {
    while (count > 0) {
      const ssize_t done = ::pwrite(fd_, from, count, static_cast<off_t>(at));
      if (done < 0 && errno == EINTR) continue;
      if (done <= 0) fail_on("write", path_);
      from += done;
      count -= static_cast<std::size_t>(done);
      at += static_cast<std::uint64_t>(done);
    }
  }
  void sync() const {
    if (::fdatasync(fd_) != 0) fail_on("sync", path_);
  }

 private:
  const std::string& path_;
  int fd_;
};

std::string kept_log(const std::string& folder) {
  return folder + "/spare.wal";
}

}  // namespace

const std::string& log_vfs() {
  static const std::string name = "lianxi-log";
  static sqlite3_vfs vfs = [] {
    sqlite3_initialize();
    sqlite3_vfs* real = sqlite3_vfs_find(nullptr);
    sqlite3_vfs made = *real;
    made.szOsFile = static_cast<int>(sizeof(LogFile)) + real->szOsFile;
    made.pNext = nullptr;
    made.zName = name.c_str();
    made.pAppData = real;
    made.xOpen = open;
    return made;
  }();
  static const int registered = sqlite3_vfs_register(&vfs, 0);
  if (registered != SQLITE_OK) fail(StoreError::io, "SQLite does not take the VFS of the journal's logs");
  return name;
}

void move_file(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) fail_on("rename to " + to, from);
}

std::uint64_t log_identity(const std::string& database) {
  struct stat status {};
  return ::stat((database + "-wal").c_str(), &status) == 0 ? status.st_ino : 0;
}

bool has_kept_log(const std::string& folder) {
  return std::filesystem::exists(kept_log(folder));
}

void keep_log(const std::string& folder, const std::string& database) {
  const std::string log = database + "-wal";
  if (::unlink((database + "-shm").c_str()) != 0 && errno != ENOENT) fail_on("remove", database + "-shm");
  if (!std::filesystem::exists(log)) return;
  if (has_kept_log(folder) || std::filesystem::file_size(log) == 0) {
    if (::unlink(log.c_str()) != 0) fail_on("remove", log);
  } else {
    {
      const Descriptor file(log, O_WRONLY);
      file.write(kNoHeader.data(), kNoHeader.size(), 0);
      file.sync();
    }
    move_file(log, kept_log(folder));
  }
  sync_folder(folder, "");
}

bool give_log(const std::string& folder, const std::string& database) {
  if (!has_kept_log(folder)) return false;
  move_file(kept_log(folder), database + "-wal");
  sync_folder(folder, "");
  return true;
}

void make_kept_log(const std::string& folder, std::uint64_t bytes) {
  if (has_kept_log(folder)) return;
  const std::string fresh = kept_log(folder) + ".new";
  {
    const Descriptor file(fresh, O_WRONLY | O_CREAT | O_TRUNC);
    const std::vector<std::uint8_t> zeros(std::min<std::uint64_t>(bytes, kZeroStepBytes));
    for (std::uint64_t at = 0; at < bytes; at += zeros.size()) {
      file.write(zeros.data(), static_cast<std::size_t>(std::min<std::uint64_t>(zeros.size(), bytes - at)), at);
      file.sync();
    }
  }
  move_file(fresh, kept_log(folder));
  sync_folder(folder, "");
}

}  // namespace lianxi::store
