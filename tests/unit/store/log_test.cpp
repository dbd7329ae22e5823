// The journal's write-ahead logs: gathered writes, blocks that go from file to file.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "broker/store/log_vfs.h"
#include "broker/store/wal_scan.h"
#include "tests/unit/store/store_kit.h"

namespace lianxi::store::test {
namespace {

const FeedId kOwn = feed_of(kQuzhou);
constexpr std::uint64_t kFileBytes = 150'000;

std::uint64_t inode_of(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}
void copy_as_killed(const TempFolder& from, const TempFolder& to) {
  for (const auto& entry : std::filesystem::directory_iterator(from.path())) {
    if (entry.path().extension() != ".db-shm") write_file(to.path(entry.path().filename()), read_file(entry.path()));
  }
}

// Commits until that file is begun, with maintenance as in the broker.
void fill_until(JournalBench& bench, const TempFolder& folder, const std::string& next_file) {
  for (int i = 0; i < 200 && !std::filesystem::exists(folder.path(next_file)); ++i) {
    bench.commit({kOwn}, 2, 900);
    ASSERT_TRUE(!bench.journal->wants_maintenance() || bench.journal->maintain());
  }
  ASSERT_TRUE(std::filesystem::exists(folder.path(next_file)));
}

TEST(JournalLog, TheBlocksOfALogGoToTheNextFile) {
  const TempFolder folder;
  JournalBench bench(folder.path(), kFileBytes);
  fill_until(bench, folder, "000003.db");
  EXPECT_FALSE(std::filesystem::exists(folder.path("000001.db-wal")));
  EXPECT_GE(std::filesystem::file_size(folder.path("000003.db-wal")), kFileBytes);
  bench.close();
  // One is kept over a restart, and the newest file takes it up.
  ASSERT_TRUE(has_kept_log(folder.path()));
  const std::uint64_t kept = inode_of(folder.path("spare.wal"));
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) EXPECT_NE(entry.path().extension(), ".db-wal");
  bench.open();
  EXPECT_FALSE(has_kept_log(folder.path()));
  EXPECT_EQ(inode_of(folder.path("000002.db-wal")), kept);
  EXPECT_EQ(bench.journal->load()->heads, bench.regions.heads());
}

TEST(JournalLog, WhatAnEarlierLogLeftInItsBlocksIsNoDamageAndIsNeverRead) {
  const TempFolder folder;
  JournalBench bench(folder.path(), kFileBytes);
  fill_until(bench, folder, "000005.db");
  for (int i = 0; i < 25; ++i) {
    bench.commit({kOwn}, 2, 900);
    ASSERT_TRUE(!bench.journal->wants_maintenance() || bench.journal->maintain());
    const TempFolder killed;
    copy_as_killed(folder, killed);
    EXPECT_EQ(verify_journal(killed.path(), key_of(), bench.regions.heads(), nullptr)->findings, std::vector<std::string>{});
    JournalOptions options;
    options.folder = killed.path();
    const auto opened = open_journal(options, identity_of());
    ASSERT_TRUE(opened) << opened.error().detail;
    EXPECT_EQ((*opened)->load()->heads, bench.regions.heads());
  }
}

TEST(JournalLog, DamageBeforeLaterCommitsIsFoundInReusedBlocks) {
  const TempFolder folder;
  JournalBench bench(folder.path(), kFileBytes);
  fill_until(bench, folder, "000005.db");
  for (int i = 0; i < 4; ++i) bench.commit({kOwn}, 2, 900);
  std::string log;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    if (entry.path().extension() == ".db-wal" && scan_wal(entry.path(), 2048, "").valid_frames > 8) log = entry.path();
  }
  ASSERT_FALSE(log.empty());
  const Bytes whole = read_file(log);
  const WalScan good = scan_wal(log, 2048, "");
  EXPECT_FALSE(good.bad_frame);
  EXPECT_LT(good.valid_frames, good.frames);
  for (const std::size_t at : {40U, 1000U, 32U + 2072U + 9U}) {  // in a page number, a page, a frame's salts
    Bytes damaged = whole;
    damaged[at] ^= 1U;
    write_file(log, damaged);
    const WalScan scan = scan_wal(log, 2048, "");
    EXPECT_TRUE(scan.later_commits) << "byte " << at;
  }
  Bytes wiped = whole;
  std::fill_n(wiped.begin() + 32 + 2072, 2072, std::uint8_t{0});
  write_file(log, wiped);
  EXPECT_TRUE(scan_wal(log, 2048, "").later_commits) << "a frame of zeros";
}

TEST(JournalLog, ACommitLargerThanOneWriteIsWhole) {
  const TempFolder folder;
  JournalBench bench(folder.path());
  for (const std::size_t events : {1U, 300U, 700U, 2U}) bench.commit({kOwn}, events, 1'000);
  const TempFolder killed;
  copy_as_killed(folder, killed);
  JournalOptions options;
  options.folder = killed.path();
  const auto opened = open_journal(options, identity_of());
  ASSERT_TRUE(opened) << opened.error().detail;
  EXPECT_EQ((*opened)->load()->heads, bench.regions.heads());
  EXPECT_EQ(verify_journal(killed.path(), key_of(), bench.regions.heads(), nullptr)->events, 1'003U);
}

TEST(JournalLog, NoCommitWaitsForAFileThatNobodyHasMade) {
  const TempFolder folder;
  JournalBench bench(folder.path(), kFileBytes);
  std::uint64_t commits = 0;
  for (; !std::filesystem::exists(folder.path("000002.db")) && commits < 200; ++commits) bench.commit({kOwn}, 2, 900);
  EXPECT_GT(std::filesystem::file_size(folder.path("000001.db-wal")), 2 * kFileBytes - 20'000);
  EXPECT_TRUE(std::filesystem::exists(folder.path("000002.db"))) << "but one that grows for ever is left";
}

}  // namespace
}  // namespace lianxi::store::test
