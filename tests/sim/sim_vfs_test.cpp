#include "tests/sim/sim_vfs.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace lianxi::sim {
namespace {

class SimDiskTest : public ::testing::Test {
 protected:
  SimDiskTest() {
    std::string name = (std::filesystem::temp_directory_path() / "lianxi-vfs-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~SimDiskTest() override { std::filesystem::remove_all(folder_); }

  // A connection that commits with or without sync; nothing checkpoints.
  sqlite3* open(const SimDisk& disk, bool sync) const {
    sqlite3* db = nullptr;
    if (sqlite3_open_v2((folder_ + "/t.db").c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, disk.name().c_str()) !=
        SQLITE_OK) {
      sqlite3_close(db);
      return nullptr;
    }
    const char* setup = sync ? "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;"
                             : "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA wal_autocheckpoint=0;";
    sqlite3_exec(db, setup, nullptr, nullptr, nullptr);
    sqlite3_exec(db, "CREATE TABLE IF NOT EXISTS t(x)", nullptr, nullptr, nullptr);
    return db;
  }
  static bool insert(sqlite3* db, int x) {
    return sqlite3_exec(db, ("INSERT INTO t VALUES(" + std::to_string(x) + ")").c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
  }
  static int count(sqlite3* db) {
    sqlite3_stmt* statement = nullptr;
    int out = -1;
    if (sqlite3_prepare_v2(db, "SELECT count(*) FROM t", -1, &statement, nullptr) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
      out = sqlite3_column_int(statement, 0);
    }
    sqlite3_finalize(statement);
    return out;
  }

  std::string folder_;
};

TEST_F(SimDiskTest, SyncedCommitsSurviveAPowerCut) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SimDisk disk("cut-synced", seed);
    sqlite3* db = open(disk, true);
    const int before = count(db);
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(insert(db, i));
    disk.kill();
    sqlite3_close(db);
    disk.restart_after_power_cut();
    db = open(disk, true);
    EXPECT_EQ(count(db), before + 10) << "seed " << seed;
    sqlite3_close(db);
  }
}

TEST_F(SimDiskTest, UnsyncedCommitsSurviveAProcessCrashAndAreLostInAPowerCut) {
  SimDisk disk("cut-unsynced", 7);
  sqlite3* db = open(disk, true);
  const int before = count(db);
  sqlite3_exec(db, "PRAGMA synchronous=OFF", nullptr, nullptr, nullptr);
  ASSERT_TRUE(insert(db, 1));
  EXPECT_GT(disk.unsynced_sectors(), 0U);
  disk.kill();
  sqlite3_close(db);
  disk.restart_after_process_crash();
  db = open(disk, false);
  EXPECT_EQ(count(db), before + 1);
  disk.kill();
  sqlite3_close(db);
  disk.restart_after_power_cut();
  db = open(disk, true);
  EXPECT_EQ(count(db), before) << "a lost frame ends the log before it";
  sqlite3_close(db);
}

TEST_F(SimDiskTest, TheFuseEndsEveryLaterChange) {
  SimDisk disk("fuse", 3);
  sqlite3* db = open(disk, true);
  ASSERT_TRUE(insert(db, 1));
  disk.set_fuse(1);
  EXPECT_FALSE(insert(db, 2));
  EXPECT_TRUE(disk.dead());
  EXPECT_FALSE(insert(db, 3));
  sqlite3_close(db);
  EXPECT_EQ(disk.open_files(), 0U);
  disk.restart_after_process_crash();
  db = open(disk, true);
  EXPECT_EQ(count(db), 1);
  EXPECT_TRUE(insert(db, 4));
  sqlite3_close(db);
}

TEST_F(SimDiskTest, ACrashAtAnyOperationLeavesAllOrNothingOfACommit) {
  SimDisk disk("any", 11);
  sqlite3* db = open(disk, true);
  int acknowledged = 0;
  for (std::uint64_t operation = 0; operation < 60; ++operation) {
    const int before = count(db);
    disk.set_fuse(operation % 12);
    const bool done = insert(db, 1);
    acknowledged += done ? 1 : 0;
    disk.kill();
    sqlite3_close(db);
    disk.restart_after_power_cut();
    db = open(disk, true);
    ASSERT_NE(db, nullptr);
    const int after = count(db);
    EXPECT_GE(after, before + (done ? 1 : 0)) << "operation " << operation;
    EXPECT_LE(after, before + 1) << "operation " << operation;
  }
  EXPECT_GT(acknowledged, 10);
  sqlite3_close(db);
}

}  // namespace
}  // namespace lianxi::sim
