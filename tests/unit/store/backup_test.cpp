// Copies of a journal that is being written, and the epoch that follows a restore.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "broker/store/backup.h"
#include "tests/unit/store/store_kit.h"

namespace lianxi::store::test {
namespace {

const FeedId kOwn = feed_of(kQuzhou);
const FeedId kFlash = feed_of(kQuzhou, Lane::flash);
const FeedId kPeer = feed_of(kHuangshan);
constexpr std::uint64_t kSmallFile = 64 * 1024;

std::string fresh_folder(const TempFolder& in, const std::string& name) {
  std::filesystem::create_directory(in.path(name));
  return in.path(name);
}

VerifyReport proof_of(const std::string& folder, const FeedVector& against = {}) {
  auto report = verify_journal(folder, key_of(), against, nullptr);
  EXPECT_TRUE(report) << report.error().detail;
  return report ? *report : VerifyReport{};
}

JournalState state_of(const std::string& folder) {
  const auto journal = open_journal({.folder = folder}, identity_of());
  EXPECT_TRUE(journal) << journal.error().detail;
  return (*journal)->load().value();
}

TEST(Backup, ACopyOfAnOpenJournalIsTheJournalAsItStands) {
  const TempFolder folder;
  JournalBench bench(folder.path("journal"), kSmallFile);
  for (int i = 0; i < 60; ++i) {
    bench.commit({kOwn, kFlash, kPeer});
    if (i == 30) {
      EXPECT_TRUE(bench.journal->maintain());
    }
  }
  const std::string to = fresh_folder(folder, "copy");
  std::uint64_t told = 0;
  const auto copy = copy_journal(bench.options.folder, to, [&](std::uint64_t files, std::uint64_t of) {
    EXPECT_LE(files, of);
    told = files;
  });
  ASSERT_TRUE(copy) << copy.error().detail;
  EXPECT_GT(copy->files, 1U);
  EXPECT_EQ(told, copy->files);
  EXPECT_EQ(copy->identity.region, kQuzhou);
  const VerifyReport report = proof_of(to, bench.regions.heads());
  EXPECT_EQ(report.findings, std::vector<std::string>{});
  EXPECT_EQ(report.events, 540U);
  EXPECT_EQ(state_of(to).heads, bench.regions.heads());
}

TEST(Backup, AStoppedNodesJournalIsCopiedToo) {
  const TempFolder folder;
  JournalBench bench(folder.path("journal"));
  for (int i = 0; i < 5; ++i) bench.commit({kOwn});
  bench.close();
  const std::string to = fresh_folder(folder, "copy");
  ASSERT_TRUE(copy_journal(bench.options.folder, to, nullptr));
  EXPECT_EQ(state_of(to).heads, bench.regions.heads());
  bench.open();  // and it is not disturbed
  bench.commit({kOwn});
  EXPECT_EQ(bench.verify().findings, std::vector<std::string>{});
}

TEST(Backup, WhileCommitsRunEachCopyIsOfOneMoment) {
  const TempFolder folder;
  JournalBench bench(folder.path("journal"), kSmallFile);
  bench.commit({kOwn, kFlash, kPeer});
  std::atomic<bool> stop = false;
  std::thread maintenance([&] {
    while (!stop) {
      EXPECT_TRUE(bench.journal->maintain());
      std::this_thread::yield();
    }
  });
  std::thread writer([&] {
    for (int i = 0; i < 200 && !stop; ++i) bench.commit({kOwn, kFlash, kPeer});
    stop = true;
  });
  int copies = 0;
  do {
    const std::string to = fresh_folder(folder, "copy" + std::to_string(copies++));
    const auto copy = copy_journal(bench.options.folder, to, nullptr);
    ASSERT_TRUE(copy) << copy.error().detail;
    const VerifyReport report = proof_of(to);
    EXPECT_EQ(report.findings, std::vector<std::string>{});
    EXPECT_EQ(report.events % 9, 0U) << "whole commits";
  } while (!stop && copies < 10);
  stop = true;
  writer.join();
  maintenance.join();
  EXPECT_EQ(bench.verify(bench.regions.heads()).findings, std::vector<std::string>{});
}

TEST(Backup, WhereThereIsNoJournalItSaysSo) {
  const TempFolder folder;
  const auto copy = copy_journal(fresh_folder(folder, "none"), fresh_folder(folder, "copy"), nullptr);
  ASSERT_FALSE(copy);
  EXPECT_EQ(copy.error().code, StoreError::not_found);
}

TEST(Epochs, ARestoreBeginsTheNextOneInAFileOfItsOwn) {
  const TempFolder folder;
  JournalBench bench(folder.path("journal"));
  for (int i = 0; i < 3; ++i) bench.commit({kOwn, kPeer});
  bench.close();
  const auto begun = begin_epoch(bench.options, Epoch(1), Incarnation(42));
  ASSERT_TRUE(begun) << begun.error().detail;
  EXPECT_EQ(begun->region, kQuzhou);
  EXPECT_EQ(begun->epoch, Epoch(2));
  EXPECT_EQ(begun->incarnation, Incarnation(42));
  bench.open();
  EXPECT_EQ(bench.journal->identity().epoch, Epoch(2));
  const auto state = bench.journal->load();
  ASSERT_TRUE(state);
  EXPECT_EQ(state->last_ordinal, Ordinal(0));
  EXPECT_EQ(state->next_offset, bench.next);
  EXPECT_EQ(state->heads, bench.regions.heads());
  EXPECT_GT(state->last_time.value, 0U);
  bench.commit({feed_of(kQuzhou, Lane::normal, "conference", 2)});
  EXPECT_EQ(bench.journal->load()->last_ordinal, Ordinal(3));
  EXPECT_EQ(bench.verify().findings, std::vector<std::string>{});
  bench.close();
  EXPECT_EQ(begin_epoch(bench.options, Epoch(40), Incarnation(43))->epoch, Epoch(40));
  EXPECT_EQ(begin_epoch(bench.options, Epoch(7), Incarnation(44))->epoch, Epoch(41));
}

TEST(Epochs, WhatComesBackOfTheOneBeforeMayHaveHolesAndNoDoubles) {
  const TempFolder folder;
  JournalBench bench(folder.path("journal"));
  bench.commit({kOwn, kFlash});  // ordinals 1-3 and 4-6
  bench.close();
  ASSERT_TRUE(begin_epoch(bench.options, Epoch(1), Incarnation(42)));
  bench.open();
  // Ordinals 7-9 were of this region's agents alone, and nobody else has them.
  (void)bench.regions.segment(feed_of(kQuzhou, Lane::bulk, "local"), {body_of(9, 1), body_of(9, 2), body_of(9, 3)}, Offset(1));
  const Offset behind_flash(bench.next.value + 3);
  const StoredSegment normal = bench.regions.segment(kOwn, {body_of(100, 3)}, behind_flash);  // 10
  bench.commit({kFlash});                                                                     // 11-13
  EXPECT_EQ(bench.verify().findings, std::vector<std::string>{});
  ASSERT_TRUE(bench.journal->commit({.first_offset = behind_flash, .segments = {normal}}));
  EXPECT_EQ(bench.verify().findings, std::vector<std::string>{});
}

}  // namespace
}  // namespace lianxi::store::test
