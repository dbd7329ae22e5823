#include "broker/store/journal_rewrite.h"

#include <sqlite3.h>

#include <algorithm>
#include <filesystem>

#include "broker/store/archive.h"
#include "broker/store/journal_file.h"
#include "broker/store/sqlite_uri.h"

namespace lianxi::store {

namespace {

constexpr std::uint64_t kRoomTimes = 4;  // the copy, the archive, and as much again for whoever writes beside it

struct Table {
  std::string name, sql;
  bool operator==(const Table&) const = default;
};

// In the order in which they are written.
std::vector<Table> tables_of(SQLite::Database& db, const std::string& schema) {
  std::vector<Table> tables;
  SQLite::Statement select(db, "SELECT name, sql FROM " + schema +
                                   ".sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
                                   " ORDER BY name = 'segment', name");
  for (Run run(select); run.next();) tables.push_back({run.text(0), run.text(1)});
  return tables;
}

// A page that has become shorter shows fewer rows, and no statement fails for it. Segments that are to be replaced may be hurt.
void check_tables(SQLite::Database& db, const std::string& schema, bool all) {
  std::vector<std::string> names{"sqlite_schema"};
  for (const Table& table : tables_of(db, schema))
    if (all || table.name != "segment") names.push_back(table.name);
  for (const std::string& name : names) {
    SQLite::Statement check(db, "PRAGMA " + schema + ".integrity_check(\"" + name + "\")");
    const std::string said = check.executeStep() ? check.getColumn(0).getString() : "";
    if (said != "ok") fail(StoreError::corrupt, "its table " + name + " is damaged: " + said);
  }
}

// Each segment by itself, as the seals tell where they stand: what is damaged must not hide what is not.
void copy_segments(SQLite::Database& db, const Replaced& replaced) {
  std::vector<Offset> offsets;
  SQLite::Statement seals(db, "SELECT offset FROM source.seal ORDER BY offset");
  for (Run run(seals); run.next();) offsets.emplace_back(run.number_u64(0));
  SQLite::Statement copy(db, "INSERT INTO main.segment SELECT * FROM source.segment WHERE offset = ?");
  SQLite::Statement insert(db,
                           "INSERT INTO main.segment (offset, count, feed, first_sequence, bytes)"
                           " SELECT ?, ?, feed, ?, ? FROM main.seal WHERE offset = ?");
  SQLite::Statement reseal(db, "UPDATE main.seal SET hash = ?, signature = ? WHERE offset = ?");
  for (const Offset offset : offsets) {
    const auto found = replaced.find(offset);
    if (found == replaced.end()) {
      Run(copy).put(offset.value).exec();
      continue;
    }
    const StoredSegment& segment = found->second;
    Run(insert)
        .put(offset.value)
        .put(segment.info.count)
        .put(segment.info.first_sequence.value)
        .put(BytesView(segment.bytes))
        .put(offset.value)
        .exec();
    if (segment.seal)
      Run(reseal).put(BytesView(segment.seal->hash)).put(BytesView(segment.seal->signature)).put(offset.value).exec();
  }
}

// Steps both through a table; false where they differ.
bool same_table(SQLite::Database& one, SQLite::Database& other, const std::string& name) {
  const std::string all = "SELECT * FROM \"" + name + "\"";
  SQLite::Statement left(one, all), right(other, all);
  const int columns = left.getColumnCount();
  if (right.getColumnCount() != columns) return false;
  const auto same = [&](int column) {
    const SQLite::Column a = left.getColumn(column), b = right.getColumn(column);
    if (a.getType() != b.getType()) return false;
    const void *at = a.getBlob(), *bt = b.getBlob();
    const auto bytes = static_cast<std::size_t>(a.getBytes());
    return bytes == static_cast<std::size_t>(b.getBytes()) &&
           std::equal(static_cast<const char*>(at), static_cast<const char*>(at) + bytes, static_cast<const char*>(bt));
  };
  while (true) {
    const bool more = left.executeStep();
    if (right.executeStep() != more) return false;
    if (!more) return true;
    for (int column = 0; column < columns; ++column)
      if (!same(column)) return false;
  }
}

}  // namespace

Database open_at_rest(const JournalPlace& place) {
  Database db = open_database(place.path, OpenMode::immutable, place.archived ? archive_vfs() : "");
  db->exec("PRAGMA cache_size=-1024");
  return db;
}

void need_room(const JournalPlace& place) {
  const std::uint64_t bytes = VfsFile(place.path, FileKind::database, place.archived ? archive_vfs() : "").size_bytes();
  if (std::filesystem::space(std::filesystem::path(place.path).parent_path()).available < kRoomTimes * bytes)
    fail(StoreError::full, "too little room on the disk");
}

HalfMade::~HalfMade() {
  std::error_code ignored;
  for (const char* side : {"-journal", "-wal", "-shm", ""}) std::filesystem::remove(path_ + side, ignored);
}

void rewrite_file(const JournalPlace& from, const std::string& to, const Replaced& replaced) {
  remove_database(to, "");
  {
    const Database db = open_database(to, OpenMode::create, "");
    db->exec("PRAGMA page_size=" + std::to_string(kJournalPageBytes));
    db->exec("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF");
    SQLite::Statement attach(*db, "ATTACH ? AS source");
    const std::string uri = immutable_uri(from.path, from.archived ? archive_vfs() : "");
    Run(attach).put(uri).exec();
    check_tables(*db, "source", replaced.empty());
    {
      Transaction transaction(*db);
      for (const Table& table : tables_of(*db, "source")) {
        db->exec(table.sql);
        if (table.name == "segment" && !replaced.empty()) {
          copy_segments(*db, replaced);
        } else {
          db->exec("INSERT INTO main.\"" + table.name + "\" SELECT * FROM source.\"" + table.name + "\"");
        }
      }
      transaction.commit();
    }
    db->exec("DETACH source");
    keep_wal(*db, to);
  }
  sync_file(to);
}

bool same_rows(const JournalPlace& one, const JournalPlace& other) {
  const Database left = open_at_rest(one), right = open_at_rest(other);
  const std::vector<Table> tables = tables_of(*left, "main");
  if (tables_of(*right, "main") != tables) return false;
  return std::all_of(tables.begin(), tables.end(), [&](const Table& table) { return same_table(*left, *right, table.name); });
}

}  // namespace lianxi::store
