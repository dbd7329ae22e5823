// Members that come and go at an instant: no reload, nothing lost, and nothing taken that was stamped behind the end.
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
using testing::UnorderedElementsAre;

constexpr TimeMs kInstant = kNoon + 20'000;
const LinkId kToHuangshan{kHuangshan, LaneClass::rest};

std::shared_ptr<const Members> with_window(RegionCode region, Window window, std::uint64_t version = 1,
                                           std::vector<Group> groups = {}) {
  std::vector<Member> members = four_cities()->all();
  for (Member& member : members)
    if (member.region == region) member.window = window;
  return std::make_shared<const Members>(std::move(members), std::move(groups), MembersVersion(version));
}

class MembershipTest : public testing::Test {
 protected:
  void begin(const std::shared_ptr<const Members>& members) {
    net.emplace(std::vector{kQuzhou, kHuangshan, kNanping}, members);
    for (const RegionCode region : {kQuzhou, kHuangshan, kNanping}) {
      Hello hello;
      hello.session = SessionId{1};
      (void)net->at(region, {net->node(region).says(officer(region), hello)});
    }
    net->pass(1000);
  }
  Transcript say(RegionCode region, const std::string& text, const Audience& whom = Audience::conference()) {
    const auto message =
        CoreRig::publish_message(1, Lane::normal, ++sent_[region], {to(report(text, "emergency", region), whom)});
    return lines_of(net->at(region, {net->node(region).says(officer(region), message)}).sends);
  }
  void give(RegionCode at, const std::shared_ptr<const Members>& members) {
    (void)net->at(at, {net->node(at).input(PolicyChanged{nullptr, members, nullptr})});
  }
  void pass_to(TimeMs instant) { net->pass(instant - net->node(kQuzhou).now); }
  static Agent officer(RegionCode region) { return agent_named(to_text(region) + ".emergency.duty", Role::operator_); }
  std::vector<std::string> held(RegionCode at, RegionCode of) { return words(net->node(at).disk.events(of)); }
  std::string reason(RegionCode at, const LinkId& link) {
    for (const LinkView& view : net->node(at).core.links())
      if (view.link == link) return view.reason;
    return "no link";
  }

  std::optional<LinkRig> net;

 private:
  std::map<RegionCode, std::uint64_t> sent_;
};

TEST(Members, StandAsTheInstantHasIt) {
  const auto members = with_window(kHuangshan, {kNoon, kInstant});
  EXPECT_FALSE(members->stands_at(kNoon));
  const Members before = members->at(kNoon - 1), within = members->at(kNoon), behind = members->at(kInstant);
  EXPECT_EQ(before.standing(kHuangshan), Standing::not_yet);
  EXPECT_EQ(within.standing(kHuangshan), Standing::member);
  EXPECT_EQ(behind.standing(kHuangshan), Standing::retired);
  EXPECT_EQ(behind.standing(RegionCode(110000)), Standing::stranger);
  EXPECT_TRUE(within.stands_at(kNoon));
  EXPECT_TRUE(within.stands_at(kInstant - 1));
  EXPECT_FALSE(within.stands_at(kInstant));
  EXPECT_FALSE(within.stands_at(kNoon - 1));
  EXPECT_TRUE(within.holds(Audience::conference(), kHuangshan));
  EXPECT_FALSE(behind.holds(Audience::conference(), kHuangshan));
  EXPECT_TRUE(behind.entitled(Audience::conference(), kHuangshan));
  ASSERT_NE(behind.find(kHuangshan), nullptr) << "its seals are still to be proven";
  EXPECT_TRUE(four_cities()->stands_at(0));
}

TEST(Members, OfAGroupEndWithWhateverEndsFirst) {
  const auto members = with_window(kHuangshan, {{}, kInstant}, 1, {{audience("g"), {kQuzhou, kHuangshan}, {{}, kNoon}}});
  EXPECT_EQ(members->closes(audience("g"), kHuangshan), kNoon);
  EXPECT_EQ(members->closes(audience("g"), kQuzhou), kNoon);
  EXPECT_EQ(members->closes(Audience::conference(), kHuangshan), kInstant);
  EXPECT_EQ(members->closes(Audience::conference(), kQuzhou), std::nullopt);
}

