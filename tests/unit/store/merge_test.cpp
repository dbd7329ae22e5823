// Small segments of a file left behind are joined, and nothing that is read or proven changes.
#include <SQLiteCpp/Database.h>
#include <gtest/gtest.h>

#include "tests/unit/store/store_kit.h"

namespace lianxi::store::test {
namespace {

const FeedId kOwn = feed_of(kQuzhou);
const FeedId kPeer = feed_of(kHuangshan);
constexpr std::uint64_t kFileBytes = 300'000;

// Every record as it stands, by its offset.
std::map<std::uint64_t, Bytes> records_of(const JournalBench& bench) {
  std::map<std::uint64_t, Bytes> records;
  for (const JournalSegment& segment : bench.read_all()) {
    EXPECT_TRUE(segment.seal);
    std::uint64_t at = segment.first_offset.value;
    const auto parsed = Segment::parse(segment.bytes);
    for (const RecordView& record : parsed->records()) records[at++] = Bytes(record.bytes.begin(), record.bytes.end());
  }
  return records;
}

TEST(JournalMerge, SmallNeighboursBecomeOneUnderTheLastSeal) {
  const TempFolder folder;
  JournalBench bench(folder.path(), kFileBytes);
  std::vector<FeedVector> after;
  std::vector<Offset> heads;
  const auto commit = [&](const std::vector<FeedId>& feeds, std::size_t events, std::size_t bytes) {
    bench.commit(feeds, events, bytes);
    after.push_back(bench.regions.heads());
    heads.push_back(bench.next);
  };
  for (int i = 0; i < 30; ++i) commit({kOwn}, 1, 200);
  commit({kOwn}, 1, 20'000);  // too large to be worth it
  for (int i = 0; i < 10; ++i) commit({kOwn, kPeer}, 1, 200);
  for (int i = 0; i < 30; ++i) commit({kPeer}, 2, 200);
  const auto before = records_of(bench);
  const std::size_t segments = bench.read_all().size();
  while (!std::filesystem::exists(folder.path("000002.db"))) bench.commit({kOwn}, 1, 20'000);

  ASSERT_TRUE(bench.journal->maintain());
  EXPECT_FALSE(std::filesystem::exists(folder.path("000001.db-wal")));
  // 30 and 29 or so of a kind; the pairs of two feeds cannot be neighbours.
  EXPECT_LE(bench.verify().segments, segments - 50 + bench.next.value - heads.back().value);
  const auto now = records_of(bench);
  for (const auto& [offset, record] : before) EXPECT_EQ(now.at(offset), record) << "offset " << offset;
  EXPECT_EQ(bench.verify(bench.regions.heads()).findings, std::vector<std::string>{});

  const auto reader = open_reader(bench.options);
  for (std::size_t i = 0; i < after.size(); ++i) {
    EXPECT_EQ((*reader)->first_beyond(after[i]), heads[i]);
    const auto from = (*reader)->read(heads[i], 1);
    ASSERT_EQ(from->size(), 1U);
    EXPECT_LE(from->front().first_offset, heads[i]);
    EXPECT_GT(from->front().first_offset.value + Segment::parse(from->front().bytes)->info().count, heads[i].value);
  }
  bench.close();
  bench.open();
  EXPECT_EQ(bench.journal->load()->heads, bench.regions.heads());
}

TEST(JournalMerge, WhatIsDamagedStaysAsItIsAndIsFound) {
  const TempFolder folder;
  JournalBench bench(folder.path(), kFileBytes);
  for (int i = 0; i < 20; ++i) bench.commit({kOwn}, 1, 200);
  SQLite::Database(folder.path("000001.db"), SQLite::OPEN_READWRITE)
      .exec("UPDATE segment SET bytes = substr(bytes, 1, length(bytes) - 1) || x'77' WHERE offset = 7");
  while (!std::filesystem::exists(folder.path("000002.db"))) bench.commit({kOwn}, 1, 20'000);
  ASSERT_TRUE(bench.journal->maintain());
  bool told = false;
  for (const std::string& finding : bench.verify().findings) told = told || finding.find("offset 7") != std::string::npos;
  EXPECT_TRUE(told);
}

}  // namespace
}  // namespace lianxi::store::test
