#include "broker/store/forwarding_file.h"

#include "broker/store/sqlite.h"

namespace lianxi::store {

namespace {

sqlite3_vfs* default_vfs() {
  start_sqlite();
  return sqlite3_vfs_find(nullptr);
}

}  // namespace

StackedVfs::StackedVfs(std::string name, std::size_t file_bytes, Open open) : name_(std::move(name)), vfs_(*default_vfs()) {
  vfs_.szOsFile += static_cast<int>(file_bytes);
  vfs_.pAppData = default_vfs();
  vfs_.pNext = nullptr;
  vfs_.zName = name_.c_str();
  vfs_.xOpen = open;
  if (sqlite3_vfs_register(&vfs_, 0) != SQLITE_OK) fail(StoreError::io, "SQLite does not take the VFS " + name_);
}

}  // namespace lianxi::store
