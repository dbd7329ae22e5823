// The rows of the journal's table `cursor`, under the connection of their file. Throws Broken or SQLite::Exception.
#pragma once

#include <memory>
#include <vector>

#include "broker/store/sqlite.h"
#include "schemas/journal_batch.h"

namespace lianxi::store {

class CursorTable {
 public:
  explicit CursorTable(SQLite::Database& db) : db_(db) {}  // borrowed
  [[nodiscard]] std::vector<CursorRow> load() const;
  void write(const std::vector<CursorRow>& rows);
  void forget(const std::vector<CursorKey>& keys);

 private:
  SQLite::Database& db_;
  std::unique_ptr<SQLite::Statement> write_, forget_;
};

}  // namespace lianxi::store
