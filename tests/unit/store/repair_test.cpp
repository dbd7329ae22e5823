// Damaged stretches of files left behind: found one by one, and replaced by what another node holds.
#include <SQLiteCpp/Database.h>
#include <gmock/gmock.h>

#include "broker/store/files.h"
#include "broker/store/journal_audit.h"
#include "broker/store/journal_keep.h"
#include "tests/unit/store/store_kit.h"

namespace lianxi::store::test {
namespace {

const FeedId kOwn = feed_of(kQuzhou);
const FeedId kPeer = feed_of(kHuangshan);

// File 0: there was none.
AuditedFile next_of(JournalAudit& audit, std::int64_t now_ms = 1) {
  auto file = audit.next(now_ms);
  EXPECT_TRUE(file) << file.error().detail;
  return file ? std::move(*file).value_or(AuditedFile{}) : AuditedFile{};
}

struct Damaged : testing::Test {
  TempFolder folder;
  JournalBench bench{folder.path(), 200 * 1024};
  std::vector<JournalSegment> whole;

  void SetUp() override {
    for (int i = 0; i < 120; ++i) {
      bench.commit({kOwn, kPeer}, 12, 900);
      ASSERT_TRUE(bench.journal->maintain());
    }
    whole = bench.read_all();
    ASSERT_GE(list_journal(folder.path()).size(), 4U);
    bench.close();
  }
  void change(const std::string& file, const std::string& sql) {
    SQLite::Database(folder.path(file), SQLite::OPEN_READWRITE).exec(sql);
  }
  // A bit of the bytes of the n-th segment.
  void flip(const std::string& file, int n) {
    change(file,
           "UPDATE segment SET bytes = substr(bytes, 1, 900) || x'77' || substr(bytes, 902) WHERE offset = (SELECT offset"
           " FROM segment ORDER BY offset LIMIT 1 OFFSET " +
               std::to_string(n) + ")");
  }
  [[nodiscard]] std::vector<FoundDamage> damage(std::uint64_t file) const {
    auto found = find_damage(folder.path(), file, key_of());
    EXPECT_TRUE(found) << found.error().detail;
    return found ? *found : std::vector<FoundDamage>{};
  }
  // What another node would give for it, at offsets of its own.
  [[nodiscard]] RepairedRange from_elsewhere(const FoundDamage& damage) const {
    for (const JournalSegment& segment : whole) {
      if (segment.first_offset != damage.offset) continue;
      const Segment parsed = Segment::parse(segment.bytes).value();
      return {{parsed.info(), parsed.last(), as_stored(parsed, Offset(77'777)), segment.seal}};
    }
    ADD_FAILURE() << "no such segment";
    return {};
  }
  [[nodiscard]] std::size_t repair(std::uint64_t file, const std::vector<RepairedRange>& with) const {
    auto repaired = repair_file(folder.path(), file, key_of(), with);
    EXPECT_TRUE(repaired) << repaired.error().detail;
    return repaired.value_or(0);
  }
  // The seal of the n-th segment cannot be read any more.
  void lose_seal(const std::string& file, std::size_t n) {
    change(file, "UPDATE seal SET signature = zeroblob(64), hash = zeroblob(32) WHERE offset = " +
                     std::to_string(whole[n].first_offset.value));
  }
  // The next one of the same feed.
  [[nodiscard]] std::size_t after(std::size_t n) const {
    const auto feed = [&](std::size_t i) { return Segment::parse(whole[i].bytes).value().info().feed; };
    const FeedId of = feed(n);
    do ++n;
    while (feed(n) != of);
    return n;
  }
  // A table whose page tells of a row less than it holds: no statement fails for that.
  void shorten_a_table(const std::string& file) {
    change(file, "CREATE TABLE beside (x); INSERT INTO beside VALUES (1), (2), (3)");
    const int root = SQLite::Database(folder.path(file)).execAndGet("SELECT rootpage FROM sqlite_schema WHERE name = 'beside'");
    Bytes bytes = read_file(folder.path(file));
    bytes[static_cast<std::size_t>(root - 1) * 2048 + 4] = 2;
    write_file(folder.path(file), bytes);
  }
  void expect_whole() const {
    EXPECT_EQ(bench.verify(bench.regions.heads()).findings, std::vector<std::string>{});
    const auto now = bench.read_all();
    ASSERT_EQ(now.size(), whole.size());
    for (std::size_t i = 0; i < now.size(); ++i) EXPECT_EQ(now[i].bytes, whole[i].bytes);
  }
};

TEST_F(Damaged, EachStretchIsFoundByItselfWithWhatStandsOnBothSides) {
  EXPECT_TRUE(damage(1).empty());
  flip("000001.db", 2);
  flip("000001.db", 3);
  const auto found = damage(1);
  ASSERT_EQ(found.size(), 2U);
  const Segment third = Segment::parse(whole[2].bytes).value();
  for (const FoundDamage& each : found) {
    const std::size_t n = each.offset == whole[2].first_offset ? 2 : 3;
    const Segment good = Segment::parse(whole[n].bytes).value();
    EXPECT_EQ(each.offset, whole[n].first_offset);
    EXPECT_EQ(each.range.feed, good.info().feed);
    EXPECT_EQ(each.range.first, good.info().first_sequence);
    EXPECT_EQ(each.range.last, good.last().sequence);
    EXPECT_EQ(each.range.previous, good.info().previous);
    EXPECT_EQ(each.range.hash, good.last().hash);
    EXPECT_FALSE(each.range.seal_lost);
  }
}

TEST_F(Damaged, WhatAnotherNodeGivesTakesItsPlace) {
  flip("000002.db", 1);
  flip("000002.db", 4);
  const auto found = damage(2);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(repair(2, {from_elsewhere(found[0])}), 1U);
  ASSERT_EQ(damage(2).size(), 1U);
  EXPECT_EQ(repair(2, {from_elsewhere(found[0]), from_elsewhere(found[1])}), 1U);
  expect_whole();
  EXPECT_FALSE(std::filesystem::exists(folder.path("000002.db.mended")));
}

TEST_F(Damaged, AnArchiveIsRepairedWholeAndStaysOne) {
  ASSERT_TRUE(archive_file(folder.path(), 1, key_of()));
  Bytes packed = read_file(folder.path("000001.db.zst"));
  packed[packed.size() / 2] ^= 1;
  write_file(folder.path("000001.db.zst"), packed);
  EXPECT_FALSE(bench.verify().findings.empty());
  const auto found = damage(1);
  ASSERT_FALSE(found.empty());
  std::vector<RepairedRange> given;
  for (const FoundDamage& each : found) given.push_back(from_elsewhere(each));
  EXPECT_EQ(repair(1, given), found.size());
  EXPECT_TRUE(std::filesystem::exists(folder.path("000001.db.zst")));
  EXPECT_FALSE(std::filesystem::exists(folder.path("000001.db")));
  expect_whole();
}

TEST_F(Damaged, ALostSealComesWithTheEvents) {
  const std::string third = std::to_string(whole[2].first_offset.value);
  change("000001.db", "UPDATE seal SET signature = zeroblob(64), hash = zeroblob(32) WHERE offset = " + third);
  auto found = damage(1);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(found[0].range.seal_lost);
  RepairedRange given = from_elsewhere(found[0]);
  given.segment.seal.reset();
  EXPECT_EQ(repair(1, {given}), 0U) << "without the seal";
  EXPECT_EQ(repair(1, {from_elsewhere(found[0])}), 1U);
  expect_whole();
}

TEST_F(Damaged, ASegmentAndItsSealLostTogetherAreKnownByTheNextOne) {
  flip("000001.db", 2);
  change("000001.db", "UPDATE seal SET signature = zeroblob(64), hash = zeroblob(32) WHERE offset = " +
                          std::to_string(whole[2].first_offset.value));
  const auto found = damage(1);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].range.hash, Segment::parse(whole[2].bytes).value().last().hash);
  EXPECT_EQ(repair(1, {from_elsewhere(found[0])}), 1U);
  expect_whole();
}

TEST_F(Damaged, WhatDoesNotContinueTheChainIsNotTaken) {
  flip("000001.db", 2);
  const auto found = damage(1);
  const Segment good = Segment::parse(whole[2].bytes).value();
  RepairedRange forged = from_elsewhere(found[0]);
  SegmentWriter writer(found[0].range.feed, {Sequence(found[0].range.first.value - 1), found[0].range.previous}, Offset(5));
  for (const RecordView& record : good.records()) writer.append(record.stamp, record.salt, body_of(900, 99));
  forged.segment.last = writer.head();
  forged.segment.bytes = std::move(writer).finish();
  const Bytes before = read_file(folder.path("000001.db"));
  EXPECT_EQ(repair(1, {forged}), 0U);
  EXPECT_EQ(read_file(folder.path("000001.db")), before);
  EXPECT_EQ(damage(1).size(), 1U);
}

TEST_F(Damaged, AReaderThatWasTurnedAwayReadsOnAfterTheRepair) {
  auto opened = open_reader(bench.options);
  JournalReader& reader = **opened;
  ASSERT_TRUE(reader.read(Offset(1), 1));
  flip("000002.db", 1);
  const auto found = damage(2);
  ASSERT_EQ(found.size(), 1U);
  const auto stored = reader.read(found[0].offset, 1);
  ASSERT_TRUE(!stored || !Segment::parse(stored->front().bytes));
  EXPECT_EQ(repair(2, {from_elsewhere(found[0])}), 1U);
  const auto again = reader.read(found[0].offset, 1);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->front().bytes, as_stored(Segment::parse(from_elsewhere(found[0]).segment.bytes).value(), found[0].offset));
}

TEST_F(Damaged, TheAuditNamesItGoesOnAndRemembersItOverARestart) {
  flip("000002.db", 1);
  const auto first = open_audit(folder.path(), key_of(), true);
  EXPECT_TRUE(next_of(**first).findings.empty());
  const AuditedFile second = next_of(**first);
  ASSERT_EQ(second.damage.size(), 1U);
  EXPECT_FALSE(second.findings.empty());

  const auto restarted = open_audit(folder.path(), key_of(), true);
  const AuditedFile again = next_of(**restarted);
  EXPECT_EQ(again.number, 2U);
  EXPECT_EQ(again.damage.size(), 1U);
  EXPECT_EQ(next_of(**restarted).number, 3U) << "new files come before proven ones";
  ASSERT_TRUE(archive_file(folder.path(), 1, key_of()));
  EXPECT_EQ((*restarted)->to_archive(1, {}).value(), 3U) << "what is damaged is not packed";
  EXPECT_EQ(repair(2, {from_elsewhere(again.damage[0])}), 1U);
  (*restarted)->suspect(2);
  EXPECT_TRUE(next_of(**restarted).findings.empty());

  const auto healed = open_audit(folder.path(), key_of(), true);
  EXPECT_NE(next_of(**healed).number, 2U);
}

TEST_F(Damaged, WhatIsProvenIsProvenAgainAfterADay) {
  const auto audit = open_audit(folder.path(), key_of(), true);
  std::uint64_t files = 0;
  while (next_of(**audit).number > 0) ++files;
  ASSERT_GE(files, 2U);
  EXPECT_EQ(next_of(**audit, kRoundMs).number, 0U);
  flip("000001.db", 1);
  std::uint64_t again = 0, damaged = 0;
  for (AuditedFile file = next_of(**audit, kRoundMs + 1); file.number > 0; file = next_of(**audit, kRoundMs + 1)) {
    ++again;
    damaged += file.damage.size();
  }
  EXPECT_EQ(again, files);
  EXPECT_EQ(damaged, 1U);
}

TEST_F(Damaged, AnOffsetThatReadersStumbledOverIsLookedAtNext) {
  const auto audit = open_audit(folder.path(), key_of());
  flip("000002.db", 1);
  const auto found = damage(2);
  ASSERT_TRUE((*audit)->suspect(found[0].offset));
  const AuditedFile file = next_of(**audit);
  EXPECT_EQ(file.number, 2U);
  EXPECT_EQ(file.damage.size(), 1U);
}

TEST_F(Damaged, NothingIsPutInThePlaceOfTwoSegmentsWhenASealHasVanished) {
  change("000001.db", "DELETE FROM seal WHERE offset = " + std::to_string(whole[2].first_offset.value));
  const Bytes before = read_file(folder.path("000001.db"));
  const auto found = find_damage(folder.path(), 1, key_of());
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, StoreError::corrupt);
  // What would fit the stretch that the next seal seems to close.
  const Segment first = Segment::parse(whole[2].bytes).value(), second = Segment::parse(whole[after(2)].bytes).value();
  SegmentWriter both(first.info().feed, {Sequence(first.info().first_sequence.value - 1), first.info().previous}, Offset(5));
  for (const Segment* part : {&first, &second})
    for (const RecordView& record : part->records()) both.append(record);
  StoredSegment given{first.info(), both.head(), {}, whole[after(2)].seal};
  given.info.count = both.count();
  given.bytes = std::move(both).finish();
  EXPECT_FALSE(repair_file(folder.path(), 1, key_of(), {{given}}));
  EXPECT_EQ(read_file(folder.path("000001.db")), before);
  const auto audit = open_audit(folder.path(), key_of());
  EXPECT_FALSE(next_of(**audit).findings.empty()) << "and it is told";
}

TEST_F(Damaged, AFileWithAnotherTableHurtIsNeitherRepairedNorPacked) {
  flip("000001.db", 2);
  const auto found = damage(1);
  ASSERT_EQ(found.size(), 1U);
  shorten_a_table("000001.db");
  shorten_a_table("000002.db");
  const Bytes before = read_file(folder.path("000001.db"));
  const auto repaired = repair_file(folder.path(), 1, key_of(), {from_elsewhere(found[0])});
  ASSERT_FALSE(repaired);
  EXPECT_EQ(repaired.error().code, StoreError::corrupt);
  EXPECT_EQ(read_file(folder.path("000001.db")), before);
  EXPECT_FALSE(std::filesystem::exists(folder.path("000001.db.mended"))) << "nothing half made stays";
  const auto packed = archive_file(folder.path(), 2, key_of());
  ASSERT_FALSE(packed);
  EXPECT_EQ(packed.error().code, StoreError::corrupt);
  EXPECT_TRUE(std::filesystem::exists(folder.path("000002.db")));
  EXPECT_FALSE(std::filesystem::exists(folder.path("000002.db.packing")));
}

TEST_F(Damaged, WhatWasHurtSinceItsProofIsNotPacked) {
  flip("000001.db", 2);
  const auto packed = archive_file(folder.path(), 1, key_of());
  ASSERT_FALSE(packed);
  EXPECT_EQ(packed.error().code, StoreError::corrupt);
  EXPECT_TRUE(std::filesystem::exists(folder.path("000001.db")));
  for (const char* gone : {"000001.db.zst", "000001.db.zst.new", "000001.db.packing"})
    EXPECT_FALSE(std::filesystem::exists(folder.path(gone))) << gone;
}

TEST_F(Damaged, WhatCannotBeReadAndNobodyGaveKeepsTheFileAsItIs) {
  ASSERT_TRUE(archive_file(folder.path(), 1, key_of()));
  Bytes packed = read_file(folder.path("000001.db.zst"));
  packed[packed.size() / 2] ^= 1;
  write_file(folder.path("000001.db.zst"), packed);
  const auto found = damage(1);
  ASSERT_GE(found.size(), 2U);
  const auto repaired = repair_file(folder.path(), 1, key_of(), {from_elsewhere(found[0])});
  ASSERT_FALSE(repaired);
  EXPECT_THAT(repaired.error().detail, testing::HasSubstr("was not given"));
  EXPECT_EQ(read_file(folder.path("000001.db.zst")), packed);
}

TEST_F(Damaged, NeighboursHealOneAfterTheOther) {
  flip("000001.db", 2);
  lose_seal("000001.db", 2);
  flip("000001.db", static_cast<int>(after(2)));
  auto found = damage(1);
  ASSERT_EQ(found.size(), 1U) << "what the second follows is lost with the first one's seal";
  EXPECT_EQ(repair(1, {from_elsewhere(found[0])}), 1U);
  found = damage(1);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(repair(1, {from_elsewhere(found[0])}), 1U);
  expect_whole();
}

TEST_F(Damaged, WhatFollowsTheNextSegmentSaysNothingOfThisOne) {
  for (const std::size_t n : {std::size_t{2}, after(2)}) {
    flip("000001.db", static_cast<int>(n));
    lose_seal("000001.db", n);
  }
  auto found = damage(1);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].range.hash, std::nullopt);
  EXPECT_EQ(repair(1, {from_elsewhere(found[0])}), 1U);
  found = damage(1);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].range.hash, Segment::parse(whole[after(2)].bytes).value().last().hash);
  EXPECT_EQ(repair(1, {from_elsewhere(found[0])}), 1U);
  expect_whole();
}

