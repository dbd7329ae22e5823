// Feeds that begin behind a retention: who is spared what, on whose word, and what nobody is tricked into.
#include <gmock/gmock.h>

#include "broker/core/replication.h"
#include "schemas/codec/retention_proof.h"
#include "schemas/limits.h"
#include "tests/unit/core/links_fixture.h"

namespace lianxi::core {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr TimeMs kHealed = kPeerSilenceMs + 2 * kMaxReconnectMs;

// Nanping is cut off from the start: its disk is empty when it joins.
class BeginningTest : public LinksTest {
 protected:
  BeginningTest() {
    net.tamper = [this](RegionCode from, RegionCode to, Deliver& deliver) {
      if (forge && to == kNanping) forge(from, deliver);
      const auto segments = parse_segments(deliver.segments);
      if (!segments) return;
      for (const Segment& segment : *segments) {
        const FeedHead held = net.node(to).disk.heads[segment.info().feed];
        if (to == kNanping && segment.last().sequence > held.sequence) sent.insert(segment.info().first_sequence.value);
      }
    };
    for (const RegionCode other : {kQuzhou, kHuangshan}) net.cut(kNanping, other);
    for (const RegionCode region : {kQuzhou, kHuangshan}) open(region);
    net.pass(500);
    for (const char* text : {"一", "二", "三", "四"}) say(kQuzhou, text);
    net.pass(1'000);
  }
  static FeedId feed(RegionCode region = kQuzhou) { return {region, Epoch{1}, Lane::normal, Audience::conference()}; }
  // Quzhou lets go of what it said up to there.
  void retain(std::uint64_t through) {
    const Disk& disk = net.node(kQuzhou).disk;
    const RecordView cut = disk.record(feed(), Sequence{through});
    Retention retention{
        Epoch{1}, Lane::normal, {Sequence{through}, cut.hash}, cut.stamp.ordinal, kNoon, disk.heads.at(feed()).sequence, Hash{9}};
    if (lie) retention.through.hash = Hash{1};
    Event event;
    event.envelope = {Kind::retention,
                      retention_entity(kQuzhou, Lane::normal, Audience::conference()),
                      Status::Actual,
                      PlaceCode::of(kQuzhou),
                      "emergency",
                      Level::none,
                      Audience::conference(),
                      kNoon};
    event.body = retention;
    (void)net.at(kQuzhou, {net.node(kQuzhou).input(RetentionPlanned{Audience::conference(), retention})});
    const Hello hello{SessionId{7}, {}, {}, {}, false};
    (void)net.at(kQuzhou, {net.node(kQuzhou).says(operator_agent(), hello)});
    const auto message = CoreRig::publish_message(7, Lane::normal, ++retained_, {event});
    ASSERT_THAT(lines_of(net.at(kQuzhou, {net.node(kQuzhou).says(operator_agent(), message)}).sends),
                ElementsAre(HasSubstr(" ok ")));
    net.pass(1'000);
  }
  void join(std::initializer_list<RegionCode> peers) {
    for (const RegionCode peer : peers) net.mend(kNanping, peer);
    net.pass(kHealed);
  }
  std::uint64_t begins(RegionCode at = kNanping) {
    for (const FeedPosition& position : net.node(at).core.heads())
      if (position.feed == feed()) return position.begins.value;
    return 99;
  }
  std::uint64_t head(RegionCode at = kNanping) { return net.node(at).disk.heads[feed()].sequence.value; }

  std::function<void(RegionCode, Deliver&)> forge;
  std::set<std::uint64_t> sent;  // first sequences of what Nanping was given and did not hold
  bool lie = false;

 private:
  std::uint64_t retained_ = 0;
};

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
    Event event;
    event.envelope = {Kind::retention,
                      retention_entity(kQuzhou, Lane::normal, Audience::conference()),
                      Status::Actual,
                      PlaceCode::of(kQuzhou),
                      "emergency",
                      Level::none,
                      Audience::conference(),
                      kNoon};
    event.body = retention;
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

// A joiner by itself, whose peer a test plays.
class SwallowedProofTest : public BeginningTest {
 protected:
  SwallowedProofTest() {
    retain(4);
    for (const auto& [link, message] : joiner.step(Tick{}).link_sends) hear(link, message);
    says(Followed{follow.follow, kQuzhou, Incarnation{9}, Offset{1}, Offset{6}});
  }
  void hear(const LinkId& link, const Message& message) {
    if (link != kLink) return;
    if (const auto* asked = std::get_if<Follow>(&message)) {
      follow = *asked;
      questions.push_back(asked->from_retention);
    }
    if (const auto* credit = std::get_if<Credit>(&message)) paid = std::max(paid, credit->offset);
  }
  void says(Message message) {
    for (const LinkSend& send : joiner.step(PeerMessage{kLink, std::move(message)}).link_sends) hear(send.link, send.message);
  }
  void deliver(std::initializer_list<std::uint64_t> firsts, Offset next) {
    Deliver message{follow.follow, next, false, {}};
    for (const StoredSegment& stored : net.node(kQuzhou).disk.segments) {
      if (stored.info.feed != feed() || std::count(firsts.begin(), firsts.end(), stored.info.first_sequence.value) == 0) continue;
      const Bytes bytes = with_seal(stored.bytes, *stored.seal);
      message.segments.insert(message.segments.end(), bytes.begin(), bytes.end());
    }
    says(std::move(message));
  }
  std::uint64_t stands() { return joiner.disk.heads[feed()].sequence.value; }

  static constexpr LinkId kLink{kQuzhou, LaneClass::normal};
  CoreRig joiner{kNanping, members};
  Follow follow;
  std::vector<bool> questions;  // whether each said that feeds may begin behind a retention
  Offset paid;
};

TEST_F(SwallowedProofTest, TheEventsBehindAProofAreTaken) {
  ASSERT_TRUE(follow.from_retention);
  deliver({5}, Offset{1});
  EXPECT_EQ(stands(), 0U);
  deliver({5}, Offset{6});
  EXPECT_EQ(stands(), 5U);
  EXPECT_EQ(paid, Offset{6});
}

TEST_F(SwallowedProofTest, ARetentionBehindAGapIsNotPaidForAsHeld) {
  deliver({1, 2}, Offset{3});
  ASSERT_EQ(stands(), 2U);
  deliver({5}, Offset{6});
  EXPECT_EQ(stands(), 2U);
  EXPECT_EQ(paid, Offset{3}) << "3 to 5 are not on disk here";
  for (const LinkSend& send : joiner.pass(kHealed).link_sends) hear(send.link, send.message);
  ASSERT_EQ(follow.vector.size(), 1U);
  EXPECT_EQ(follow.vector.front().head.sequence, Sequence{2});
  EXPECT_TRUE(follow.from_retention) << "other feeds may still begin behind theirs";
}

TEST_F(SwallowedProofTest, ARetentionThatComesWithoutItsProofIsNotTakenForOne) {
  deliver({}, Offset{1});
  deliver({5}, Offset{6});
  EXPECT_EQ(stands(), 0U);
  EXPECT_LE(paid, Offset{1});
  for (const LinkSend& send : joiner.pass(kHealed).link_sends) hear(send.link, send.message);
  ASSERT_GE(questions.size(), 3U);
  EXPECT_THAT((std::vector<bool>(questions.begin(), questions.begin() + 3)), ElementsAre(true, false, true))
      << "whole once, for what the peer cannot show";
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
