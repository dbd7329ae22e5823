#include "tests/sim/sim_vfs.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <new>

namespace lianxi::sim {

namespace fs = std::filesystem;

namespace {

struct Handle {  // what SQLite holds; the default VFS's own handle lies behind it
  sqlite3_file base;
  SimDisk* disk;
  void* state;  // SimDisk::FileState, null for temporary files
  char* path;
  void* shared;       // Mapped: its part of the wal-index, once it is mapped
  bool names_matter;  // a WAL or rollback journal: SQLite syncs its folder with its first sync
};

struct Mapped {  // one connection's
  std::shared_ptr<SharedMemory> memory;
  SharedMemory::Held held;
};

sqlite3_vfs* real_vfs() {
  static sqlite3_vfs* const found = sqlite3_vfs_find("unix");
  return found;
}
Handle* handle_of(sqlite3_file* file) {
  return reinterpret_cast<Handle*>(file);
}
sqlite3_file* real_of(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(handle_of(file) + 1);
}
std::string_view folder_of(std::string_view path) {
  return path.substr(0, path.rfind('/'));
}
SimDisk* disk_of(sqlite3_vfs* vfs) {
  return static_cast<SimDisk*>(vfs->pAppData);
}

std::vector<std::uint8_t> read_file(const std::string& path) {
  std::vector<std::uint8_t> out(fs::file_size(path));
  std::ifstream(path, std::ios::binary).read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(out.size()));
  return out;
}

}  // namespace

// The C functions that SQLite calls.
struct SimVfs {
  using FileState = SimDisk::FileState;
  static FileState* state_of(sqlite3_file* file) { return static_cast<FileState*>(handle_of(file)->state); }
  static bool dead(sqlite3_file* file) { return handle_of(file)->disk->dead(); }

