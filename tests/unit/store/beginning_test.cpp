// A journal that holds a feed from behind a retention on: it is proven so, read, backed up and mended like any other.
#include <gmock/gmock.h>

#include <SQLiteCpp/Database.h>

#include "broker/store/backup.h"
#include "broker/store/feed_search.h"
#include "broker/store/journal_audit.h"
#include "schemas/codec/retention_proof.h"
#include "tests/unit/store/view_kit.h"

namespace lianxi::store::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const FeedId kPeer = feed_of(kHuangshan);
constexpr std::uint64_t kThrough = 4, kRetainedAt = 8, kEarlier = 6;

// The peer's feed as its own node wrote it: ten events in segments of two, the sixth a retention through the second, the eighth
// one through the fourth. Their digests are not those of any view.
class BeginningTest : public testing::Test {
 protected:
  BeginningTest() {
    FeedHead through;
    for (std::uint64_t first = 1; first <= 9; first += 2) {
      std::vector<Bytes> bodies;
      for (std::uint64_t sequence = first; sequence < first + 2; ++sequence)
        bodies.push_back(sequence == kEarlier      ? retention(whole[0].last, kEarlier)
                         : sequence == kRetainedAt ? retention(through, kRetainedAt)
                                                   : encode_event(report("case " + std::to_string(sequence))));
      whole.push_back(peer.segment(kPeer, bodies, Offset(first)));
      if (first + 1 == kThrough) through = whole.back().last;
    }
    beginning = {kPeer, through, Sequence(kRetainedAt), proof_of(whole[3])};
  }
  static Event report(const std::string& text) {
    return report_event({.case_reference = text, .state = IncidentState::closed, .home = kHuangshan});
  }
  static Bytes retention(const FeedHead& through, std::uint64_t at) {
    Event event;
    event.envelope = {Kind::retention, retention_entity(kHuangshan, Lane::normal, kPeer.audience),
                      Status::Actual,  PlaceCode::of(kHuangshan),
                      "emergency",     Level::none,
                      kPeer.audience,  kNoon};
    event.body = Retention{Epoch(1), Lane::normal, through, Ordinal(through.sequence.value), kNoon, Sequence(at - 1), Hash{}};
    return encode_event(event);
  }
  // From the retention on, stripped.
  static Bytes proof_of(const StoredSegment& stored) {
    const Segment segment = Segment::parse(stored.bytes).value();
    SegmentWriter writer(kPeer, {Sequence(kRetainedAt - 1), segment.records()[0].hash}, Offset(1));
    writer.append(segment.records()[1]);
    const Bytes cut = std::move(writer).finish(*stored.seal);
    return strip_proof(Segment::parse(cut).value());
  }
  // Into this node's journal, from behind the fourth on.
  void take(std::size_t first, std::size_t last, bool begins = true) {
    for (std::size_t i = first; i <= last; ++i) {
      JournalBatch batch;
      batch.first_offset = bench.next;
      StoredSegment segment = whole[i];
      segment.info.first_offset = bench.next;
      segment.bytes = as_stored(Segment::parse(whole[i].bytes).value(), bench.next);
      if (begins && i == 2) batch.beginnings.push_back(beginning);
      batch.segments.push_back(std::move(segment));
      bench.next = Offset(bench.next.value + 2);
      const auto done = bench.journal->commit(batch);
      ASSERT_TRUE(done) << done.error().detail;
    }
  }
  void change(const std::string& sql) {
    bench.close();
    SQLite::Database db(journal() + "/000001.db", SQLite::OPEN_READWRITE);
    db.exec(sql);
  }
  [[nodiscard]] std::string journal() const { return folder.path(); }

  TempFolder folder;
  JournalBench bench{folder.path()};
  Regions peer;
  std::vector<StoredSegment> whole;
  Beginning beginning;
};

TEST_F(BeginningTest, IsProvenByTheOwnersRetention) {
  bench.commit({feed_of(kQuzhou)});
  take(2, 4);
  const VerifyReport report = bench.verify();
  EXPECT_THAT(report.findings, IsEmpty());
  EXPECT_THAT(report.beginnings,
              ElementsAre("000001.db: 341000/1/normal/conference begins at sequence 5 by the retention at sequence 8"));
  EXPECT_EQ(report.events, 9U);
}

TEST_F(BeginningTest, IsProvenBeforeTheRetentionItselfHasCome) {
  take(2, 2);
  EXPECT_THAT(bench.verify().findings, IsEmpty());
  EXPECT_EQ(bench.verify().beginnings.size(), 1U);
}

TEST_F(BeginningTest, AVectorOfWhatIsBeforeIsNoFinding) {
  take(2, 4);
  EXPECT_THAT(bench.verify({{kPeer, whole[0].last}}).findings, IsEmpty());
  EXPECT_THAT(bench.verify({{kPeer, whole[0].last}}).beginnings, testing::Contains(HasSubstr("sequence 2 lies before")));
  EXPECT_THAT(bench.verify({{kPeer, whole[1].last}}).findings, IsEmpty()) << "the very beginning";
  EXPECT_THAT(bench.verify({{kPeer, {whole[1].last.sequence, Hash{5}}}}).findings, ElementsAre(HasSubstr("another hash")));
  EXPECT_THAT(bench.verify({{kPeer, whole[4].last}}).findings, IsEmpty());
}

