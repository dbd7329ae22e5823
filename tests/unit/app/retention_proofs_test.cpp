// What is read back for a node that begins feeds behind their retention.
#include "broker/app/retention_proofs.h"

#include <gmock/gmock.h>

#include "schemas/codec/retention_proof.h"
#include "tests/unit/app/desk_kit.h"

namespace lianxi::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class RetentionProofs : public testing::Test {
 protected:
  RetentionProofs() {
    core::Member quzhou, huangshan;
    quzhou.region = test::kQuzhou;
    huangshan.region = RegionCode(341000);
    plan = std::make_shared<const DeliveryPlan>(
        test::link_of("341000"), std::make_shared<const core::Policy>(),
        std::make_shared<const core::Members>(std::vector{quzhou, huangshan}, std::vector<core::Group>{}));
  }
  void commit(std::size_t count, Lane lane = Lane::normal) {
    commits.add(count, lane, [](std::uint64_t) { return Bytes(8, 'b'); });
  }
  store::StoreResult<Bytes> gather(const std::vector<Offset>& retentions) {
    ColdSource source(std::make_unique<test::Reader>(commits.segments, reads));
    return gather_proofs(*plan, retentions, source);
  }
  // The sequences that each segment has, first and last. All prove what the retention says.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> shown(const std::vector<Offset>& retentions) {
    const auto bytes = gather(retentions);
    std::vector<std::pair<std::uint64_t, std::uint64_t>> out;
    EXPECT_TRUE(bytes) << (bytes ? "" : bytes.error().detail);
    if (!bytes) return out;
    const auto segments = parse_segments(*bytes);
    for (const Segment& segment : segments.value()) {
      const auto proof = read_retention_proof(segment, commits.keys.public_key);
      EXPECT_TRUE(proof && proof->through == (FeedHead{Sequence(1), Hash{1}}));
      out.emplace_back(segment.info().first_sequence.value, segment.last().sequence.value);
    }
    return out;
  }

  test::Commits commits;
  SharedPlan plan;
  int reads = 0;
};

TEST_F(RetentionProofs, AProofIsTheRetentionWithWhatStandsBehindItUpToTheSeal) {
  commit(2);
  const Offset at = commits.retain(1, 2);
  commit(2);
  EXPECT_THAT(shown({at}), ElementsAre(std::pair(4, 6)));
}

TEST_F(RetentionProofs, TheSealMayStandInALaterCommitBehindOtherFeeds) {
  const Offset at = commits.retain(1, 1, Lane::normal, false);
  commit(3, Lane::bulk);
  commit(2);
  commit(2);
  EXPECT_THAT(shown({at}), ElementsAre(std::pair(2, 5)));
}

TEST_F(RetentionProofs, OfAFeedThatTheNodeDoesNotFollowNothingIsShown) {
  const Offset bulk = commits.retain(1, 0, Lane::bulk);
  const Offset normal = commits.retain(1, 0);
  EXPECT_THAT(shown({bulk, normal}), ElementsAre(std::pair(2, 2)));
  EXPECT_THAT(shown({bulk}), IsEmpty());
}

TEST_F(RetentionProofs, WhatDoesNotFitIntoOneDeliveryIsLeftOut) {
  std::vector<Offset> retentions;
  for (int i = 0; i < 5; ++i) retentions.push_back(commits.retain(1, 6'500));
  EXPECT_EQ(shown(retentions).size(), 4U);
  EXPECT_LE(gather(retentions)->size(), kMaxDeliverBytes);
}

TEST_F(RetentionProofs, NoBodyButTheRetentionsIsShown) {
  const Offset at = commits.retain(1, 100);
  const Bytes bytes = gather({at}).value();
  const Segment segment = Segment::parse(bytes).value();
  EXPECT_FALSE(segment.records().front().redacted);
  for (std::size_t i = 1; i < segment.records().size(); ++i) EXPECT_TRUE(segment.records()[i].redacted);
  EXPECT_EQ(bytes, strip_proof(segment)) << "it goes into the joiner's journal as it comes";
}

TEST_F(RetentionProofs, WhatIsLongerThanASegmentIsNotShown) {
  const Offset at = commits.retain(1, 6'000, Lane::normal, false);
  commit(3'000);
  EXPECT_THAT(shown({at}), IsEmpty());
}

TEST_F(RetentionProofs, WhatTheJournalLacksIsTold) {
  (void)commits.retain(1, 2);
  const Offset at = commits.retain(1, 2);
  commits.segments.erase(commits.segments.begin());
  EXPECT_EQ(gather({Offset(2)}).error().detail, "the journal lacks the retention at offset 2");
  EXPECT_THAT(shown({at}), ElementsAre(std::pair(6, 8)));
}

TEST_F(RetentionProofs, WithoutASealBehindItNothingIsProven) {
  commit(2);
  const Offset at = commits.retain(1, 2, Lane::normal, false);
  const auto bytes = gather({at});
  ASSERT_FALSE(bytes);
  EXPECT_EQ(bytes.error().detail, "no seal stands behind the retention at offset 4");
}

}  // namespace
}  // namespace lianxi::app