  static int close(sqlite3_file* file) {
    Handle* handle = handle_of(file);
    shm_unmap(file, 0);
    const int rc = real_of(file)->pMethods->xClose(real_of(file));
    --handle->disk->open_files_;
    std::free(handle->path);
    return rc;
  }
  static int read(sqlite3_file* file, void* to, int amount, sqlite3_int64 offset) {
    if (dead(file)) return SQLITE_IOERR_READ;
    return real_of(file)->pMethods->xRead(real_of(file), to, amount, offset);
  }
  static int write(sqlite3_file* file, const void* from, int amount, sqlite3_int64 offset) {
    SimDisk* disk = handle_of(file)->disk;
    if (!disk->change()) return SQLITE_IOERR_WRITE;
    ++disk->counters_.writes;
    const auto error = disk->error(SimDisk::Change::write);
    if (error && disk->random_.chance(50)) return code_of(*error);
    const int written = error ? amount / 2 : amount;
    if (FileState* state = state_of(file)) {
      disk->remember(*state, real_of(file), static_cast<std::uint64_t>(offset), static_cast<std::uint64_t>(offset + written));
    }
    const int rc = written == 0 ? SQLITE_OK : real_of(file)->pMethods->xWrite(real_of(file), from, written, offset);
    return error ? code_of(*error) : rc;
  }
  static int code_of(SimDisk::Error error) {
    if (error == SimDisk::Error::no_space) return SQLITE_FULL;
    return error == SimDisk::Error::write ? SQLITE_IOERR_WRITE : SQLITE_IOERR_FSYNC;
  }
  static int truncate(sqlite3_file* file, sqlite3_int64 size) {
    SimDisk* disk = handle_of(file)->disk;
    if (!disk->change()) return SQLITE_IOERR_TRUNCATE;
    if (FileState* state = state_of(file)) {
      const auto to = static_cast<std::uint64_t>(size);
      disk->remember(*state, real_of(file), to, std::max(state->synced_size, to));
      if (to < state->synced_size) state->cut_to = std::min(to, state->cut_to.value_or(to));
    }
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
  }
  static int sync(sqlite3_file* file, int /*flags*/) {
    Handle* handle = handle_of(file);
    if (!handle->disk->change()) return SQLITE_IOERR_FSYNC;
    if (handle->disk->skips_recovery_ && std::string_view(handle->path).ends_with("-wal")) return SQLITE_OK;
    ++handle->disk->counters_.syncs;
    FileState* state = state_of(file);
    if (const auto error = handle->disk->error(SimDisk::Change::sync)) {
      if (state != nullptr) {
        state->changed.each([&](std::uint64_t sector, const std::uint8_t*) { state->forgotten.insert(sector); });
      }
      return code_of(*error);
    }
    if (state != nullptr) {
      sqlite3_int64 size = 0;
      real_of(file)->pMethods->xFileSize(real_of(file), &size);
      if (handle->disk->defers_) {
        handle->disk->deferred_[handle->path] = {static_cast<std::uint64_t>(size), handle->names_matter};
      } else {
        handle->disk->synced(handle->path, *state, static_cast<std::uint64_t>(size), handle->names_matter);
      }
    }
    return SQLITE_OK;  // the files lie in memory; what counts is what `synced` noted
  }
  static int file_size(sqlite3_file* file, sqlite3_int64* size) {
    if (dead(file)) return SQLITE_IOERR_FSTAT;
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
  }
  static int lock(sqlite3_file* file, int level) {
    return dead(file) ? SQLITE_IOERR_LOCK : real_of(file)->pMethods->xLock(real_of(file), level);
  }
  static int unlock(sqlite3_file* file, int level) { return real_of(file)->pMethods->xUnlock(real_of(file), level); }
  static int check_lock(sqlite3_file* file, int* out) { return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out); }
  static int control(sqlite3_file* file, int op, void* argument) {
    // Growing a file ahead of its writes would pass by the bookkeeping.
    if (op == SQLITE_FCNTL_SIZE_HINT || op == SQLITE_FCNTL_CHUNK_SIZE) return SQLITE_OK;
    if (op == SQLITE_FCNTL_MMAP_SIZE) return SQLITE_NOTFOUND;
    if (op == SQLITE_FCNTL_PRAGMA && handle_of(file)->disk->skips_recovery_) {
      auto* words = static_cast<char**>(argument);  // the answer, the pragma's name, its argument
      if (std::strcmp(words[1], "wal_checkpoint") == 0) {
        words[0] = sqlite3_mprintf("0");
        return SQLITE_OK;
      }
    }
    return real_of(file)->pMethods->xFileControl(real_of(file), op, argument);
  }
  static int sector_size(sqlite3_file*) { return static_cast<int>(SimDisk::kSectorBytes); }
  static int characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }
  static int shm_map(sqlite3_file* file, int part, int size, int extend, void volatile** out) {
    Handle* handle = handle_of(file);
    if (dead(file)) return SQLITE_IOERR_SHMMAP;
    if (handle->shared == nullptr) handle->shared = new Mapped{handle->disk->memories_.of(handle->path), {}};
    *out = mapped(file)->memory->part(part, size, extend != 0);
    return SQLITE_OK;
  }
  static int shm_lock(sqlite3_file* file, int first, int count, int flags) {
    if (dead(file) && (flags & SQLITE_SHM_LOCK) != 0) return SQLITE_IOERR_SHMLOCK;
    Mapped* shared = mapped(file);
    return shared == nullptr ? SQLITE_IOERR_SHMLOCK : shared->memory->lock(shared->held, first, count, flags);
  }
  static void shm_barrier(sqlite3_file*) {}  // one thread
  static int shm_unmap(sqlite3_file* file, int /*remove*/) {
    Mapped* shared = mapped(file);
    if (shared == nullptr) return SQLITE_OK;
    (void)shared->memory->lock(shared->held, 0, SharedMemory::kLocks, SQLITE_SHM_UNLOCK);
    delete shared;
    handle_of(file)->shared = nullptr;
    return SQLITE_OK;
  }
  static Mapped* mapped(sqlite3_file* file) { return static_cast<Mapped*>(handle_of(file)->shared); }

  static const sqlite3_io_methods* methods() {
    // Version 2: no memory-mapped reads, which would pass by the bookkeeping.
    static const sqlite3_io_methods table = {
        2,           close,           read,    write,    truncate,    sync,      file_size, lock,   unlock, check_lock, control,
        sector_size, characteristics, shm_map, shm_lock, shm_barrier, shm_unmap, nullptr,   nullptr};
    return &table;
  }

  static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
    SimDisk* disk = disk_of(vfs);
    Handle* handle = handle_of(file);
    file->pMethods = nullptr;
    if (disk->dead()) return SQLITE_CANTOPEN;
    const bool tracked = name != nullptr && (flags & SQLITE_OPEN_DELETEONCLOSE) == 0;
    const bool fresh = tracked && (flags & SQLITE_OPEN_CREATE) != 0 && !fs::exists(name);
    if (fresh && !disk->change()) return SQLITE_CANTOPEN;
    const int rc = real_vfs()->xOpen(real_vfs(), name, real_of(file), flags, out_flags);
    if (rc != SQLITE_OK) return rc;
    handle->disk = disk;
    handle->state = nullptr;
    handle->path = nullptr;
    handle->shared = nullptr;
    handle->names_matter = (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)) != 0;
    if (tracked) {
      handle->path = ::strdup(name);
      const auto [at, unknown] = disk->files_.try_emplace(name);
      if (fresh) at->second = {};  // the code under test may have removed the old one by itself
      if (unknown && !fresh) {     // it was there before the simulation began
        at->second.entry_synced = true;
        at->second.synced_size = fs::file_size(name);
      }
      handle->state = &at->second;
    }
    ++disk->open_files_;
    file->pMethods = methods();
    return SQLITE_OK;
  }
  static int remove(sqlite3_vfs* vfs, const char* name, int sync_folder) {
    SimDisk* disk = disk_of(vfs);
    if (!disk->change()) return SQLITE_IOERR_DELETE;
    const auto at = disk->files_.find(name);
    if (at != disk->files_.end()) {
      if (sync_folder == 0 && at->second.entry_synced) disk->deleted_[name] = read_file(name);
      disk->files_.erase(at);
    }
    return real_vfs()->xDelete(real_vfs(), name, 0);
  }
  static int access(sqlite3_vfs* vfs, const char* name, int flags, int* out) {
    if (disk_of(vfs)->dead()) return SQLITE_IOERR_ACCESS;
    return real_vfs()->xAccess(real_vfs(), name, flags, out);
  }
  static int full_path(sqlite3_vfs*, const char* name, int size, char* out) {
    return real_vfs()->xFullPathname(real_vfs(), name, size, out);
  }
  static int randomness(sqlite3_vfs* vfs, int count, char* out) {
    for (int i = 0; i < count; ++i) out[i] = static_cast<char>(disk_of(vfs)->random_.next() >> 56U);
    return count;
  }
  static int sleep(sqlite3_vfs*, int microseconds) { return microseconds; }  // nobody else could act meanwhile
  static int now_julian(sqlite3_vfs*, double* out) {
    *out = 2460000.5;
    return SQLITE_OK;
  }
  static int last_error(sqlite3_vfs*, int, char*) { return 0; }
};

