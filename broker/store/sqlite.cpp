#include "broker/store/sqlite.h"

#include <sqlite3.h>

#include <algorithm>

#include "broker/store/sqlite_uri.h"

namespace lianxi::store {

void fail(StoreError code, std::string detail) {
  throw Broken{{code, std::move(detail)}};
}

StoreFailure failure_of(const SQLite::Exception& error, const std::string& what) {
  StoreError code = StoreError::io;
  switch (error.getErrorCode()) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR:  // our statements are right, so the tables are not
      code = StoreError::corrupt;
      break;
    case SQLITE_FULL:
      code = StoreError::full;
      break;
    default:
      break;
  }
  return {code, what + ": " + error.what()};
}

void start_sqlite() {
  [[maybe_unused]] static const int started = [] {
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    return sqlite3_initialize();
  }();
}

// What has a meaning there is escaped.
std::string immutable_uri(const std::string& path, const std::string& vfs) {
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      constexpr char kDigits[] = "0123456789abcdef";
      const auto byte = static_cast<unsigned char>(c);
      uri += {'%', kDigits[byte >> 4U], kDigits[byte & 15U]};
    } else {
      uri += c;
    }
  }
  return uri + "?mode=ro&immutable=1" + (vfs.empty() ? "" : "&vfs=" + vfs);
}

Database open_database(const std::string& path, OpenMode mode, const std::string& vfs, int busy_ms) {
  start_sqlite();
  // A connection may change its thread (a file left behind goes to whoever maintains), but is used by one at a time.
  int flags = SQLITE_OPEN_NOMUTEX;
  switch (mode) {
    case OpenMode::create:
      flags |= SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI;
      break;
    case OpenMode::write:
      flags |= SQLITE_OPEN_READWRITE;
      break;
    case OpenMode::read:
      flags |= SQLITE_OPEN_READONLY;
      break;
    case OpenMode::immutable:
      flags |= SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
      break;
  }
  auto db = std::make_unique<SQLite::Database>(mode == OpenMode::immutable ? immutable_uri(path, "") : path, flags, busy_ms, vfs);
  if (mode == OpenMode::read) sqlite3_db_config(db->getHandle(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  db->exec("PRAGMA temp_store=MEMORY");
  return db;
}

void keep_wal(SQLite::Database& db, const std::string& path) {
  SQLite::Statement mode(db, "PRAGMA journal_mode=WAL");
  const bool kept = mode.executeStep() && mode.getColumn(0).getString() == "wal";
  // It commits behind its row: what a statement that is left there finds at its commit, nobody hears.
  while (mode.executeStep()) continue;
  if (!kept) fail(StoreError::io, path + ": cannot keep a log");
}

std::int64_t number_of(SQLite::Database& db, const std::string& sql) {
  SQLite::Statement statement(db, sql);
  return statement.executeStep() ? statement.getColumn(0).getInt64() : 0;
}

Run& Run::put(BytesView blob) {
  // An empty span may have no address, which SQLite would read as NULL.
  statement_.bindNoCopy(++bound_, blob.empty() ? static_cast<const void*>("") : blob.data(), static_cast<int>(blob.size()));
  return *this;
}

std::string Run::text(int column) const {
  return std::string(view(column));
}

std::string_view Run::view(int column) const {
  const SQLite::Column value = statement_.getColumn(column);
  const char* text = value.getText();
  return {text, static_cast<std::size_t>(value.getBytes())};
}

BytesView Run::blob(int column) const {
  const SQLite::Column value = statement_.getColumn(column);
  const auto* bytes = static_cast<const std::uint8_t*>(value.getBlob());
  return {bytes, static_cast<std::size_t>(value.getBytes())};
}

Hash hash_of(BytesView blob, const char* where) {
  Hash hash{};
  if (blob.size() != hash.size())
    fail(StoreError::corrupt, std::string(where) + ": a hash has " + std::to_string(blob.size()) + " bytes");
  std::copy(blob.begin(), blob.end(), hash.begin());
  return hash;
}

}  // namespace lianxi::store
