// What a link tells of itself, and what it may carry when it is thin.
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <limits>

#include "broker/core/replication.h"
#include "schemas/limits.h"
#include "tests/unit/core/links_fixture.h"

namespace lianxi::core {
namespace {

using testing::IsEmpty;

constexpr TimeMs kSettled = kPeerSilenceMs + kMaxReconnectMs + 2 * kHeartbeatMs;
const LinkId kToHuangshan{kHuangshan, LaneClass::normal};
constexpr std::uint64_t kThin = 4'000;  // bytes per second: some eight reports

class LinkSightTest : public LinksTest {
 protected:
  struct Carried {
    TimeMs at = 0;
    Lane lane{};
    std::size_t bytes = 0;
  };
  LinkSightTest() {
    net.tamper = [this](RegionCode from, RegionCode to, Deliver& deliver) {
      const auto segments = parse_segments(deliver.segments);
      if (from != kQuzhou || to != kHuangshan || !segments || segments->empty()) return;
      carried.push_back({net.node(from).now, segments->front().info().feed.lane, deliver.segments.size()});
    };
    open(kQuzhou);
    net.pass(1'000);
  }
  LinkView view(RegionCode at, RegionCode peer, LaneClass lanes = LaneClass::normal) {
    for (const LinkView& link : net.node(at).core.links())
      if (link.link == LinkId{peer, lanes}) return link;
    return {};
  }
  void supply(const std::string& name) {
    const auto message = CoreRig::publish_message(1, Lane::bulk, ++supplies_, {team(name)});
    last = net.at(kQuzhou, {net.node(kQuzhou).says(officer(kQuzhou), message)});
  }
  void bind(RegionCode at, RegionCode peer, std::uint64_t bytes_per_second) {
    LinkSettings settings;
    settings[peer].bytes_per_second = bytes_per_second;
    PolicyChanged change;
    change.links = std::make_shared<const LinkSettings>(settings);
    (void)net.at(at, {net.node(at).input(change)});
  }
  // A cut, behind which this waits for Huangshan.
  void backlog() {
    net.cut(kQuzhou, kHuangshan);
    net.cut(kNanping, kHuangshan);
    for (int i = 0; i < 40; ++i) supply("team-" + std::to_string(i));
    for (int i = 0; i < 20; ++i) say(kQuzhou, std::to_string(i));
    warn(kQuzhou, "a1");
    net.pass(kSettled);
    carried.clear();
    net.mend(kQuzhou, kHuangshan);
  }
  void expect_thin_and_in_order() {
    net.pass(60'000);
    ASSERT_EQ(held(kHuangshan, kQuzhou).size(), 61U);
    const auto of = [&](Lane lane) {
      std::vector<Carried> out;
      std::copy_if(carried.begin(), carried.end(), std::back_inserter(out), [&](const Carried& c) { return c.lane == lane; });
      return out;
    };
    ASSERT_EQ(of(Lane::flash).size(), 1U);
    const TimeMs healed = carried.front().at;
    EXPECT_LE(of(Lane::flash).front().at, healed + 100) << "flash, whatever waits: with the next tick at the latest";
    const TimeMs first = of(Lane::normal).front().at;
    const TimeMs over = of(Lane::normal).back().at;
    const auto bulk = of(Lane::bulk);
    EXPECT_LE(std::count_if(bulk.begin(), bulk.end(), [&](const Carried& c) { return c.at > first && c.at < over; }), 3)
        << "bulk gives way to normal";
    EXPECT_GT(bulk.back().at, over);
    std::size_t bytes = 0;
    for (const Carried& c : carried) bytes += c.lane == Lane::flash ? 0 : c.bytes;
    ASSERT_GT(bytes, 5 * kThin) << "a backlog that takes its time";
    std::size_t sent = 0;
    for (const Carried& c : carried) {
      if (c.lane == Lane::flash) continue;
      sent += c.bytes;
      const std::size_t may = static_cast<std::size_t>(c.at - healed + 2'000) * kThin / 1'000;
      EXPECT_LE(sent, may) << "after " << c.at - healed << " ms";
    }
  }
  std::vector<Carried> carried;

 private:
  std::uint64_t supplies_ = 0;
};

TEST_F(LinkSightTest, ALinkKnowsItsRoundTripAndThePeersClock) {
  net.node(kHuangshan).now += 5'000;
  net.pass(4 * kHeartbeatMs);
  for (const LaneClass lanes : kLaneClasses) {
    // Messages of the rig take no time, but its clocks go on one behind the other, by a tick.
    EXPECT_LE(view(kQuzhou, kNanping, lanes).round_trip_ms.value_or(9'999), 100);
    EXPECT_LE(std::abs(view(kQuzhou, kNanping, lanes).clock_ahead_ms.value_or(9'999)), 100);
    EXPECT_LE(std::abs(view(kQuzhou, kHuangshan, lanes).clock_ahead_ms.value_or(9'999) - 5'000), 100);
    EXPECT_LE(std::abs(view(kHuangshan, kQuzhou, lanes).clock_ahead_ms.value_or(9'999) + 5'000), 100);
  }
}

TEST_F(LinkSightTest, WhatAnEchoWaitedThereIsNoPartOfTheRoundTrip) {
  CoreRig& rig = net.node(kQuzhou);
  const TimeMs asked = rig.now;
  rig.now += 1'000;
  const LinkId link{kHuangshan, LaneClass::normal};
  // 1,000 ms away, of which it waited 940 there; it spoke at a clock that is 7,000 ahead, 30 ms before this was heard.
  (void)rig.step(PeerMessage{link, Heartbeat{rig.now - 30 + 7'000, {}, {}, asked, 940}});
  EXPECT_EQ(view(kQuzhou, kHuangshan).round_trip_ms, 60);
  EXPECT_EQ(view(kQuzhou, kHuangshan).clock_ahead_ms, 7'000);
  // Of before this connection, of the future, or none: nothing is learned.
  for (const TimeMs echo : {asked - 3'600'000, rig.now + 1, TimeMs{0}, kMinTimeMs - 1})
    (void)rig.step(PeerMessage{link, Heartbeat{std::numeric_limits<TimeMs>::max(), {}, {}, echo, 0}});
  EXPECT_EQ(view(kQuzhou, kHuangshan).round_trip_ms, 60);
  EXPECT_EQ(view(kQuzhou, kHuangshan).clock_ahead_ms, 7'000);
}

TEST_F(LinkSightTest, APeerIsAnsweredAtOnceButNotAsOftenAsItLikes) {
  CoreRig& rig = net.node(kQuzhou);
  const Connection connection{2, "peer"};
  Follow follow;
  follow.follow = SessionId{7};
  follow.mode = FollowMode::feeds;
  follow.lanes = mask_of(Lane::bulk);
  const auto say_all = [&](std::size_t times) {
    std::size_t beats = 0;
    for (std::size_t i = 0; i < times; ++i)
      beats += messages<Heartbeat>(rig.step(AgentMessage{connection, node_of(kShangrao), Heartbeat{rig.now, {}}}).sends).size();
    return beats;
  };
  (void)rig.step(AgentMessage{connection, node_of(kShangrao), follow});
  EXPECT_EQ(say_all(100), 1U);
  rig.now += kHeartbeatMs;
  const auto beats = messages<Heartbeat>(rig.step(Tick{}).sends);
  const auto echoed = std::count_if(beats.begin(), beats.end(), [&](const Heartbeat& b) { return b.held_ms == kHeartbeatMs; });
  EXPECT_EQ(echoed, 1) << "what could not be answered at once is echoed later, with the time that it waited";
}

TEST_F(LinkSightTest, TheLagIsWhatThePeerHoldsAndThisNodeDoesNot) {
  net.pass(kHeartbeatMs);
  EXPECT_EQ(view(kHuangshan, kQuzhou).lag_events, 0U);
  say(kQuzhou, "一");
  EXPECT_EQ(view(kHuangshan, kQuzhou).lag_events, 0U);
  EXPECT_EQ(view(kHuangshan, kQuzhou).received_events, 1U);
  // The deliveries are lost, the heartbeats come: behind, and since when.
  const TimeMs in_step = net.node(kHuangshan).now;
  bind(kQuzhou, kHuangshan, kMinLinkRate);
  for (int i = 0; i < 30; ++i) say(kQuzhou, std::to_string(i));
  net.pass(2 * kHeartbeatMs);
  const LinkView behind = view(kHuangshan, kQuzhou);
  EXPECT_EQ(behind.state, "following");
  ASSERT_TRUE(behind.lag_events);
  EXPECT_GT(*behind.lag_events, 10U);
  EXPECT_EQ(view(kHuangshan, kQuzhou, LaneClass::flash).lag_events, 0U) << "each lane by itself";
  ASSERT_TRUE(behind.in_step_at);
  EXPECT_GE(*behind.in_step_at, in_step);
  EXPECT_LE(*behind.in_step_at, net.node(kHuangshan).now);
  net.pass(60'000);
  EXPECT_EQ(view(kHuangshan, kQuzhou).lag_events, 0U);
  EXPECT_GE(*view(kHuangshan, kQuzhou).in_step_at, net.node(kHuangshan).now - 2 * kHeartbeatMs);
}

TEST_F(LinkSightTest, WhileALinkIsCutItTellsWhenItWasInStepAndWhoHelps) {
  net.pass(kHeartbeatMs);
  const TimeMs cut = net.node(kHuangshan).now;
  net.cut(kQuzhou, kHuangshan);
  net.pass(kSettled);
  const LinkView link = view(kHuangshan, kQuzhou);
  EXPECT_NE(link.state, "following");
  ASSERT_TRUE(link.in_step_at);
  EXPECT_LE(*link.in_step_at, cut + 200);
  EXPECT_EQ(link.detour, kNanping);
  EXPECT_FALSE(link.round_trip_ms) << "of a connection that was";
}

TEST_F(LinkSightTest, AHealthyMeshBringsAnEventOnce) {
  for (int i = 0; i < 50; ++i) {
    say(kQuzhou, std::to_string(i));
    warn(kQuzhou, "a" + std::to_string(i));
    supply("team-" + std::to_string(i));
    net.pass(500);
  }
  for (const RegionCode at : {kHuangshan, kNanping}) {
    std::uint64_t came = 0, taken = 0;
    for (const LinkView& link : net.node(at).core.links()) {
      came += link.delivered_events;
      taken += link.received_events;
    }
    EXPECT_EQ(taken, 150U);
    EXPECT_LE(came, taken * 11 / 10);
  }
}

TEST_F(LinkSightTest, AThinLinkIsSentNoMoreThanItMayCarry) {
  bind(kQuzhou, kHuangshan, kThin);
  backlog();
  expect_thin_and_in_order();
  EXPECT_EQ(view(kQuzhou, kHuangshan).bytes_per_second, kThin);
}

TEST_F(LinkSightTest, AThinLinkIsAskedForNoMoreThanItMayCarry) {
  bind(kHuangshan, kQuzhou, kThin);
  backlog();
  expect_thin_and_in_order();
}

TEST_F(LinkSightTest, ABoundThatIsLiftedIsOverAtOnce) {
  bind(kHuangshan, kQuzhou, kMinLinkRate);
  bind(kQuzhou, kHuangshan, kMinLinkRate);
  backlog();
  net.pass(2'000);
  EXPECT_LT(held(kHuangshan, kQuzhou).size(), 61U);
  bind(kHuangshan, kQuzhou, 0);
  bind(kQuzhou, kHuangshan, 0);
  net.pass(kMaxReconnectMs + 2'000);
  EXPECT_EQ(held(kHuangshan, kQuzhou).size(), 61U);
}

TEST_F(LinkSightTest, OverAThinLinkAMessageMayTakeLongWhileThePeersFlashLaneIsHeard) {
  bind(kQuzhou, kHuangshan, kMinLinkRate);
  net.cut(kQuzhou, kHuangshan);
  const auto pass_with = [&](bool flash, TimeMs ms) {
    for (TimeMs passed = 0; passed < ms; passed += kHeartbeatMs) {
      const Heartbeat beat{net.node(kQuzhou).now, {}};
      if (flash) (void)net.at(kQuzhou, {net.node(kQuzhou).input(PeerMessage{{kHuangshan, LaneClass::flash}, beat})});
      net.pass(kHeartbeatMs);
    }
  };
  pass_with(true, 3 * kPeerSilenceMs);
  EXPECT_EQ(net.state(kQuzhou, kHuangshan, LaneClass::normal), "following");
  pass_with(false, 2 * kPeerSilenceMs);
  EXPECT_NE(net.state(kQuzhou, kHuangshan, LaneClass::normal), "following");
}

TEST_F(LinkSightTest, WhenOneLaneIsBackTheSilentOnesBeginAnewAtOnce) {
  net.cut(kQuzhou, kHuangshan);
  net.pass(kHeartbeatMs + kHeartbeatMs / 2 + 100);
  net.mend(kQuzhou, kHuangshan);
  const std::uint64_t before = net.opened(kQuzhou, kHuangshan, LaneClass::normal);
  const std::uint64_t bulk_before = net.opened(kQuzhou, kHuangshan, LaneClass::bulk);
  const LinkId bulk{kHuangshan, LaneClass::bulk};
  (void)net.at(kQuzhou, {net.node(kQuzhou).input(LinkLost{bulk, "the connection was closed"})});
  ASSERT_EQ(net.opened(kQuzhou, kHuangshan, LaneClass::normal), before);
  net.pass(kMinReconnectMs + 200);
  EXPECT_EQ(net.opened(kQuzhou, kHuangshan, LaneClass::normal), before + 1) << "its old connection may be dead: nothing came";
  EXPECT_EQ(net.state(kQuzhou, kHuangshan, LaneClass::normal), "following");
  // A lane that is heard again after a silence tells as much; but once a minute must do, for what takes long.
  net.cut(kQuzhou, kHuangshan);
  const auto hear = [&](LaneClass lanes) {
    const Heartbeat beat{net.node(kQuzhou).now, {}};
    (void)net.at(kQuzhou, {net.node(kQuzhou).input(PeerMessage{{kHuangshan, lanes}, beat})});
  };
  net.pass(2 * kHeartbeatMs);
  hear(LaneClass::flash);
  net.pass(100);
  EXPECT_EQ(net.opened(kQuzhou, kHuangshan, LaneClass::bulk), bulk_before + 2);
  EXPECT_EQ(net.opened(kQuzhou, kHuangshan, LaneClass::normal), before + 1);
  net.mend(kQuzhou, kHuangshan);
  net.pass(kPeerSilenceMs + kMaxReconnectMs);
  const std::uint64_t now = net.opened(kQuzhou, kHuangshan, LaneClass::normal);
  // One that is heard stays.
  (void)net.at(kQuzhou, {net.node(kQuzhou).input(LinkLost{bulk, "the connection was closed"})});
  net.pass(kMaxReconnectMs);
  EXPECT_EQ(net.opened(kQuzhou, kHuangshan, LaneClass::normal), now);
}

TEST_F(LinkSightTest, APeerWhoseMessagesDoNotReadIsLeftForLongAndReported) {
  (void)net.at(kQuzhou, {net.node(kQuzhou).input(LinkLost{kToHuangshan, "it does not read", RefusalCode::malformed})});
  EXPECT_THAT(net.alarms, testing::Contains("330800 malformed"));
  net.pass(kMaxReconnectMs);
  EXPECT_EQ(net.state(kQuzhou, kHuangshan, LaneClass::normal), "refused");
  net.pass(kRefusedLinkRetryMs);
  EXPECT_EQ(net.state(kQuzhou, kHuangshan, LaneClass::normal), "following");
}

TEST_F(LinkSightTest, ADiskThatIsEmptyIsFilledAgainByThePeers) {
  for (int i = 0; i < 30; ++i) {
    say(kQuzhou, std::to_string(i));
    supply("team-" + std::to_string(i));
  }
  warn(kQuzhou, "a1");
  net.pass(1'000);
  net.node(kHuangshan).disk = Disk{};
  net.restart(kHuangshan);
  net.pass(kSettled);
  EXPECT_EQ(held(kHuangshan, kQuzhou).size(), 61U);
  EXPECT_EQ(net.node(kHuangshan).core.heads(), net.node(kQuzhou).core.heads());
  EXPECT_THAT(net.alarms, IsEmpty());
}

}  // namespace
}  // namespace lianxi::core
