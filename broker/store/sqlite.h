// SQLiteCpp as this floor uses it: opening, running prepared statements, and one place where exceptions become failures.
// Nothing here leaves the floor.
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>
#include <SQLiteCpp/Statement.h>

#include <concepts>
#include <memory>
#include <string>

#include "broker/store/journal.h"

namespace lianxi::store {

// Thrown inside the floor only; `guarded` turns it into the failure it carries.
struct Broken {
  StoreFailure failure;
};
[[noreturn]] void fail(StoreError code, std::string detail);
[[nodiscard]] StoreFailure failure_of(const SQLite::Exception& error, const std::string& what);

// Runs `f` and gives its value; whatever it throws becomes a failure whose detail begins with `what`.
template <class F>
[[nodiscard]] auto guarded(const std::string& what, F&& f) -> StoreResult<decltype(f())> {
  try {
    if constexpr (std::is_void_v<decltype(f())>) {
      f();
      return {};
    } else {
      return f();
    }
  } catch (const Broken& broken) {
    return tl::unexpected(StoreFailure{broken.failure.code, what + ": " + broken.failure.detail});
  } catch (const SQLite::Exception& error) {
    return tl::unexpected(failure_of(error, what));
  } catch (const std::exception& error) {
    return tl::unexpected(StoreFailure{StoreError::io, what + ": " + error.what()});
  }
}

// Before anything else of SQLite's; once. Its count of memory would take a lock at each allocation, and nobody asks for it.
void start_sqlite();

using Database = std::unique_ptr<SQLite::Database>;

enum class OpenMode : std::uint8_t {
  create,     // read and write, made if absent
  write,      // read and write
  read,       // read-only; shares the file with its writer; never checkpoints
  immutable,  // read-only; nobody writes the file any more and its WAL is empty: no locks, no side files
};
// `busy_ms` bounds the wait for another connection's recovery or checkpoint.
[[nodiscard]] Database open_database(const std::string& path, OpenMode mode, const std::string& vfs, int busy_ms = 5'000);

// Makes the database one with a write-ahead log.
void keep_wal(SQLite::Database& db, const std::string& path);

// First column of the first row; 0 if there is none.
[[nodiscard]] std::int64_t number_of(SQLite::Database& db, const std::string& sql);

[[nodiscard]] constexpr std::int64_t to_stored(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}
[[nodiscard]] constexpr std::uint64_t from_stored(std::int64_t value) {
  return static_cast<std::uint64_t>(value);
}

// One run of a prepared statement: binds in order, gives rows, resets when it goes. What is bound must outlive it, but
// for texts that are made for the call.
class Run {
 public:
  explicit Run(SQLite::Statement& statement) : statement_(statement) {}
  ~Run() { (void)statement_.tryReset(); }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  template <std::integral T>
  Run& put(T value) {
    return statement_.bind(++bound_, static_cast<std::int64_t>(value)), *this;
  }
  Run& put(double value) { return statement_.bind(++bound_, value), *this; }
  Run& put(const std::string& text) { return statement_.bindNoCopy(++bound_, text), *this; }
  // Copied: gone before the statement runs. Constant ones too, as `a ? b.text() : std::string()` makes them.
  Run& put(const std::string&& text) { return statement_.bind(++bound_, text), *this; }
  Run& put(BytesView blob);
  Run& put_null() { return statement_.bind(++bound_), *this; }
  template <class T>
  Run& put_optional(const std::optional<T>& value) {
    if (!value) return put_null();
    return put(*value);
  }

  [[nodiscard]] bool next() { return statement_.executeStep(); }
  void exec() { (void)statement_.exec(); }  // for statements without rows

  [[nodiscard]] std::int64_t number(int column) const { return statement_.getColumn(column).getInt64(); }
  [[nodiscard]] std::uint64_t number_u64(int column) const { return from_stored(number(column)); }
  [[nodiscard]] double real(int column) const { return statement_.getColumn(column).getDouble(); }
  [[nodiscard]] bool is_null(int column) const { return statement_.getColumn(column).isNull(); }
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] std::string_view view(int column) const;  // of its text; valid until the next row
  [[nodiscard]] BytesView blob(int column) const;         // valid until the next row
  template <class T>
  [[nodiscard]] std::optional<T> optional_number(int column) const {
    if (is_null(column)) return std::nullopt;
    return static_cast<T>(number(column));
  }

 private:
  SQLite::Statement& statement_;
  int bound_ = 0;
};

// BEGIN now, COMMIT on commit(), ROLLBACK if left without.
class Transaction {
 public:
  explicit Transaction(SQLite::Database& db, const char* begin = "BEGIN IMMEDIATE") : db_(db) { db_.exec(begin); }
  ~Transaction() {
    if (open_) (void)db_.tryExec("ROLLBACK");
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit() {
    db_.exec("COMMIT");
    open_ = false;
  }

 private:
  SQLite::Database& db_;
  bool open_ = true;
};

// A stored hash; corrupt if it has another size.
[[nodiscard]] Hash hash_of(BytesView blob, const char* where);

}  // namespace lianxi::store
