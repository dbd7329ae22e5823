// The table of publish_once keys in a SQLite outbox: key, the event it named first, and that event's outcome once known.
// Not synchronised: whoever may write the outbox uses it. Functions throw SQLite::Exception.
#pragma once

#include <SQLiteCpp/SQLiteCpp.h>

#include <optional>
#include <unordered_set>

#include "agents/sdk/outbox.h"

namespace lianxi::sdk {

inline constexpr const char* kOnceKeysSchema = R"sql(
CREATE TABLE once_key (
  key     TEXT PRIMARY KEY,
  ticket  INTEGER NOT NULL UNIQUE,
  outcome BLOB                       -- as a journal row of answers; NULL until answered
) WITHOUT ROWID;
)sql";

class OnceKeys {
 public:
  explicit OnceKeys(SQLite::Database& database);
  struct Known {
    Ticket ticket = 0;
    std::optional<Outcome> outcome;
  };
  [[nodiscard]] std::optional<Known> find(const std::string& key);
  void insert(const std::string& key, Ticket ticket);
  void write(Ticket ticket, const Outcome& outcome);
  void forget(const std::string& prefix);  // answered ones only
  [[nodiscard]] std::unordered_set<Ticket> unanswered();

 private:
  SQLite::Database& database_;
  SQLite::Statement find_, insert_, write_;
};

// Runs a prepared statement and leaves it ready for the next use, also after a failure.
void run(SQLite::Statement& statement);

}  // namespace lianxi::sdk
