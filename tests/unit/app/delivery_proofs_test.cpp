// Proofs that go to a node ahead of feeds that begin behind a retention: read, paid for, and made anew with the rights.
#include <gmock/gmock.h>

#include "schemas/codec/segment.h"
#include "tests/unit/app/delivery_desk_fixture.h"

namespace lianxi::app {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// Three events, and a retention at offset 5 that lets go of them.
class DeliveryProofs : public DeliveryDeskTest {
 protected:
  DeliveryProofs() {
    core::Member quzhou, huangshan;
    quzhou.region = test::kQuzhou;
    huangshan.region = RegionCode(341000);
    members_ = std::make_shared<const core::Members>(std::vector{quzhou, huangshan}, std::vector<core::Group>{});
    allow({});
    commit(3, 100, "330802", Lane::normal, false);
    retention_ = commits_.retain(1, 1);
    spec_->zstd = false;
    spec_->have = {{test::feed_of(Lane::normal), {Sequence(3), {}}}};
  }
  core::DeliverOrder joins() {
    core::DeliverOrder out = order("h", spec_);
    out.search = true;
    out.proofs = {retention_};
    return out;
  }
  ColdJob job() {
    const auto plan = std::make_shared<const DeliveryPlan>(spec_, std::make_shared<const core::Policy>(), members_);
    return {1, plan, {Offset(1), commits_.next, kMaxDeliverBytes}, 10, spec_->have, {retention_}};
  }
  ColdResult read(const ColdJob& job) {
    return ColdSource(std::make_unique<test::Reader>(commits_.segments, reads_)).perform(job);
  }
  // Read, and not yet sent: an urgent event waits.
  void read_only() {
    outlet_.flash_after = 0;
    hold_ = true;
    EXPECT_THAT(perform({joins()}), IsEmpty());
    outlet_.flash_after = 1;
    EXPECT_THAT(perform({}), IsEmpty());
    outlet_.flash_after = 0;
    hold_ = false;
    EXPECT_THAT(perform({}), IsEmpty());
    EXPECT_THAT(outlet_.sent, IsEmpty());
    outlet_.flash_after = static_cast<std::size_t>(-1);
  }

  Offset retention_;
  std::shared_ptr<core::FollowSpec> spec_ = test::link_of("341000");
};

std::vector<std::uint64_t> firsts(const ColdResult& result) {
  std::vector<std::uint64_t> out;
  for (const Chunk& chunk : result.chunks) out.push_back(Segment::parse(*chunk.segments).value().info().first_offset.value);
  return out;
}

TEST_F(DeliveryProofs, TheyGoInAMessageOfTheirOwnAndTheFeedBeginsBehindWhatIsSpared) {
  const ColdResult result = read(job());
  EXPECT_THAT(firsts(result), ElementsAre(5, 4));
  EXPECT_EQ(result.from, Offset(1)) << "the message begins before what was jumped over";
  EXPECT_EQ(result.chunks[0].next, Offset(4)) << "so credit for it says nothing of what comes";
  EXPECT_TRUE(result.chunks[0].full);
  EXPECT_EQ(result.chunks[1].next, commits_.next);
}

TEST_F(DeliveryProofs, TheyArePaidForAsAllElse) {
  const std::size_t proof = read(job()).chunks.at(0).segments->size();
  ColdJob poor = job();
  poor.stretch.max_bytes = proof + 100;
  EXPECT_THAT(firsts(read(poor)), ElementsAre(5));
  ColdJob one = job();
  one.max_messages = 1;
  EXPECT_THAT(firsts(read(one)), ElementsAre(5));
}

TEST_F(DeliveryProofs, WhereOneCannotBeReadNothingIsSent) {
  ColdJob broken = job();
  broken.proofs = {retention_, commits_.retain(1, 0, Lane::normal, false)};
  const ColdResult result = read(broken);
  EXPECT_TRUE(result.failure);
  EXPECT_THAT(result.chunks, IsEmpty());
}

TEST_F(DeliveryProofs, AnOrderSendsThemFirst) {
  const auto done = perform({joins()});
  EXPECT_THAT(offsets("h"), ElementsAre(5, 6, 4, 5, 6));
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].report.next, commits_.next);
}

TEST_F(DeliveryProofs, ThoseReadUnderOtherRightsAreOrderedAnew) {
  read_only();
  allow({});
  const auto done = perform({});
  EXPECT_THAT(outlet_.sent, IsEmpty()) << "without its proofs the feed would begin with a gap";
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].report.next, Offset(1));
  EXPECT_FALSE(done[0].moved);
  EXPECT_FALSE(done[0].report.sent);
}

TEST_F(DeliveryProofs, ThoseThatAreBeingReadAreReadAgain) {
  hold_ = true;
  EXPECT_THAT(perform({joins()}), IsEmpty());
  allow({});
  hold_ = false;
  EXPECT_EQ(perform({}).size(), 1U);
  EXPECT_THAT(offsets("h"), ElementsAre(5, 6, 4, 5, 6));
}

TEST_F(DeliveryProofs, BehindThoseThatWereSentTheFeedGoesOn) {
  read_only();
  outlet_.flash_after = 1;
  EXPECT_THAT(perform({}), IsEmpty());
  ASSERT_THAT(offsets("h"), ElementsAre(5, 6));
  desk_.remember(commits_.segments.back());
  allow({});
  outlet_.flash_after = static_cast<std::size_t>(-1);
  EXPECT_EQ(perform({}).size(), 1U);
  EXPECT_THAT(offsets("h"), ElementsAre(5, 6, 4, 5, 6)) << "and not the proofs again";
}

}  // namespace
}  // namespace lianxi::app
