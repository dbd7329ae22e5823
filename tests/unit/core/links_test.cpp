// One end of a link by itself: attempts, pauses, what is said when.
#include <gmock/gmock.h>

#include "schemas/limits.h"
#include "tests/unit/core/core_rig.h"

namespace lianxi::core {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(Links, AnAttemptWithoutAnswerIsRepeatedWithGrowingPauses) {
  CoreRig rig;
  const Effects effects = rig.pass(60'000);
  std::map<LinkId, std::size_t> resets;
  for (const LinkReset& reset : effects.link_resets) ++resets[reset.link];
  EXPECT_EQ(resets.size(), 9U);
  for (const auto& [link, count] : resets) {
    EXPECT_GE(count, 4U);
    EXPECT_LE(count, 8U);
  }
}

TEST(Links, APeerThatIsAwayIsTriedAboutOnceASecond) {
  CoreRig rig;
  std::size_t opened = 0;
  for (int i = 0; i < 600; ++i) {
    rig.now += 100;
    const Effects effects = rig.step(Tick{});
    for (const LinkReset& reset : effects.link_resets) {
      if (reset.link == LinkId{kHuangshan, LaneClass::flash}) ++opened;
      (void)rig.step(LinkLost{reset.link, "connection refused"});
    }
  }
  EXPECT_GE(opened, 40U);  // a minute: found within a second when it is back
  EXPECT_LE(opened, 100U);
}

TEST(Links, AClockSetBackDoesNotKeepALinkDown) {
  CoreRig rig;
  (void)rig.step(Tick{});
  (void)rig.step(LinkLost{{kHuangshan, LaneClass::flash}, "connection refused"});
  rig.now -= 24 * 3'600'000;
  const Effects effects = rig.pass(kRefusedLinkRetryMs + 200);
  EXPECT_THAT(effects.link_resets, Contains(testing::Field(&LinkReset::link, LinkId{kHuangshan, LaneClass::flash})));
}

TEST(Links, WhatAnEarlierConnectionSaidIsNotTaken) {
  const Agent duty = agent_named("341000.emergency.duty");
  CoreRig source(kHuangshan);
  (void)source.hello(duty, 1);
  (void)source.publish(duty, 1, 1, {report("山洪", "emergency", kHuangshan)});
  const Bytes bytes = with_seal(source.disk.segments[0].bytes, *source.disk.segments[0].seal);
  CoreRig rig;
  const LinkId link{kHuangshan, LaneClass::rest};
  (void)rig.step(Tick{});
  (void)rig.step(LinkLost{link, "reset by peer"});
  (void)rig.pass(1000);  // the second attempt is under way
  const auto state = [&] {
    const auto views = rig.core.links();
    return std::find_if(views.begin(), views.end(), [&](const LinkView& v) { return v.link == link; })->state;
  };
  (void)rig.step(PeerMessage{link, Followed{SessionId{1}, kHuangshan, Incarnation{9}, Offset{1}, Offset{2}}});
  EXPECT_EQ(state(), "connecting");
  (void)rig.step(PeerMessage{link, Followed{SessionId{2}, kHuangshan, Incarnation{9}, Offset{1}, Offset{2}}});
  EXPECT_EQ(state(), "following");
  EXPECT_TRUE(rig.step(PeerMessage{link, Deliver{SessionId{1}, Offset{2}, true, bytes}}).batch.empty());
  EXPECT_FALSE(rig.step(PeerMessage{link, Deliver{SessionId{2}, Offset{2}, true, bytes}}).batch.empty());
}

TEST(Links, APeersRefusalIsKeptAsTheLinksReasonAndTriedAgainLate) {
  CoreRig rig;
  (void)rig.step(Tick{});
  const LinkId link{kHuangshan, LaneClass::flash};
  (void)rig.step(PeerMessage{link, Refused{SessionId{1}, 0, Lane::flash, {RefusalCode::not_allowed, "mode", "not a member", 0}}});
  const auto views = rig.core.links();
  const auto view = std::find_if(views.begin(), views.end(), [&](const LinkView& v) { return v.link == link; });
  EXPECT_EQ(view->state, "refused");
  EXPECT_THAT(view->reason, testing::HasSubstr("not a member"));
}

TEST(Links, CreditIsGrantedForWhatWasAppendedWithTheCommit) {
  CoreRig source(kHuangshan);
  (void)source.hello(agent_named("341000.emergency.duty"), 1);
  (void)source.publish(agent_named("341000.emergency.duty"), 1, 1, {report("山洪", "emergency", kHuangshan)});
  const StoredSegment& stored = source.disk.segments.at(0);
  CoreRig rig;
  (void)rig.step(Tick{});
  const LinkId link{kHuangshan, LaneClass::rest};
  (void)rig.step(PeerMessage{link, Followed{SessionId{1}, kHuangshan, Incarnation{9}, Offset{1}, Offset{2}}});
  const Bytes bytes = with_seal(stored.bytes, *stored.seal);
  const Effects effects = rig.step(PeerMessage{link, Deliver{SessionId{1}, Offset{2}, true, bytes}});
  EXPECT_EQ(effects.batch.segments.size(), 1U);
  EXPECT_TRUE(effects.batch.segments[0].seal.has_value());
  const auto credits = messages<Credit>(effects.link_sends);
  ASSERT_EQ(credits.size(), 1U);
  EXPECT_EQ(credits[0], (Credit{SessionId{1}, bytes.size(), 1, Offset{2}}));
  EXPECT_THAT(effects.touched, IsEmpty());
}

TEST(Links, APartlyKnownSegmentIsCutToWhatIsNew) {
  const Agent duty = agent_named("341000.emergency.duty");
  CoreRig source(kHuangshan);
  (void)source.hello(duty, 1);
  (void)source.publish(duty, 1, 1, {report("一", "emergency", kHuangshan)});
  (void)source.publish(duty, 1, 2, {report("二", "emergency", kHuangshan)});
  const auto first = Segment::parse(source.disk.segments[0].bytes).value();
  const auto second = Segment::parse(source.disk.segments[1].bytes).value();
  SegmentWriter joined(first.info().feed, FeedHead{}, Offset{1});
  joined.append(first.records()[0]);
  joined.append(second.records()[0]);
  const Bytes both = with_seal(std::move(joined).finish(), *source.disk.segments[1].seal);
  CoreRig rig;
  (void)rig.step(Tick{});
  const LinkId link{kHuangshan, LaneClass::rest};
  const auto deliver = [&](Bytes bytes) {
    return rig.input(PeerMessage{link, Deliver{SessionId{1}, Offset{2}, true, std::move(bytes)}});
  };
  (void)rig.step(PeerMessage{link, Followed{SessionId{1}, kHuangshan, Incarnation{9}, Offset{1}, Offset{2}}});
  const Effects effects =
      rig.turn({deliver(with_seal(source.disk.segments[0].bytes, *source.disk.segments[0].seal)), deliver(both)});
  EXPECT_EQ(effects.batch.segments.size(), 2U);
  EXPECT_THAT(words(rig.disk.events(kHuangshan)), ElementsAre("一", "二"));
}

}  // namespace
}  // namespace lianxi::core
