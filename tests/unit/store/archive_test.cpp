// Journal files kept packed: read as before, crash-proof in the making, and damage never unseen.
#include "broker/store/archive.h"

#include <gtest/gtest.h>
#include <zstd.h>

#include "broker/store/backup.h"
#include "broker/store/files.h"
#include "broker/store/journal_audit.h"
#include "broker/store/journal_keep.h"
#include "tests/unit/store/store_kit.h"

namespace lianxi::store::test {
namespace {

const FeedId kOwn = feed_of(kQuzhou);
const FeedId kFlash = feed_of(kQuzhou, Lane::flash);
const FeedId kPeer = feed_of(kHuangshan);
constexpr std::uint64_t kSmallFile = 200 * 1024;

// Several files, of which all but the last were left behind and joined.
void fill(JournalBench& bench, int batches = 120) {
  for (int i = 0; i < batches; ++i) {
    bench.commit({kOwn, kFlash, kPeer}, 3, 900);
    ASSERT_TRUE(bench.journal->maintain());
  }
}

std::size_t archive_all(const std::string& folder) {
  std::size_t archived = 0;
  auto numbers = list_journal(folder);
  numbers.resize(numbers.size() - 2);  // the active one, and one that may stand ready
  for (const std::uint64_t number : numbers) {
    const auto done = archive_file(folder, number, key_of());
    EXPECT_TRUE(done) << done.error().detail;
    ++archived;
  }
  return archived;
}

bool same(const std::vector<JournalSegment>& one, const std::vector<JournalSegment>& other) {
  return std::equal(one.begin(), one.end(), other.begin(), other.end(), [](const JournalSegment& a, const JournalSegment& b) {
    return a.first_offset == b.first_offset && a.bytes == b.bytes && a.seal == b.seal;
  });
}

TEST(Archive, ReadersVerifyAndSearchesSeeTheJournalAsItWas) {
  const TempFolder folder;
  JournalBench bench(folder.path(), kSmallFile);
  fill(bench);
  const auto before = bench.read_all();
  const VerifyReport proof = bench.verify();
  ASSERT_GE(archive_all(folder.path()), 3U);
  EXPECT_FALSE(std::filesystem::exists(folder.path("000001.db")));
  EXPECT_TRUE(std::filesystem::exists(folder.path("000001.db.zst")));
  EXPECT_TRUE(same(bench.read_all(), before));
  EXPECT_TRUE(same(bench.read_all(1), before)) << "one segment at a time";
  const VerifyReport after = bench.verify(bench.regions.heads());
  EXPECT_EQ(after.findings, std::vector<std::string>{});
  EXPECT_EQ(after.events, proof.events);
  auto reader = open_reader(bench.options);
  for (std::uint64_t held = 0; held < 360; held += 17) {
    const FeedVector have = {{kOwn, {Sequence(held), {}}}, {kFlash, {Sequence(360), {}}}, {kPeer, {Sequence(360), {}}}};
    const auto beyond = (*reader)->first_beyond(have);
    ASSERT_TRUE(beyond);
    const auto segments = (*reader)->read(*beyond, 1);
    const Segment segment = Segment::parse(segments->front().bytes).value();
    EXPECT_EQ(segment.info().feed, kOwn);
    EXPECT_EQ(segment.info().first_sequence.value + (beyond->value - segment.info().first_offset.value), held + 1);
  }
}

TEST(Archive, AnyZstdToolUnpacksItToTheDatabase) {
  const TempFolder folder;
  JournalBench bench(folder.path(), kSmallFile);
  fill(bench);
  archive_all(folder.path());
  const Bytes packed = read_file(folder.path("000001.db.zst"));
  Bytes plain(8 * 1024 * 1024);
  const std::size_t bytes = ZSTD_decompress(plain.data(), plain.size(), packed.data(), packed.size());
  ASSERT_EQ(ZSTD_isError(bytes), 0U);
  plain.resize(bytes);
  write_file(folder.path("unpacked.db"), plain);
  EXPECT_TRUE(archive_holds(folder.path("000001.db.zst"), folder.path("unpacked.db")));
  plain[bytes / 2] ^= 1;
  write_file(folder.path("other.db"), plain);
  EXPECT_FALSE(archive_holds(folder.path("000001.db.zst"), folder.path("other.db")));
  SQLite::Database db(folder.path("unpacked.db"), SQLite::OPEN_READONLY);
  EXPECT_GT(db.execAndGet("SELECT count(*) FROM segment").getInt(), 0);
}

TEST(Archive, AReaderThatHoldsThePlainFileGoesOnAndFindsTheArchiveNext) {
  const TempFolder folder;
  JournalBench bench(folder.path(), kSmallFile);
  fill(bench);
  const auto before = bench.read_all();
  auto reader = open_reader(bench.options);
  ASSERT_TRUE((*reader)->read(Offset(1), 1));
  archive_all(folder.path());
  std::vector<JournalSegment> all;
  for (Offset from{1};;) {
    auto some = (*reader)->read(from, 10'000);
    ASSERT_TRUE(some) << some.error().detail;
    if (some->empty()) break;
    for (auto& segment : *some) {
      from = Offset(segment.first_offset.value + Segment::parse(segment.bytes).value().info().count);
      all.push_back(std::move(segment));
    }
  }
  EXPECT_TRUE(same(all, before));
}

TEST(Archive, WhatACrashLeavesIsReadAndTidied) {
  const TempFolder folder;
  JournalBench bench(folder.path(), kSmallFile);
  fill(bench);
  const auto before = bench.read_all();
  bench.close();
  const Bytes plain = read_file(folder.path("000001.db"));
  ASSERT_TRUE(archive_file(folder.path(), 1, key_of()));
  // Ended before the plain file went; in the middle of the next archive; and of a repair.
  write_file(folder.path("000001.db"), plain);
  write_file(folder.path("000002.db.zst.new"), {1, 2, 3});
  write_file(folder.path("000002.db.packing"), {1, 2, 3});
  write_file(folder.path("000002.db.mended"), {1, 2, 3});
  EXPECT_TRUE(same(bench.read_all(), before));
  bench.open();
  EXPECT_TRUE(same(bench.read_all(), before));
  ASSERT_TRUE(tidy_journal(folder.path()));
  for (const char* gone : {"000001.db", "000002.db.zst.new", "000002.db.packing", "000002.db.mended"})
    EXPECT_FALSE(std::filesystem::exists(folder.path(gone))) << gone;
  EXPECT_TRUE(same(bench.read_all(), before));
  bench.commit({kOwn});
  EXPECT_EQ(bench.verify().findings, std::vector<std::string>{});
}

TEST(Archive, APlainFileGoesOnlyIfItsArchiveHoldsTheSame) {
  const TempFolder folder;
  JournalBench bench(folder.path(), kSmallFile);
  fill(bench);
  bench.close();
  const auto before = bench.read_all();
  const Bytes plain = read_file(folder.path("000001.db"));
  ASSERT_TRUE(archive_file(folder.path(), 1, key_of()));
  const Bytes good = read_file(folder.path("000001.db.zst"));
  ASSERT_TRUE(archive_file(folder.path(), 2, key_of()));
  for (const Bytes& bad : {Bytes{1, 2, 3}, read_file(folder.path("000002.db.zst"))}) {
    write_file(folder.path("000001.db"), plain);
    write_file(folder.path("000001.db.zst"), bad);
    const auto kept = tidy_journal(folder.path());
    ASSERT_TRUE(kept) << kept.error().detail;
    EXPECT_EQ(kept->size(), 1U);
    EXPECT_EQ(read_file(folder.path("000001.db")), plain);
    EXPECT_TRUE(same(bench.read_all(), before));
  }
  const auto audit = open_audit(folder.path(), key_of());
  while ((*audit)->next(0)->has_value()) continue;
  EXPECT_EQ((*audit)->to_archive(2, {}).value(), 1U) << "it is packed again";
  EXPECT_NE((*audit)->to_archive(1, {1}).value(), 1U) << "others do not wait for one that cannot be packed";
  ASSERT_TRUE(archive_file(folder.path(), 1, key_of()));
  EXPECT_EQ(read_file(folder.path("000001.db.zst")), good);
  EXPECT_TRUE(same(bench.read_all(), before));
}

TEST(Archive, NoFlippedBitIsHandedOnWithoutAWord) {
  const TempFolder folder;
  JournalBench bench(folder.path(), kSmallFile);
  fill(bench);
  bench.close();
  ASSERT_TRUE(archive_file(folder.path(), 1, key_of()));
  const auto before = bench.read_all();
  const std::string path = folder.path("000001.db.zst");
  const Bytes good = read_file(path);
  std::size_t seen = 0, flips = 0;
  for (std::size_t at = 0; at < good.size(); at += 1 + good.size() / 150, ++flips) {
    Bytes bad = good;
    bad[at] ^= 0x10;
    write_file(path, bad);
    auto reader = open_reader(bench.options);
    bool differs = !reader;
    for (std::size_t i = 0; !differs && i < before.size(); ++i) {
      const auto got = (*reader)->read(before[i].first_offset, 1);
      differs = !got;
      if (differs) {
        EXPECT_EQ(got.error().code, StoreError::corrupt) << got.error().detail;
      } else {
        EXPECT_EQ(got->front().bytes, before[i].bytes) << "byte " << at;
      }
    }
    const bool found = !bench.verify().findings.empty();
    EXPECT_TRUE(found || !differs) << "byte " << at;
    seen += found ? 1 : 0;
  }
  EXPECT_GE(seen, flips * 9 / 10);
  write_file(path, {good.begin(), good.end() - 1});
  EXPECT_FALSE(bench.verify().findings.empty());
}

TEST(Archive, ABackupTakesItAsItIsAndARestoreGoesOnFromIt) {
  const TempFolder folder;
  JournalBench bench(folder.path("journal"), kSmallFile);
  fill(bench);
  archive_all(bench.options.folder);
  const std::string to = folder.path("copy");
  std::filesystem::create_directory(to);
  const auto copy = copy_journal(bench.options.folder, to, nullptr);
  ASSERT_TRUE(copy) << copy.error().detail;
  EXPECT_EQ(copy->identity.region, kQuzhou);
  EXPECT_EQ(read_file(to + "/000001.db.zst"), read_file(bench.options.folder + "/000001.db.zst"));
  const auto begun = begin_epoch({.folder = to}, Epoch(7), Incarnation(9));
  ASSERT_TRUE(begun) << begun.error().detail;
  const auto proof = verify_journal(to, key_of(), bench.regions.heads(), nullptr);
  ASSERT_TRUE(proof);
  EXPECT_EQ(proof->findings, std::vector<std::string>{});
  EXPECT_EQ(proof->events, 1080U);
}

TEST(Archive, AJournalThatEndsInAnArchiveIsNotWrittenOn) {
  const TempFolder folder;
  JournalBench bench(folder.path(), kSmallFile);
  fill(bench);
  bench.close();
  ASSERT_TRUE(archive_file(folder.path(), 1, key_of()));
  for (const std::uint64_t number : list_journal(folder.path()))
    if (number > 1) remove_database(journal_path(folder.path(), number), "");
  const auto opened = open_journal(bench.options, identity_of());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, StoreError::corrupt);
}

TEST(Archive, OnlyWhatIsProvenAndFarBehindIsChosen) {
  const TempFolder folder;
  JournalBench bench(folder.path(), kSmallFile);
  fill(bench);
  const auto audit = open_audit(folder.path(), key_of());
  EXPECT_EQ((*audit)->to_archive(2, {}).value(), std::nullopt) << "nothing is proven";
  ASSERT_TRUE((*audit)->next(0)->has_value());
  EXPECT_EQ((*audit)->to_archive(2, {}).value(), 1U);
  EXPECT_EQ((*audit)->to_archive(1000, {}).value(), std::nullopt);
  ASSERT_TRUE(archive_file(folder.path(), 1, key_of()));
  EXPECT_EQ((*audit)->to_archive(2, {}).value(), std::nullopt);
  while ((*audit)->next(0)->has_value()) continue;
  EXPECT_EQ((*audit)->to_archive(2, {}).value(), 2U);
}

}  // namespace
}  // namespace lianxi::store::test