TEST_F(Damaged, ReadersHurryNothingThatIsKnownAndHoldUpNothingNew) {
  flip("000002.db", 1);
  const auto audit = open_audit(folder.path(), key_of());
  const Offset where = damage(2)[0].offset;
  ASSERT_TRUE((*audit)->suspect(where));
  (*audit)->suspect(3);
  EXPECT_EQ(next_of(**audit).number, 2U);
  EXPECT_EQ(next_of(**audit).number, 1U) << "in turn with what was never proven";
  EXPECT_EQ(next_of(**audit).number, 3U);
  while (next_of(**audit).number > 0) continue;
  ASSERT_TRUE((*audit)->suspect(where));
  EXPECT_EQ(next_of(**audit, kSuspectAgainMs).number, 0U);
  EXPECT_EQ(next_of(**audit, 1 + kSuspectAgainMs).number, 2U);
  (*audit)->suspect(2);
  EXPECT_EQ(next_of(**audit, 1 + kSuspectAgainMs).number, 2U) << "it was repaired";
}

TEST_F(Damaged, AFullDiskHidesNoFinding) {
  flip("000001.db", 1);
  std::filesystem::create_directory(folder.path("audit.new"));  // nothing can be written there
  const auto audit = open_audit(folder.path(), key_of(), true);
  const AuditedFile file = next_of(**audit);
  EXPECT_EQ(file.damage.size(), 1U);
  EXPECT_FALSE(file.not_kept.empty());
  EXPECT_EQ(next_of(**audit).number, 2U);
}

