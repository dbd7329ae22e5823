#include <gmock/gmock.h>

#include "schemas/limits.h"
#include "tests/unit/core/core_rig.h"

namespace lianxi::core {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Welcome welcome_of(const Effects& effects) {
  const auto found = messages<Welcome>(effects.sends);
  return found.empty() ? Welcome{} : found.front();
}

TEST(Sessions, HelloOpensASessionAndSaysWhoTheKeyIs) {
  CoreRig rig;
  const Welcome welcome = welcome_of(rig.hello(police(), 5));
  EXPECT_EQ(welcome.session, SessionId{5});
  EXPECT_EQ(welcome.agent, police().id);
  EXPECT_EQ(welcome.region, kQuzhou);
  EXPECT_FALSE(welcome.session_known);
  EXPECT_EQ(welcome.lanes.size(), kLaneCount);
}

TEST(Sessions, HelloRecallsASessionWithItsHighWaters) {
  CoreRig rig;
  rig.hello(police(), 5);
  (void)rig.publish(police(), 5, 1, {report("一"), report("二"), report("三")});
  (void)rig.publish(police(), 5, 4, {report("四")}, 2);
  rig.restart();
  const Welcome welcome = welcome_of(rig.hello(police(), 5));
  EXPECT_TRUE(welcome.session_known);
  EXPECT_EQ(welcome.lanes[1], (LaneState{Lane::normal, Sequence{4}, Sequence{2}}));
  EXPECT_EQ(welcome.lanes[0], (LaneState{Lane::flash, Sequence{0}, Sequence{0}}));
  EXPECT_EQ(welcome.head, Offset{5});
}

TEST(Sessions, AnUnusedSessionIsKnownAfterARestart) {
  CoreRig rig;
  rig.hello(police(), 5);
  rig.restart();
  EXPECT_TRUE(welcome_of(rig.hello(police(), 5)).session_known);
}

TEST(Sessions, ANodeBehindItsClientSaysSoByItsHighWater) {
  CoreRig rig;
  Hello hello;
  hello.session = SessionId{5};
  hello.lanes = {{Lane::normal, Sequence{90}, Sequence{80}}};
  const Welcome welcome = welcome_of(rig.turn({rig.says(police(), hello)}));
  EXPECT_FALSE(welcome.session_known);
  EXPECT_EQ(welcome.lanes[1].high_water, Sequence{0});
  EXPECT_EQ(welcome.lanes[1].answered_through, Sequence{0});
}

TEST(Sessions, HelloSaysWhichAnswersTheClientHolds) {
  CoreRig rig;
  rig.hello(police(), 5);
  (void)rig.publish(police(), 5, 1, {report("一"), report("二")});
  Hello hello;
  hello.session = SessionId{5};
  hello.lanes = {{Lane::normal, Sequence{2}, Sequence{2}}};
  (void)rig.turn({rig.says(police(), hello)});
  EXPECT_TRUE(rig.disk.answers.empty());
}

TEST(Sessions, TheSessionAfterTheLastIsRefusedAndNamesWhatToClose) {
  CoreRig rig;
  for (std::uint64_t i = 1; i <= kMaxSessionsPerAgent; ++i) {
    rig.hello(police(), i * 1000);
    rig.publish(police(), i * 1000, 1, {report("未确认")});
  }
  const Effects effects = rig.hello(police(), 99);
  const auto refused = messages<Refused>(effects.sends);
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].refusal.code, RefusalCode::too_many_sessions);
  EXPECT_THAT(refused[0].refusal.reason, HasSubstr("close_sessions"));
  EXPECT_THAT(refused[0].refusal.reason, HasSubstr(" 16000."));
  EXPECT_EQ(welcome_of(rig.hello(fire(), 99)).session, SessionId{99});  // another agent's count is its own
  EXPECT_EQ(welcome_of(rig.hello(police(), 99, {3000})).session, SessionId{99});
}

