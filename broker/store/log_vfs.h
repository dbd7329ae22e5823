// The SQLite VFS under which the journal's writer runs, and that of the view's. Both differ from the default one in how a
// checkpoint copies: the log is read ahead, and neighbouring pages are written in one call (database_file.h). That of the
// journal treats the write-ahead log in its own way too:
//
//   writes are gathered and given to the system in one call when the log is synced. SQLite writes each page and its header by
//   themselves, and tells readers of a commit only after the sync (which the view's commits do not have).
//   emptying the log overwrites its header with zeros and leaves its blocks where they are: the next commits overwrite blocks
//   that the disk has already, so that a sync has no metadata to write. What stands behind them is of older salts, which
//   SQLite never takes for a part of the log.
//
// The blocks outlive their file: `keep_log` takes them from a file left behind, `give_log` hands them to a new one.
#pragma once

#include <cstdint>
#include <string>

namespace lianxi::store {

// The VFS's names for open_database; registered at the first call. Any thread.
[[nodiscard]] const std::string& log_vfs();
[[nodiscard]] const std::string& view_vfs();

// The kept log of a journal's folder, if there is one.
[[nodiscard]] bool has_kept_log(const std::string& folder);
// Takes the log of `database`, which no connection writes any more and whose pages stand synced in the database: it becomes
// the folder's kept log, or goes if there is one already. Its wal-index goes too. Throws Broken.
void keep_log(const std::string& folder, const std::string& database);
// Makes the kept log that of `database`, which has none and no connection; false if there is none. On disk when it returns.
bool give_log(const std::string& folder, const std::string& database);
// Writes a kept log of zeros, unless there is one; in small synced steps, so that commits beside it hardly wait.
void make_kept_log(const std::string& folder, std::uint64_t bytes);

}  // namespace lianxi::store