TEST_F(Damaged, WhatIsWholeBeforeAFileThatCannotBeOpenedIsGiven) {
  const Bytes third = read_file(folder.path("000003.db"));
  const Offset begins(static_cast<std::uint64_t>(
      SQLite::Database(folder.path("000003.db")).execAndGet("SELECT min(offset) FROM segment").getInt64()));
  const Offset ends(static_cast<std::uint64_t>(
      SQLite::Database(folder.path("000002.db")).execAndGet("SELECT min(offset) FROM segment").getInt64()));
  write_file(folder.path("000002.db"), Bytes(4096, 0x5A));
  const auto opened = open_reader(bench.options);
  ASSERT_TRUE(opened) << opened.error().detail;
  const auto some = (*opened)->read(Offset(1), 100'000'000);
  ASSERT_TRUE(some) << some.error().detail;
  ASSERT_FALSE(some->empty());
  const Segment last = Segment::parse(some->back().bytes).value();
  EXPECT_EQ(last.info().first_offset.value + last.info().count, ends.value);
  const auto more = (*opened)->read(ends, 1);
  ASSERT_FALSE(more);
  EXPECT_THAT(more.error().detail, testing::HasSubstr("000002.db"));
  const auto behind = (*opened)->read(begins, 1);
  ASSERT_TRUE(behind) << behind.error().detail;
  EXPECT_EQ(behind->front().first_offset, begins);
}

TEST_F(Damaged, WhatIsWholeBeforeAMisplacedRowIsGiven) {
  const std::string at = std::to_string(whole[3].first_offset.value);
  change("000001.db", "UPDATE segment SET count = count + 1 WHERE offset = " + at);
  const auto opened = open_reader(bench.options);
  const auto some = (*opened)->read(Offset(1), 100'000'000);
  ASSERT_TRUE(some) << some.error().detail;
  EXPECT_EQ(some->size(), 3U);
  EXPECT_FALSE((*opened)->read(whole[3].first_offset, 1));
}

}  // namespace
}  // namespace lianxi::store::test
