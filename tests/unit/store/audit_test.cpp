// Files left behind are proven one by one; and what once misled the offline proof.
#include "broker/store/journal_audit.h"

#include <SQLiteCpp/Database.h>
#include <gtest/gtest.h>

#include "tests/unit/store/store_kit.h"

namespace lianxi::store::test {
namespace {

const FeedId kOwn = feed_of(kQuzhou);

TEST(JournalAudit, ProvesEachFileLeftBehindOnceAndTheActiveOneNever) {
  const TempFolder folder;
  JournalBench bench(folder.path(), 60'000);
  const auto audit = open_audit(folder.path(), key_of());
  ASSERT_TRUE(audit);
  EXPECT_FALSE((*audit)->next(0)->has_value());
  std::uint64_t events = 0, files = 0;
  for (int i = 0; i < 60; ++i) {
    bench.commit({kOwn}, 2, 900);
    ASSERT_TRUE(bench.journal->maintain());
    for (auto file = (*audit)->next(0); file && file->has_value(); file = (*audit)->next(0)) {
      EXPECT_EQ((*file)->number, ++files);
      EXPECT_EQ((*file)->findings, std::vector<std::string>{});
      events += (*file)->events;
    }
  }
  EXPECT_GE(files, 3U);
  EXPECT_LT(events, 120U);
  EXPECT_GT(events, 60U);
}

TEST(JournalAudit, TellsOfDamageAndGoesOnBehindIt) {
  const TempFolder folder;
  JournalBench bench(folder.path(), 60'000);
  for (int i = 0; i < 60; ++i) {
    bench.commit({kOwn}, 2, 900);
    ASSERT_TRUE(bench.journal->maintain());
  }
  bench.close();
  SQLite::Database(folder.path("000002.db"), SQLite::OPEN_READWRITE)
      .exec(
          "UPDATE segment SET bytes = substr(bytes, 1, length(bytes) - 1) || x'77' WHERE offset = (SELECT min(offset) FROM "
          "segment)");
  const auto audit = open_audit(folder.path(), key_of());
  EXPECT_EQ((*(*audit)->next(0))->findings, std::vector<std::string>{});
  EXPECT_FALSE((*(*audit)->next(0))->findings.empty());
  EXPECT_EQ((*(*audit)->next(0))->findings, std::vector<std::string>{});
}

TEST(Verify, ARollbackJournalBesideTheLastFileHidesNothing) {
  const TempFolder folder;
  JournalBench bench(folder.path());
  bench.commit({kOwn}, 2, 900);
  bench.close();
  SQLite::Database(folder.path("000001.db"), SQLite::OPEN_READWRITE).exec("UPDATE seal SET signature = zeroblob(64)");
  write_file(folder.path("000001.db-journal"), {});
  const VerifyReport report = bench.verify();
  EXPECT_EQ(report.files, 1U);
  EXPECT_FALSE(report.findings.empty());
}

TEST(Verify, AJournalThatSaysItIsAnotherRegionsIsFound) {
  const char* const lie = "UPDATE meta SET value = 341000 WHERE name = 'region'";
  {
    const TempFolder folder;
    JournalBench bench(folder.path());
    bench.commit({kOwn, feed_of(kQuzhou, Lane::normal, "local"), feed_of(kHuangshan)});
    bench.close();
    EXPECT_TRUE(bench.verify().findings.empty());
    SQLite::Database(folder.path("000001.db"), SQLite::OPEN_READWRITE).exec(lie);
    EXPECT_FALSE(bench.verify().findings.empty()) << "by a feed that never leaves its region";
  }
  const TempFolder folder;
  JournalBench bench(folder.path());
  JournalBatch batch;
  StoredAnswer answer;
  answer.accepted = true;
  answer.feed = kOwn;
  batch.sessions.push_back({{agent(), SessionId(9)}, Lane::normal, Sequence(1), Sequence(0), 1});
  batch.answers.push_back({batch.sessions[0].key, Lane::normal, Sequence(1), {answer}});
  ASSERT_TRUE(bench.journal->commit(batch));
  bench.close();
  EXPECT_TRUE(bench.verify().findings.empty());
  SQLite::Database(folder.path("000001.db"), SQLite::OPEN_READWRITE).exec(lie);
  EXPECT_FALSE(bench.verify().findings.empty()) << "by its receipts";
}

}  // namespace
}  // namespace lianxi::store::test
