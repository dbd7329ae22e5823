#include <gtest/gtest.h>

#include <SQLiteCpp/Database.h>

#include "broker/store/files.h"
#include "tests/unit/store/store_kit.h"

namespace lianxi::store::test {
namespace {

const FeedId kOwn = feed_of(kQuzhou);
const FeedId kFlash = feed_of(kQuzhou, Lane::flash);
const FeedId kPeer = feed_of(kHuangshan);

SessionRow session_row(std::uint64_t high, std::uint64_t through, const std::string& who = "330800.police.dispatch") {
  return {{agent(who), SessionId(0xf000000000000001)}, Lane::normal, Sequence(high), Sequence(through), 1234};
}
AnswerRun answers(std::uint64_t first, std::size_t count, const std::string& who = "330800.police.dispatch") {
  AnswerRun run{{agent(who), SessionId(0xf000000000000001)}, Lane::normal, Sequence(first), {}};
  for (std::size_t i = 0; i < count; ++i) {
    StoredAnswer answer;
    answer.hash[0] = static_cast<std::uint8_t>(first + i);
    answer.accepted = true;
    answer.feed = kOwn;
    answer.feed_sequence = Sequence(first + i);
    answer.ordinal = Ordinal(first + i);
    answer.offset = Offset(first + i);
    run.answers.push_back(answer);
  }
  return run;
}

TEST(Journal, FreshOneIsEmptyAndKnowsItsNode) {
  const TempFolder folder;
  JournalBench bench(folder.path("journal"));
  EXPECT_EQ(bench.journal->identity().region, kQuzhou);
  EXPECT_EQ(bench.journal->identity().incarnation.value, 0xfedcba9876543210);
  const auto state = bench.journal->load();
  ASSERT_TRUE(state);
  EXPECT_EQ(state->next_offset, Offset(1));
  EXPECT_TRUE(state->heads.empty());
  EXPECT_TRUE(bench.read_all().empty());
}

TEST(Journal, ReopensWhereItStood) {
  const TempFolder folder;
  JournalBench bench(folder.path());
  for (int i = 0; i < 5; ++i) bench.commit({kOwn, kFlash, kPeer});
  bench.close();
  bench.open();
  const auto state = bench.journal->load();
  ASSERT_TRUE(state);
  EXPECT_EQ(state->next_offset, bench.next);
  EXPECT_EQ(state->heads, bench.regions.heads());
  EXPECT_EQ(state->last_ordinal, Ordinal(30));  // own feeds alone
  EXPECT_GT(state->last_time.value, 0U);
  EXPECT_EQ(bench.journal->identity().incarnation.value, 0xfedcba9876543210);
}

TEST(Journal, GivesBackTheBytesAndSealsItTook) {
  const TempFolder folder;
  JournalBench bench(folder.path());
  bench.commit({kOwn, kPeer}, 4);
  bench.commit({kOwn}, 1, 5000);
  const auto all = bench.read_all();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[1].first_offset, Offset(5));
  for (const JournalSegment& segment : all) {
    const auto parsed = Segment::parse(segment.bytes);
    ASSERT_TRUE(parsed);
    ASSERT_TRUE(segment.seal);
    EXPECT_EQ(segment.seal->hash, parsed->last().hash);
    EXPECT_TRUE(verify_seal(keys_of(parsed->info().feed.region).public_key, parsed->info().feed, *segment.seal));
  }
  EXPECT_EQ(Segment::parse(all[2].bytes)->records()[0].body.size(), 5000U);
}

TEST(Journal, RefusesABatchThatDoesNotFollow) {
  const TempFolder folder;
  JournalBench bench(folder.path());
  bench.commit({kOwn});
  JournalBatch batch;
  batch.first_offset = Offset(9);
  batch.segments.push_back(bench.regions.segment(kOwn, {body_of(10, 1)}, Offset(9)));
  const auto done = bench.journal->commit(batch);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, StoreError::corrupt);
  EXPECT_FALSE(bench.journal->commit(batch));  // and stays closed until a restart
  bench.close();
  bench.open();
  EXPECT_EQ(bench.journal->load()->next_offset, Offset(4));
}

TEST(Journal, AnotherRegionsFolderIsRefused) {
  const TempFolder folder;
  { JournalBench bench(folder.path()); }
  JournalOptions options;
  options.folder = folder.path();
  const auto other = open_journal(options, identity_of(kHuangshan));
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, StoreError::wrong_node);
}

TEST(Journal, ASecondWriterIsRefused) {
  const TempFolder folder;
  const JournalBench bench(folder.path());
  EXPECT_FALSE(open_journal(bench.options, identity_of()));
}

