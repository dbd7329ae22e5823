// Journal files at rest: `000001.db.zst` holds the bytes of `000001.db` as independent zstd frames of one size, with a table of
// them at its end (zstd's seekable format), so that any zstd tool unpacks it whole and SQLite reads it at random through the VFS
// named here. Format: schemas/README.md, section 6.
#pragma once

#include <string>

#include "broker/store/sqlite.h"

namespace lianxi::store {

// The VFS's name for open_database, immutable only; registered at the first call. A connection keeps the frames read last. Each
// frame has a checksum: one that is damaged reads as SQLITE_CORRUPT. Any thread.
[[nodiscard]] const std::string& archive_vfs();

// Packs the file `from`, which nobody writes, as `to`; on disk when it returns. Throws Broken.
void write_archive(const std::string& from, const std::string& to);
// Whether the archive unpacks to exactly the bytes of the file. Throws Broken if it cannot be read.
[[nodiscard]] bool archive_holds(const std::string& archive, const std::string& file);

}  // namespace lianxi::store
