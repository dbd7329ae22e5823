// A reader whose file stays mapped sees what is committed, checkpointed and appended under it.
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "broker/store/mapped_vfs.h"
#include "broker/store/sqlite.h"
#include "tests/unit/store/store_kit.h"

namespace lianxi::store::test {
namespace {

class MappedVfs : public ::testing::Test {
 protected:
  MappedVfs() {
    writer_->exec(
        "PRAGMA page_size=4096; PRAGMA journal_mode=WAL; CREATE TABLE t (id INTEGER PRIMARY KEY, round INTEGER, pad TEXT)");
    add(200);
    checkpoint();
    reader_ = open_database(path_, OpenMode::read, mapped_vfs());
    reader_->exec("PRAGMA mmap_size=1073741824; PRAGMA cache_size=4");
  }
  void add(int rows) {
    writer_->exec("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " + std::to_string(rows) +
                  ") INSERT INTO t (round, pad) SELECT 0, hex(zeroblob(1000)) FROM n");
  }
  void checkpoint() { writer_->exec("PRAGMA wal_checkpoint(TRUNCATE)"); }
  void expect_round(int round) {
    const auto of = [&](const std::string& what) { return number_of(*reader_, "SELECT " + what + " FROM t"); };
    EXPECT_EQ(of("min(round)"), round);
    EXPECT_EQ(of("max(round)"), round);
    EXPECT_EQ(of("count(*)"), number_of(*writer_, "SELECT count(*) FROM t"));
  }

  TempFolder folder_;
  std::string path_ = folder_.path("mapped.db");
  Database writer_ = open_database(path_, OpenMode::create, "");
  Database reader_;
};

TEST_F(MappedVfs, PagesThatACheckpointWritesUnderTheReaderAreSeen) {
  for (int round = 0; round < 5; ++round) {
    writer_->exec("UPDATE t SET round = " + std::to_string(round));
    expect_round(round);  // from the log
    checkpoint();
    expect_round(round);  // from the file
  }
}

TEST_F(MappedVfs, AFileThatGrowsIsReadToItsEnd) {
  const auto begun = std::filesystem::file_size(path_);
  for (int round = 1; round < 40; ++round) {
    add(round < 20 ? 3 : 100);  // less than is mapped anew for, and more
    writer_->exec("UPDATE t SET round = " + std::to_string(round));
    checkpoint();
    expect_round(round);
  }
  EXPECT_GT(std::filesystem::file_size(path_), 5 * begun);
}

TEST_F(MappedVfs, ASnapshotThatIsOpenStaysAsItWas) {
  reader_->exec("BEGIN");
  expect_round(0);
  writer_->exec("UPDATE t SET round = 1");
  add(500);
  EXPECT_EQ(number_of(*reader_, "SELECT max(round) FROM t"), 0);
  EXPECT_EQ(number_of(*reader_, "SELECT count(*) FROM t"), 200);
  reader_->exec("COMMIT");
  writer_->exec("UPDATE t SET round = 1");
  checkpoint();
  expect_round(1);
}

}  // namespace
}  // namespace lianxi::store::test
