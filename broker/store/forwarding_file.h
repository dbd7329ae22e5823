// A file of a VFS that stands on another: what SQLite holds points to a State of ours, and behind it in the same memory lies the
// file of the VFS below. Here is how both are found, and the calls that are handed through as they are.
#pragma once

#include <sqlite3.h>

#include <new>
#include <string>

namespace lianxi::store {

// A VFS on the default one, registered under a name of its own while it lives; its `open` finds the default one in pAppData.
class StackedVfs {
 public:
  using Open = decltype(sqlite3_vfs::xOpen);
  // `file_bytes`: what its files take before the system's own.
  StackedVfs(std::string name, std::size_t file_bytes, Open open);
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  std::string name_;
  sqlite3_vfs vfs_;
};

template <class State>
class ForwardingFile {
 public:
  static State& state_of(sqlite3_file* file) { return *reinterpret_cast<ForwardingFile*>(file)->state_; }
  static sqlite3_file* real_of(sqlite3_file* file) {
    return reinterpret_cast<sqlite3_file*>(reinterpret_cast<ForwardingFile*>(file) + 1);
  }

  // As xOpen, on the VFS `real`; a new State stands behind the file then, which close() must delete.
  static int open(sqlite3_vfs* real, const char* name, sqlite3_file* file, int flags, int* out_flags,
                  const sqlite3_io_methods* methods) {
    file->pMethods = nullptr;
    auto* state = new (std::nothrow) State;
    if (state == nullptr) return SQLITE_NOMEM;
    const int rc = real->xOpen(real, name, real_of(file), flags, out_flags);
    if (rc != SQLITE_OK) {
      delete state;
      return rc;
    }
    reinterpret_cast<ForwardingFile*>(file)->state_ = state;
    file->pMethods = methods;
    return SQLITE_OK;
  }
  static int close(sqlite3_file* file) {
    const int rc = real_of(file)->pMethods->xClose(real_of(file));
    delete reinterpret_cast<ForwardingFile*>(file)->state_;
    return rc;
  }

  // All is handed through, but for close(); who uses it sets what is done otherwise. Version 1: without shared memory, so it is
  // no database's main file; below 3: not mapped.
  static constexpr sqlite3_io_methods methods(int version) {
    sqlite3_io_methods methods{};
    methods.iVersion = version;
    methods.xClose = close;
    methods.xRead = read;
    methods.xWrite = write;
    methods.xTruncate = truncate;
    methods.xSync = sync;
    methods.xFileSize = file_size;
    methods.xLock = lock;
    methods.xUnlock = unlock;
    methods.xCheckReservedLock = check_lock;
    methods.xFileControl = control;
    methods.xSectorSize = sector_size;
    methods.xDeviceCharacteristics = characteristics;
    methods.xShmMap = shm_map;
    methods.xShmLock = shm_lock;
    methods.xShmBarrier = shm_barrier;
    methods.xShmUnmap = shm_unmap;
    methods.xFetch = fetch;
    methods.xUnfetch = unfetch;
    return methods;
  }

 private:
  static int read(sqlite3_file* file, void* to, int amount, sqlite3_int64 offset) {
    return real_of(file)->pMethods->xRead(real_of(file), to, amount, offset);
  }
  static int write(sqlite3_file* file, const void* from, int amount, sqlite3_int64 offset) {
    return real_of(file)->pMethods->xWrite(real_of(file), from, amount, offset);
  }
  static int truncate(sqlite3_file* file, sqlite3_int64 size) { return real_of(file)->pMethods->xTruncate(real_of(file), size); }
  static int sync(sqlite3_file* file, int flags) { return real_of(file)->pMethods->xSync(real_of(file), flags); }
  static int file_size(sqlite3_file* file, sqlite3_int64* size) {
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
  }
  static int lock(sqlite3_file* file, int level) { return real_of(file)->pMethods->xLock(real_of(file), level); }
  static int unlock(sqlite3_file* file, int level) { return real_of(file)->pMethods->xUnlock(real_of(file), level); }
  static int check_lock(sqlite3_file* file, int* out) { return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out); }
  static int control(sqlite3_file* file, int op, void* argument) {
    return real_of(file)->pMethods->xFileControl(real_of(file), op, argument);
  }
  static int sector_size(sqlite3_file* file) { return real_of(file)->pMethods->xSectorSize(real_of(file)); }
  static int characteristics(sqlite3_file* file) { return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file)); }
  static int shm_map(sqlite3_file* file, int region, int bytes, int extend, void volatile** out) {
    return real_of(file)->pMethods->xShmMap(real_of(file), region, bytes, extend, out);
  }
  static int shm_lock(sqlite3_file* file, int offset, int count, int flags) {
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
  }
  static void shm_barrier(sqlite3_file* file) { real_of(file)->pMethods->xShmBarrier(real_of(file)); }
  static int shm_unmap(sqlite3_file* file, int remove) { return real_of(file)->pMethods->xShmUnmap(real_of(file), remove); }
  static int fetch(sqlite3_file* file, sqlite3_int64 offset, int amount, void** out) {
    return real_of(file)->pMethods->xFetch(real_of(file), offset, amount, out);
  }
  static int unfetch(sqlite3_file* file, sqlite3_int64 offset, void* page) {
    return real_of(file)->pMethods->xUnfetch(real_of(file), offset, page);
  }

  sqlite3_file base_;
  State* state_;
};

}  // namespace lianxi::store
