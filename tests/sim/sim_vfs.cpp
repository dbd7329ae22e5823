#include "tests/sim/sim_vfs.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <new>

namespace lianxi::sim {

namespace fs = std::filesystem;

namespace {

struct Handle {  // what SQLite holds; the default VFS's own handle lies behind it
  sqlite3_file base;
  SimDisk* disk;
  void* state;  // SimDisk::FileState, null for temporary files
  char* path;
  bool names_matter;  // a WAL or rollback journal: SQLite syncs its folder with its first sync
};

sqlite3_vfs* real_vfs() {
  return sqlite3_vfs_find("unix");
}
Handle* handle_of(sqlite3_file* file) {
  return reinterpret_cast<Handle*>(file);
}
sqlite3_file* real_of(sqlite3_file* file) {
  return reinterpret_cast<sqlite3_file*>(handle_of(file) + 1);
}
SimDisk* disk_of(sqlite3_vfs* vfs) {
  return static_cast<SimDisk*>(vfs->pAppData);
}

}  // namespace

// The C functions that SQLite calls.
struct SimVfs {
  using FileState = SimDisk::FileState;
  static FileState* state_of(sqlite3_file* file) { return static_cast<FileState*>(handle_of(file)->state); }
  static bool dead(sqlite3_file* file) { return handle_of(file)->disk->dead(); }

  static int close(sqlite3_file* file) {
    Handle* handle = handle_of(file);
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
    if (FileState* state = state_of(file)) {
      disk->remember(*state, real_of(file), static_cast<std::uint64_t>(offset), static_cast<std::uint64_t>(offset + amount));
    }
    return real_of(file)->pMethods->xWrite(real_of(file), from, amount, offset);
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
    ++handle->disk->counters_.syncs;
    if (FileState* state = state_of(file)) {
      sqlite3_int64 size = 0;
      real_of(file)->pMethods->xFileSize(real_of(file), &size);
      handle->disk->synced(handle->path, *state, static_cast<std::uint64_t>(size), handle->names_matter);
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
    return real_of(file)->pMethods->xFileControl(real_of(file), op, argument);
  }
  static int sector_size(sqlite3_file*) { return static_cast<int>(SimDisk::kSectorBytes); }
  static int characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }
  static int shm_map(sqlite3_file* file, int page, int size, int extend, void volatile** out) {
    if (dead(file)) return SQLITE_IOERR_SHMMAP;
    return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, out);
  }
  static int shm_lock(sqlite3_file* file, int offset, int count, int flags) {
    if (dead(file) && (flags & SQLITE_SHM_LOCK) != 0) return SQLITE_IOERR_SHMLOCK;
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
  }
  static void shm_barrier(sqlite3_file* file) { real_of(file)->pMethods->xShmBarrier(real_of(file)); }
  static int shm_unmap(sqlite3_file* file, int remove) {
    return real_of(file)->pMethods->xShmUnmap(real_of(file), dead(file) ? 0 : remove);
  }

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
      if (sync_folder == 0 && at->second.entry_synced) {
        std::ifstream in(name, std::ios::binary);
        disk->deleted_[name] = SimDisk::Sector(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
      }
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

void SimDisk::remember(FileState& file, sqlite3_file* real, std::uint64_t begin, std::uint64_t end) {
  for (std::uint64_t sector = begin / kSectorBytes; sector * kSectorBytes < end; ++sector) {
    if (file.changed.count(sector) != 0) continue;
    if (sector * kSectorBytes >= file.synced_size) {
      file.changed.emplace(sector, std::nullopt);
      continue;
    }
    Sector old(kSectorBytes);  // SQLite's own short reads fill with zeros
    real->pMethods->xRead(real, old.data(), static_cast<int>(kSectorBytes), static_cast<sqlite3_int64>(sector * kSectorBytes));
    file.changed.emplace(sector, std::move(old));
  }
}

void SimDisk::synced(const std::string& path, FileState& file, std::uint64_t size, bool folder_too) {
  file.changed.clear();
  file.cut_to.reset();
  file.synced_size = size;
  file.entry_synced = true;
  if (!folder_too) return;
  const fs::path folder = fs::path(path).parent_path();
  for (auto& [other, state] : files_) {
    if (fs::path(other).parent_path() == folder) state.entry_synced = true;
  }
  std::erase_if(deleted_, [&](const auto& entry) { return fs::path(entry.first).parent_path() == folder; });
}

void SimDisk::lose(const std::string& path, FileState& file) {
  std::fstream io(path, std::ios::binary | std::ios::in | std::ios::out);
  const std::uint64_t size_now = fs::file_size(path);
  const bool undo_cut = file.cut_to && random_.chance(50);
  const bool all = undo_cut || random_.chance(40);
  std::uint64_t base = file.synced_size;
  if (file.cut_to && !undo_cut) {  // what stood behind the cut is gone
    base = *file.cut_to;
    for (auto& [sector, old] : file.changed) {
      if (sector * kSectorBytes >= base) old.reset();
    }
  }
  bool torn = false;
  std::uint64_t size = base;
  if (!all && random_.chance(70)) size = size_now;
  for (const auto& [sector, old] : file.changed) {
    if (!all && random_.chance(50)) continue;  // this one reached the platter
    torn = true;
    ++counters_.sectors_lost;
    const std::uint64_t begin = sector * kSectorBytes;
    const Sector content = old ? *old : Sector(kSectorBytes);
    if (begin >= std::max(size, size_now)) continue;
    io.seekp(static_cast<std::streamoff>(begin));
    io.write(reinterpret_cast<const char*>(content.data()), static_cast<std::streamsize>(content.size()));
  }
  io.close();
  fs::resize_file(path, size);
  counters_.files_torn += torn ? 1 : 0;
  file.changed.clear();
  file.cut_to.reset();
  file.synced_size = size;
}

std::size_t SimDisk::unsynced_sectors() const {
  std::size_t out = 0;
  for (const auto& [path, file] : files_) out += file.changed.size();
  return out;
}

void SimDisk::restart_after_process_crash() {
  if (open_files_ != 0) std::abort();
  dead_ = false;
  fuse_.reset();
}

void SimDisk::restart_after_power_cut() {
  if (open_files_ != 0) std::abort();
  for (auto it = files_.begin(); it != files_.end();) {
    const std::string& path = it->first;
    if (!fs::exists(path)) {
      it = files_.erase(it);
      continue;
    }
    if (!it->second.entry_synced && random_.chance(50)) {
      ++counters_.files_vanished;
      fs::remove(path);
      it = files_.erase(it);
      continue;
    }
    lose(path, it->second);
    it->second.entry_synced = true;
    ++it;
  }
  for (const auto& [path, content] : deleted_) {
    if (fs::exists(path) || random_.chance(50)) continue;
    ++counters_.files_returned;
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(content.data()), static_cast<std::streamsize>(content.size()));
    files_[path] = FileState{true, content.size(), {}, {}};
  }
  deleted_.clear();
  dead_ = false;
  fuse_.reset();
}

}  // namespace lianxi::sim
