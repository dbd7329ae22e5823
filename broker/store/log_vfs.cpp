#include "broker/store/log_vfs.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <vector>

#include "broker/store/database_file.h"
#include "broker/store/files.h"
#include "broker/store/forwarding_file.h"
#include "broker/store/gathered.h"
#include "broker/store/sqlite.h"

namespace lianxi::store {

namespace {

constexpr std::size_t kLogHeaderBytes = 32;
constexpr std::size_t kMaxGathered = 4 * 1024 * 1024;  // more is written before the sync: a transaction that large waits anyway
constexpr std::size_t kZeroStepBytes = 1024 * 1024;
constexpr std::array<std::uint8_t, kLogHeaderBytes> kNoHeader{};

struct State {
  bool gathers = false;
  Gathered gathered;
  ReadAhead ahead;  // while a checkpoint copies
  sqlite3_file* database = nullptr;
};

using LogFile = ForwardingFile<State>;

struct Use {
  sqlite3_vfs* real;
  bool gathers_log;
};

State& state_of(sqlite3_file* file) {
  return LogFile::state_of(file);
}
sqlite3_file* real_of(sqlite3_file* file) {
  return LogFile::real_of(file);
}

int flush(sqlite3_file* file) {
  return state_of(file).gathered.flush(real_of(file));
}

int close(sqlite3_file* file) {
  const int flushed = flush(file);
  const int rc = LogFile::close(file);
  return rc == SQLITE_OK ? flushed : rc;
}

int read(sqlite3_file* file, void* to, int amount, sqlite3_int64 offset) {
  State& state = state_of(file);
  if (state.gathered.overlaps(offset, amount)) {
    if (const int rc = flush(file); rc != SQLITE_OK) return rc;
  }
  if (is_copying(state.database)) return state.ahead.read(real_of(file), to, amount, offset);
  return real_of(file)->pMethods->xRead(real_of(file), to, amount, offset);
}

int write(sqlite3_file* file, const void* from, int amount, sqlite3_int64 offset) {
  State& state = state_of(file);
  state.ahead.forget();
  if (state.gathers) return state.gathered.write(real_of(file), from, amount, offset, kMaxGathered);
  return real_of(file)->pMethods->xWrite(real_of(file), from, amount, offset);
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
  sqlite3_file* real = real_of(file);
  State& state = state_of(file);
  state.ahead.forget();
  if (size > 0 || !state.gathers) {
    const int rc = flush(file);
    return rc == SQLITE_OK ? real->pMethods->xTruncate(real, size) : rc;
  }
  state.gathered.drop();
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
  const Gathered& gathered = state_of(file).gathered;
  if (!gathered.empty()) *size = std::max(*size, gathered.end());
  return rc;
}

// Version 1: a log is neither shared memory nor mapped.
constexpr sqlite3_io_methods kMethods = [] {
  sqlite3_io_methods methods = LogFile::methods(1);
  methods.xClose = close;
  methods.xRead = read;
  methods.xWrite = write;
  methods.xTruncate = truncate;
  methods.xSync = sync;
  methods.xFileSize = file_size;
  return methods;
}();

int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  const Use& use = *static_cast<const Use*>(vfs->pAppData);
  if ((flags & SQLITE_OPEN_MAIN_DB) != 0) return open_database_file(use.real, name, file, flags, out_flags);
  if ((flags & SQLITE_OPEN_WAL) == 0) return use.real->xOpen(use.real, name, file, flags, out_flags);
  const int rc = LogFile::open(use.real, name, file, flags, out_flags, &kMethods);
  if (rc != SQLITE_OK) return rc;
  state_of(file).gathers = use.gathers_log;
  state_of(file).database = sqlite3_database_file_object(name);
  return SQLITE_OK;
}

// One VFS: what it is called, and how it differs from the default one.
struct OurVfs {
  std::string name;
  Use use;
  sqlite3_vfs vfs;

  OurVfs(const char* called, bool gathers_log) : name(called) {
    start_sqlite();
    use = {sqlite3_vfs_find(nullptr), gathers_log};
    vfs = *use.real;
    vfs.szOsFile = std::max(static_cast<int>(sizeof(LogFile)), database_file_bytes()) + use.real->szOsFile;
    vfs.pNext = nullptr;
    vfs.zName = name.c_str();
    vfs.pAppData = &use;
    vfs.xOpen = open;
    if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK) fail(StoreError::io, "SQLite does not take the VFS " + name);
  }
};

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
  static const OurVfs ours("lianxi-log", true);
  return ours.name;
}

const std::string& view_vfs() {
  static const OurVfs ours("lianxi-view", false);
  return ours.name;
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
