// A journal file as verification reads it: itself where nothing is written any more, a private copy where a log stands beside
// it. The journal is never touched.
#pragma once

#include <string>

#include "broker/store/files.h"
#include "broker/store/sqlite.h"

namespace lianxi::store {

class QuietCopy {
 public:
  explicit QuietCopy(const JournalPlace& place);
  ~QuietCopy();
  QuietCopy(const QuietCopy&) = delete;
  QuietCopy& operator=(const QuietCopy&) = delete;
  [[nodiscard]] SQLite::Database& db() { return *db_; }

 private:
  std::string folder_;  // of the copy; empty if there is none
  Database db_;
};

}  // namespace lianxi::store
