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
// `full` if the disk has not several times the file's room; of an archive, that of what it unpacks to.
void need_room(const JournalPlace& place);
// Table by table, segments last, so that damage to a place of the file reaches few of them. Fails if a row that is not replaced
// cannot be read, and if SQLite finds anything wrong with another table: then rows may be missing from it without a word. On disk
// when it returns.
void rewrite_file(const JournalPlace& from, const std::string& to, const Replaced& replaced);
// Whether both hold the same tables with the same rows.
[[nodiscard]] bool same_rows(const JournalPlace& one, const JournalPlace& other);

// A file in the making: under a name of its own until it is moved. What still bears that name at the end is half made, and goes.
class HalfMade {
 public:
  explicit HalfMade(std::string path) : path_(std::move(path)) {}
  ~HalfMade();
  HalfMade(const HalfMade&) = delete;
  HalfMade& operator=(const HalfMade&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace lianxi::store