TEST_F(MembershipTest, AMemberBeginsAtItsInstantAndGetsWhatWasBefore) {
  begin(with_window(kNanping, {kInstant, {}}));
  (void)say(kQuzhou, "之前");
  EXPECT_THAT(say(kNanping, "太早"), ElementsAre(HasSubstr("not_allowed")));
  EXPECT_THAT(say(kNanping, "本市", Audience::local()), ElementsAre(HasSubstr("ok")));
  pass_to(kInstant - 100);
  EXPECT_EQ(net->state(kQuzhou, kNanping, LaneClass::rest), "none");
  EXPECT_THAT(held(kNanping, kQuzhou), IsEmpty());
  pass_to(kInstant + kMaxReconnectMs + 1000);
  EXPECT_EQ(net->state(kQuzhou, kNanping, LaneClass::rest), "following");
  EXPECT_EQ(net->state(kNanping, kQuzhou, LaneClass::rest), "following");
  EXPECT_THAT(held(kNanping, kQuzhou), ElementsAre("之前"));
  EXPECT_THAT(say(kNanping, "到了"), ElementsAre(HasSubstr("ok")));
  EXPECT_THAT(held(kQuzhou, kNanping), ElementsAre("到了"));
  EXPECT_THAT(net->alarms, IsEmpty());
}

TEST_F(MembershipTest, AMemberThatHasGoneIsSentNothingAndItsPastIsWholeEverywhere) {
  begin(with_window(kHuangshan, {{}, kInstant}));
  net->cut(kQuzhou, kHuangshan);
  pass_to(kInstant - 2000);
  EXPECT_THAT(say(kHuangshan, "最后一句"), ElementsAre(HasSubstr("ok")));
  pass_to(kInstant);
  EXPECT_THAT(say(kHuangshan, "太晚"), ElementsAre(HasSubstr("not_allowed")));
  EXPECT_THAT(say(kHuangshan, "本市", Audience::local()), ElementsAre(HasSubstr("ok")));
  (void)say(kNanping, "不给黄山");
  net->pass(kPeerSilenceMs + kDetourAfterMs + 2 * kHeartbeatMs + 2000);
  EXPECT_THAT(held(kHuangshan, kNanping), IsEmpty());
  EXPECT_THAT(held(kNanping, kHuangshan), ElementsAre("最后一句"));
  EXPECT_THAT(held(kQuzhou, kHuangshan), ElementsAre("最后一句")) << "through Nanping";
  EXPECT_EQ(net->state(kNanping, kHuangshan, LaneClass::rest), "retired");
  EXPECT_EQ(net->state(kHuangshan, kNanping, LaneClass::rest), "retired");
  EXPECT_THAT(reason(kNanping, kToHuangshan), HasSubstr("all that it published is here"));
  EXPECT_NE(net->state(kQuzhou, kHuangshan, LaneClass::rest), "following");
  EXPECT_THAT(net->alarms, IsEmpty());
}

