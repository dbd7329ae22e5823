#include "agents/conference/receipts.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include "schemas/vocabulary.h"

namespace lianxi::conference {
namespace {

constexpr int kVersion = 1;
constexpr int kBusyMs = 5'000;
// A cursor that moved over events of others is written only now and then: losing it costs a short read.
constexpr std::uint64_t kIdleOffsets = 1'000;

constexpr const char* kSchema = R"sql(
CREATE TABLE receipt (
  region       TEXT NOT NULL,
  epoch        INTEGER NOT NULL,
  lane         TEXT NOT NULL,
  audience     TEXT NOT NULL,
  seq          INTEGER NOT NULL,
  entity       TEXT NOT NULL,
  level        TEXT NOT NULL,
  status       TEXT NOT NULL,
  headline     TEXT NOT NULL,
  published_at INTEGER NOT NULL,  -- ms since 1970 UTC
  received_at  INTEGER NOT NULL,
  latency_ms   INTEGER NOT NULL,
  PRIMARY KEY (region, epoch, lane, audience, seq)
);
CREATE TABLE cursor (
  one         INTEGER PRIMARY KEY CHECK (one = 1),
  node        INTEGER NOT NULL,
  incarnation INTEGER NOT NULL,
  next        INTEGER NOT NULL
);
)sql";

SQLite::Database open(const std::string& path) {
  SQLite::Database database(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, kBusyMs);
  database.exec("PRAGMA journal_mode=WAL");
  database.exec("PRAGMA synchronous=FULL");
  const int version = database.execAndGet("PRAGMA user_version").getInt();
  if (version > kVersion) throw SQLite::Exception(path + " was written by a newer version of this program");
  if (version == 0) {
    SQLite::Transaction transaction(database);
    database.exec(kSchema);
    database.exec("PRAGMA user_version=" + std::to_string(kVersion));
    transaction.commit();
  }
  return database;
}

}  // namespace

struct Receipts::State {
  explicit State(const std::string& path)
      : database(open(path)),
        insert(database, "INSERT OR IGNORE INTO receipt VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
        save(database,
             "INSERT INTO cursor (one, node, incarnation, next) VALUES (1, ?1, ?2, ?3) "
             "ON CONFLICT (one) DO UPDATE SET node = ?1, incarnation = ?2, next = ?3") {}

  SQLite::Database database;
  SQLite::Statement insert, save;
  std::optional<SQLite::Transaction> transaction;
  Offset saved;
};

Receipts::Receipts(const std::string& path) : state_(std::make_unique<State>(path)) {}
Receipts::~Receipts() = default;

std::optional<Cursor> Receipts::cursor() const {
  SQLite::Statement select(state_->database, "SELECT node, incarnation, next FROM cursor");
  if (!select.executeStep()) return std::nullopt;
  return Cursor{RegionCode(static_cast<std::uint32_t>(select.getColumn(0).getInt64())),
                Incarnation(static_cast<std::uint64_t>(select.getColumn(1).getInt64())),
                Offset(static_cast<std::uint64_t>(select.getColumn(2).getInt64()))};
}

bool Receipts::add(const AlertReceipt& receipt) {
  if (!state_->transaction) state_->transaction.emplace(state_->database);
  SQLite::Statement& insert = state_->insert;
  insert.tryReset();
  insert.bind(1, to_text(receipt.feed.region));
  insert.bind(2, static_cast<std::int64_t>(receipt.feed.epoch.value));
  insert.bind(3, std::string(to_word(receipt.feed.lane)));
  insert.bind(4, receipt.feed.audience.text());
  insert.bind(5, static_cast<std::int64_t>(receipt.sequence.value));
  insert.bind(6, receipt.entity);
  insert.bind(7, std::string(to_word(receipt.level)));
  insert.bind(8, std::string(to_word(receipt.status)));
  insert.bind(9, receipt.headline);
  insert.bind(10, static_cast<std::int64_t>(receipt.published_at));
  insert.bind(11, static_cast<std::int64_t>(receipt.received_at));
  insert.bind(12, static_cast<std::int64_t>(receipt.received_at - receipt.published_at));
  return insert.exec() > 0;
}

void Receipts::commit(const Cursor& cursor) {
  State& state = *state_;
  const bool idle = !state.transaction && cursor.next.value < state.saved.value + kIdleOffsets && state.saved.value > 0;
  if (idle) return;
  if (!state.transaction) state.transaction.emplace(state.database);
  state.save.tryReset();
  state.save.bind(1, static_cast<std::int64_t>(cursor.node.value));
  state.save.bind(2, static_cast<std::int64_t>(cursor.incarnation.value));
  state.save.bind(3, static_cast<std::int64_t>(cursor.next.value));
  state.save.exec();
  state.transaction->commit();
  state.transaction.reset();
  state.saved = cursor.next;
}

}  // namespace lianxi::conference
