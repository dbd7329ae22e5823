// What a node shows after a sync that failed must be there for good.
#include <gtest/gtest.h>

#include <filesystem>

#include "broker/store/files.h"
#include "broker/store/sqlite_journal.h"
#include "broker/store/wal_scan.h"
#include "tests/sim/sim_vfs.h"

namespace lianxi::sim {
namespace {

class FailedSyncTest : public ::testing::Test {
 protected:
  FailedSyncTest() {
    std::string name = (std::filesystem::temp_directory_path() / "lianxi-sync-XXXXXX").string();
    base_ = ::mkdtemp(name.data());
  }
  ~FailedSyncTest() override { std::filesystem::remove_all(base_); }

  static std::unique_ptr<store::Journal> open(const SimDisk& disk, const std::string& folder,
                                              std::uint64_t file_bytes = 1 << 20) {
    auto journal = store::open_journal({folder, disk.name(), file_bytes, true}, {RegionCode(330800), Epoch(1), Incarnation(7)});
    EXPECT_TRUE(journal) << journal.error().detail;
    return journal ? std::move(*journal) : nullptr;
  }
  static bool commit(store::Journal& journal, std::uint64_t session) {
    JournalBatch batch;
    batch.sessions.push_back(
        {{*AgentId::parse("330800.police.a"), SessionId(session)}, Lane::normal, Sequence(1), Sequence(0), 5});
    return journal.commit(batch).has_value();
  }

  std::string base_;
};

TEST_F(FailedSyncTest, WhatTheRestartAfterItShowedSurvivesAPowerCut) {
  std::size_t shown = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SimDisk disk("failed-sync", seed);
    const std::string folder = base_ + "/" + std::to_string(seed);
    auto journal = open(disk, folder);
    ASSERT_NE(journal, nullptr);
    for (std::uint64_t session = 1; session <= 3; ++session) ASSERT_TRUE(commit(*journal, session));
    disk.fail_later(SimDisk::Error::sync, 0, 0);
    ASSERT_FALSE(commit(*journal, 4));
    disk.kill();
    journal.reset();
    disk.restart_after_process_crash();
    journal = open(disk, folder);
    ASSERT_NE(journal, nullptr);
    const std::size_t before = journal->load()->sessions.size();
    shown += before == 4 ? 1U : 0U;
    disk.kill();
    journal.reset();
    disk.restart_after_power_cut();
    journal = open(disk, folder);
    ASSERT_NE(journal, nullptr);
    EXPECT_EQ(journal->load()->sessions.size(), before) << "seed " << seed;
  }
  EXPECT_GT(shown, 0U) << "the restart reads from memory what the disk never had";
}

// As the restart does before it copies the log: pages that are half copied when the power goes need it whole.
TEST_F(FailedSyncTest, ALogThatIsWrittenAgainSurvivesAPowerCut) {
  std::size_t lost = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    for (const bool again : {true, false}) {
      SimDisk disk("failed-log", seed);
      const std::string folder = base_ + "/" + std::to_string(seed) + (again ? "a" : "b"), log = folder + "/000001.db-wal";
      auto journal = open(disk, folder);
      ASSERT_NE(journal, nullptr);
      for (std::uint64_t session = 1; session <= 3; ++session) ASSERT_TRUE(commit(*journal, session));
      disk.fail_later(SimDisk::Error::sync, 0, 0);
      ASSERT_FALSE(commit(*journal, 4));
      disk.kill();
      journal.reset();
      disk.restart_after_process_crash();
      const store::WalScan before = store::scan_wal(log, SimDisk::kPageBytes, disk.name());
      ASSERT_GT(before.valid_bytes, 0U);
      if (again)
        store::VfsFile(log, store::FileKind::wal, disk.name(), store::FileAccess::read_write).write_again(before.valid_bytes);
      else
        store::VfsFile(log, store::FileKind::wal, disk.name()).sync();
      disk.kill();
      disk.restart_after_power_cut();
      const store::WalScan after = store::scan_wal(log, SimDisk::kPageBytes, disk.name());
      const bool whole = after.valid_frames == before.valid_frames;
      EXPECT_TRUE(whole || !again) << "seed " << seed;
      lost += whole ? 0U : 1U;
    }
  }
  EXPECT_GT(lost, 0U) << "a sync alone brings nothing back";
}

TEST_F(FailedSyncTest, WhileAFileIsMadeItIsHeard) {
  std::size_t heard = 0;
  for (std::uint64_t before = 0; before < 20; ++before) {
    SimDisk disk("failed-making", before + 1);
    auto journal = open(disk, base_ + "/" + std::to_string(before), 4);
    ASSERT_NE(journal, nullptr);
    ASSERT_TRUE(commit(*journal, 1));
    ASSERT_TRUE(journal->wants_maintenance()) << "the next file is to be made";
    disk.fail_later(SimDisk::Error::sync, before, 0);
    const bool done = journal->maintain().has_value();
    EXPECT_EQ(done, !disk.failed()) << "the sync behind " << before << " others";
    heard += disk.failed() ? 1U : 0U;
  }
  EXPECT_GT(heard, 1U);
}

}  // namespace
}  // namespace lianxi::sim
