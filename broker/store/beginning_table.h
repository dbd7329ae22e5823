// The rows of the journal's table `beginning`, under the connection of their file. Throws Broken or SQLite::Exception.
#pragma once

#include <vector>

#include "broker/store/sqlite.h"
#include "schemas/journal_batch.h"

namespace lianxi::store {

class BeginningTable {
 public:
  explicit BeginningTable(SQLite::Database& db) : db_(db) {}  // borrowed
  // Empty of a file that was made before there was such a table. A proof stands in the file of the feed's first segment alone.
  [[nodiscard]] std::vector<Beginning> load() const;
  void write(const Beginning& row);

 private:
  SQLite::Database& db_;
};

}  // namespace lianxi::store
