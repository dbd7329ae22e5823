// A journal file left behind, written anew row by row under another name: to be archived, or with damaged segments replaced.
// Whoever has the file open goes on with what it was. Throws Broken or SQLite::Exception.
#pragma once

#include <map>

#include "broker/store/files.h"
#include "broker/store/sqlite.h"
#include "schemas/damage.h"

namespace lianxi::store {

using Replaced = std::map<Offset, StoredSegment>;  // by the offset of the segment's first event

[[nodiscard]] Database open_at_rest(const JournalPlace& place);
// Table by table, segments last, so that damage to a place of the file reaches few of them. Fails if a row that is not replaced
// cannot be read. On disk when it returns.
void rewrite_file(const JournalPlace& from, const std::string& to, const Replaced& replaced);
// Whether both hold the same tables with the same rows.
[[nodiscard]] bool same_rows(const JournalPlace& one, const JournalPlace& other);

}  // namespace lianxi::store
