// The tables of journal and view, as numbered steps of schemas/sql, built into the program.
#pragma once

#include <string>
#include <vector>

namespace SQLite {
class Database;
}

namespace lianxi::store {

struct Migration {
  int version = 0;
  std::string name;
  std::string sql;
};
[[nodiscard]] const std::vector<Migration>& journal_migrations();
[[nodiscard]] const std::vector<Migration>& view_migrations();

// The highest version applied; 0 for an empty database.
[[nodiscard]] int version_of(SQLite::Database& db);
// Applies what is missing, each step in one transaction with its row in `migration`. Throws Broken newer_version if the
// database has a step that this program does not know.
void migrate(SQLite::Database& db, const std::vector<Migration>& all);
// For readers: throws Broken newer_version as above, changes nothing.
void check_version(SQLite::Database& db, const std::vector<Migration>& all);

}  // namespace lianxi::store
