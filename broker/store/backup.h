// A copy of a journal, made while its node goes on writing.
#pragma once

#include <functional>

#include "broker/store/sqlite_journal.h"

namespace lianxi::store {

struct JournalCopy {
  JournalIdentity identity;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
};

// Copies the journal in `folder` into the empty folder `to`, file by file through read-only connections: the copy is the
// journal as it stood at one moment of the call, and on disk when this returns. `copied` is told of each file, and may be
// told of one more than there were at first. Another process may write the journal; nobody else may write `to`.
[[nodiscard]] StoreResult<JournalCopy> copy_journal(const std::string& folder, const std::string& to,
                                                    const std::function<void(std::uint64_t files, std::uint64_t of)>& copied);

}  // namespace lianxi::store
