// A database's main file under the VFS in log_vfs.h. While a checkpoint copies pages out of the log, neighbours are written in
// one call, if, and only if, the checkpoint goes through to the log's end: it then sets the file's size and syncs it before the
// wal-index says that the pages are there, and a write that failed is told by then. One that a reader holds back partway
// does neither, so its pages are written one by one.
#pragma once

#include <sqlite3.h>

namespace lianxi::store {

// How much room a file of this VFS takes before the system's own.
[[nodiscard]] int database_file_bytes();
// As xOpen, on the VFS `real`.
[[nodiscard]] int open_database_file(sqlite3_vfs* real, const char* name, sqlite3_file* file, int flags, int* out_flags);
// Whether a checkpoint is copying into it now; false for files of other VFS.
[[nodiscard]] bool is_copying(sqlite3_file* file);

}  // namespace lianxi::store
