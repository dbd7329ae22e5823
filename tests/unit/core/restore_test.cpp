// A node that was restored from a backup: a new epoch, and what it lost comes back from whoever holds it.
#include <gmock/gmock.h>

#include "schemas/limits.h"
#include "tests/unit/core/links_fixture.h"

namespace lianxi::core {
namespace {

using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr TimeMs kMeet = kPeerSilenceMs + 2 * kMaxReconnectMs;

class RestoreTest : public LinksTest {
 protected:
  RestoreTest() {
    open(kQuzhou);
    net.pass(500);
    say(kQuzhou, "一");
    backup = net.node(kQuzhou).disk;
    say(kQuzhou, "二");
    warn(kQuzhou, "a1");
    say(kQuzhou, "只在本市", Audience::local());
    say(kQuzhou, "只给两市", audience("qu-huang"));
  }
  void cut_off() {
    net.cut(kQuzhou, kHuangshan);
    net.cut(kQuzhou, kNanping);
  }
  void meet() {
    net.mend(kQuzhou, kHuangshan);
    net.mend(kQuzhou, kNanping);
    net.pass(kMeet);
  }
  // In the session that the client opens when it finds the node behind.
  Effects publish(std::uint64_t number, const Event& event, const Audience& whom = Audience::conference(),
                  Lane lane = Lane::normal) {
    if (number == 1) open(kQuzhou, 2);
    return net.at(kQuzhou,
                  {net.node(kQuzhou).says(officer(kQuzhou), CoreRig::publish_message(2, lane, number, {to(event, whom)}))});
  }
  Disk backup;
};

TEST_F(RestoreTest, WhatItLostComesBackFromItsPeersAndNothingTwice) {
  cut_off();
  net.node(kQuzhou).restore(backup);
  (void)publish(1, report("恢复后", "emergency"));
  EXPECT_THAT(held(kQuzhou, kQuzhou), ElementsAre("一", "恢复后"));
  net.alarms.clear();
  meet();
  for (const RegionCode region : {kQuzhou, kHuangshan}) {
    EXPECT_THAT(held(region, kQuzhou), testing::UnorderedElementsAre("一", "二", "a1", "只给两市", "恢复后")) << to_text(region);
  }
  EXPECT_THAT(held(kNanping, kQuzhou), testing::UnorderedElementsAre("一", "二", "a1", "恢复后"));
  EXPECT_THAT(net.alarms, Each(HasSubstr(" fenced"))) << "361100 is not there";
  (void)publish(2, report("继续", "emergency"));
  EXPECT_THAT(held(kNanping, kQuzhou), Contains("继续"));
  net.restart(kQuzhou);
  net.pass(kMeet);
  EXPECT_THAT(held(kQuzhou, kQuzhou), testing::SizeIs(6));
  EXPECT_THAT(net.alarms, Each(HasSubstr(" fenced"))) << "361100 is not there";
}

TEST_F(RestoreTest, AnAlertThatItHadForgottenIsKnownAgain) {
  cut_off();
  net.node(kQuzhou).restore(backup);
  meet();
  EXPECT_THAT(lines_of(publish(1, alert("a1", "a1"), Audience::conference(), Lane::flash).sends),
              ElementsAre(StartsWith("1 conflict")));
}

TEST_F(RestoreTest, TheOneBeforeThatStillRunsStopsWhenItHears) {
  const Disk first = net.node(kQuzhou).disk;
  cut_off();
  net.node(kQuzhou).restore(backup);
  (void)publish(1, report("恢复后", "emergency"));
  meet();
  // The machine that was thought lost comes back with its old disk, in the old epoch.
  LinkRig old({kQuzhou, kHuangshan, kNanping}, members);
  old.node(kQuzhou).disk = first;
  old.node(kQuzhou).restart();
  old.node(kHuangshan).disk = net.node(kHuangshan).disk;
  old.node(kHuangshan).restart();
  old.pass(kMeet);
  EXPECT_THAT(old.alarms, Contains("330800 feed_forked"));
  const auto message = CoreRig::publish_message(1, Lane::normal, 5, {report("旧机", "emergency")});
  EXPECT_THAT(lines_of(old.at(kQuzhou, {old.node(kQuzhou).says(officer(kQuzhou), message)}).sends),
              ElementsAre("5 feed_forked audience"));
}

TEST_F(RestoreTest, AFormerEpochOfAnotherHistoryIsReportedAndNotTaken) {
  cut_off();
  // The backup was started as it is and published, before it was restored with an epoch.
  net.node(kQuzhou).disk = backup;
  net.restart(kQuzhou);
  (void)net.at(kQuzhou, {net.node(kQuzhou).says(
                            officer(kQuzhou), CoreRig::publish_message(1, Lane::normal, 2, {report("另一个二", "emergency")}))});
  const Disk wrong = net.node(kQuzhou).disk;
  net.node(kQuzhou).restore(wrong);
  net.alarms.clear();
  meet();
  EXPECT_THAT(held(kQuzhou, kQuzhou), Contains("另一个二"));
  EXPECT_THAT(held(kQuzhou, kQuzhou), Not(Contains("二")));
  EXPECT_THAT(held(kHuangshan, kQuzhou), Not(Contains("另一个二")));
  EXPECT_THAT(held(kHuangshan, kQuzhou), Contains("二"));
  EXPECT_EQ(std::count(net.alarms.begin(), net.alarms.end(), "330800 feed_forked"), 1);
  net.pass(2 * kAlarmRepeatMs);
  EXPECT_EQ(std::count(net.alarms.begin(), net.alarms.end(), "330800 feed_forked"), 1) << "there is nothing left to mend";
  (void)publish(1, report("恢复后", "emergency"));
  EXPECT_THAT(held(kHuangshan, kQuzhou), Contains("恢复后")) << "today's epoch is sound";
}

TEST_F(RestoreTest, OwnEventsOfTodaysEpochAreNotTakenFromAnybody) {
  const StoredSegment today = net.node(kQuzhou).disk.segments.back();
  net.tamper = [&](RegionCode from, RegionCode to, Deliver& deliver) {
    if (from == kHuangshan && to == kQuzhou) deliver.segments = with_seal(today.bytes, *today.seal);
  };
  open(kHuangshan);
  say(kHuangshan, "山洪");
  EXPECT_THAT(net.alarms, Contains("330800 wrong_region"));
}

}  // namespace
}  // namespace lianxi::core
