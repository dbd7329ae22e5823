#include "broker/store/database_file.h"

#include <cstdint>
#include <utility>

#include "broker/store/forwarding_file.h"
#include "broker/store/gathered.h"

namespace lianxi::store {

namespace {

constexpr std::size_t kMaxGathered = 1024 * 1024;
// The wal-index, see walformat.html of SQLite: numbers of 32 bits in the machine's own order.
constexpr std::size_t kLastFrameAt = 16 / 4;
constexpr std::size_t kBackfillAttemptedAt = 128 / 4;

struct State {
  Gathered gathered;
  bool copying = false;
  int failed = SQLITE_OK;  // of what was gathered last; the checkpoint's next call says it
  const std::uint32_t* index = nullptr;

  [[nodiscard]] bool goes_through() const {
    return index != nullptr && __atomic_load_n(index + kBackfillAttemptedAt, __ATOMIC_RELAXED) ==
                                   __atomic_load_n(index + kLastFrameAt, __ATOMIC_RELAXED);
  }
};

using DatabaseFile = ForwardingFile<State>;

State& state_of(sqlite3_file* file) {
  return DatabaseFile::state_of(file);
}
sqlite3_file* real_of(sqlite3_file* file) {
  return DatabaseFile::real_of(file);
}

int flush(sqlite3_file* file) {
  State& state = state_of(file);
  if (state.failed != SQLITE_OK) return std::exchange(state.failed, SQLITE_OK);
  return state.gathered.flush(real_of(file));
}

int read(sqlite3_file* file, void* to, int amount, sqlite3_int64 offset) {
  if (state_of(file).gathered.overlaps(offset, amount)) {
    if (const int rc = flush(file); rc != SQLITE_OK) return rc;
  }
  return real_of(file)->pMethods->xRead(real_of(file), to, amount, offset);
}

int write(sqlite3_file* file, const void* from, int amount, sqlite3_int64 offset) {
  State& state = state_of(file);
  if (state.copying) return state.gathered.write(real_of(file), from, amount, offset, kMaxGathered);
  return real_of(file)->pMethods->xWrite(real_of(file), from, amount, offset);
}

int truncate(sqlite3_file* file, sqlite3_int64 size) {
  const int rc = flush(file);
  return rc == SQLITE_OK ? real_of(file)->pMethods->xTruncate(real_of(file), size) : rc;
}

int sync(sqlite3_file* file, int flags) {
  const int rc = flush(file);
  return rc == SQLITE_OK ? real_of(file)->pMethods->xSync(real_of(file), flags) : rc;
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  const int rc = real_of(file)->pMethods->xFileSize(real_of(file), size);
  const Gathered& gathered = state_of(file).gathered;
  if (!gathered.empty() && gathered.end() > *size) *size = gathered.end();
  return rc;
}

int control(sqlite3_file* file, int op, void* argument) {
  State& state = state_of(file);
  if (op == SQLITE_FCNTL_CKPT_START) {
    state.failed = SQLITE_OK;
    state.copying = state.goes_through();
  } else if (op == SQLITE_FCNTL_CKPT_DONE) {
    // Whatever was not written stands in the log, and the next checkpoint copies it again.
    state.failed = state.gathered.flush(real_of(file));
    state.gathered.drop();
    state.gathered.release();
    state.copying = false;
  }
  return real_of(file)->pMethods->xFileControl(real_of(file), op, argument);
}

int shm_map(sqlite3_file* file, int region, int bytes, int extend, void volatile** out) {
  const int rc = real_of(file)->pMethods->xShmMap(real_of(file), region, bytes, extend, out);
  if (region == 0) state_of(file).index = rc == SQLITE_OK ? static_cast<const std::uint32_t*>(const_cast<void*>(*out)) : nullptr;
  return rc;
}
int shm_unmap(sqlite3_file* file, int remove) {
  state_of(file).index = nullptr;
  return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

// Version 2: not mapped, for what is gathered would be missing there.
constexpr sqlite3_io_methods kMethods = [] {
  sqlite3_io_methods methods = DatabaseFile::methods(2);
  methods.xRead = read;
  methods.xWrite = write;
  methods.xTruncate = truncate;
  methods.xSync = sync;
  methods.xFileSize = file_size;
  methods.xFileControl = control;
  methods.xShmMap = shm_map;
  methods.xShmUnmap = shm_unmap;
  return methods;
}();

}  // namespace

int database_file_bytes() {
  return static_cast<int>(sizeof(DatabaseFile));
}

int open_database_file(sqlite3_vfs* real, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  return DatabaseFile::open(real, name, file, flags, out_flags, &kMethods);
}

bool is_copying(sqlite3_file* file) {
  return file != nullptr && file->pMethods == &kMethods && state_of(file).copying;
}

}  // namespace lianxi::store
