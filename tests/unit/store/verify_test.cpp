#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <gtest/gtest.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstring>
#include <random>

#include "tests/unit/store/store_kit.h"

namespace lianxi::store::test {
namespace {

namespace fs = std::filesystem;

const FeedId kOwn = feed_of(kQuzhou);
const FeedId kFlash = feed_of(kQuzhou, Lane::flash);
const FeedId kPeer = feed_of(kHuangshan);

// What counts of a journal: every segment with its seal.
std::vector<std::pair<Bytes, std::optional<Seal>>> contents(const std::string& folder) {
  std::vector<std::pair<Bytes, std::optional<Seal>>> all;
  JournalOptions options;
  options.folder = folder;
  const auto reader = open_reader(options);
  if (!reader) return {};
  for (Offset from{1};;) {
    const auto some = (*reader)->read(from, 1 << 20);
    if (!some || some->empty()) return all;
    for (const auto& segment : *some) {
      const auto parsed = Segment::parse(segment.bytes);
      if (!parsed) return {};
      from = Offset(segment.first_offset.value + parsed->info().count);
      all.emplace_back(segment.bytes, segment.seal);
    }
  }
}

std::map<std::string, Bytes> files_of(const std::string& folder) {
  std::map<std::string, Bytes> files;
  for (const auto& entry : fs::directory_iterator(folder)) files[entry.path().filename()] = read_file(entry.path());
  return files;
}

// A folder as a killed process leaves it: databases and logs, no shared memory.
void copy_as_killed(const std::string& from, const std::string& to) {
  fs::remove_all(to);
  fs::create_directories(to);
  for (const auto& [name, bytes] : files_of(from)) {
    if (!name.ends_with("-shm")) write_file(to + "/" + name, bytes);
  }
}

StoreResult<VerifyReport> verify(const std::string& folder, const FeedVector& against = {}) {
  return verify_journal(folder, key_of(), against, nullptr);
}

TEST(Verify, ProvesAJournalOfManyFiles) {
  const TempFolder folder;
  JournalBench bench(folder.path(), 60'000);
  for (int i = 0; i < 40; ++i) bench.commit({kOwn, kPeer, kFlash}, 2, 800);
  ASSERT_TRUE(bench.journal->maintain());
  for (const bool open : {true, false}) {
    if (!open) bench.close();
    std::uint64_t seen = 0;
    const auto report = verify_journal(folder.path(), key_of(), bench.regions.heads(),
                                       [&](std::uint64_t done, std::uint64_t of) { seen = done * 1000 + of; });
    ASSERT_TRUE(report) << report.error().detail;
    EXPECT_EQ(report->findings, std::vector<std::string>{});
    EXPECT_EQ(report->events, 240U);
    EXPECT_EQ(report->segments, 120U);
    EXPECT_EQ(report->seals, 120U);
    EXPECT_GE(report->files, 4U);
    EXPECT_GE(seen, 4004U);
    EXPECT_EQ(report->heads, bench.regions.heads());
    EXPECT_EQ(report->region, kQuzhou);
    EXPECT_EQ(report->first_file, 1U);
    EXPECT_EQ(report->first_offset, Offset(1));
  }
}

TEST(Verify, LeavesTheJournalAsItWas) {
  const TempFolder folder;
  const TempFolder killed;
  JournalBench bench(folder.path(), 60'000);
  for (int i = 0; i < 30; ++i) bench.commit({kOwn, kPeer}, 2, 800);
  copy_as_killed(folder.path(), killed.path());
  const auto before = files_of(killed.path());
  EXPECT_TRUE(verify(killed.path())->findings.empty());
  EXPECT_EQ(files_of(killed.path()), before);
}

TEST(Verify, NoChangedByteOfTheDatabaseThatMattersIsMissed) {
  const TempFolder folder;
  JournalBench bench(folder.path());
  for (int i = 0; i < 12; ++i) bench.commit({kOwn, kPeer}, 1, i % 4 == 0 ? 3000 : 120);
  bench.close();
  const std::string path = folder.path("000001.db");
  const Bytes good = read_file(path);
  const auto content = contents(folder.path());
  std::mt19937 random(7);
  int found = 0;
  for (std::size_t at = random() % 40; at < good.size(); at += 1 + random() % 240) {
    Bytes bad = good;
    bad[at] ^= static_cast<std::uint8_t>(1U << random() % 8);
    write_file(path, bad);
    const auto report = verify(folder.path());
    const bool told = !report || !report->findings.empty();
    found += told ? 1 : 0;
    if (!told) {
      EXPECT_EQ(contents(folder.path()), content) << "byte " << at << " changed what is read, and nothing was found";
    } else if (report) {
      EXPECT_TRUE(report->findings[0].starts_with("000001.db: ")) << report->findings[0];
    }
  }
  EXPECT_GT(found, 60);
}

TEST(Verify, EveryByteOfEveryEventIsProven) {
  const TempFolder folder;
  JournalBench bench(folder.path());
  for (int i = 0; i < 6; ++i) bench.commit({kOwn, kPeer}, 2, 300);
  const auto segments = bench.read_all();
  bench.close();
  const std::string path = folder.path("000001.db");
  const Bytes good = read_file(path);
  int flips = 0;
  for (const JournalSegment& segment : segments) {
    const auto parsed = Segment::parse(segment.bytes);
    for (const RecordView& record : parsed->records()) {
      const auto place = std::search(good.begin(), good.end(), record.body.begin(), record.body.begin() + 32);
      ASSERT_NE(place, good.end());
      for (const std::size_t into : {std::size_t{0}, std::size_t{17}, std::size_t{31}}) {
        Bytes bad = good;
        bad[static_cast<std::size_t>(place - good.begin()) + into] ^= 0x40;
        write_file(path, bad);
        const auto report = verify(folder.path());
        ASSERT_TRUE(report);
        ASSERT_FALSE(report->findings.empty());
        EXPECT_NE(report->findings[0].find("000001.db: offset " + std::to_string(segment.first_offset.value)), std::string::npos)
            << report->findings[0];
        ++flips;
      }
    }
  }
  EXPECT_EQ(flips, 72);
}

TEST(Verify, EveryByteOfTheLogIsProven) {
  const TempFolder folder;
  const TempFolder killed;
  JournalBench bench(folder.path());
  for (int i = 0; i < 8; ++i) bench.commit({kOwn, kPeer}, 2, 200);
  copy_as_killed(folder.path(), killed.path());
  const std::string wal = killed.path("000001.db-wal");
  const Bytes good = read_file(wal);
  ASSERT_GT(good.size(), 10'000U);
  EXPECT_TRUE(verify(killed.path())->findings.empty());
  std::mt19937 random(3);
  for (std::size_t at = 0; at < good.size(); at += at < 60 ? 1 : 1 + random() % 600) {
    Bytes bad = good;
    bad[at] ^= static_cast<std::uint8_t>(1U << random() % 8);
    write_file(wal, bad);
    const auto report = verify(killed.path());
    ASSERT_TRUE(report);
    ASSERT_FALSE(report->findings.empty()) << "byte " << at;
    EXPECT_TRUE(report->findings[0].starts_with("000001.db-wal: ")) << report->findings[0];
  }
}

TEST(Verify, DamageInTheLogBeforeLaterCommitsIsNotOpened) {
  const TempFolder folder;
  const TempFolder killed;
  JournalBench bench(folder.path());
  for (int i = 0; i < 8; ++i) bench.commit({kOwn}, 2, 200);
  copy_as_killed(folder.path(), killed.path());
  const std::string wal = killed.path("000001.db-wal");
  const Bytes good = read_file(wal);
  JournalOptions options;
  options.folder = killed.path();
  Bytes bad = good;
  bad[good.size() / 2] ^= 1;
  write_file(wal, bad);
  const auto refused = open_journal(options, identity_of());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, StoreError::corrupt);
  EXPECT_EQ(read_file(wal), bad) << "what is damaged stays for repair";

  // The last commit torn: a power cut; what was acknowledged before it is there.
  bad = good;
  bad[good.size() - 1000] ^= 1;
  write_file(wal, bad);
  const auto opened = open_journal(options, identity_of());
  ASSERT_TRUE(opened) << opened.error().detail;
  EXPECT_EQ((*opened)->load()->next_offset, Offset(15));
}

TEST(Verify, NamesAMissingKeyAForeignSealAndAMissingSeal) {
  const TempFolder folder;
  JournalBench bench(folder.path());
  bench.commit({kOwn, kPeer});
  const KeyOf own_only = [](RegionCode region) { return region == kQuzhou ? &keys_of(region).public_key : nullptr; };
  auto report = verify_journal(folder.path(), own_only, {}, nullptr);
  ASSERT_EQ(report->findings.size(), 1U);
  EXPECT_NE(report->findings[0].find("no key of region 341000"), std::string::npos);
  const KeyOf wrong = [](RegionCode) { return &keys_of(kNanping).public_key; };
  report = verify_journal(folder.path(), wrong, {}, nullptr);
  EXPECT_EQ(report->findings.size(), 2U);

  JournalBatch batch;
  batch.first_offset = bench.next;
  batch.segments.push_back(bench.regions.segment(kOwn, {body_of(50, 1)}, bench.next));
  batch.segments[0].seal.reset();
  ASSERT_TRUE(bench.journal->commit(batch));
  report = verify(folder.path());
  ASSERT_EQ(report->findings.size(), 1U);
  EXPECT_NE(report->findings[0].find("not sealed"), std::string::npos);
}

TEST(Verify, HoldsTheJournalAgainstAVector) {
  const TempFolder folder;
  JournalBench bench(folder.path(), 30'000);
  std::vector<FeedVector> vectors;
  for (int i = 0; i < 30; ++i) {
    bench.commit({kOwn, kPeer}, 1, 900);
    vectors.push_back(bench.regions.heads());
  }
  for (const FeedVector& vector : vectors) EXPECT_TRUE(bench.verify(vector).findings.empty());
  FeedVector vector = vectors[10];
  vector[0].head.hash[5] ^= 1;
  auto report = bench.verify(vector);
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_NE(report.findings[0].find("a fork"), std::string::npos);
  vector = vectors.back();
  vector[1].head.sequence = Sequence(31);
  report = bench.verify(vector);
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_NE(report.findings[0].find("ends at 30"), std::string::npos);
}

TEST(Verify, AnotherHistoryUnderTheRightKeyIsFound) {
  const TempFolder folder;
  JournalBench bench(folder.path());
  for (int i = 0; i < 3; ++i) bench.commit({kOwn}, 1);
  bench.close();
  // Whoever holds the key writes the second event anew and signs it.
  Regions other;
  (void)other.segment(kOwn, {body_of(10, 99)}, Offset(1));
  const StoredSegment forged = other.segment(kOwn, {body_of(10, 98)}, Offset(2));
  {
    SQLite::Database db(folder.path("000001.db"), SQLite::OPEN_READWRITE);
    SQLite::Statement segment(db, "UPDATE segment SET bytes = ? WHERE offset = 2");
    segment.bind(1, forged.bytes.data(), static_cast<int>(forged.bytes.size()));
    segment.exec();
    SQLite::Statement seal(db, "UPDATE seal SET hash = ?, signature = ? WHERE offset = 2");
    seal.bind(1, forged.last.hash.data(), static_cast<int>(forged.last.hash.size()));
    seal.bind(2, forged.seal->signature.data(), static_cast<int>(forged.seal->signature.size()));
    seal.exec();
  }
  const auto report = bench.verify();
  ASSERT_EQ(report.findings.size(), 2U);
  EXPECT_TRUE(report.findings[0].starts_with("000001.db: offset 2, ")) << report.findings[0];
  EXPECT_TRUE(report.findings[1].starts_with("000001.db: offset 3, ")) << report.findings[1];
}

TEST(Verify, AMissingFileIsFound) {
  const TempFolder folder;
  JournalBench bench(folder.path(), 30'000);
  for (int i = 0; i < 40; ++i) bench.commit({kOwn, kPeer}, 1, 900);
  bench.close();
  fs::remove(folder.path("000002.db"));
  const auto report = bench.verify();
  ASSERT_FALSE(report.findings.empty());
  EXPECT_EQ(report.findings[0], "000003.db: the file before it is missing");
}

void put_segment(SQLite::Database& db, Offset from, Offset to, const Bytes& bytes) {
  SQLite::Statement segment(db, "UPDATE segment SET offset = ?, bytes = ? WHERE offset = ?");
  segment.bind(1, static_cast<std::int64_t>(to.value));
  segment.bind(2, bytes.data(), static_cast<int>(bytes.size()));
  segment.bind(3, static_cast<std::int64_t>(from.value));
  ASSERT_EQ(segment.exec(), 1);
}

// As whoever can write the file may make it: the flag set, salt and body gone, lengths and checksum right.
Bytes redacted(const RecordView& record) {
  const auto length = static_cast<std::uint32_t>(record.body.data() - record.bytes.data());
  Bytes bytes(record.bytes.begin(), record.bytes.begin() + length);
  if (bytes.size() < 136) return {};
  bytes[8] |= 1;
  std::memcpy(bytes.data(), &length, sizeof length);
  std::memset(bytes.data() + 12, 0, 4);
  std::memset(bytes.data() + 56, 0, 16);
  const auto checksum = static_cast<std::uint32_t>(XXH3_64bits(bytes.data() + 8, bytes.size() - 8));
  std::memcpy(bytes.data() + 4, &checksum, sizeof checksum);
  return bytes;
}

TEST(Verify, ABodyDroppedAsIfRedactedIsFound) {
  const TempFolder folder;
  JournalBench bench(folder.path());
  bench.commit({kOwn, kPeer});
  const auto segments = bench.read_all();
  bench.close();
  const auto parsed = Segment::parse(segments[1].bytes);
  ASSERT_TRUE(parsed);
  SegmentWriter writer(kPeer, {}, segments[1].first_offset);
  const Bytes altered = redacted(parsed->records()[1]);
  for (RecordView record : parsed->records()) {
    if (record.stamp.sequence == Sequence(2)) record.bytes = altered;
    writer.append(record);
  }
  const Bytes bytes = std::move(writer).finish();
  ASSERT_TRUE(Segment::parse(bytes));
  {
    SQLite::Database db(folder.path("000001.db"), SQLite::OPEN_READWRITE);
    put_segment(db, Offset(4), Offset(4), bytes);
  }
  const auto report = bench.verify();
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_NE(report.findings[0].find("sequence 2 has lost its body"), std::string::npos) << report.findings[0];
}

TEST(Verify, TheCutTailOfAnOwnFeedIsFound) {
  const TempFolder folder;
  JournalBench bench(folder.path());
  const FeedId local = feed_of(kQuzhou, Lane::normal, "local");
  bench.commit({kOwn, local, kPeer}, 2);
  bench.commit({local}, 2);  // offsets 7 and 8, ordinals 5 and 6
  bench.commit({kOwn, kPeer}, 2);
  const auto segments = bench.read_all();
  bench.close();
  ASSERT_TRUE(bench.verify().findings.empty());
  {
    SQLite::Database db(folder.path("000001.db"), SQLite::OPEN_READWRITE);
    db.exec("DELETE FROM segment WHERE offset = 7; DELETE FROM seal WHERE offset = 7");
    for (std::size_t i = 4; i < segments.size(); ++i) {
      const Offset from = segments[i].first_offset;
      const Offset to(from.value - 2);
      put_segment(db, from, to, as_stored(Segment::parse(segments[i].bytes).value(), to));
    }
    db.exec("UPDATE seal SET offset = offset - 2 WHERE offset > 7");
  }
  const auto report = bench.verify();
  EXPECT_EQ(report.events, 10U);
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_TRUE(report.findings[0].starts_with("000001.db: ordinals 5 to 6 of 330800 epoch 1 are missing")) << report.findings[0];
}

TEST(Verify, OrdinalsThatInterleaveAmongFeedsOfOneBatchAreProven) {
  const TempFolder folder;
  JournalBench bench(folder.path());
  JournalBatch batch;
  batch.first_offset = Offset(1);
  // Stamped flash first, stored behind the normal lane.
  StoredSegment flash = bench.regions.segment(kFlash, {body_of(50, 1)}, Offset(2));
  batch.segments = {bench.regions.segment(kOwn, {body_of(50, 2)}, Offset(1)), std::move(flash)};
  ASSERT_TRUE(bench.journal->commit(batch));
  EXPECT_EQ(bench.verify().findings, std::vector<std::string>{});
}

TEST(Verify, AMissingOldestFileIsFound) {
  const TempFolder folder;
  JournalBench bench(folder.path(), 30'000);
  for (int i = 0; i < 40; ++i) bench.commit({kOwn, kPeer}, 1, 900);
  bench.close();
  fs::remove(folder.path("000001.db"));
  const auto report = bench.verify();
  EXPECT_EQ(report.first_file, 2U);
  EXPECT_GT(report.first_offset, Offset(1));
  ASSERT_EQ(report.findings.size(), 1U) << report.findings[1];
  EXPECT_EQ(report.findings[0], "000002.db: the journal begins here, with file 2 at offset " +
                                    std::to_string(report.first_offset.value) + ": what was before is missing");
}

}  // namespace
}  // namespace lianxi::store::test
