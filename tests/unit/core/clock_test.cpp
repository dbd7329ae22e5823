// Clocks that cannot be believed: told, shown while it is so, and never followed.
#include <gmock/gmock.h>

#include "schemas/limits.h"
#include "tests/unit/core/links_fixture.h"

namespace lianxi::core {
namespace {

using testing::Contains;
using testing::IsEmpty;
using testing::Not;

std::vector<std::string> standing(const CoreRig& rig) {
  std::vector<std::string> found;
  for (const AlarmRow& row : rig.core.alarms()) found.push_back(row.about.empty() ? row.what : row.what + " " + row.about);
  return found;
}

class ClockTest : public LinksTest {
 protected:
  ClockTest() {
    open(kQuzhou);
    net.pass(500);
  }
  [[nodiscard]] long told(const std::string& alarm) const { return std::count(net.alarms.begin(), net.alarms.end(), alarm); }
  Hlc last_stamp() {
    const auto segment = Segment::parse(net.node(kQuzhou).disk.segments.back().bytes).value();
    return segment.records().back().stamp.time;
  }
};

TEST_F(ClockTest, AnOwnClockThatJumpsBackIsToldUntilItIsRightAndStampsGoOn) {
  say(kQuzhou, "一");
  const Hlc before = last_stamp();
  net.node(kQuzhou).now -= 2 * kMaxClockSkewMs;
  net.pass(500);
  EXPECT_EQ(told("330800 clock_behind"), 1);
  EXPECT_THAT(standing(net.node(kQuzhou)), Contains("clock_behind"));
  say(kQuzhou, "二");
  EXPECT_GT(last_stamp(), before);
  net.node(kQuzhou).now += 2 * kMaxClockSkewMs;
  net.pass(500);
  EXPECT_EQ(told("330800 clock_behind_over"), 1);
  EXPECT_THAT(standing(net.node(kQuzhou)), Not(Contains("clock_behind")));
}

TEST_F(ClockTest, ASmallStepBackIsNoAlarm) {
  say(kQuzhou, "一");
  net.node(kQuzhou).now -= kMaxClockSkewMs / 2;
  net.pass(500);
  EXPECT_THAT(net.alarms, IsEmpty());
}

TEST_F(ClockTest, AClockBehindTheJournalsLastTimeIsToldAtStart) {
  say(kQuzhou, "一");
  const Hlc before = last_stamp();
  net.node(kQuzhou).now -= 3'600'000;
  net.restart(kQuzhou);
  net.pass(300);
  EXPECT_EQ(told("330800 clock_behind"), 1);
  open(kQuzhou, 2);
  (void)net.at(kQuzhou, {net.node(kQuzhou).says(officer(kQuzhou),
                                                CoreRig::publish_message(2, Lane::normal, 1, {report("二", "emergency")}))});
  EXPECT_GT(last_stamp(), before);
}

TEST_F(ClockTest, APeersClockIsToldOnceAMinuteAndOverWhenItsHeartbeatsAreRight) {
  const auto beat = [&](TimeMs ahead_ms) {
    CoreRig& rig = net.node(kHuangshan);
    (void)net.at(kHuangshan, {rig.input(PeerMessage{{kQuzhou, LaneClass::rest}, Heartbeat{rig.now + ahead_ms, {}}})});
  };
  beat(kMaxClockSkewMs);
  EXPECT_EQ(told("341000 clock_ahead"), 0);
  for (int i = 0; i < 5; ++i) beat(kMaxClockSkewMs + 1'000);
  EXPECT_EQ(told("341000 clock_ahead"), 1);
  EXPECT_THAT(standing(net.node(kHuangshan)), Contains("clock_ahead 330800"));
  net.node(kHuangshan).now += kAlarmRepeatMs;
  beat(kMaxClockSkewMs + 1'000);
  EXPECT_EQ(told("341000 clock_ahead"), 2);
  beat(0);
  EXPECT_EQ(told("341000 clock_ahead_over"), 1);
  EXPECT_THAT(standing(net.node(kHuangshan)), IsEmpty());
}

TEST_F(ClockTest, AFollowersHeartbeatTellsItsClockToo) {
  net.node(kHuangshan).now += 2 * kMaxClockSkewMs;
  net.pass(3 * kHeartbeatMs);
  EXPECT_EQ(told("330800 clock_ahead"), 1);
  EXPECT_EQ(told("350700 clock_ahead"), 1);
  EXPECT_EQ(told("341000 clock_ahead"), 0) << "the one that is ahead sees others behind";
}

TEST_F(ClockTest, StampsFarAheadStandAsAnAlarmUntilTheirTimeHasCome) {
  net.node(kQuzhou).now += 5 * kMaxClockSkewMs;
  net.pass(500);
  say(kQuzhou, "明天");
  EXPECT_THAT(standing(net.node(kHuangshan)), Contains("clock_ahead 330800"));
  // Its clock is right again, its last stamp is not.
  CoreRig& rig = net.node(kHuangshan);
  const auto beat = [&] {
    (void)net.at(kHuangshan, {rig.input(PeerMessage{{kQuzhou, LaneClass::rest}, Heartbeat{rig.now, {}}})});
  };
  beat();
  EXPECT_THAT(standing(rig), Contains("clock_ahead 330800"));
  rig.now += 5 * kMaxClockSkewMs;
  beat();
  EXPECT_THAT(standing(rig), Not(Contains("clock_ahead 330800")));
}

}  // namespace
}  // namespace lianxi::core
