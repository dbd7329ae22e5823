// Promise 3: a follower receives what it may, in order, once per cursor, as far as its credit goes.
#include <gmock/gmock.h>

#include "broker/core/followers.h"
#include "schemas/limits.h"
#include "tests/unit/core/core_rig.h"

namespace lianxi::core {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::uint64_t kPlenty = 1024 * 1024;

Follow follow(std::uint64_t id, FollowFrom from = FollowFrom::beginning) {
  Follow f;
  f.follow = SessionId{id};
  f.from = from;
  f.credit_bytes = kPlenty;
  f.credit_messages = 100;
  return f;
}

class FollowersTest : public testing::Test {
 protected:
  FollowersTest() { (void)rig.hello(police(), 1); }
  Effects say(const std::string& text) {
    return rig.turn({rig.says(police(), CoreRig::publish_message(1, Lane::normal, ++sent_, {report(text)}))});
  }
  Effects ask(const Agent& agent, Message message, const std::string& connection = {}) {
    return rig.turn({rig.says(agent, std::move(message), connection)});
  }
  CoreRig rig;

 private:
  std::uint64_t sent_ = 0;
};

TEST_F(FollowersTest, FromTheBeginningEverythingComesAndThenWhatIsNew) {
  say("一");
  say("二");
  const Effects followed = ask(fire(), follow(7));
  ASSERT_EQ(messages<Followed>(followed.sends).size(), 1U);
  EXPECT_EQ(messages<Followed>(followed.sends)[0].offset, Offset{1});
  EXPECT_EQ(messages<Followed>(followed.sends)[0].head, Offset{3});
  EXPECT_THAT(words(rig.serve(followed)), ElementsAre("一", "二"));
  EXPECT_THAT(words(rig.serve(say("三"))), ElementsAre("三"));
  EXPECT_EQ(rig.core.follower_count(), 1U);
}

TEST_F(FollowersTest, FromNowOnlyWhatIsNewComes) {
  say("一");
  EXPECT_THAT(words(rig.serve(ask(fire(), follow(7, FollowFrom::now)))), IsEmpty());
  EXPECT_THAT(words(rig.serve(say("二"))), ElementsAre("二"));
}

TEST_F(FollowersTest, FromACursorOfThisJournalDeliveryGoesOnThere) {
  say("一");
  say("二");
  Follow f = follow(7, FollowFrom::cursor);
  f.node = kQuzhou;
  f.incarnation = Incarnation{9};
  f.offset = Offset{2};
  EXPECT_THAT(words(rig.serve(ask(fire(), f))), ElementsAre("二"));
}

TEST_F(FollowersTest, ACursorOfAnotherNodeOrIncarnationOrBeyondTheHeadIsUnknown) {
  Follow f = follow(7, FollowFrom::cursor);
  f.node = kQuzhou;
  f.incarnation = Incarnation{9};
  f.offset = Offset{2};
  EXPECT_THAT(lines_of(ask(fire(), f).sends), ElementsAre("refused cursor_unknown offset"));
  f.offset = Offset{1};
  f.incarnation = Incarnation{8};
  EXPECT_THAT(lines_of(ask(fire(), f).sends), ElementsAre("refused cursor_unknown offset"));
  f.incarnation = Incarnation{9};
  f.node = kHuangshan;
  EXPECT_THAT(lines_of(ask(fire(), f).sends), ElementsAre("refused cursor_unknown offset"));
  f.node = kQuzhou;
  EXPECT_THAT(lines_of(ask(fire(), f).sends), IsEmpty());
}

TEST_F(FollowersTest, AFeedVectorSkipsWhatIsHeldAndStartsAtTheHeadIfThatIsAll) {
  say("一");
  const FeedVector one = rig.core.heads();
  say("二");
  Follow f = follow(7, FollowFrom::vector);
  f.vector = one;
  EXPECT_THAT(words(rig.serve(ask(fire(), f))), ElementsAre("二"));
  f.follow = SessionId{8};
  f.vector = rig.core.heads();
  const Effects effects = ask(fire(), f);
  EXPECT_EQ(messages<Followed>(effects.sends)[0].offset, Offset{3});
  EXPECT_THAT(effects.deliveries, IsEmpty());
}

TEST_F(FollowersTest, WithoutCreditNothingIsOrderedAndCreditResumes) {
  say("一");
  Follow f = follow(7);
  f.credit_messages = 0;
  EXPECT_THAT(ask(fire(), f).deliveries, IsEmpty());
  EXPECT_THAT(say("二").deliveries, IsEmpty());
  EXPECT_THAT(words(rig.serve(ask(fire(), Credit{SessionId{7}, 0, 10, Offset{}}))), ElementsAre("一", "二"));
}

TEST_F(FollowersTest, ADeliveryCostsItsBytesAndOneMessage) {
  say("一");
  Follow f = follow(7);
  f.credit_bytes = 10'000;
  f.credit_messages = 2;
  const Effects first = ask(fire(), f);
  ASSERT_EQ(first.deliveries.size(), 1U);
  EXPECT_EQ(first.deliveries[0].max_bytes, 10'000U);
  const auto got = rig.serve(first);
  const Effects second = say("二");
  ASSERT_EQ(second.deliveries.size(), 1U);
  EXPECT_EQ(second.deliveries[0].max_bytes, 10'000U - got[0].segments.size());
  (void)rig.serve(second);
  EXPECT_THAT(say("三").deliveries, IsEmpty());  // both messages are used up
}

TEST_F(FollowersTest, CreditCannotOverflow) {
  say("一");
  Follow f = follow(7);
  f.credit_bytes = ~std::uint64_t{0};
  f.credit_messages = ~std::uint32_t{0};
  const Effects effects = ask(fire(), f);
  EXPECT_EQ(effects.deliveries.at(0).max_bytes, kMaxCreditBytes);
  (void)rig.serve(effects);
  (void)ask(fire(), Credit{SessionId{7}, ~std::uint64_t{0}, ~std::uint32_t{0}, Offset{}});
  EXPECT_EQ(say("二").deliveries.at(0).max_bytes, kMaxCreditBytes);
}

TEST_F(FollowersTest, OneOrderIsUnderWayAtATime) {
  say("一");
  const Effects first = ask(fire(), follow(7));
  ASSERT_EQ(first.deliveries.size(), 1U);
  EXPECT_THAT(say("二").deliveries, IsEmpty());
  const Effects after = rig.step(Delivered{first.deliveries[0].connection, SessionId{7}, Offset{2}, 100, true, false});
  ASSERT_EQ(after.deliveries.size(), 1U);
  EXPECT_EQ(after.deliveries[0].from, Offset{2});
  EXPECT_EQ(after.deliveries[0].head, Offset{3});
}

TEST_F(FollowersTest, WhatCouldNotBeSentWaitsForATickOrCredit) {
  say("一");
  const Effects first = ask(fire(), follow(7));
  const Delivered full{first.deliveries.at(0).connection, SessionId{7}, Offset{1}, 0, false, false};
  EXPECT_THAT(rig.step(full).deliveries, IsEmpty());
  EXPECT_THAT(say("二").deliveries, IsEmpty());
  const Effects again = rig.step(Tick{});
  ASSERT_EQ(again.deliveries.size(), 1U);
  EXPECT_EQ(again.deliveries[0].from, Offset{1});
  EXPECT_THAT(rig.step(full).deliveries, IsEmpty());
  EXPECT_EQ(ask(fire(), Credit{SessionId{7}, 1, 1, Offset{}}).deliveries.size(), 1U);
}

TEST_F(FollowersTest, WhatCouldNotBeSentIsTriedAgainSoonAndThenEverLater) {
  say("一");
  const Effects first = ask(fire(), follow(7));
  const Delivered full{first.deliveries.at(0).connection, SessionId{7}, Offset{1}, 0, false, false};
  TimeMs before = 0;
  for (int i = 0; i < 10; ++i) {
    (void)rig.step(full);
    ASSERT_TRUE(rig.core.retry_at());
    const TimeMs wait = *rig.core.retry_at() - rig.now;
    EXPECT_GE(wait, before);
    EXPECT_GT(wait, 0);
    EXPECT_LE(wait, kLastRetryMs);
    before = wait;
    rig.now += wait;
    ASSERT_EQ(rig.turn({}).deliveries.size(), 1U);
  }
  EXPECT_EQ(before, kLastRetryMs);
  (void)rig.step(Delivered{full.connection, SessionId{7}, Offset{2}, 10, true, false});
  EXPECT_FALSE(rig.core.retry_at());
}

TEST_F(FollowersTest, AFollowerThatTakesNothingForLongIsEndedWithAReason) {
  say("一");
  Follow f = follow(7);
  f.credit_messages = 0;
  (void)ask(fire(), f);
  (void)ask(police(), follow(8, FollowFrom::now));  // stands at the head: takes nothing either, and may stay
  Effects last;
  for (TimeMs passed = 0; passed <= kStuckFollowerMs; passed += kHeartbeatMs) {
    (void)ask(fire(), Heartbeat{rig.now, {}});
    (void)ask(police(), Heartbeat{rig.now, {}});
    EXPECT_EQ(rig.core.follower_count(), 2U);
    last = rig.pass(kHeartbeatMs);
    if (rig.core.follower_count() == 1) break;
  }
  ASSERT_EQ(messages<Unfollow>(last.sends).size(), 1U);
  EXPECT_EQ(messages<Unfollow>(last.sends)[0].follow, SessionId{7});
  EXPECT_FALSE(messages<Unfollow>(last.sends)[0].reason.empty());
  ASSERT_EQ(last.alarms.size(), 1U);
  EXPECT_EQ(last.alarms[0].what, "follower_stuck");
}

TEST_F(FollowersTest, OneThatStandsAtTheHeadIsToldSoOnceASecondIfItGetsNothing) {
  const Effects first = ask(fire(), follow(7));
  EXPECT_THAT(first.deliveries, IsEmpty());
  const Effects second = say("一");
  ASSERT_EQ(second.deliveries.size(), 1U);
  EXPECT_TRUE(second.deliveries[0].quiet) << "it was told just now";
  // The ring found nothing for it and said nothing.
  EXPECT_THAT(rig.step(Delivered{second.deliveries[0].connection, SessionId{7}, Offset{2}, 0, false, false, 0}).deliveries,
              IsEmpty());
  const Effects later = rig.pass(kStandingWordMs + 100);
  ASSERT_EQ(later.deliveries.size(), 1U);
  EXPECT_EQ(later.deliveries[0].from, Offset{2});
  EXPECT_EQ(later.deliveries[0].head, Offset{2});
  EXPECT_FALSE(later.deliveries[0].quiet);
}

TEST_F(FollowersTest, AVectorIsSearchedOnceAndForgottenBehindWhatItHeld) {
  say("一");
  const FeedVector one = rig.core.heads();
  say("二");
  Follow f = follow(7, FollowFrom::vector);
  f.vector = one;
  f.vector.push_back({{RegionCode{990000}, Epoch{1}, Lane::normal, Audience::conference()}, {Sequence{5}, {}}});
  const Effects first = ask(fire(), f);
  ASSERT_EQ(first.deliveries.size(), 1U);
  EXPECT_TRUE(first.deliveries[0].search);
  EXPECT_EQ(first.deliveries[0].spec->have.size(), 1U) << "nobody of that region is a member";
  (void)rig.serve(first);
  const Effects second = say("三");
  ASSERT_EQ(second.deliveries.size(), 1U);
  EXPECT_FALSE(second.deliveries[0].search);
  EXPECT_THAT(second.deliveries[0].spec->have, IsEmpty());
}

TEST_F(FollowersTest, WhatThisNodeDoesNotHoldYetIsStillSkippedLater) {
  say("一");
  Follow f = follow(7, FollowFrom::vector);
  f.vector = {{{kHuangshan, Epoch{1}, Lane::normal, Audience::conference()}, {Sequence{5}, {}}}};
  (void)rig.serve(ask(fire(), f));
  const Effects later = say("二");
  ASSERT_EQ(later.deliveries.size(), 1U);
  EXPECT_EQ(later.deliveries[0].spec->have, f.vector);
}

TEST_F(FollowersTest, AFollowerWhoseConnectionIsGoneIsForgotten) {
  say("一");
  const Effects first = ask(fire(), follow(7));
  (void)rig.step(Delivered{first.deliveries.at(0).connection, SessionId{7}, Offset{1}, 0, false, true});
  EXPECT_EQ(rig.core.follower_count(), 0U);
  (void)ask(fire(), follow(7));
  (void)rig.step(ConnectionLost{{1, fire().id.text()}});
  EXPECT_EQ(rig.core.follower_count(), 0U);
}

TEST_F(FollowersTest, AfterUnfollowNothingComes) {
  (void)ask(fire(), follow(7));
  (void)ask(fire(), Unfollow{SessionId{7}, "done"});
  EXPECT_EQ(rig.core.follower_count(), 0U);
  EXPECT_THAT(say("一").deliveries, IsEmpty());
}

TEST_F(FollowersTest, AnIdIsFreeAgainOnlyWhenItsOrderIsReported) {
  say("一");
  const Effects first = ask(fire(), follow(7));
  (void)ask(fire(), Unfollow{SessionId{7}, "done"});
  EXPECT_THAT(lines_of(ask(fire(), follow(7)).sends), ElementsAre("refused busy follow"));
  (void)rig.step(Delivered{first.deliveries.at(0).connection, SessionId{7}, Offset{2}, 10, true, false});
  EXPECT_THAT(words(rig.serve(ask(fire(), follow(7)))), ElementsAre("一"));
}

TEST_F(FollowersTest, AnOpenIdIsAConflict) {
  (void)ask(fire(), follow(7));
  EXPECT_THAT(lines_of(ask(fire(), follow(7)).sends), ElementsAre("refused conflict follow"));
  EXPECT_THAT(lines_of(ask(fire(), follow(7), "second connection").sends), IsEmpty());
}

TEST_F(FollowersTest, CreditForAnUnknownFollowIsAnsweredAndCounted) {
  const Effects effects = ask(fire(), Credit{SessionId{9}, 1, 1, Offset{}});
  EXPECT_THAT(lines_of(effects.sends), ElementsAre("refused not_found follow"));
  EXPECT_THAT(codes(effects), ElementsAre(RefusalCode::not_found));
}

TEST_F(FollowersTest, TooManyFollowsAreRefused) {
  for (std::uint64_t i = 1; i <= kMaxFollowersPerAgent; ++i) EXPECT_THAT(lines_of(ask(fire(), follow(i)).sends), IsEmpty());
  EXPECT_THAT(lines_of(ask(fire(), follow(999), "elsewhere").sends), ElementsAre("refused too_many_followers follow"));
  (void)ask(fire(), Unfollow{SessionId{1}, ""});
  EXPECT_THAT(lines_of(ask(fire(), follow(999), "elsewhere").sends), IsEmpty());
}

TEST_F(FollowersTest, AFilterBeyondItsBoundIsRefused) {
  Follow f = follow(7);
  f.filter.agencies.assign(kMaxFilterItems + 1, "fire");
  EXPECT_THAT(lines_of(ask(fire(), f).sends), ElementsAre("refused oversize filter.agencies"));
  f = follow(7);
  f.lanes = 0;
  EXPECT_THAT(lines_of(ask(fire(), f).sends), ElementsAre("refused invalid_field lanes"));
}

TEST_F(FollowersTest, WhoMayFollowNothingIsRefused) {
  CoreRig closed(kQuzhou, four_cities(), std::make_shared<const Policy>());
  EXPECT_THAT(lines_of(closed.turn({closed.says(fire(), follow(7))}).sends), ElementsAre("refused not_allowed agent"));
}

TEST_F(FollowersTest, AFilterThatNoRuleMeetsIsRefusedAndNotLeftSilent) {
  Rule alerts;
  alerts.kinds = {Kind::alert};
  const auto policy = std::make_shared<const Policy>(std::vector<Grant>{{"*.fire.*", {}, {alerts}, {}}});
  CoreRig some(kQuzhou, four_cities(), policy);
  Follow f = follow(7);
  f.filter.kinds = {Kind::incident};
  const Effects refused = some.turn({some.says(fire(), f)});
  EXPECT_THAT(lines_of(refused.sends), ElementsAre("refused not_allowed filter.kinds"));
  EXPECT_EQ(some.core.follower_count(), 0U);
  f.filter.kinds = {Kind::incident, Kind::alert};
  EXPECT_THAT(lines_of(some.turn({some.says(fire(), f)}).sends), IsEmpty());
}

TEST_F(FollowersTest, AFollowWhoseFilterANewPolicyNoLongerMeetsEnds) {
  Follow f = follow(7);
  f.filter.kinds = {Kind::incident};
  (void)ask(fire(), f);
  (void)ask(fire(), follow(8));
  Rule alerts;
  alerts.kinds = {Kind::alert};
  const auto policy = std::make_shared<const Policy>(std::vector<Grant>{{"*.fire.*", {}, {alerts}, {}}});
  const Effects effects = rig.step(PolicyChanged{policy, nullptr, nullptr});
  ASSERT_EQ(messages<Unfollow>(effects.sends).size(), 1U);
  EXPECT_EQ(messages<Unfollow>(effects.sends)[0].follow, SessionId{7});
  EXPECT_EQ(rig.core.follower_count(), 1U);
}

TEST_F(FollowersTest, AnOpenFollowHasItsAgentsNewRoleAndEndsWithItsKey) {
  (void)ask(fire(), follow(7));
  auto agents = std::make_shared<std::map<AgentId, Agent>>();
  Agent now_operator = fire();
  now_operator.role = Role::operator_;
  agents->emplace(now_operator.id, now_operator);
  (void)rig.step(PolicyChanged{nullptr, nullptr, agents});
  const Effects effects = say("一");
  ASSERT_EQ(effects.deliveries.size(), 1U);
  EXPECT_EQ(effects.deliveries[0].spec->agent.role, Role::operator_);
  (void)rig.serve(effects);
  EXPECT_EQ(
      messages<Unfollow>(rig.step(PolicyChanged{nullptr, nullptr, std::make_shared<std::map<AgentId, Agent>>()}).sends).size(),
      1U);
  EXPECT_EQ(rig.core.follower_count(), 0U);
}

TEST_F(FollowersTest, WholeFeedsAreForMemberNodesOnly) {
  Follow f = follow(7, FollowFrom::vector);
  f.mode = FollowMode::feeds;
  EXPECT_THAT(lines_of(ask(fire(), f).sends), ElementsAre("refused not_allowed mode"));
  EXPECT_THAT(lines_of(ask(node_of(RegionCode{110000}), f).sends), ElementsAre("refused not_allowed mode"));
  EXPECT_THAT(lines_of(ask(node_of(kHuangshan), f).sends), IsEmpty());
}

TEST_F(FollowersTest, AfterAPolicyWithoutRightsTheFollowEnds) {
  (void)ask(fire(), follow(7));
  const Effects effects = rig.step(PolicyChanged{std::make_shared<const Policy>(), nullptr, nullptr});
  ASSERT_EQ(messages<Unfollow>(effects.sends).size(), 1U);
  EXPECT_EQ(messages<Unfollow>(effects.sends)[0].follow, SessionId{7});
  EXPECT_EQ(rig.core.follower_count(), 0U);
}

TEST_F(FollowersTest, AnIdleFollowerHearsAHeartbeatAndASilentOneIsDropped) {
  (void)ask(fire(), follow(7));
  const auto idle = rig.pass(kHeartbeatMs);
  ASSERT_EQ(messages<Heartbeat>(idle.sends).size(), 1U);
  EXPECT_THAT(messages<Heartbeat>(idle.sends)[0].vector, IsEmpty());
  for (int i = 0; i < 5; ++i) {
    (void)ask(fire(), Heartbeat{rig.now, {}});
    (void)rig.pass(kHeartbeatMs);
  }
  EXPECT_EQ(rig.core.follower_count(), 1U);
  const auto silent = rig.pass(kPeerSilenceMs);
  EXPECT_EQ(messages<Unfollow>(silent.sends).size(), 1U);
  EXPECT_EQ(rig.core.follower_count(), 0U);
}

TEST_F(FollowersTest, AClockSetBackNeitherDropsNorSilencesAFollower) {
  (void)ask(fire(), follow(7));
  rig.now -= 3'600'000;
  EXPECT_FALSE(messages<Heartbeat>(rig.pass(kHeartbeatMs + 200).sends).empty());
  EXPECT_EQ(rig.core.follower_count(), 1U);
}

TEST_F(FollowersTest, AMemberNodesHeartbeatShowsTheFeedsItMayHold) {
  say("一");
  (void)rig.publish(police(), 1, 2, {to(report("二"), Audience::local())});
  Follow f = follow(7, FollowFrom::vector);
  f.mode = FollowMode::feeds;
  (void)ask(node_of(kHuangshan), f);
  const auto beats = messages<Heartbeat>(rig.pass(kHeartbeatMs).sends);
  ASSERT_EQ(beats.size(), 1U);
  ASSERT_EQ(beats[0].vector.size(), 1U);
  EXPECT_EQ(to_text(beats[0].vector[0].feed), "330800/1/normal/conference");
  EXPECT_EQ(beats[0].vector[0].head.sequence, Sequence{1});
}

TEST_F(FollowersTest, AFlashFollowerThatIsCaughtUpIsNotWokenByOtherLanes) {
  say("一");
  Follow flash = follow(9);
  flash.lanes = mask_of(Lane::flash);
  const auto caught = rig.serve(ask(fire(), flash));
  ASSERT_EQ(caught.size(), 1U);  // it must hear that it has caught up
  EXPECT_TRUE(caught[0].caught_up);
  EXPECT_THAT(say("二").deliveries, IsEmpty());
  (void)rig.hello(emergency(), 1);
  const Effects effects = rig.turn({rig.says(emergency(), CoreRig::publish_message(1, Lane::flash, 1, {alert("a1", "撤离")}))});
  EXPECT_THAT(words(rig.serve(effects)), ElementsAre("撤离"));
}

TEST_F(FollowersTest, FollowersTakeTurnsAndFlashGoesFirst) {
  for (std::uint64_t i = 1; i <= 3; ++i) (void)ask(fire(), follow(i));
  Follow flash = follow(9);
  flash.lanes = mask_of(Lane::flash);
  (void)ask(fire(), flash);
  const auto order = [](const Effects& effects) {
    std::vector<std::uint64_t> ids;
    for (const DeliverOrder& d : effects.deliveries) ids.push_back(d.follow.value);
    return ids;
  };
  (void)rig.hello(emergency(), 1);
  const auto warn = [&](std::uint64_t n) {
    return rig.turn({rig.says(emergency(), CoreRig::publish_message(1, Lane::flash, n, {alert("a" + std::to_string(n))}))});
  };
  Effects effects = warn(1);
  EXPECT_THAT(order(effects), ElementsAre(9, 1, 2, 3));
  (void)rig.serve(effects);
  effects = warn(2);
  EXPECT_THAT(order(effects), ElementsAre(9, 2, 3, 1));
  (void)rig.serve(effects);
  EXPECT_THAT(order(say("一")), ElementsAre(3, 1, 2));
}

}  // namespace
}  // namespace lianxi::core