TEST_F(MembershipTest, WhatOnlyTheMemberThatHasGoneHoldsIsStillFetched) {
  begin(with_window(kHuangshan, {{}, kInstant}));
  for (const RegionCode peer : {kQuzhou, kNanping}) net->cut(peer, kHuangshan);
  pass_to(kInstant - 2000);
  (void)say(kHuangshan, "无人听见");
  pass_to(kInstant + 60'000);
  EXPECT_THAT(held(kQuzhou, kHuangshan), IsEmpty());
  for (const RegionCode peer : {kQuzhou, kNanping}) net->mend(peer, kHuangshan);
  net->pass(2 * kMaxReconnectMs + kPeerSilenceMs);
  EXPECT_THAT(held(kQuzhou, kHuangshan), ElementsAre("无人听见"));
  EXPECT_THAT(held(kNanping, kHuangshan), ElementsAre("无人听见"));
  EXPECT_EQ(net->state(kQuzhou, kHuangshan, LaneClass::rest), "retired");
}

TEST_F(MembershipTest, NothingStampedBehindTheEndIsTakenFromANodeThatDoesNotKnowOfIt) {
  begin(with_window(kHuangshan, {{}, kInstant}, 2));
  give(kHuangshan, with_window(kHuangshan, {}, 1));
  pass_to(kInstant - 1000);
  (void)say(kHuangshan, "来得及");
  pass_to(kInstant + 100);
  EXPECT_THAT(say(kHuangshan, "太晚"), ElementsAre(HasSubstr("ok"))) << "its own file has no end";
  net->pass(10'000);
  EXPECT_THAT(held(kQuzhou, kHuangshan), ElementsAre("来得及"));
  EXPECT_THAT(held(kNanping, kHuangshan), ElementsAre("来得及"));
  EXPECT_THAT(net->alarms, Contains("330800 feed_ended"));
  // The end was a mistake: nothing of it is lost.
  for (const RegionCode region : {kQuzhou, kNanping}) give(region, with_window(kHuangshan, {}, 1));
  net->pass(kRefusedLinkRetryMs + 2 * kMaxReconnectMs);
  EXPECT_THAT(held(kQuzhou, kHuangshan), ElementsAre("来得及", "太晚"));
}

TEST_F(MembershipTest, ItsNodeAndItsAgentsAreRefusedWithTheDay) {
  begin(with_window(kHuangshan, {{}, kInstant}));
  const Agent guest = agent_named("341000.emergency.guest");
  pass_to(kInstant - 1000);
  Follow follow;
  follow.follow = SessionId{7};
  (void)net->at(kQuzhou, {net->node(kQuzhou).says(guest, follow)});
  pass_to(kInstant + 100);
  const auto ends = messages<Unfollow>(net->said);
  ASSERT_EQ(ends.size(), 1U) << "a follow that was open ends with the instant";
  EXPECT_THAT(ends[0].reason, HasSubstr("341000 is no member since 2020-11-09T12:00:20.000+08:00"));
  Follow whole;
  whole.follow = SessionId{8};
  whole.mode = FollowMode::feeds;
  for (const auto& [agent, asked] : {std::pair(guest, follow), std::pair(node_of(kHuangshan), whole)}) {
    net->said.clear();
    (void)net->at(kQuzhou, {net->node(kQuzhou).says(agent, asked, "later")});
    const auto refusals = messages<Refused>(net->said);
    ASSERT_EQ(refusals.size(), 1U) << agent.id.text();
    EXPECT_EQ(refusals[0].refusal.code, RefusalCode::not_allowed);
    EXPECT_THAT(refusals[0].refusal.reason, HasSubstr("no member since"));
  }
}

TEST_F(MembershipTest, WhoHasGoneCountsForNoAckLevel) {
  begin(with_window(kHuangshan, {{}, kInstant}));
  const auto ask = [&](std::uint64_t session) {
    Hello hello;
    hello.session = SessionId{session};
    (void)net->at(kQuzhou, {net->node(kQuzhou).says(officer(kQuzhou), hello)});
    auto publish = CoreRig::publish_message(session, Lane::normal, 1, {report("三地", "emergency")});
    publish.peers = 3;
    publish.deadline_ms = 1000;
    return lines_of(net->at(kQuzhou, {net->node(kQuzhou).says(officer(kQuzhou), publish)}).sends);
  };
  EXPECT_THAT(ask(2), Contains(HasSubstr("ok")));
  pass_to(kInstant);
  EXPECT_THAT(ask(3), Contains(HasSubstr("invalid_field peers")));
}

TEST_F(MembershipTest, AGroupBeginsAndEndsAsAWhole) {
  const Audience pair = audience("pair");
  begin(with_window(kShangrao, {}, 1, {{pair, {kQuzhou, kHuangshan}, {kNoon + 10'000, kInstant}}}));
  EXPECT_THAT(say(kQuzhou, "太早", pair), ElementsAre(HasSubstr("not_allowed")));
  pass_to(kNoon + 10'000);
  EXPECT_THAT(say(kQuzhou, "两地", pair), ElementsAre(HasSubstr("ok")));
  pass_to(kInstant);
  EXPECT_THAT(say(kQuzhou, "太晚", pair), ElementsAre(HasSubstr("not_allowed")));
  EXPECT_THAT(say(kQuzhou, "全体"), ElementsAre(HasSubstr("ok")));
  net->pass(1000);
  EXPECT_THAT(held(kHuangshan, kQuzhou), ElementsAre("两地", "全体"));
  EXPECT_THAT(held(kNanping, kQuzhou), ElementsAre("全体"));
}

TEST_F(MembershipTest, AGroupThatGoesOnBehindItsEndHoldsNothingElseUp) {
  const Audience pair = audience("pair");
  const auto ends_at = [&](std::optional<TimeMs> until, std::uint64_t version) {
    return with_window(kShangrao, {}, version, {{pair, {kQuzhou, kHuangshan}, {{}, until}}});
  };
  begin(ends_at(kInstant, 2));
  give(kHuangshan, ends_at(std::nullopt, 1));
  (void)say(kHuangshan, "来得及", pair);
  pass_to(kInstant + 100);
  EXPECT_THAT(say(kHuangshan, "太晚", pair), ElementsAre(HasSubstr("ok"))) << "its own file has no end";
  (void)say(kHuangshan, "全体");
  (void)say(kHuangshan, "更晚", pair);
  net->pass(1000);
  EXPECT_THAT(held(kQuzhou, kHuangshan), ElementsAre("来得及", "全体"));
  EXPECT_THAT(net->alarms, Contains("330800 feed_ended"));
  EXPECT_EQ(net->state(kQuzhou, kHuangshan, LaneClass::normal), "following");
  give(kQuzhou, ends_at(std::nullopt, 1));
  net->pass(2 * kMaxReconnectMs);
  EXPECT_THAT(held(kQuzhou, kHuangshan), UnorderedElementsAre("来得及", "全体", "太晚", "更晚"));
  EXPECT_THAT(net->alarms, Contains("330800 feed_ended_over"));
}

TEST_F(MembershipTest, TheClockOfWhoHasGoneIsNobodysAlarm) {
  begin(with_window(kHuangshan, {}, 1));
  net->node(kHuangshan).now += 2 * kMaxClockSkewMs;
  net->pass(2 * kHeartbeatMs);
  ASSERT_THAT(net->alarms, Contains("330800 clock_ahead"));
  give(kQuzhou, with_window(kHuangshan, {{}, net->node(kQuzhou).now - 1}, 2));
  EXPECT_THAT(net->alarms, Contains("330800 clock_ahead_over"));
  net->alarms.clear();
  net->pass(3 * kHeartbeatMs);
  EXPECT_THAT(net->alarms, Not(Contains("330800 clock_ahead"))) << "though its last events are still fetched";
}

TEST_F(MembershipTest, AClockSetBackBringsAMemberBack) {
  begin(with_window(kHuangshan, {{}, kInstant}));
  pass_to(kInstant + 2 * kHeartbeatMs + 1000);
  EXPECT_EQ(net->state(kQuzhou, kHuangshan, LaneClass::rest), "retired");
  for (const RegionCode region : {kQuzhou, kHuangshan, kNanping}) net->node(region).now -= 3'600'000;
  net->pass(kRefusedLinkRetryMs + kMaxReconnectMs + 1000);
  EXPECT_EQ(net->state(kQuzhou, kHuangshan, LaneClass::rest), "following");
  EXPECT_EQ(net->state(kHuangshan, kQuzhou, LaneClass::rest), "following");
}

TEST_F(MembershipTest, NodesTellWhichFileTheyRunAndALastingDifferenceIsAnAlarm) {
  begin(with_window(kShangrao, {}, 1));
  give(kHuangshan, with_window(kShangrao, {}, 2));
  net->pass(2 * kHeartbeatMs);
  const auto version_of = [&](RegionCode peer) {
    for (const LinkView& view : net->node(kQuzhou).core.links())
      if (view.link == LinkId{peer, LaneClass::rest}) return view.members;
    return MembersVersion{};
  };
  EXPECT_EQ(version_of(kHuangshan), MembersVersion(2));
  EXPECT_EQ(version_of(kNanping), MembersVersion(1));
  EXPECT_THAT(net->alarms, IsEmpty()) << "files are changed city by city";
  for (const RegionCode region : {kQuzhou, kHuangshan, kNanping}) net->node(region).now += kMembersDifferMs / 2;
  net->pass(20'000);
  EXPECT_THAT(net->alarms, IsEmpty());
  for (const RegionCode region : {kQuzhou, kHuangshan, kNanping}) net->node(region).now += kMembersDifferMs / 2;
  net->pass(20'000);
  EXPECT_THAT(net->alarms, Contains("330800 members_differ"));
  EXPECT_THAT(net->alarms, Not(Contains(HasSubstr("feed_forked"))));
  give(kHuangshan, with_window(kShangrao, {}, 1));
  net->alarms.clear();
  for (int i = 0; i < 2; ++i) {
    for (const RegionCode region : {kQuzhou, kHuangshan, kNanping}) net->node(region).now += kMembersDifferMs / 2;
    net->pass(20'000);
  }
  EXPECT_THAT(net->alarms, IsEmpty());
}

}  // namespace
}  // namespace lianxi::core
