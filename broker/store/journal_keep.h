// Journal files that are proven and far behind are kept packed. One thread; the process holds the folder's lock.
#pragma once

#include <string>
#include <vector>

#include "broker/store/sqlite_journal.h"

namespace lianxi::store {

struct ArchivedFile {
  std::string path;
  std::uint64_t plain_bytes = 0, packed_bytes = 0;
};
// Packs a file left behind that is proven. The archive is read back whole, byte by byte and row by row, and proven itself, before
// it takes its name, and only then the plain file goes; whoever has that open goes on with it. A crash at any point leaves one of
// the two, or both. `full` if the disk has not several times the file's room.
[[nodiscard]] StoreResult<ArchivedFile> archive_file(const std::string& folder, std::uint64_t number, const KeyOf& key_of);

// At start: removes what a process that ended in the middle of packing or repairing left half made, and plain files whose
// archive holds the same. One line for each file that stays plain though an archive bears its number: it is packed again.
[[nodiscard]] StoreResult<std::vector<std::string>> tidy_journal(const std::string& folder);

}  // namespace lianxi::store