SimDisk::SimDisk(const std::string& vfs_name, std::uint64_t seed)
    : name_(vfs_name), random_(seed), vfs_(std::make_unique<sqlite3_vfs>()) {
  sqlite3_initialize();
  *vfs_ = *real_vfs();
  vfs_->iVersion = 1;
  vfs_->szOsFile = static_cast<int>(sizeof(Handle)) + real_vfs()->szOsFile;
  vfs_->pNext = nullptr;
  vfs_->zName = name_.c_str();
  vfs_->pAppData = this;
  vfs_->xOpen = SimVfs::open;
  vfs_->xDelete = SimVfs::remove;
  vfs_->xAccess = SimVfs::access;
  vfs_->xFullPathname = SimVfs::full_path;
  vfs_->xRandomness = SimVfs::randomness;
  vfs_->xSleep = SimVfs::sleep;
  vfs_->xCurrentTime = SimVfs::now_julian;
  vfs_->xGetLastError = SimVfs::last_error;
  sqlite3_vfs_register(vfs_.get(), 0);
}

SimDisk::~SimDisk() {
  sqlite3_vfs_unregister(vfs_.get());
}

bool SimDisk::change() {
  if (dead_) return false;
  if (fuse_) {
    if (*fuse_ == 0) {
      dead_ = true;
      return false;
    }
    --*fuse_;
  }
  ++changes_;
  return true;
}

