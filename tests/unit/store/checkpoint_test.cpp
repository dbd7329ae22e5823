// Checkpoints under our VFS: what SQLite believes of the file is so, whoever reads, and whatever fails.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <random>

#include "broker/store/log_vfs.h"
#include "broker/store/sqlite.h"
#include "tests/unit/store/store_kit.h"

namespace lianxi::store::test {
namespace {

using Rows = std::map<std::int64_t, std::string>;

Rows rows_of(SQLite::Database& db) {
  Rows rows;
  SQLite::Statement select(db, "SELECT id, text FROM row");
  for (Run run(select); run.next();) rows[run.number(0)] = run.text(1);
  return rows;
}

// The file alone, without its log.
Rows rows_of_file(const std::string& path, const TempFolder& elsewhere) {
  write_file(elsewhere.path("copy.db"), read_file(path));
  const Database db = open_database(elsewhere.path("copy.db"), OpenMode::immutable, "");
  EXPECT_EQ(db->execAndGet("PRAGMA integrity_check").getString(), "ok");
  return rows_of(*db);
}

std::uint64_t write_calls() {
  std::ifstream io("/proc/self/io");
  for (std::string name; io >> name;) {
    std::uint64_t value = 0;
    io >> value;
    if (name == "syscw:") return value;
  }
  return 0;
}

class ACheckpoint : public ::testing::TestWithParam<const std::string& (*)()> {
 protected:
  ACheckpoint() {
    db_ = open_database(path_, OpenMode::create, GetParam()());
    db_->exec("PRAGMA page_size=2048");
    db_->exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA wal_autocheckpoint=0");
    if (GetParam() == log_vfs) db_->exec("PRAGMA synchronous=FULL");
    db_->exec("CREATE TABLE row (id INTEGER PRIMARY KEY, text TEXT NOT NULL)");
  }
  void put(std::int64_t first, std::int64_t count, char letter, std::size_t bytes = 900) {
    Transaction transaction(*db_);
    SQLite::Statement insert(*db_, "INSERT OR REPLACE INTO row (id, text) VALUES (?, ?)");
    const std::string text(bytes, letter);
    for (std::int64_t id = first; id < first + count; ++id) {
      store::Run(insert).put(id).put(text).exec();
      rows_[id] = text;
    }
    transaction.commit();
  }
  // Whether it went through to the log's end.
  bool checkpoint(const std::string& mode) {
    SQLite::Statement run(*db_, "PRAGMA wal_checkpoint(" + mode + ")");
    return run.executeStep() && run.getColumn(0).getInt() == 0 && run.getColumn(1).getInt() == run.getColumn(2).getInt();
  }
  [[nodiscard]] Database reader() const { return open_database(path_, OpenMode::read, ""); }

  TempFolder folder_, elsewhere_;
  std::string path_ = folder_.path("some.db");
  Database db_;
  Rows rows_;
};

TEST_P(ACheckpoint, WritesNeighboursInOneCall) {
  put(1, 4'000, 'a');
  const std::uint64_t before = write_calls();
  ASSERT_TRUE(checkpoint("TRUNCATE"));
  const std::uint64_t calls = write_calls() - before;
  EXPECT_LT(calls, 100U) << "for some 2,000 pages";
  EXPECT_TRUE(rows_of_file(path_, elsewhere_) == rows_);
}

TEST_P(ACheckpoint, ThatAReaderHoldsBackLeavesEveryReaderItsRows) {
  put(1, 500, 'a');
  const Database old = reader();
  old->exec("BEGIN");
  const Rows before = rows_of(*old);
  put(200, 500, 'b');
  EXPECT_FALSE(checkpoint("PASSIVE"));
  EXPECT_TRUE(rows_of(*old) == before);
  EXPECT_TRUE(rows_of(*reader()) == rows_);
  old->exec("COMMIT");
  ASSERT_TRUE(checkpoint("TRUNCATE"));
  EXPECT_TRUE(rows_of_file(path_, elsewhere_) == rows_);
}

TEST_P(ACheckpoint, ThatCannotWriteSaysSoAndLosesNothing) {
  // The file has its size already, so that no step but the writes can fail: the first, one in the middle, or the last.
  put(1, 1'900, 'a');
  ASSERT_TRUE(checkpoint("TRUNCATE"));
  put(1, 1'900, 'b');
  (void)std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
  const rlim_t unlimited = limit.rlim_cur;
  for (const rlim_t most : {rlim_t{0}, rlim_t{300'000}, static_cast<rlim_t>(std::filesystem::file_size(path_)) - 1}) {
    limit.rlim_cur = most;
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
    EXPECT_THROW((void)checkpoint("PASSIVE"), SQLite::Exception);
    limit.rlim_cur = unlimited;
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
    EXPECT_TRUE(rows_of(*reader()) == rows_);
  }
  ASSERT_TRUE(checkpoint("TRUNCATE"));
  EXPECT_TRUE(rows_of_file(path_, elsewhere_) == rows_);
}

TEST_P(ACheckpoint, AmongWritersAndReadersInAnyOrderChangesNoRow) {
  std::mt19937 random(11);
  std::vector<std::pair<Database, Rows>> held;
  db_->exec("PRAGMA busy_timeout=0");
  for (int step = 0; step < 150; ++step) {
    const auto first = static_cast<std::int64_t>(random() % 300);
    put(first, 1 + static_cast<std::int64_t>(random() % 60), static_cast<char>('a' + random() % 26), 1 + random() % 4'000);
    if (random() % 4 == 0) {
      held.emplace_back(reader(), rows_);
      held.back().first->exec("BEGIN");
      ASSERT_TRUE(rows_of(*held.back().first) == rows_);
    }
    if (random() % 3 == 0) (void)checkpoint(random() % 4 == 0 ? "TRUNCATE" : "PASSIVE");
    for (const auto& [db, rows] : held) ASSERT_TRUE(rows_of(*db) == rows) << "at step " << step;
    ASSERT_TRUE(rows_of(*reader()) == rows_) << "at step " << step;
    while (held.size() > random() % 4) held.erase(held.begin());
  }
  held.clear();
  ASSERT_TRUE(checkpoint("TRUNCATE"));
  EXPECT_TRUE(rows_of_file(path_, elsewhere_) == rows_);
}

INSTANTIATE_TEST_SUITE_P(OfJournalAndView, ACheckpoint, ::testing::Values(&log_vfs, &view_vfs),
                         [](const auto& vfs) { return vfs.param == &log_vfs ? "Journal" : "View"; });

}  // namespace
}  // namespace lianxi::store::test
