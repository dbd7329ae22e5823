#include "broker/store/mapped_vfs.h"

#include "broker/store/forwarding_file.h"
#include "broker/store/sqlite.h"

namespace lianxi::store {

namespace {

constexpr sqlite3_int64 kGrowth = 64;  // mapped anew when it has grown by one in so many; what is not mapped yet is read

struct State {
  sqlite3_int64 mapped = -1;  // the file's size when it was last mapped
};
using MappedFile = ForwardingFile<State>;

// Without a page: the whole mapping is to go.
int unfetch(sqlite3_file* file, sqlite3_int64 offset, void* page) {
  sqlite3_file* real = MappedFile::real_of(file);
  if (page != nullptr) return real->pMethods->xUnfetch(real, offset, page);
  sqlite3_int64 size = 0;
  if (const int rc = real->pMethods->xFileSize(real, &size); rc != SQLITE_OK) return rc;
  sqlite3_int64& mapped = MappedFile::state_of(file).mapped;
  if (mapped >= 0 && size >= mapped && size - mapped <= mapped / kGrowth) return SQLITE_OK;
  mapped = size;
  return real->pMethods->xUnfetch(real, offset, page);
}

constexpr sqlite3_io_methods kMethods = [] {
  sqlite3_io_methods methods = MappedFile::methods(3);
  methods.xUnfetch = unfetch;
  return methods;
}();

int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  auto* real = static_cast<sqlite3_vfs*>(vfs->pAppData);
  if ((flags & SQLITE_OPEN_MAIN_DB) == 0) return real->xOpen(real, name, file, flags, out_flags);
  return MappedFile::open(real, name, file, flags, out_flags, &kMethods);
}

}  // namespace

const std::string& mapped_vfs() {
  static const StackedVfs ours("lianxi-mapped", sizeof(MappedFile), open);
  return ours.name();
}

}  // namespace lianxi::store
