#include "broker/store/migrations.h"

#include "broker/store/sqlite.h"

namespace lianxi::store {

int version_of(SQLite::Database& db) {
  if (number_of(db, "SELECT count(*) FROM sqlite_schema WHERE name = 'migration'") == 0) return 0;
  return static_cast<int>(number_of(db, "SELECT max(version) FROM migration"));
}

void check_version(SQLite::Database& db, const std::vector<Migration>& all) {
  const int known = all.empty() ? 0 : all.back().version;
  const int found = version_of(db);
  if (found > known) {
    fail(StoreError::newer_version, "the file has tables of version " + std::to_string(found) + ", this program knows up to " +
                                        std::to_string(known) + ": use a newer program");
  }
}

void migrate(SQLite::Database& db, const std::vector<Migration>& all) {
  check_version(db, all);
  const int found = version_of(db);
  for (const Migration& step : all) {
    if (step.version <= found) continue;
    Transaction transaction(db);
    db.exec("CREATE TABLE IF NOT EXISTS migration (version INTEGER PRIMARY KEY, name TEXT NOT NULL)");
    db.exec(step.sql);
    SQLite::Statement insert(db, "INSERT INTO migration (version, name) VALUES (?, ?)");
    Run(insert).put(step.version).put(step.name).exec();
    transaction.commit();
  }
}

}  // namespace lianxi::store
