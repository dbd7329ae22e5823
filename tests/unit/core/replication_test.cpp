// Links: nodes follow each other, take what verifies, and come back by themselves.
#include <gmock/gmock.h>

#include "broker/core/forks.h"
#include "broker/core/replication.h"
#include "schemas/limits.h"
#include "tests/unit/core/links_fixture.h"

namespace lianxi::core {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

TEST_F(LinksTest, NodesFollowEachOtherAndHoldTheSame) {
  open(kQuzhou);
  open(kHuangshan);
  say(kQuzhou, "浓烟");
  net.pass(1000);
  warn(kQuzhou, "a1");
  say(kHuangshan, "山洪");
  EXPECT_THAT(held(kHuangshan, kQuzhou), ElementsAre("浓烟", "a1"));
  EXPECT_THAT(held(kNanping, kQuzhou), ElementsAre("浓烟", "a1"));
  EXPECT_THAT(held(kQuzhou, kHuangshan), ElementsAre("山洪"));
  EXPECT_EQ(net.node(kQuzhou).core.heads(), net.node(kNanping).core.heads());
  EXPECT_EQ(net.node(kQuzhou).core.heads(), net.node(kHuangshan).core.heads());
  EXPECT_EQ(net.state(kNanping, kQuzhou, LaneClass::flash), "following");
  EXPECT_EQ(net.state(kNanping, kQuzhou, LaneClass::rest), "following");
  EXPECT_THAT(net.alarms, IsEmpty());
}

TEST_F(LinksTest, AudiencesGoOnlyToTheirMembers) {
  open(kQuzhou);
  net.pass(500);
  say(kQuzhou, "只给两市", audience("qu-huang"));
  say(kQuzhou, "只在本市", Audience::local());
  say(kQuzhou, "给所有人");
  EXPECT_THAT(held(kHuangshan, kQuzhou), ElementsAre("只给两市", "给所有人"));
  EXPECT_THAT(held(kNanping, kQuzhou), ElementsAre("给所有人"));
}

TEST_F(LinksTest, ACutIsNoticedAndAfterItEachSideHasAllOnce) {
  open(kQuzhou);
  open(kHuangshan);
  net.pass(500);
  say(kQuzhou, "一");
  net.cut(kQuzhou, kHuangshan);
  net.cut(kNanping, kHuangshan);
  say(kQuzhou, "二");
  say(kHuangshan, "三");
  net.pass(kPeerSilenceMs + kMaxReconnectMs + 1000);
  EXPECT_NE(net.state(kHuangshan, kQuzhou, LaneClass::rest), "following");
  EXPECT_THAT(held(kHuangshan, kQuzhou), ElementsAre("一"));
  EXPECT_THAT(held(kNanping, kQuzhou), ElementsAre("一", "二"));
  net.mend(kQuzhou, kHuangshan);
  net.mend(kNanping, kHuangshan);
  net.pass(kPeerSilenceMs + kMaxReconnectMs + 1000);
  EXPECT_THAT(held(kHuangshan, kQuzhou), ElementsAre("一", "二"));
  EXPECT_THAT(held(kQuzhou, kHuangshan), ElementsAre("三"));
  EXPECT_EQ(net.node(kQuzhou).core.heads(), net.node(kHuangshan).core.heads());
}

TEST_F(LinksTest, ARestartedNodeGoesOnWhereItsDiskStands) {
  open(kQuzhou);
  net.pass(500);
  say(kQuzhou, "一");
  net.restart(kHuangshan);
  say(kQuzhou, "二");
  net.pass(kPeerSilenceMs + 2 * kMaxReconnectMs);
  EXPECT_THAT(held(kHuangshan, kQuzhou), ElementsAre("一", "二"));
  net.restart(kQuzhou);  // its followers are gone; they are told, or hear nothing, and follow again
  net.pass(kPeerSilenceMs + 2 * kMaxReconnectMs);
  open(kQuzhou, 1);
  say(kQuzhou, "三");
  EXPECT_THAT(held(kHuangshan, kQuzhou), ElementsAre("一", "二", "三"));
}

TEST_F(LinksTest, ADeliveryThatComesTwiceIsTakenOnce) {
  open(kQuzhou);
  net.pass(500);
  net.tamper = [](RegionCode, RegionCode, Deliver& deliver) {
    const Bytes once = deliver.segments;
    deliver.segments.insert(deliver.segments.end(), once.begin(), once.end());
  };
  say(kQuzhou, "一");
  say(kQuzhou, "二");
  EXPECT_THAT(held(kHuangshan, kQuzhou), ElementsAre("一", "二"));
  EXPECT_THAT(net.alarms, IsEmpty());
}

TEST_F(LinksTest, WithoutAValidSealNothingIsTakenAndThePeerIsReported) {
  open(kQuzhou);
  net.pass(500);
  net.tamper = [](RegionCode from, RegionCode, Deliver& deliver) {
    const auto segments = parse_segments(deliver.segments).value();
    if (segments.empty()) return;
    FeedHead forged = segments[0].last();
    deliver.segments = with_seal(as_stored(segments[0], segments[0].info().first_offset),
                                 sign_seal(seal_keys_of(kNanping).secret_key, segments[0].info().feed, forged));
    (void)from;
  };
  say(kQuzhou, "一");
  EXPECT_THAT(held(kHuangshan, kQuzhou), IsEmpty());
  EXPECT_THAT(net.alarms, Contains("341000 feed_broken"));
  EXPECT_EQ(net.state(kHuangshan, kQuzhou, LaneClass::rest), "refused");
  net.tamper = nullptr;
  net.pass(kRefusedLinkRetryMs + 1000);
  EXPECT_THAT(held(kHuangshan, kQuzhou), ElementsAre("一"));
}

TEST_F(LinksTest, AFlippedByteIsNotTaken) {
  open(kQuzhou);
  net.pass(500);
  net.tamper = [](RegionCode, RegionCode, Deliver& deliver) {
    if (!deliver.segments.empty()) deliver.segments[deliver.segments.size() / 2] ^= 1U;
  };
  say(kQuzhou, "一");
  EXPECT_THAT(held(kHuangshan, kQuzhou), IsEmpty());
  EXPECT_THAT(net.alarms, Contains("341000 feed_broken"));
}

TEST_F(LinksTest, OtherLanesThanTheLinksAreNotTaken) {
  open(kQuzhou);
  net.pass(500);
  net.cut(kQuzhou, kHuangshan);
  warn(kQuzhou, "a1");
  net.mend(kQuzhou, kHuangshan);
  const StoredSegment flash = net.node(kQuzhou).disk.segments.back();
  net.tamper = [&](RegionCode, RegionCode, Deliver& deliver) { deliver.segments = with_seal(flash.bytes, *flash.seal); };
  say(kQuzhou, "一");
  EXPECT_THAT(held(kHuangshan, kQuzhou), IsEmpty());
  EXPECT_EQ(net.state(kHuangshan, kQuzhou, LaneClass::rest), "refused");
}

TEST_F(LinksTest, ALongerFeedWithAnotherHistoryIsReportedAndNotTaken) {
  open(kQuzhou);
  net.pass(500);
  say(kQuzhou, "一");
  const Disk backup = net.node(kQuzhou).disk;
  say(kQuzhou, "二");
  net.cut(kQuzhou, kHuangshan);
  net.cut(kQuzhou, kNanping);
  net.node(kQuzhou).disk = backup;
  net.restart(kQuzhou);
  const auto rewritten = [&](std::uint64_t n) {
    const auto message = CoreRig::publish_message(1, Lane::normal, n, {report("改写的" + std::to_string(n), "emergency")});
    (void)net.at(kQuzhou, {net.node(kQuzhou).says(officer(kQuzhou), message)});
  };
  rewritten(2);
  rewritten(3);
  net.mend(kQuzhou, kHuangshan);
  net.pass(kPeerSilenceMs + 2 * kMaxReconnectMs);
  EXPECT_THAT(net.alarms, Contains("341000 feed_forked"));
  EXPECT_THAT(net.alarms, Contains("330800 feed_forked"));  // the copy is told too, though its own history is the longer one
  EXPECT_THAT(net.alarms, Not(Contains("330800 claim_unproven")));
  net.restart(kQuzhou);
  net.pass(kPeerSilenceMs + 2 * kMaxReconnectMs);
  rewritten(4);
  net.pass(kAlarmRepeatMs);
  rewritten(5);
  EXPECT_THAT(held(kHuangshan, kQuzhou), ElementsAre("一", "二"));
  EXPECT_EQ(std::count(net.alarms.begin(), net.alarms.end(), "341000 feed_forked"), 2);  // told again while it holds
  EXPECT_EQ(net.state(kHuangshan, kQuzhou, LaneClass::rest), "following");
  warn(kQuzhou, "a1");
  EXPECT_THAT(held(kHuangshan, kQuzhou), ElementsAre("一", "二", "a1"));  // its other feeds go on
}

TEST_F(LinksTest, AForkedFeedGoesOnWithTheHistoryThatIsHeldWhenTheOtherCopyIsGone) {
  open(kQuzhou);
  net.pass(500);
  say(kQuzhou, "一");
  const Disk backup = net.node(kQuzhou).disk;
  say(kQuzhou, "二");
  const Disk original = net.node(kQuzhou).disk;
  const auto goes_on_from = [&](const Disk& disk, const std::string& text, std::uint64_t sequence) {
    net.cut(kQuzhou, kHuangshan);
    net.cut(kQuzhou, kNanping);
    net.node(kQuzhou).disk = disk;
    net.restart(kQuzhou);
    const auto message = CoreRig::publish_message(1, Lane::normal, sequence, {report(text, "emergency")});
    (void)net.at(kQuzhou, {net.node(kQuzhou).says(officer(kQuzhou), message)});
  };
  goes_on_from(backup, "改写的二", 2);
  const auto third = CoreRig::publish_message(1, Lane::normal, 3, {report("改写的三", "emergency")});
  (void)net.at(kQuzhou, {net.node(kQuzhou).says(officer(kQuzhou), third)});
  net.mend(kQuzhou, kHuangshan);
  net.pass(kPeerSilenceMs + 2 * kMaxReconnectMs);
  ASSERT_THAT(net.alarms, Contains("341000 feed_forked"));
  EXPECT_THAT(held(kHuangshan, kQuzhou), ElementsAre("一", "二"));
  goes_on_from(original, "三", 3);
  net.mend(kQuzhou, kHuangshan);
  net.pass(kPeerSilenceMs + 2 * kMaxReconnectMs);
  EXPECT_THAT(held(kHuangshan, kQuzhou), ElementsAre("一", "二", "三"));
}

TEST_F(LinksTest, FeedsOfOthersAreNotTaken) {
  open(kQuzhou);
  open(kNanping);
  net.pass(500);
  say(kNanping, "别处");
  const StoredSegment other = net.node(kNanping).disk.segments.back();
  net.tamper = [&](RegionCode from, RegionCode, Deliver& deliver) {
    if (from == kQuzhou) deliver.segments = with_seal(other.bytes, *other.seal);
  };
  say(kQuzhou, "一");
  EXPECT_THAT(held(kHuangshan, kQuzhou), IsEmpty());
  EXPECT_EQ(net.state(kHuangshan, kQuzhou, LaneClass::rest), "refused");
}

TEST_F(LinksTest, WhatThisNodeMayNotHoldIsNotTaken) {
  open(kQuzhou);
  net.pass(500);
  for (const Audience& whom : {Audience::local(), audience("qu-huang")}) {
    say(kQuzhou, "不该看见", whom);
    const StoredSegment stored = net.node(kQuzhou).disk.segments.back();
    net.tamper = [=](RegionCode, RegionCode, Deliver& deliver) { deliver.segments = with_seal(stored.bytes, *stored.seal); };
    say(kQuzhou, "一");
    net.tamper = nullptr;
    EXPECT_EQ(net.state(kNanping, kQuzhou, LaneClass::rest), "refused") << whom.text();
    EXPECT_THAT(held(kNanping, kQuzhou), Not(Contains("不该看见")));
    net.pass(kRefusedLinkRetryMs + 1000);
  }
}

TEST_F(LinksTest, AGapAsksAgainFromWhatIsHeld) {
  open(kQuzhou);
  net.pass(500);
  bool once = true;
  net.tamper = [&](RegionCode, RegionCode peer, Deliver& deliver) {
    if (peer == kHuangshan && !deliver.segments.empty() && std::exchange(once, false)) deliver.segments.clear();
  };
  say(kQuzhou, "一");
  say(kQuzhou, "二");
  EXPECT_THAT(held(kHuangshan, kQuzhou), IsEmpty());
  EXPECT_EQ(net.state(kHuangshan, kQuzhou, LaneClass::rest), "down");
  net.pass(kMaxReconnectMs);
  EXPECT_THAT(held(kHuangshan, kQuzhou), ElementsAre("一", "二"));
  EXPECT_THAT(net.alarms, IsEmpty());
}

TEST_F(LinksTest, ALowDiskTakesNothingFromPeersUntilThereIsRoom) {
  open(kQuzhou);
  net.pass(500);
  (void)net.at(kHuangshan, {net.node(kHuangshan).input(DiskState{true})});
  say(kQuzhou, "一");
  net.pass(kMaxReconnectMs + 1000);
  EXPECT_THAT(held(kHuangshan, kQuzhou), IsEmpty());
  EXPECT_EQ(net.state(kHuangshan, kQuzhou, LaneClass::rest), "down");
  (void)net.at(kHuangshan, {net.node(kHuangshan).input(DiskState{false})});
  net.pass(kMaxReconnectMs + 1000);
  EXPECT_THAT(held(kHuangshan, kQuzhou), ElementsAre("一"));
}

TEST_F(LinksTest, AClonedNodeIsReportedAndStopsPublishingItsFeed) {
  open(kQuzhou);
  net.pass(500);
  say(kQuzhou, "一");
  const Disk backup = net.node(kQuzhou).disk;
  say(kQuzhou, "二");
  net.node(kQuzhou).disk = backup;  // somebody copied an old disk back
  net.restart(kQuzhou);
  net.pass(kPeerSilenceMs + 2 * kMaxReconnectMs);
  EXPECT_THAT(net.alarms, Contains("330800 feed_forked"));
  const auto again = CoreRig::publish_message(1, Lane::normal, 2, {report("另一个二", "emergency")});
  EXPECT_THAT(lines_of(net.at(kQuzhou, {net.node(kQuzhou).says(officer(kQuzhou), again)}).sends),
              ElementsAre("2 feed_forked audience"));
  warn(kQuzhou, "a1");  // a feed that no peer holds longer is sound
  EXPECT_THAT(lines_of(last.sends), ElementsAre(testing::StartsWith("1 ok")));
  EXPECT_THAT(held(kNanping, kQuzhou), ElementsAre("一", "二", "a1"));
}

TEST_F(LinksTest, AnotherHistoryThatIsKeptAsEvidenceStopsAnOwnFeedAlsoAfterARestart) {
  open(kQuzhou);
  say(kQuzhou, "一");
  const FeedId feed = net.node(kQuzhou).core.heads().front().feed;
  const FeedId former{feed.region, Epoch(feed.epoch.value + 1), Lane::flash, feed.audience};
  for (const FeedId& of : {feed, former})
    net.node(kQuzhou).disk.quarantined.push_back({of, Sequence(1), Sequence(1), {}, Sequence(1), {}, {}, kHuangshan, 0, 9});
  net.restart(kQuzhou);
  open(kQuzhou, 1);
  say(kQuzhou, "二");
  EXPECT_THAT(lines_of(last.sends), ElementsAre("2 feed_forked audience"));
  EXPECT_THAT(net.node(kQuzhou).core.alarms(), Contains(testing::Field(&AlarmRow::what, "feed_forked")));
  warn(kQuzhou, "a1");
  EXPECT_THAT(lines_of(last.sends), ElementsAre(testing::StartsWith("1 ok")));
}

TEST_F(LinksTest, AClaimThatNothingSealedStandsBehindHoldsAFeedUpOnlyUntilItIsShown) {
  open(kQuzhou);
  net.pass(500);
  say(kQuzhou, "一");
  const FeedId feed{kQuzhou, Epoch{1}, Lane::normal, Audience::conference()};
  const auto publish = [&](std::uint64_t n) {
    const auto message = CoreRig::publish_message(1, Lane::normal, n, {report("第" + std::to_string(n), "emergency")});
    return lines_of(net.at(kQuzhou, {net.node(kQuzhou).says(officer(kQuzhou), message)}).sends);
  };
  for (const FeedHead& claimed : {FeedHead{Sequence{90}, Hash{1}}, FeedHead{Sequence{2}, Hash{2}}}) {
    net.alarms.clear();
    Heartbeat beat{net.node(kQuzhou).now, {{feed, claimed}}};
    const RegionCode liar = claimed.sequence.value == 90 ? kHuangshan : kNanping;
    (void)net.at(kQuzhou, {net.node(kQuzhou).input(PeerMessage{{liar, LaneClass::rest}, beat})});
    const std::uint64_t next = liar == kHuangshan ? 2 : 3;
    EXPECT_THAT(publish(next), ElementsAre(std::to_string(next) + " busy sequence retry")) << "nothing is consumed";
    net.pass(1'000);
    EXPECT_THAT(net.alarms, Contains("330800 claim_unproven"));
    EXPECT_THAT(publish(next), ElementsAre(testing::HasSubstr(" ok ")));
    beat.time = net.node(kQuzhou).now;
    (void)net.at(kQuzhou, {net.node(kQuzhou).input(PeerMessage{{liar, LaneClass::rest}, beat})});
    EXPECT_THAT(publish(next), ElementsAre(testing::HasSubstr(" ok "))) << "it is not believed again soon";
  }
  EXPECT_THAT(held(kNanping, kQuzhou), ElementsAre("一", "第2", "第3"));
}

TEST_F(LinksTest, AClaimOfAPeerThatThenShowsNothingGoesWithTime) {
  open(kQuzhou);
  net.pass(500);
  say(kQuzhou, "一");
  const FeedId feed{kQuzhou, Epoch{1}, Lane::normal, Audience::conference()};
  const Heartbeat beat{net.node(kQuzhou).now, {{feed, FeedHead{Sequence{90}, Hash{1}}}}};
  (void)net.at(kQuzhou, {net.node(kQuzhou).input(PeerMessage{{kHuangshan, LaneClass::rest}, beat})});
  net.cut(kQuzhou, kHuangshan);
  const auto publish = [&] {
    const auto message = CoreRig::publish_message(1, Lane::normal, 2, {report("二", "emergency")});
    return lines_of(net.at(kQuzhou, {net.node(kQuzhou).says(officer(kQuzhou), message)}).sends);
  };
  net.pass(kClaimWaitMs - 1'000);
  EXPECT_THAT(publish(), ElementsAre("2 busy sequence retry"));
  EXPECT_THAT(net.alarms, Not(Contains("330800 claim_unproven")));
  net.pass(2'000);
  EXPECT_THAT(net.alarms, Contains("330800 claim_unproven"));
  EXPECT_THAT(publish(), ElementsAre(testing::HasSubstr(" ok ")));
  net.mend(kQuzhou, kHuangshan);
  net.pass(kPeerSilenceMs + 2 * kMaxReconnectMs);
  EXPECT_THAT(held(kHuangshan, kQuzhou), ElementsAre("一", "二"));
}

TEST_F(LinksTest, ClaimsOfEverLaterEpochsAreBelievedOnce) {
  open(kQuzhou);
  net.pass(500);
  for (const std::uint32_t epoch : {7U, 8U}) {
    const FeedId feed{kQuzhou, Epoch{epoch}, Lane::normal, Audience::conference()};
    const Heartbeat beat{net.node(kQuzhou).now, {{feed, FeedHead{Sequence{9}, Hash{1}}}}};
    (void)net.at(kQuzhou, {net.node(kQuzhou).input(PeerMessage{{kHuangshan, LaneClass::normal}, beat})});
    const auto message = CoreRig::publish_message(1, Lane::normal, 1, {report("一", "emergency")});
    EXPECT_THAT(lines_of(net.at(kQuzhou, {net.node(kQuzhou).says(officer(kQuzhou), message)}).sends),
                ElementsAre(testing::HasSubstr(epoch == 7 ? "busy" : " ok ")));
    net.pass(1'000);
    EXPECT_EQ(std::count(net.alarms.begin(), net.alarms.end(), "330800 claim_unproven"), 1);
  }
}

TEST_F(LinksTest, AClaimOfALongFeedIsAskedForFromNearItsEnd) {
  open(kQuzhou);
  net.pass(500);
  const FeedId feed{kQuzhou, Epoch{1}, Lane::normal, Audience::conference()};
  std::uint64_t n = 0;
  while (n < kShownBack + 10) {
    std::vector<Event> events;
    for (int i = 0; i < 50; ++i) events.push_back(report("第" + std::to_string(n + events.size()), "emergency"));
    const auto message = CoreRig::publish_message(1, Lane::normal, n + 1, events);
    n += events.size();
    (void)net.at(kQuzhou, {net.node(kQuzhou).says(officer(kQuzhou), message)});
    net.pass(100);
  }
  ASSERT_EQ(net.node(kQuzhou).disk.heads.at(feed).sequence, Sequence(n));
  const Heartbeat beat{net.node(kQuzhou).now, {{feed, FeedHead{Sequence{n}, Hash{1}}}}};
  (void)net.node(kQuzhou).turn({net.node(kQuzhou).input(PeerMessage{{kHuangshan, LaneClass::normal}, beat})});
  const Effects asked = net.node(kQuzhou).step(Tick{});
  std::optional<FeedHead> from;
  for (const LinkSend& send : asked.link_sends) {
    const auto* follow = std::get_if<Follow>(&send.message);
    if (follow == nullptr || follow->regions != std::vector{kQuzhou}) continue;
    for (const FeedPosition& position : follow->vector)
      if (position.feed == feed) from = position.head;
  }
  ASSERT_TRUE(from);
  EXPECT_EQ(from->sequence, Sequence(n - kShownBack));
}

TEST_F(LinksTest, WhatAPeerShowsUnderAForgedSealProvesNothing) {
  open(kQuzhou);
  net.pass(500);
  say(kQuzhou, "一");
  const FeedId feed{kQuzhou, Epoch{1}, Lane::normal, Audience::conference()};
  const FeedHead head = net.node(kQuzhou).disk.heads.at(feed);
  SegmentWriter writer(feed, head, Offset{2});
  const FeedHead forged = writer.append(Stamp{Sequence{2}, Ordinal{2}, Hlc{1}, police().id, SessionId{1}, Sequence{2}}, Salt{},
                                        encode_event(report("伪造的二")));
  const Bytes segment = std::move(writer).finish(sign_seal(seal_keys_of(kHuangshan).secret_key, feed, forged));
  net.tamper = [&](RegionCode from, RegionCode to, Deliver& deliver) {
    if (from == kHuangshan && to == kQuzhou && !deliver.segments.empty()) deliver.segments = segment;
  };
  const Heartbeat beat{net.node(kQuzhou).now, {{feed, forged}}};
  (void)net.at(kQuzhou, {net.node(kQuzhou).input(PeerMessage{{kHuangshan, LaneClass::rest}, beat})});
  net.pass(1'000);
  EXPECT_THAT(net.alarms, Contains("330800 claim_unproven"));
  EXPECT_THAT(net.alarms, Contains("330800 feed_broken"));
  say(kQuzhou, "二");
  EXPECT_THAT(lines_of(last.sends), ElementsAre(testing::HasSubstr(" ok ")));
  EXPECT_THAT(held(kNanping, kQuzhou), ElementsAre("一", "二"));
}

TEST_F(LinksTest, AFeedSealedTwiceDifferentlyIsReportedAndNotTakenAnyMore) {
  open(kQuzhou);
  net.pass(500);
  say(kQuzhou, "一");
  net.cut(kQuzhou, kHuangshan);
  const Disk backup = net.node(kQuzhou).disk;
  say(kQuzhou, "给南平的二");
  // The copy publishes before it meets anyone who could tell; Huangshan takes the copy's history, and meets the other later.
  const Disk original = net.node(kQuzhou).disk;
  net.cut(kQuzhou, kNanping);
  net.node(kQuzhou).disk = backup;
  net.restart(kQuzhou);
  (void)net.at(kQuzhou, {net.node(kQuzhou).says(officer(kQuzhou), CoreRig::publish_message(
                                                                      1, Lane::normal, 2, {report("给黄山的二", "emergency")}))});
  net.mend(kQuzhou, kHuangshan);
  net.pass(kPeerSilenceMs + 2 * kMaxReconnectMs);
  EXPECT_THAT(held(kHuangshan, kQuzhou), ElementsAre("一", "给黄山的二"));
  net.node(kQuzhou).disk = original;
  net.restart(kQuzhou);
  net.alarms.clear();
  net.pass(kPeerSilenceMs + 2 * kMaxReconnectMs);
  // The same length with another hash: both sides can tell.
  EXPECT_THAT(net.alarms, Contains("330800 feed_forked"));
  EXPECT_THAT(held(kHuangshan, kQuzhou), ElementsAre("一", "给黄山的二"));
  EXPECT_THAT(held(kNanping, kQuzhou), ElementsAre("一", "给南平的二"));
}

TEST_F(LinksTest, ANewEpochOfAPeerIsANewFeed) {
  open(kQuzhou);
  net.pass(500);
  say(kQuzhou, "一");
  // Quzhou restored with a new epoch: its next feed begins at 1 again, with a zero hash before it.
  const FeedId feed{kQuzhou, Epoch{2}, Lane::normal, Audience::conference()};
  SegmentWriter writer(feed, FeedHead{}, Offset{1});
  const FeedHead head = writer.append(Stamp{Sequence{1}, Ordinal{1}, Hlc{1}, police().id, SessionId{1}, Sequence{1}}, Salt{},
                                      encode_event(report("恢复后")));
  const Bytes segment = std::move(writer).finish(sign_seal(seal_keys_of(kQuzhou).secret_key, feed, head));
  net.tamper = [&](RegionCode, RegionCode, Deliver& deliver) { deliver.segments = segment; };
  say(kQuzhou, "二");
  EXPECT_THAT(held(kHuangshan, kQuzhou), ElementsAre("一", "恢复后"));
}

TEST_F(LinksTest, APeersClockFarAheadIsReportedAndNotFollowed) {
  open(kQuzhou);
  open(kHuangshan);
  net.node(kQuzhou).now += 3'600'000;
  net.pass(500);
  say(kQuzhou, "明天");
  EXPECT_THAT(net.alarms, Contains("341000 clock_ahead"));
  EXPECT_THAT(held(kHuangshan, kQuzhou), ElementsAre("明天"));
  say(kHuangshan, "今天");
  const auto segment = Segment::parse(net.node(kHuangshan).disk.segments.back().bytes).value();
  EXPECT_LT(physical_ms(segment.records()[0].stamp.time), kNoon + kMaxClockSkewMs);
}

TEST_F(LinksTest, APeersTimeWithinTheSkewIsFollowed) {
  open(kQuzhou);
  open(kHuangshan);
  net.node(kQuzhou).now += 20'000;
  net.pass(500);
  say(kQuzhou, "先");
  say(kHuangshan, "后");
  const auto segment = Segment::parse(net.node(kHuangshan).disk.segments.back().bytes).value();
  EXPECT_GE(physical_ms(segment.records()[0].stamp.time), kNoon + 20'000);
  EXPECT_THAT(net.alarms, IsEmpty());
}

}  // namespace
}  // namespace lianxi::core
