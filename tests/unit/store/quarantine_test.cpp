// What a journal keeps of other histories of its feeds, and of the fence after a restore.
#include "broker/store/quarantine.h"

#include <algorithm>

#include "tests/unit/store/store_kit.h"

namespace lianxi::store::test {
namespace {

const FeedId kFeed = feed_of(kQuzhou);
const FeedId kOther = feed_of(kHuangshan);

// A journal of four segments of three events, and another history of its feed that parts behind the fifth event.
class QuarantineTest : public ::testing::Test {
 protected:
  QuarantineTest() {
    for (int i = 0; i < 4; ++i) {
      const std::uint64_t bodies = bench.bodies;
      bench.commit({kFeed});
      std::vector<Bytes> events;
      for (std::uint64_t n = 1; n <= 3; ++n) {
        const std::uint64_t sequence = static_cast<std::uint64_t>(i) * 3 + n;
        events.push_back(body_of(200, sequence <= 5 ? bodies + n : 1'000 + sequence));
      }
      history.push_back(other.segment(kFeed, events, Offset(bodies + 1)));
      bench.commit({kOther});
      (void)other.segment(kOther, {Bytes(1), Bytes(2), Bytes(3)}, Offset(1));  // its clock goes on alike
    }
  }
  [[nodiscard]] Bytes delivered(std::size_t at) const { return with_seal(history.at(at).bytes, *history.at(at).seal); }
  std::optional<Difference> parted(const Bytes& bytes) {
    auto reader = open_reader(bench.options);
    const FeedVector heads = bench.regions.heads();
    const Segment segment = Segment::parse(bytes).value();
    const auto held_at = [&](Sequence sequence) { return hash_at(**reader, heads, kFeed, sequence); };
    return difference(held_at, Sequence(12), segment).value();
  }
  QuarantinedSegment evidence(std::size_t at) {
    const Bytes bytes = delivered(at);
    const Segment segment = Segment::parse(bytes).value();
    const auto where = parted(bytes).value();
    return {{kFeed, segment.info().first_sequence, segment.last().sequence, segment.last().hash, where.at, where.held,
             where.other, kHuangshan, 1'700'000'000'000, bytes.size()},
            bytes};
  }
  void keep(const QuarantinedSegment& part) {
    JournalBatch batch;
    batch.first_offset = bench.next;
    batch.quarantined.push_back(part);
    ASSERT_TRUE(bench.journal->commit(batch));
  }

  TempFolder folder;
  JournalBench bench{folder.path("journal"), 16 * 1024};
  Regions other;
  std::vector<StoredSegment> history;
};

TEST_F(QuarantineTest, WhereTwoHistoriesPartIsFoundInTheJournal) {
  EXPECT_FALSE(parted(delivered(0))) << "events 1 to 3 are the same";
  for (const std::size_t at : {1U, 2U, 3U}) {
    const auto where = parted(delivered(at));
    ASSERT_TRUE(where) << at;
    EXPECT_EQ(where->at, Sequence(at == 1 ? 6 : at * 3)) << "of what the segment says";
    EXPECT_NE(where->held, where->other);
  }
}

TEST_F(QuarantineTest, TheHashOfAnEventIsThatOfItsRecord) {
  auto reader = open_reader(bench.options);
  const FeedVector heads = bench.regions.heads();
  EXPECT_EQ(hash_at(**reader, heads, kFeed, Sequence(0)).value(), Hash{});
  EXPECT_EQ(hash_at(**reader, heads, kFeed, Sequence(3)).value(), history[0].last.hash);
  EXPECT_EQ(hash_at(**reader, heads, kFeed, Sequence(12)).value(),
            heads.front().feed == kFeed ? heads.front().head.hash : heads.back().head.hash);
  EXPECT_EQ(hash_at(**reader, heads, kFeed, Sequence(13)).value(), std::nullopt);
}

TEST_F(QuarantineTest, WhatIsKeptIsListedFromEveryLaterFileAndProvesTheForkByItself) {
  keep(evidence(1));
  keep(evidence(2));
  keep(evidence(1));                                           // delivered again
  for (int i = 0; i < 60; ++i) bench.commit({kFeed, kOther});  // into further files
  bench.close();
  const auto rows = read_quarantine(bench.options).value();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0], evidence(1).about);
  bench.open();
  EXPECT_EQ(bench.journal->load().value().quarantined, rows);
  EXPECT_TRUE(bench.journal->load().value().heads == bench.regions.heads()) << "the feed goes on as it was";
  const VerifyReport report = bench.verify();
  EXPECT_TRUE(report.findings.empty()) << report.findings.front();
  ASSERT_EQ(report.evidence.size(), 2U);
  EXPECT_NE(report.evidence[0].find("proven by them alone"), std::string::npos) << report.evidence[0];
}

TEST_F(QuarantineTest, WhatItsRegionNeverSealedIsAFindingAndNoEvidence) {
  QuarantinedSegment forged = evidence(1);
  forged.segment = with_seal(history[1].bytes, sign_seal(keys_of(kHuangshan).secret_key, kFeed, history[1].last));
  EXPECT_NE(judge_evidence(forged, keys_of(kQuzhou).public_key), "");
  keep(forged);
  const VerifyReport report = bench.verify();
  EXPECT_TRUE(report.evidence.empty());
  EXPECT_EQ(report.findings.size(), 1U);
}

TEST_F(QuarantineTest, ARowThatSaysAnotherHashThanItsSegmentProvesNothing) {
  QuarantinedSegment part = evidence(1);
  EXPECT_EQ(judge_evidence(part, keys_of(kQuzhou).public_key), "");
  part.about.other = Hash{9};
  EXPECT_NE(judge_evidence(part, keys_of(kQuzhou).public_key), "");
}

TEST(Fence, StaysAsWrittenOverFilesAndARestoreBeginsOne) {
  const TempFolder folder;
  JournalBench bench(folder.path("journal"), 16 * 1024);
  EXPECT_FALSE(bench.journal->load().value().fence) << "no restore began this epoch";
  bench.commit({kFeed});
  bench.close();
  const auto begun = begin_epoch(bench.options, Epoch(5), Incarnation(9));
  ASSERT_TRUE(begun);
  bench.open();
  const Fence standing{Epoch(5), Fence::State::begun, 0, {}};
  EXPECT_EQ(bench.journal->load().value().fence, standing);
  const Fence waiting{Epoch(5), Fence::State::waiting, 77, {{kHuangshan, kAllLanes}, {kNanping, LaneMask{6}}}};
  JournalBatch batch;
  batch.first_offset = bench.next;
  batch.fence = waiting;
  ASSERT_TRUE(bench.journal->commit(batch));
  for (int i = 0; i < 60; ++i) bench.commit({kOther});
  bench.close();
  bench.open();
  Fence kept = bench.journal->load().value().fence.value();
  std::sort(kept.missing.begin(), kept.missing.end());
  Fence sorted = waiting;
  std::sort(sorted.missing.begin(), sorted.missing.end());
  EXPECT_EQ(kept, sorted);
  batch.first_offset = bench.next;
  batch.fence = Fence{Epoch(5), Fence::State::seen, 78, {}};
  ASSERT_TRUE(bench.journal->commit(batch));
  EXPECT_FALSE(bench.journal->load().value().fence->stands());
}

}  // namespace
}  // namespace lianxi::store::test