TEST(Journal, ANewerVersionIsRefusedByWriterAndReader) {
  const TempFolder folder;
  JournalBench bench(folder.path());
  bench.close();
  SQLite::Database(folder.path("000001.db"), SQLite::OPEN_READWRITE).exec("INSERT INTO migration VALUES (99, '099_later')");
  const auto opened = open_journal(bench.options, identity_of());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, StoreError::newer_version);
  const auto reader = open_reader(bench.options);
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().code, StoreError::newer_version);
}

TEST(Journal, AFileMadeButNeverBegunIsRemovedAtOpen) {
  const TempFolder folder;
  JournalBench bench(folder.path());
  bench.commit({kOwn});
  bench.close();
  write_file(folder.path("000002.db"), {});
  bench.open();
  EXPECT_FALSE(std::filesystem::exists(folder.path("000002.db")));
  EXPECT_EQ(bench.journal->load()->next_offset, Offset(4));
}

TEST(Journal, MovesOnToFreshFilesAndReadsAcrossThem) {
  const TempFolder folder;
  JournalBench bench(folder.path(), 60'000);
  for (int i = 0; i < 60; ++i) bench.commit({kOwn, kPeer}, 2, 1000);
  EXPECT_TRUE(std::filesystem::exists(folder.path("000003.db")));
  const auto check = [&] {
    for (const std::size_t max_bytes : {std::size_t{1}, std::size_t{10'000}, std::size_t{1} << 20}) {
      const auto all = bench.read_all(max_bytes);
      ASSERT_EQ(all.size(), 120U);
      for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i].first_offset.value, 1 + 2 * i);
    }
    EXPECT_EQ((*open_reader(bench.options))->next_offset(), bench.next);
  };
  check();
  ASSERT_TRUE(bench.journal->maintain());
  check();
  bench.close();
  check();
  bench.open();
  EXPECT_EQ(bench.journal->load()->heads, bench.regions.heads());
  EXPECT_EQ(bench.journal->load()->last_ordinal, Ordinal(120));
}

TEST(Journal, AReaderFollowsTheWriterThroughNewFiles) {
  const TempFolder folder;
  JournalBench bench(folder.path(), 40'000);
  const auto reader = open_reader(bench.options);
  ASSERT_TRUE(reader);
  Offset from{1};
  for (int i = 0; i < 100; ++i) {
    bench.commit({kOwn}, 2, 700);
    if (i % 7 == 0) {
      ASSERT_TRUE(bench.journal->maintain());
    }
    const auto some = (*reader)->read(from, 1 << 20);
    ASSERT_TRUE(some) << some.error().detail;
    ASSERT_EQ(some->size(), 1U);
    EXPECT_EQ(some->front().first_offset, from);
    from = bench.next;
    EXPECT_EQ((*reader)->next_offset(), bench.next);
  }
  EXPECT_GT(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 4);
}

TEST(Journal, ReadingMayBeginInsideASegment) {
  const TempFolder folder;
  JournalBench bench(folder.path());
  bench.commit({kOwn}, 10);
  bench.commit({kOwn}, 10);
  const auto reader = open_reader(bench.options);
  EXPECT_EQ((*reader)->read(Offset(5), 1)->front().first_offset, Offset(1));
  EXPECT_EQ((*reader)->read(Offset(11), 1)->front().first_offset, Offset(11));
  EXPECT_TRUE((*reader)->read(Offset(21), 1)->empty());
}

TEST(Journal, ReadingBelowTheOldestFileIsNotFound) {
  const TempFolder folder;
  JournalBench bench(folder.path(), 40'000);
  for (int i = 0; i < 30; ++i) bench.commit({kOwn}, 1, 2000);
  bench.close();
  std::filesystem::remove(folder.path("000001.db"));
  const auto reader = open_reader(bench.options);
  ASSERT_TRUE(reader);
  const auto below = (*reader)->read(Offset(1), 1000);
  ASSERT_FALSE(below);
  EXPECT_EQ(below.error().code, StoreError::not_found);
  EXPECT_TRUE((*reader)->read(Offset(25), 1000));
}

TEST(Journal, FindsTheFirstEventThatAVectorLacks) {
  const TempFolder folder;
  JournalBench bench(folder.path(), 40'000);
  std::vector<FeedVector> after;
  for (int i = 0; i < 40; ++i) {
    bench.commit({i % 3 == 0 ? kPeer : kOwn}, 3, 900);
    after.push_back(bench.regions.heads());
  }
  const auto reader = open_reader(bench.options);
  EXPECT_EQ((*reader)->first_beyond({}), Offset(1));
  for (std::size_t i = 0; i < after.size(); ++i) EXPECT_EQ((*reader)->first_beyond(after[i]), Offset(1 + 3 * (i + 1)));
  EXPECT_EQ((*reader)->first_beyond({{kPeer, {Sequence(2), {}}}}), Offset(3));     // own feed begins at 4
  EXPECT_EQ((*reader)->first_beyond({{kOwn, {Sequence(1'000), {}}}}), Offset(1));  // peer's feed lacks all
  EXPECT_EQ((*reader)->first_beyond({{kOwn, {Sequence(1'000), {}}}, {kPeer, {Sequence(4), {}}}}), Offset(11));
}

TEST(Journal, ARowInAnothersPlaceIsNeitherGivenOutNorLeftOut) {
  const TempFolder folder;
  JournalBench bench(folder.path(), 64 * 1024);
  while (list_journal(folder.path()).size() < 3) bench.commit({kOwn, kPeer});
  bench.close();
  const std::string path = journal_path(folder.path(), 1);
  const Bytes whole = read_file(path);
  const std::string second = " WHERE offset = (SELECT offset FROM segment ORDER BY offset LIMIT 1 OFFSET 1)";
  for (const std::string damage :
       {"UPDATE segment SET offset = offset + 1", "DELETE FROM segment", "UPDATE segment SET count = count - 1"}) {
    EXPECT_EQ(SQLite::Database(path, SQLite::OPEN_READWRITE).exec(damage + second), 1) << damage;
    const auto reader = open_reader(bench.options);
    ASSERT_TRUE(reader);
    // What stands before it is given, and there the reading ends.
    auto read = (*reader)->read(Offset(1), 1 << 20);
    ASSERT_TRUE(read) << damage;
    ASSERT_EQ(read->size(), 1U) << damage;
    read = (*reader)->read(Offset(4), 1 << 20);
    ASSERT_FALSE(read) << damage;
    EXPECT_EQ(read.error().code, StoreError::corrupt) << read.error().detail;
    write_file(path, whole);
  }
}

TEST(Journal, SessionsAndAnswersLiveUntilNamedAsHeld) {
  const TempFolder folder;
  JournalBench bench(folder.path());
  JournalBatch batch;
  batch.sessions = {session_row(5, 0), session_row(2, 0, "330800.fire.dispatch")};
  batch.answers = {answers(1, 5), answers(1, 2, "330800.fire.dispatch")};
  ASSERT_TRUE(bench.journal->commit(batch));
  batch = {};
  batch.sessions = {session_row(8, 3)};
  batch.answers = {answers(6, 3)};
  ASSERT_TRUE(bench.journal->commit(batch));
  bench.close();
  bench.open();
  auto state = bench.journal->load();
  ASSERT_EQ(state->sessions.size(), 2U);
  ASSERT_EQ(state->answers.size(), 3U);
  std::map<std::uint64_t, std::size_t> police;
  for (const AnswerRun& run : state->answers) {
    if (run.key.agent == agent()) police[run.first.value] = run.answers.size();
  }
  EXPECT_EQ(police, (std::map<std::uint64_t, std::size_t>{{4, 2}, {6, 3}}));  // 1..3 are held by the client

  batch = {};
  batch.sessions = {session_row(8, 8)};
  batch.closed = {{agent("330800.fire.dispatch"), SessionId(0xf000000000000001)}};
  ASSERT_TRUE(bench.journal->commit(batch));
  state = bench.journal->load();
  EXPECT_EQ(state->sessions.size(), 1U);
  EXPECT_EQ(state->sessions[0].high_water, Sequence(8));
  EXPECT_EQ(state->sessions[0].used_at, 1234);
  EXPECT_TRUE(state->answers.empty());
  bench.close();
  SQLite::Database db(folder.path("000001.db"));
  EXPECT_EQ(db.execAndGet("SELECT count(*) FROM answer").getInt(), 0);
}

TEST(Journal, ASessionClosedAndOpenedAgainInOneBatchKeepsWhatItPublishedSince) {
  const TempFolder folder;
  JournalBench bench(folder.path());
  JournalBatch batch;
  batch.sessions = {session_row(5, 0)};
  batch.answers = {answers(1, 5)};
  ASSERT_TRUE(bench.journal->commit(batch));
  batch.closed = {batch.sessions[0].key};
  batch.sessions = {session_row(2, 0)};
  batch.answers = {answers(1, 2)};
  ASSERT_TRUE(bench.journal->commit(batch));
  bench.close();
  bench.open();
  const auto state = bench.journal->load();
  ASSERT_TRUE(state);
  ASSERT_EQ(state->sessions.size(), 1U);
  EXPECT_EQ(state->sessions[0].high_water, Sequence(2));
  ASSERT_EQ(state->answers.size(), 1U);
  EXPECT_EQ(state->answers[0].answers.size(), 2U);
}

TEST(Journal, LogsOfFilesLeftBehindByAKilledProcessAreFoldedAtOpen) {
  const TempFolder folder;
  const TempFolder killed;
  JournalBench bench(folder.path(), 40'000);
  for (int i = 0; i < 30; ++i) bench.commit({kOwn}, 1, 2000);
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    if (entry.path().extension() != ".db-shm") write_file(killed.path(entry.path().filename()), read_file(entry.path()));
  }
  ASSERT_GT(std::filesystem::file_size(killed.path("000001.db-wal")), 10'000U);
  JournalOptions options;
  options.folder = killed.path();
  const auto opened = open_journal(options, identity_of());
  ASSERT_TRUE(opened) << opened.error().detail;
  EXPECT_FALSE(std::filesystem::exists(killed.path("000001.db-wal")));
  EXPECT_EQ((*opened)->load()->heads, bench.regions.heads());
  EXPECT_TRUE(verify_journal(killed.path(), key_of(), bench.regions.heads(), nullptr)->findings.empty());
}

TEST(Journal, SessionsAndAnswersSurviveRollOver) {
  const TempFolder folder;
  JournalBench bench(folder.path(), 40'000);
  JournalBatch batch;
  batch.sessions = {session_row(5, 0)};
  batch.answers = {answers(1, 5)};
  ASSERT_TRUE(bench.journal->commit(batch));
  for (int i = 0; i < 40; ++i) {
    bench.commit({kOwn}, 1, 2000);
    if (i % 5 == 0) {
      ASSERT_TRUE(bench.journal->maintain());
    }
  }
  bench.close();
  bench.open();
  const auto state = bench.journal->load();
  ASSERT_EQ(state->sessions.size(), 1U);
  EXPECT_EQ(state->sessions[0].high_water, Sequence(5));
  ASSERT_EQ(state->answers.size(), 1U);
  ASSERT_EQ(state->answers[0].answers.size(), 5U);
  EXPECT_EQ(state->answers[0].answers[4].feed_sequence, Sequence(5));
}

CursorRow cursor_row(const std::string& name, std::uint64_t offset) {
  return {{agent(), name}, Incarnation(9), Offset(offset), 1'600'000'000'000};
}

TEST(Journal, NamedCursorsStandInEachFileAndGoWhenForgotten) {
  const TempFolder folder;
  JournalBench bench(folder.path(), 40'000);
  JournalBatch batch;
  batch.cursors = {cursor_row("desk", 3), cursor_row("wall", 4)};
  ASSERT_TRUE(bench.journal->commit(batch));  // a commit of its own
  batch.cursors = {cursor_row("desk", 5)};
  batch.cursors_gone = {cursor_row("wall", 0).key};
  ASSERT_TRUE(bench.journal->commit(batch));
  for (int i = 0; i < 40; ++i) bench.commit({kOwn}, 1, 2000);
  ASSERT_TRUE(bench.journal->maintain());
  bench.close();
  bench.open();
  const auto state = bench.journal->load();
  ASSERT_EQ(state->cursors.size(), 1U);
  EXPECT_EQ(state->cursors[0].key, cursor_row("desk", 0).key);
  EXPECT_EQ(state->cursors[0].incarnation, Incarnation(9));
  EXPECT_EQ(state->cursors[0].offset, Offset(5));
  EXPECT_EQ(state->cursors[0].used_at, 1'600'000'000'000);
}

TEST(Journal, AJournalOfTheFirstVersionGetsTheTablesThatCameLater) {
  const TempFolder folder;
  JournalBench bench(folder.path());
  bench.commit({kOwn});
  bench.close();
  SQLite::Database(folder.path("000001.db"), SQLite::OPEN_READWRITE)
      .exec(
          "DROP TABLE cursor; DROP TABLE fence; DROP TABLE fence_missing; DROP TABLE quarantine; DROP TABLE quarantined_segment;"
          "DROP TABLE beginning;"
          "DELETE FROM migration WHERE version > 1; PRAGMA wal_checkpoint(TRUNCATE)");
  bench.open();
  JournalBatch batch;
  batch.cursors = {cursor_row("desk", 3)};
  ASSERT_TRUE(bench.journal->commit(batch));
  EXPECT_EQ(bench.journal->load()->cursors.size(), 1U);
  EXPECT_EQ(bench.journal->load()->next_offset, Offset(4));
}

}  // namespace
}  // namespace lianxi::store::test
