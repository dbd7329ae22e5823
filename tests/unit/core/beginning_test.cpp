// Feeds that begin behind a retention: who is spared what, on whose word, and what nobody is tricked into.
#include <gmock/gmock.h>

#include "schemas/codec/retention_proof.h"
#include "tests/unit/core/beginning_fixture.h"

namespace lianxi::core {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST_F(BeginningTest, AJoinerIsSentWhatStillCounts) {
  retain(3);
  say(kQuzhou, "五");
  join({kQuzhou, kHuangshan});
  EXPECT_EQ(begins(), 3U);
  EXPECT_EQ(head(), 6U);
  EXPECT_THAT(sent, ElementsAre(4U, 5U, 6U)) << "the retention ahead, and then from behind it on";
  ASSERT_EQ(net.node(kNanping).disk.beginnings.size(), 1U);
  const Beginning& beginning = net.node(kNanping).disk.beginnings.front();
  EXPECT_EQ(beginning.through, (FeedHead{Sequence{3}, net.node(kQuzhou).disk.record(feed(), Sequence{3}).hash}));
  EXPECT_EQ(beginning.retained_at, Sequence{5});
  const auto proof = read_retention_proof(Segment::parse(beginning.proof).value(), seal_keys_of(kQuzhou).public_key);
  ASSERT_TRUE(proof) << proof.error().reason;
  EXPECT_EQ(proof->through, beginning.through);
  EXPECT_THAT(net.alarms, IsEmpty());
}

TEST_F(BeginningTest, WhoHoldsSomethingGoesOnFromThere) {
  join({kQuzhou});
  net.cut(kNanping, kQuzhou);
  say(kQuzhou, "五");
  retain(5);
  join({kQuzhou});
  EXPECT_EQ(begins(), 0U);
  EXPECT_THAT(held(kNanping, kQuzhou).size(), 6U);
}

TEST_F(BeginningTest, AJoinerGoesOnWhereItStoodAfterARestart) {
  retain(3);
  join({kQuzhou});
  net.restart(kNanping);
  say(kQuzhou, "五");
  net.pass(kHealed);
  EXPECT_EQ(begins(), 3U);
  EXPECT_EQ(head(), 6U);
  EXPECT_THAT(net.alarms, IsEmpty());
}

TEST_F(BeginningTest, TheLastOfSeveralRetentionsCounts) {
  retain(2);
  say(kQuzhou, "六");
  retain(5);
  join({kQuzhou});
  EXPECT_EQ(begins(), 5U);
  EXPECT_EQ(head(), 7U);
}

TEST_F(BeginningTest, AFeedComesWholeWhileNobodyElseHasAllOfIt) {
  net.cut(kQuzhou, kHuangshan);
  net.pass(kHealed);
  retain(3);
  join({kQuzhou});
  EXPECT_EQ(begins(), 0U) << "were the owner lost, its chain could never be made whole";
  EXPECT_EQ(head(), 5U);
}

TEST_F(BeginningTest, AThirdNodeGivesItAsWell) {
  retain(3);
  join({kHuangshan});
  EXPECT_EQ(begins(), 3U);
  EXPECT_EQ(head(), 5U);
  say(kQuzhou, "五");
  net.pass(1'000);
  EXPECT_EQ(head(), 6U);
  join({kQuzhou});
  EXPECT_EQ(net.state(kNanping, kQuzhou, LaneClass::normal), "following");
  EXPECT_THAT(net.alarms, IsEmpty());
}

TEST_F(BeginningTest, WhatThePeerThatIsCutHasNotGivenComesThroughAnother) {
  retain(3);
  forge = [this](RegionCode from, Deliver& deliver) {  // the line dies behind the first message
    if (from == kQuzhou && !deliver.segments.empty()) net.cut(kNanping, kQuzhou);
  };
  join({kQuzhou});
  forge = {};
  ASSERT_EQ(head(), 0U) << "the proof alone has come";
  join({kHuangshan});
  EXPECT_EQ(head(), 5U);
  EXPECT_EQ(begins(), 3U);
}

TEST_F(BeginningTest, ANodeThatBeganLaterGivesNothingToWhoNeedsWhatIsBefore) {
  retain(3);
  join({kQuzhou});
  ASSERT_EQ(begins(), 3U);
  // Asked by vector by who holds the first event alone.
  Follow follow;
  follow.follow = SessionId{1};
  follow.mode = FollowMode::feeds;
  follow.from = FollowFrom::vector;
  follow.vector = {{feed(), {Sequence{1}, net.node(kQuzhou).disk.record(feed(), Sequence{1}).hash}}};
  follow.regions = {kQuzhou};
  follow.lanes = mask_of(Lane::normal);
  follow.credit_bytes = kLinkCreditBytes;
  follow.credit_messages = kLinkCreditMessages;
  CoreRig& third = net.node(kNanping);
  const auto got = third.serve(third.turn({third.says(node_of(kShangrao), follow)}));
  for (const Deliver& deliver : got) EXPECT_THAT(deliver.segments, IsEmpty());
  // Its owner hears what there is: that its own history went on is proof of a copy.
  const auto own = third.serve(third.turn({third.says(node_of(kQuzhou), follow)}));
  EXPECT_FALSE(words(own).empty());
}

TEST_F(BeginningTest, APeerThatDoesNotAskForItGetsAll) {
  retain(3);
  Follow follow;
  follow.follow = SessionId{1};
  follow.mode = FollowMode::feeds;
  follow.from = FollowFrom::vector;
  follow.regions = {kQuzhou};
  follow.lanes = mask_of(Lane::normal);
  follow.credit_bytes = kLinkCreditBytes;
  follow.credit_messages = kLinkCreditMessages;
  CoreRig& home = net.node(kQuzhou);
  EXPECT_EQ(words(home.serve(home.turn({home.says(node_of(kShangrao), follow)}))).size(), 5U);
}

TEST_F(BeginningTest, NobodyIsMadeToSkipWithoutTheOwnersRetention) {
  forge = [](RegionCode, Deliver& deliver) {  // all but the first two events
    const auto segments = parse_segments(deliver.segments);
    if (!segments) return;
    Bytes left;
    for (const Segment& segment : *segments)
      if (segment.info().first_sequence > Sequence{2})
        left.insert(left.end(), segment.bytes().begin(),
                    segment.bytes().begin() + static_cast<std::ptrdiff_t>(segment.size_bytes()));
    deliver.segments = std::move(left);
  };
  join({kQuzhou});
  EXPECT_EQ(head(), 0U);
  EXPECT_THAT(net.node(kNanping).disk.beginnings, IsEmpty());
  forge = {};
  net.pass(2 * kHealed);
  EXPECT_EQ(head(), 4U);
  EXPECT_EQ(begins(), 0U);
}

TEST_F(BeginningTest, ARetentionThatARelayMadeUpIsNotBelieved) {
  forge = [this](RegionCode from, Deliver& deliver) {
    if (from != kHuangshan || deliver.segments.empty()) return;
    // In the form of a proof, under the relay's own seal.
    const Disk& disk = net.node(kHuangshan).disk;
    const RecordView cut = disk.record(feed(), Sequence{4});
    Retention retention{Epoch{1},    Lane::normal, {Sequence{3}, disk.record(feed(), Sequence{3}).hash}, Ordinal{3}, kNoon,
                        Sequence{4}, Hash{}};
    const Event event = retention_event(retention);
    SegmentWriter writer(feed(), {Sequence{4}, cut.hash}, Offset{9});
    Stamp stamp = cut.stamp;
    stamp.sequence = Sequence{5};
    stamp.ordinal = Ordinal{9};
    const FeedHead made = writer.append(stamp, Salt{}, encode_event(event));
    Bytes forged = std::move(writer).finish(sign_seal(seal_keys_of(kHuangshan).secret_key, feed(), made));
    const auto segments = parse_segments(deliver.segments);
    for (const Segment& segment : *segments)
      if (segment.info().first_sequence > Sequence{3})
        forged.insert(forged.end(), segment.bytes().begin(),
                      segment.bytes().begin() + static_cast<std::ptrdiff_t>(segment.size_bytes()));
    deliver.segments = std::move(forged);
  };
  join({kHuangshan});
  EXPECT_EQ(head(), 0U);
  EXPECT_THAT(net.node(kNanping).disk.beginnings, IsEmpty());
}

TEST_F(BeginningTest, ARetentionThatSaysWhatIsNotSoMakesTheFeedComeWhole) {
  lie = true;
  CoreRig& home = net.node(kQuzhou);
  retain(3);
  ASSERT_EQ(home.disk.retained.size(), 1U);
  join({kQuzhou, kHuangshan});
  net.pass(2 * kHealed);
  EXPECT_EQ(begins(), 0U);
  EXPECT_EQ(head(), 5U);
}

TEST_F(BeginningTest, WhatWasSparedIsNotCountedAsHeld) {
  retain(3);
  join({kQuzhou, kHuangshan});
  ASSERT_EQ(begins(), 3U);
  const auto repeat = [&](std::uint64_t sequence, const std::string& text) {
    Publish publish = CoreRig::publish_message(1, Lane::normal, sequence, {report(text, "emergency")});
    publish.peers = 1;
    publish.deadline_ms = 0;
    const Effects effects = net.at(kQuzhou, {net.node(kQuzhou).says(officer(kQuzhou), publish)});
    for (const Replicated& outcome : messages<Replicated>(effects.sends)) return static_cast<int>(outcome.ranges.at(0).held);
    return -1;
  };
  EXPECT_EQ(repeat(3, "三"), 1) << "Huangshan alone";
  EXPECT_EQ(repeat(4, "四"), 2);
  net.restart(kQuzhou);
  open(kQuzhou, 2);
  net.pass(kHealed);
  EXPECT_EQ(repeat(3, "三"), 1) << "the joiner's vector says where it begins";
}

TEST_F(BeginningTest, ACopyOfTheOwnerHearsOfItsForkFromWhoBeganBehindIt) {
  const Disk backup = net.node(kQuzhou).disk;
  say(kQuzhou, "五");
  retain(5);
  join({kQuzhou});
  ASSERT_EQ(begins(), 5U);
  net.cut(kQuzhou, kHuangshan);
  net.node(kQuzhou).disk = backup;  // of the same epoch
  net.restart(kQuzhou);
  net.pass(kHealed);
  EXPECT_THAT(net.alarms, testing::Contains("330800 feed_forked"));
  open(kQuzhou, 2);
  const auto message = CoreRig::publish_message(2, Lane::normal, 1, {report("六", "emergency")});
  EXPECT_THAT(lines_of(net.at(kQuzhou, {net.node(kQuzhou).says(officer(kQuzhou), message)}).sends),
              ElementsAre("1 feed_forked audience"));
}

// Shangrao joins beside Nanping, which reaches nobody else: what Nanping gets comes through it.
class TwoJoinersTest : public BeginningTest {
 protected:
  TwoJoinersTest() {
    retain(3);
    net.add(kShangrao, members);
    for (const RegionCode other : {kQuzhou, kHuangshan, kNanping}) net.cut(kShangrao, other);
  }
  void meet(RegionCode other) {
    net.mend(kShangrao, other);
    net.pass(kHealed);
  }
};

TEST_F(TwoJoinersTest, WhoAskedBeforeTheOtherHadAnythingIsGivenTheFeedWhenItBeginsThere) {
  meet(kNanping);
  meet(kQuzhou);
  ASSERT_EQ(begins(kShangrao), 3U);
  EXPECT_EQ(begins(), 3U);
  EXPECT_EQ(head(), 5U);
}

TEST_F(TwoJoinersTest, WhoAskedBeforeTheOthersViewKnewOfTheRetentionIsGivenTheFeedThen) {
  net.node(kShangrao).view_waits = true;
  meet(kQuzhou);
  ASSERT_EQ(begins(kShangrao), 3U);
  meet(kNanping);
  ASSERT_EQ(head(), 0U);
  net.node(kShangrao).view_waits = false;
  net.pass(kHealed);
  EXPECT_EQ(begins(), 3U);
  EXPECT_EQ(head(), 5U);
}

TEST_F(TwoJoinersTest, WhatDidNotHoldOnceIsAskedForAgain) {
  meet(kQuzhou);
  bool once = false;
  forge = [&](RegionCode from, Deliver& deliver) {  // the proof is lost on the way, once
    if (from == kShangrao && !deliver.segments.empty() && !std::exchange(once, true)) deliver.segments.clear();
  };
  meet(kNanping);
  ASSERT_TRUE(once);
  net.pass(kHealed);
  EXPECT_EQ(begins(), 3U);
  EXPECT_EQ(head(), 5U);
}

TEST_F(BeginningTest, ARestoredOwnerSaysThatAPeerHoldsItsLostEventsOnlyFromBehindAGap) {
  const Disk backup = net.node(kQuzhou).disk;
  say(kQuzhou, "五");
  retain(5);
  join({kQuzhou});
  ASSERT_EQ(begins(), 5U);
  net.cut(kQuzhou, kHuangshan);
  net.node(kQuzhou).restore(backup);
  net.pass(kHealed);
  EXPECT_THAT(net.alarms, testing::Contains("330800 former_gap"));
  net.mend(kQuzhou, kHuangshan);
  net.pass(kHealed + kRefusedLinkRetryMs);
  EXPECT_THAT(net.alarms, testing::Contains("330800 former_gap_over")) << "another held what lay between";
}

}  // namespace
}  // namespace lianxi::core