TEST_F(BeginningTest, StaysSoOverFilesRestartsAndBackups) {
  take(2, 2);
  bench.close();
  bench.options.file_bytes = 4096;
  bench.open();
  take(3, 3);
  for (int i = 0; i < 40; ++i) bench.commit({feed_of(kQuzhou)});
  take(4, 4);
  const JournalState state = bench.journal->load().value();
  ASSERT_EQ(state.beginnings.size(), 1U);
  EXPECT_EQ(state.beginnings[0].through, beginning.through);
  EXPECT_EQ(state.beginnings[0].retained_at, Sequence(kRetainedAt));
  const VerifyReport report = bench.verify();
  EXPECT_GT(report.files, 1U);
  EXPECT_THAT(report.findings, IsEmpty());
  EXPECT_EQ(report.beginnings.size(), 1U);

  const TempFolder copy;
  ASSERT_TRUE(copy_journal(journal(), copy.path(), nullptr));
  EXPECT_EQ(verify_journal(copy.path(), key_of(), {{kPeer, whole[4].last}}, nullptr)->findings, std::vector<std::string>{});
  ASSERT_TRUE(begin_epoch({.folder = copy.path()}, Epoch(2), Incarnation(5)));
  EXPECT_EQ(verify_journal(copy.path(), key_of(), {}, nullptr)->findings, std::vector<std::string>{});
  auto audit = open_audit(copy.path(), key_of());
  for (auto file = (*audit)->next(0); file && *file; file = (*audit)->next(0)) EXPECT_THAT((*file)->findings, IsEmpty());
}

TEST_F(BeginningTest, ReadersFindWhatIsThere) {
  bench.commit({feed_of(kQuzhou)});
  take(2, 4);
  auto reader = open_reader(bench.options).value();
  EXPECT_EQ(reader->first_beyond({}).value(), Offset(1));
  const FeedPosition own{feed_of(kQuzhou), bench.regions.heads()[0].head};
  EXPECT_EQ(reader->first_beyond({own}).value(), Offset(4)) << "whoever has nothing begins where the feed does here";
  EXPECT_EQ(reader->first_beyond({own, {kPeer, whole[0].last}}).value(), Offset(4));
  EXPECT_EQ(reader->first_beyond({own, {kPeer, whole[2].last}}).value(), Offset(6));
  const FeedVector heads{own, {kPeer, whole[4].last}};
  EXPECT_EQ(event_at(*reader, heads, kPeer, Sequence(5))->stamp.sequence, Sequence(5));
  EXPECT_EQ(event_at(*reader, heads, kPeer, Sequence(4)).error().code, StoreError::not_found);
}

TEST_F(BeginningTest, AHeldFeedCannotBeginAgain) {
  take(0, 1);
  JournalBatch batch;
  batch.first_offset = bench.next;
  batch.beginnings.push_back(beginning);
  EXPECT_FALSE(bench.journal->commit(batch));
}

TEST_F(BeginningTest, ABeginningWithoutItsProofIsFound) {
  take(2, 4);
  change("UPDATE beginning SET proof = NULL");
  EXPECT_THAT(bench.verify().findings, testing::Contains(HasSubstr("no file before it proves that")));
  change("DELETE FROM beginning");
  EXPECT_THAT(bench.verify().findings, testing::Contains(HasSubstr("with a head that is not the file before's")));
}

TEST_F(BeginningTest, AProofOfAnotherCutIsFound) {
  take(2, 4);
  change("UPDATE beginning SET sequence = 3");
  EXPECT_THAT(bench.verify().findings, testing::Contains(HasSubstr("which says that it begins behind sequence 4")));
}

TEST_F(BeginningTest, AProofThatTheOwnerDidNotSealIsFound) {
  const Segment proof = Segment::parse(beginning.proof).value();
  Bytes forged = as_stored(proof, Offset(1));
  beginning.proof = with_seal(forged, sign_seal(keys_of(kQuzhou).secret_key, kPeer, proof.last()));
  take(2, 4);
  EXPECT_THAT(bench.verify().findings, testing::Contains(HasSubstr("is not under its region's seal")));
}

// --- the view ---

TEST_F(BeginningTest, TheViewIsThatOfWhoHoldsAll) {
  ViewBench all(folder.path("all.db")), joiner(folder.path("joiner.db"));
  Offset next(1);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    all.apply({whole[i].info.first_offset, whole[i].bytes, whole[i].seal});
    if (i < 2) continue;
    joiner.apply({next, as_stored(Segment::parse(whole[i].bytes).value(), next), whole[i].seal});
    next = Offset(next.value + 2);
    if (i == 3) continue;
    EXPECT_EQ(joiner.digests().empty(), i < 3) << "what its vector says others hold with more, as yet";
    EXPECT_EQ(joiner.view->mismatches().size(), i == 4 ? 1U : 0U) << "the earlier one is of what never came, and is not compared";
  }
  ASSERT_EQ(joiner.digests().size(), 1U);
  EXPECT_EQ(joiner.digests()[0].digest, all.digests()[0].digest);
  EXPECT_EQ(joiner.digests()[0].vector, all.digests()[0].vector);
  const RetainedFeed here{kPeer, beginning.through, Sequence(kRetainedAt), Offset(4)};
  EXPECT_THAT(joiner.view->retained(), ElementsAre(here));
  EXPECT_THAT(joiner.view->retained(), IsEmpty()) << "told once";
  joiner.reopen(identity_of());
  EXPECT_THAT(joiner.view->retained(), ElementsAre(here)) << "and at every start";
}

TEST_F(BeginningTest, AViewThatAwaitsARetentionDoesSoOverARestart) {
  ViewBench joiner(folder.path("joiner.db"));
  joiner.apply({Offset(1), as_stored(Segment::parse(whole[2].bytes).value(), Offset(1)), whole[2].seal});
  joiner.reopen(identity_of());
  EXPECT_THAT(joiner.digests(), IsEmpty());
  joiner.apply({Offset(3), as_stored(Segment::parse(whole[3].bytes).value(), Offset(3)), whole[3].seal});
  EXPECT_EQ(joiner.digests().size(), 1U);
}

}  // namespace
}  // namespace lianxi::store::test