std::optional<SimDisk::Error> SimDisk::error(Change change) {
  if (!plan_) return std::nullopt;
  if ((plan_->error == Error::sync) != (change == Change::sync)) return std::nullopt;
  if (plan_->operations > 0) {
    --plan_->operations;
    return std::nullopt;
  }
  const Error out = plan_->error;
  if (plan_->more == 0) {
    plan_.reset();
  } else {
    --plan_->more;
  }
  failed_ = true;
  ++counters_.errors[static_cast<std::size_t>(out)];
  return out;
}

void SimDisk::fail_later(Error error, std::uint64_t operations, std::uint64_t more) {
  plan_ = Plan{error, operations, more};
}

void SimDisk::settle() {
  for (const auto& [path, what] : deferred_) {
    const auto file = files_.find(path);
    if (file != files_.end()) synced(path, file->second, what.first, what.second);
  }
  deferred_.clear();
}

bool SimDisk::at_rest(const std::string& path) const {
  const auto file = files_.find(path);
  return file == files_.end() || (file->second.changed.empty() && !file->second.cut_to);
}

// Reads all that is about to change in one go.
void SimDisk::remember(FileState& file, sqlite3_file* real, std::uint64_t begin, std::uint64_t end) {
  const std::uint64_t first = begin / kSectorBytes, behind = (end + kSectorBytes - 1) / kSectorBytes;
  before_.clear();
  for (std::uint64_t sector = first; sector < behind; ++sector) {
    if (!file.forgotten.empty()) file.forgotten.erase(sector);
    if (!file.changed.add(sector) || sector * kSectorBytes >= file.synced_size) continue;
    if (before_.empty()) {  // SQLite's own short reads fill with zeros
      before_.resize((behind - first) * kSectorBytes);
      real->pMethods->xRead(real, before_.data(), static_cast<int>(before_.size()),
                            static_cast<sqlite3_int64>(first * kSectorBytes));
    }
    file.changed.keep(before_.data() + (sector - first) * kSectorBytes);
  }
}

void SimDisk::synced(const std::string& path, FileState& file, std::uint64_t size, bool folder_too) {
  if (file.forgotten.empty()) {
    file.changed.clear();
  } else {
    file.changed.keep_only([&](std::uint64_t sector) { return file.forgotten.contains(sector); });
  }
  file.cut_to.reset();
  file.synced_size = size;
  file.entry_synced = true;
  if (!folder_too) return;
  const std::string_view folder = folder_of(path);
  for (auto& [other, state] : files_) {
    if (folder_of(other) == folder) state.entry_synced = true;
  }
  std::erase_if(deleted_, [&](const auto& entry) { return folder_of(entry.first) == folder; });
}

std::size_t SimDisk::unsynced_sectors() const {
  std::size_t out = 0;
  for (const auto& [path, file] : files_) out += file.changed.size();
  return out;
}

void SimDisk::is_another() {
  files_.clear();
  deleted_.clear();
  deferred_.clear();
}

void SimDisk::revive() {
  dead_ = failed_ = false;
  fuse_.reset();
  plan_.reset();
}

void SimDisk::restart_after_process_crash() {
  if (open_files_ != 0) std::abort();
  deferred_.clear();
  revive();
}

}  // namespace lianxi::sim
