// Feeds of a member that cannot be reached come through another, once, and only there.
#include <gmock/gmock.h>

#include "broker/core/replication.h"
#include "schemas/limits.h"
#include "tests/unit/core/links_fixture.h"

namespace lianxi::core {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr TimeMs kNoticed = kPeerSilenceMs + kDetourAfterMs + 1000;
constexpr TimeMs kHealed = kPeerSilenceMs + 2 * kMaxReconnectMs;

class DetourTest : public LinksTest {
 protected:
  DetourTest() {
    net.tamper = [this](RegionCode from, RegionCode to, Deliver& deliver) {
      if (forge && from == kNanping) forge(deliver);
      const auto segments = parse_segments(deliver.segments);
      if (!segments) return;
      for (const Segment& segment : *segments) {
        received[{to, segment.info().feed.region}] += segment.info().count;
        if (segment.info().feed.region != from) through[{from, to}] += segment.info().count;
      }
    };
    for (const RegionCode region : {kQuzhou, kHuangshan, kNanping}) open(region);
    net.pass(500);
  }
  std::string reason(RegionCode at, RegionCode peer) {
    for (const LinkView& view : net.node(at).core.links())
      if (view.link == LinkId{peer, LaneClass::rest}) return view.reason;
    return "no link";
  }
  std::map<std::pair<RegionCode, RegionCode>, std::uint64_t> received;  // (to, of)
  std::map<std::pair<RegionCode, RegionCode>, std::uint64_t> through;   // (from, to): of third nodes
  std::function<void(Deliver&)> forge;
};

TEST_F(DetourTest, TwoCutOffCitiesMeetThroughAThird) {
  net.cut(kQuzhou, kHuangshan);
  say(kQuzhou, "一");
  warn(kQuzhou, "a1");
  say(kHuangshan, "二");
  EXPECT_THAT(held(kHuangshan, kQuzhou), IsEmpty());
  net.pass(kNoticed);
  EXPECT_THAT(held(kHuangshan, kQuzhou), ElementsAre("a1", "一")) << "alerts first";
  EXPECT_THAT(held(kQuzhou, kHuangshan), ElementsAre("二"));
  EXPECT_NE(net.state(kHuangshan, kQuzhou, LaneClass::rest), "following");
  EXPECT_THAT(reason(kHuangshan, kQuzhou), HasSubstr("its feeds are asked of 350700"));
  say(kQuzhou, "三");
  EXPECT_THAT(held(kHuangshan, kQuzhou), ElementsAre("a1", "一", "三")) << "as fast as the third has it";
  EXPECT_THAT(net.alarms, IsEmpty());
}

TEST_F(DetourTest, WhoPassesEventsOnCannotTakeTheirBodiesAway) {
  net.cut(kQuzhou, kHuangshan);
  say(kQuzhou, "一");
  forge = [](Deliver& deliver) {  // chain and seal hold all the same
    const auto segments = parse_segments(deliver.segments);
    if (!segments || segments->empty() || segments->front().info().feed.region != kQuzhou) return;
    const Segment& segment = segments->front();
    SegmentWriter writer(segment.info().feed, {Sequence{segment.info().first_sequence.value - 1}, segment.info().previous},
                         segment.info().first_offset);
    for (const RecordView& record : segment.records()) writer.append_redacted(record);
    deliver.segments = std::move(writer).finish(*segment.seal());
  };
  net.pass(kNoticed);
  EXPECT_THAT(net.node(kHuangshan).disk.heads, Not(Contains(testing::Key(testing::Field(&FeedId::region, kQuzhou)))));
  EXPECT_THAT(net.alarms, Contains("341000 feed_broken"));
  forge = {};
  net.pass(kRefusedLinkRetryMs);
  EXPECT_THAT(held(kHuangshan, kQuzhou), ElementsAre("一"));
}

TEST_F(DetourTest, AHealthyMeshCarriesAnEventToANodeOnce) {
  for (int i = 0; i < 20; ++i) {
    say(kQuzhou, std::to_string(i));
    warn(kHuangshan, "a" + std::to_string(i));
    net.pass(1'000);
  }
  for (const RegionCode to : {kHuangshan, kNanping}) EXPECT_EQ((received[{to, kQuzhou}]), 20U);
  for (const RegionCode to : {kQuzhou, kNanping}) EXPECT_EQ((received[{to, kHuangshan}]), 20U);
  EXPECT_THAT(through, IsEmpty());
}

TEST_F(DetourTest, WhenTheLinkHealsTheDetourEnds) {
  net.cut(kQuzhou, kHuangshan);
  net.pass(kNoticed);
  say(kQuzhou, "一");
  EXPECT_EQ((through[{kNanping, kHuangshan}]), 1U);
  net.mend(kQuzhou, kHuangshan);
  net.pass(kHealed);
  through.clear();
  received.clear();
  say(kQuzhou, "二");
  EXPECT_THAT(held(kHuangshan, kQuzhou), ElementsAre("一", "二"));
  EXPECT_THAT(through, IsEmpty());
  EXPECT_EQ((received[{kHuangshan, kQuzhou}]), 1U);
  EXPECT_EQ(reason(kHuangshan, kQuzhou), "");
}

TEST_F(DetourTest, WhatTheThirdMayNotHoldWaitsForTheLink) {
  net.cut(kQuzhou, kHuangshan);
  net.pass(kNoticed);
  say(kQuzhou, "只给两市", audience("qu-huang"));
  say(kQuzhou, "给所有人");
  net.pass(1'000);
  EXPECT_THAT(held(kHuangshan, kQuzhou), ElementsAre("给所有人"));
  EXPECT_THAT(held(kNanping, kQuzhou), ElementsAre("给所有人"));
  net.mend(kQuzhou, kHuangshan);
  net.pass(kHealed);
  EXPECT_THAT(held(kHuangshan, kQuzhou), Contains("只给两市"));
  EXPECT_THAT(held(kNanping, kQuzhou), Not(Contains("只给两市")));
}

TEST_F(DetourTest, WhoCarriesForgedEventsLosesTheDetourAndKeepsItsOwnLink) {
  net.cut(kQuzhou, kHuangshan);
  net.pass(kNoticed);
  forge = [](Deliver& deliver) {
    const auto segments = parse_segments(deliver.segments).value();
    if (segments.empty() || segments[0].info().feed.region != kQuzhou) return;
    deliver.segments = with_seal(as_stored(segments[0], segments[0].info().first_offset),
                                 sign_seal(seal_keys_of(kNanping).secret_key, segments[0].info().feed, segments[0].last()));
  };
  say(kQuzhou, "一");
  say(kNanping, "二");
  EXPECT_THAT(held(kHuangshan, kQuzhou), IsEmpty());
  EXPECT_THAT(held(kHuangshan, kNanping), ElementsAre("二"));
  EXPECT_THAT(net.alarms, Contains("341000 feed_broken"));
  EXPECT_EQ(net.state(kHuangshan, kNanping, LaneClass::rest), "following");
  forge = nullptr;
  net.pass(kRefusedLinkRetryMs + 1000);
  EXPECT_THAT(held(kHuangshan, kQuzhou), ElementsAre("一")) << "it is asked again later";
}

TEST_F(DetourTest, AFeedThatWasNotAskedForIsNotTaken) {
  net.cut(kQuzhou, kHuangshan);
  net.pass(kNoticed);
  say(kNanping, "南平的");
  const StoredSegment own = net.node(kNanping).disk.segments.back();
  forge = [&](Deliver& deliver) {
    const auto segments = parse_segments(deliver.segments).value();
    if (!segments.empty() && segments[0].info().feed.region == kQuzhou) deliver.segments = with_seal(own.bytes, *own.seal);
  };
  say(kQuzhou, "一");
  EXPECT_THAT(held(kHuangshan, kQuzhou), IsEmpty());
  EXPECT_THAT(net.alarms, Contains("341000 wrong_region"));
  EXPECT_EQ(net.state(kHuangshan, kNanping, LaneClass::rest), "following");
}

TEST_F(DetourTest, APeerThatOnlyCarriesCountsForNobodysAckLevel) {
  net.cut(kQuzhou, kHuangshan);
  net.pass(kNoticed);
  net.said.clear();
  Publish publish = CoreRig::publish_message(1, Lane::normal, 1, {report("一", "emergency")});
  publish.peers = 2;
  publish.deadline_ms = 5'000;
  (void)net.at(kQuzhou, {net.node(kQuzhou).says(officer(kQuzhou), publish)});
  net.pass(6'000);
  EXPECT_THAT(held(kHuangshan, kQuzhou), ElementsAre("一"));
  std::vector<int> outcomes;
  for (const Send& send : net.said) {
    if (const auto* replicated = std::get_if<Replicated>(&send.message))
      for (const ReplicatedRange& range : replicated->ranges) outcomes.push_back(range.held);
  }
  EXPECT_THAT(outcomes, ElementsAre(1)) << "Huangshan has it from Nanping; only what a member says itself is counted";
}

// Quzhou - Huangshan - Nanping - Shangrao, each with its neighbours alone.
class LineTest : public LinksTest {
 protected:
  LinkRig line{{kQuzhou, kHuangshan, kNanping, kShangrao}, members};
};

TEST_F(LineTest, ALineOfCitiesHoldsTheSame) {
  line.pass(500);
  line.cut(kQuzhou, kNanping);
  line.cut(kQuzhou, kShangrao);
  line.cut(kHuangshan, kShangrao);
  Hello hello;
  hello.session = SessionId{1};
  for (const RegionCode region : {kQuzhou, kShangrao}) {
    (void)line.at(region, {line.node(region).says(officer(region), hello)});
    (void)line.at(region,
                  {line.node(region).says(officer(region),
                                          CoreRig::publish_message(1, Lane::normal, 1, {report("一", "emergency", region)}))});
  }
  line.pass(kNoticed + 4 * kDetourPatienceMs);
  for (const RegionCode region : {kQuzhou, kHuangshan, kNanping, kShangrao}) {
    EXPECT_THAT(words(line.node(region).disk.events(kQuzhou)), ElementsAre("一")) << to_text(region);
    EXPECT_THAT(words(line.node(region).disk.events(kShangrao)), ElementsAre("一")) << to_text(region);
  }
  EXPECT_THAT(line.alarms, IsEmpty());
}

}  // namespace
}  // namespace lianxi::core