TEST(Sessions, AFullAgentLosesTheOldestSessionWhoseAnswersItHolds) {
  CoreRig rig;
  for (std::uint64_t i = 1; i <= kMaxSessionsPerAgent; ++i) {
    rig.hello(police(), i * 1000);
    rig.publish(police(), i * 1000, 1, {report("已确认")});
    rig.now += 1;
  }
  for (const std::uint64_t done : {5'000U, 3'000U}) {
    rig.turn({rig.says(police(), Hello{SessionId{done}, {{Lane::normal, Sequence{1}, Sequence{1}}}, {}, ""})});
    rig.now += 1;
  }
  EXPECT_EQ(messages<Welcome>(rig.hello(police(), 77).sends).size(), 1U);
  EXPECT_FALSE(messages<Welcome>(rig.hello(police(), 5'000).sends).at(0).session_known);  // gone, and 3000 went for it
  EXPECT_TRUE(messages<Welcome>(rig.hello(police(), 77).sends).at(0).session_known);
  EXPECT_TRUE(messages<Welcome>(rig.hello(police(), 1'000).sends).at(0).session_known);
}

TEST(Sessions, AClosedSessionIsForgottenWithItsAnswers) {
  CoreRig rig;
  rig.hello(police(), 5);
  (void)rig.publish(police(), 5, 1, {report("一")});
  rig.hello(police(), 6, {5});
  EXPECT_TRUE(rig.disk.answers.empty());
  EXPECT_THAT(rig.publish(police(), 5, 2, {report("二")}), ElementsAre("refused session_unknown session"));
  rig.restart();
  EXPECT_THAT(rig.publish(police(), 5, 2, {report("二")}), ElementsAre("refused session_unknown session"));
}

TEST(Sessions, ASessionClosedInTheTurnOfItsPublishStillGetsItsReceipt) {
  CoreRig rig;
  rig.hello(police(), 5);
  Hello hello;
  hello.session = SessionId{6};
  hello.close_sessions = {SessionId{5}};
  const Effects effects =
      rig.turn({rig.says(police(), CoreRig::publish_message(5, Lane::normal, 1, {report("一")})), rig.says(police(), hello)});
  EXPECT_THAT(lines_of(effects.sends), ElementsAre("1 ok conference#1 @1"));
  EXPECT_TRUE(rig.disk.answers.empty());
  EXPECT_EQ(rig.disk.events(kQuzhou).size(), 1U);
}

TEST(Sessions, ASessionClosedAndOpenedInOneTurnIsFresh) {
  CoreRig rig;
  rig.hello(police(), 5);
  (void)rig.publish(police(), 5, 1, {report("一")});
  Hello close;
  close.session = SessionId{6};
  close.close_sessions = {SessionId{5}};
  Hello open;
  open.session = SessionId{5};
  const auto welcomes = messages<Welcome>(rig.turn({rig.says(police(), close), rig.says(police(), open)}).sends);
  ASSERT_EQ(welcomes.size(), 2U);
  EXPECT_FALSE(welcomes[1].session_known);
  rig.restart();
  EXPECT_THAT(rig.publish(police(), 5, 1, {report("二")}), ElementsAre("1 ok conference#2 @2"));
}

TEST(Sessions, AnAgentCannotCloseAnothersSession) {
  CoreRig rig;
  rig.hello(police(), 5);
  rig.hello(fire(), 6, {5});
  EXPECT_THAT(rig.publish(police(), 5, 1, {report("一")}), ElementsAre("1 ok conference#1 @1"));
}

TEST(Sessions, SessionZeroAndClosingOneselfAreRefused) {
  CoreRig rig;
  EXPECT_THAT(lines_of(rig.hello(police(), 0).sends), ElementsAre("refused invalid_field session"));
  EXPECT_THAT(lines_of(rig.hello(police(), 5, {5}).sends), ElementsAre("refused invalid_field close_sessions"));
}

Hello volatile_hello(std::uint64_t session) {
  Hello hello;
  hello.session = SessionId{session};
  hello.volatile_outbox = true;
  return hello;
}

// Sixteen programs without a durable outbox that published, and will never say that they have their answers.
void leave_sixteen_behind(CoreRig& rig) {
  for (std::uint64_t i = 1; i <= kMaxSessionsPerAgent; ++i) {
    rig.turn({rig.says(police(), volatile_hello(i), "connection " + std::to_string(i))});
    (void)rig.publish(police(), i, 1, {report("未确认")});
    rig.now += 1;
  }
}

TEST(Sessions, ADeadVolatileSessionGivesWayTheOneThatWasHeardLeastLatelyFirst) {
  CoreRig rig;
  leave_sixteen_behind(rig);
  rig.now += kPeerSilenceMs + 1;
  // A word on its connection, or a publish in it, shows that a client lives.
  (void)rig.turn({rig.says(police(), Heartbeat{}, "connection 1")});
  (void)rig.publish(police(), 2, 2, {report("还在")});
  EXPECT_EQ(welcome_of(rig.hello(police(), 99)).session, SessionId{99});
  for (const std::uint64_t alive : {1U, 2U, 4U})
    EXPECT_TRUE(welcome_of(rig.turn({rig.says(police(), volatile_hello(alive))})).session_known) << alive;
  EXPECT_FALSE(welcome_of(rig.turn({rig.says(police(), volatile_hello(3))})).session_known);
}

TEST(Sessions, VolatileSessionsThatAreHeardAreNotDropped) {
  CoreRig rig;
  leave_sixteen_behind(rig);
  EXPECT_EQ(messages<Refused>(rig.hello(police(), 99).sends).at(0).refusal.code, RefusalCode::too_many_sessions);
}

TEST(Sessions, AnyOpeningHelloClosesVolatileSessionsSilentForTenMinutes) {
  CoreRig rig;
  rig.turn({rig.says(police(), volatile_hello(1))});
  rig.hello(police(), 2);
  rig.now += 600'001;
  rig.hello(police(), 3);
  EXPECT_TRUE(welcome_of(rig.hello(police(), 2)).session_known) << "a durable outbox may come back";
  EXPECT_FALSE(welcome_of(rig.turn({rig.says(police(), volatile_hello(1))})).session_known);
}

TEST(Sessions, AClockThatWasSetBackDoesNotKeepTheDead) {
  CoreRig rig;
  leave_sixteen_behind(rig);
  rig.now -= 3'600'000;
  rig.hello(police(), 98);
  rig.now += kPeerSilenceMs + 1;
  EXPECT_EQ(welcome_of(rig.hello(police(), 99)).session, SessionId{99});
}

}  // namespace
}  // namespace lianxi::core
