// After a restore nothing is promised until every member was seen, or an officer overrides.
#include <gmock/gmock.h>

#include "schemas/limits.h"
#include "tests/unit/core/link_rig.h"

namespace lianxi::core {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr TimeMs kMeet = kPeerSilenceMs + 2 * kMaxReconnectMs;

std::shared_ptr<const Members> cities(const std::vector<RegionCode>& regions) {
  std::vector<Member> members;
  for (const RegionCode region : regions) {
    Member member;
    member.region = region;
    member.seal_key = seal_keys_of(region).public_key;
    members.push_back(std::move(member));
  }
  return std::make_shared<const Members>(std::move(members), std::vector<Group>{});
}

Event moved(ResourceState state, Status status = Status::Actual) {
  Event event = team("hazmat-1");
  event.envelope.status = status;
  event.envelope.agency = "emergency";
  auto& body = std::get<Resource>(event.body);
  body.change = ResourceChange::state;
  body.state = state;
  return event;
}

Event order(Epoch epoch, const std::string& reason = "局长同意") {
  Event event;
  event.envelope = {Kind::override, override_entity(kQuzhou, epoch), Status::Actual, PlaceCode::of(kQuzhou), "emergency",
                    Level::none,    Audience::conference(),          kNoon};
  event.body = Override{Overridden::fence, reason};
  return event;
}

class FenceTest : public testing::Test {
 protected:
  FenceTest() {
    hello();
    net.pass(500);
    (void)publish(report("一", "emergency"));
    backup = net.node(kQuzhou).disk;
    (void)publish(moved(ResourceState::deployed));
    cut();
    net.node(kQuzhou).restore(backup);
    session_ = 2;
    sent_.clear();
    hello();
    net.alarms.clear();
  }
  static Agent officer() { return agent_named("330800.emergency.duty", Role::operator_); }
  void hello() {
    Hello hello;
    hello.session = SessionId{session_};
    (void)net.at(kQuzhou, {net.node(kQuzhou).says(officer(), hello)});
  }
  Transcript publish(const Event& event) { return publish(std::vector{event}); }
  Transcript publish(const std::vector<Event>& events) {
    const Lane lane = lane_of(events.front());
    const auto message = CoreRig::publish_message(session_, lane, sent_[lane] + 1, events);
    sent_[lane] += events.size();
    last = net.at(kQuzhou, {net.node(kQuzhou).says(officer(), message)});
    return lines_of(last.sends);
  }
  std::string reason() const { return messages<Answers>(last.sends).at(0).refusals.at(0).refusal.reason; }
  void cut() {
    net.cut(kQuzhou, kHuangshan);
    net.cut(kQuzhou, kNanping);
  }
  std::vector<Event> held(RegionCode at) { return net.node(at).disk.events(kQuzhou); }

  const std::shared_ptr<const Members> three = cities({kQuzhou, kHuangshan, kNanping});
  LinkRig net{{kQuzhou, kHuangshan, kNanping}, three};
  Disk backup;
  Effects last;

 private:
  std::uint64_t session_ = 1;
  std::map<Lane, std::uint64_t> sent_;
};

TEST_F(FenceTest, ACommitmentIsRefusedByNameUntilEveryMemberWasSeen) {
  EXPECT_THAT(publish(moved(ResourceState::deployed)), ElementsAre(HasSubstr("fenced state"))) << "before the first tick too";
  net.pass(300);
  EXPECT_THAT(net.alarms, Contains("330800 fenced"));
  EXPECT_THAT(publish(moved(ResourceState::reserved)), ElementsAre(HasSubstr("fenced state")));
  EXPECT_THAT(reason(), HasSubstr("341000"));
  EXPECT_THAT(reason(), HasSubstr("350700"));
  EXPECT_THAT(reason(), HasSubstr("lianxi override"));
  EXPECT_EQ(net.node(kQuzhou).core.fence()->missing.size(), 2U);

  net.mend(kQuzhou, kHuangshan);
  net.pass(kMeet);
  EXPECT_THAT(publish(moved(ResourceState::deployed)), ElementsAre(HasSubstr("fenced state"))) << "Nanping is not there";
  EXPECT_THAT(reason(), Not(HasSubstr("341000")));

  net.mend(kQuzhou, kNanping);
  net.pass(kMeet);
  EXPECT_THAT(net.alarms, Contains("330800 fenced_over"));
  EXPECT_FALSE(net.node(kQuzhou).core.fence());
  EXPECT_THAT(publish(moved(ResourceState::deployed)), ElementsAre(HasSubstr(" ok ")));
}

TEST_F(FenceTest, WhatPromisesNothingIsTaken) {
  net.pass(300);
  Event stock = team("water");
  stock.envelope.agency = "emergency";
  auto& body = std::get<Resource>(stock.body);
  body.change = ResourceChange::quantity;
  body.quantity_milli = 5;
  EXPECT_THAT(publish(stock), ElementsAre(HasSubstr(" ok ")));
  EXPECT_THAT(publish(moved(ResourceState::available)), ElementsAre(HasSubstr(" ok ")));
  EXPECT_THAT(publish(moved(ResourceState::out_of_service)), ElementsAre(HasSubstr(" ok ")));
  EXPECT_THAT(publish(moved(ResourceState::deployed, Status::Exercise)), ElementsAre(HasSubstr(" ok "))) << "a drill";
  EXPECT_THAT(publish(report("二", "emergency")), ElementsAre(HasSubstr(" ok ")));
  body.change = ResourceChange::upsert;
  body.state = ResourceState::deployed;
  EXPECT_THAT(publish(stock), ElementsAre(HasSubstr("fenced state")));
}

TEST_F(FenceTest, WhoWasSeenStaysSeenOverARestart) {
  net.mend(kQuzhou, kHuangshan);
  net.pass(kMeet);
  net.cut(kQuzhou, kHuangshan);
  net.restart(kQuzhou);
  ASSERT_TRUE(net.node(kQuzhou).core.fence());
  EXPECT_THAT(net.node(kQuzhou).core.fence()->missing, ElementsAre(kNanping));
  hello();
  EXPECT_THAT(publish(moved(ResourceState::deployed)), ElementsAre(HasSubstr("fenced state")));
  net.mend(kQuzhou, kNanping);
  net.pass(kMeet);
  EXPECT_FALSE(net.node(kQuzhou).core.fence());
}

TEST_F(FenceTest, AFenceThatIsOverNeverStandsAgainInItsEpochWhoeverJoins) {
  net.mend(kQuzhou, kHuangshan);
  net.mend(kQuzhou, kNanping);
  net.pass(kMeet);
  ASSERT_FALSE(net.node(kQuzhou).core.fence());
  const auto four = cities({kQuzhou, kHuangshan, kNanping, kShangrao});
  (void)net.at(kQuzhou, {net.node(kQuzhou).input(PolicyChanged{nullptr, four, nullptr})});
  net.pass(1'000);
  EXPECT_THAT(publish(moved(ResourceState::deployed)), ElementsAre(HasSubstr(" ok ")));
  cut();
  net.restart(kQuzhou);
  net.pass(1'000);
  EXPECT_FALSE(net.node(kQuzhou).core.fence());
}

TEST_F(FenceTest, AMemberThatJoinsLaterIsNotWaitedForAndOneThatLeftNoLonger) {
  net.pass(300);
  const auto without = cities({kQuzhou, kHuangshan, kShangrao});
  (void)net.at(kQuzhou, {net.node(kQuzhou).input(PolicyChanged{nullptr, without, nullptr})});
  net.pass(300);
  EXPECT_THAT(net.node(kQuzhou).core.fence()->missing, ElementsAre(kHuangshan));
  net.mend(kQuzhou, kHuangshan);
  net.pass(kMeet);
  EXPECT_FALSE(net.node(kQuzhou).core.fence());
}

TEST_F(FenceTest, AnOfficersOverrideLiftsItAtOnceAndStandsOnAllNodes) {
  net.pass(300);
  EXPECT_THAT(publish({order(Epoch{2}), moved(ResourceState::deployed)}), ElementsAre(StartsWith("1 ok"), StartsWith("2 ok")));
  EXPECT_THAT(net.alarms, Contains("330800 fenced_over"));
  EXPECT_EQ(net.node(kQuzhou).disk.fence->state, Fence::State::overridden);
  net.restart(kQuzhou);
  net.pass(300);
  EXPECT_FALSE(net.node(kQuzhou).core.fence());
  net.mend(kQuzhou, kHuangshan);
  net.mend(kQuzhou, kNanping);
  net.pass(kMeet);
  for (const RegionCode at : {kQuzhou, kHuangshan, kNanping}) EXPECT_THAT(held(at), Contains(order(Epoch{2}))) << to_text(at);
}

TEST_F(FenceTest, AnOverrideThatDoesNotFitIsRefusedAndLiftsNothing) {
  net.pass(300);
  EXPECT_THAT(publish(order(Epoch{1})), ElementsAre(HasSubstr("invalid_field entity"))) << "another epoch";
  EXPECT_THAT(publish(to(order(Epoch{2}), Audience::local())), ElementsAre(HasSubstr("invalid_field audience")));
  Event drill = order(Epoch{2});
  drill.envelope.status = Status::Exercise;
  EXPECT_THAT(publish(drill), ElementsAre(HasSubstr("invalid_field status")));
  EXPECT_THAT(publish(order(Epoch{2}, "")), ElementsAre(HasSubstr("missing_field reason")));
  const Agent program = agent_named("330800.emergency.adapter");
  (void)net.node(kQuzhou).hello(program, 9);
  EXPECT_THAT(net.node(kQuzhou).publish(program, 9, 1, {order(Epoch{2})}), ElementsAre("1 not_allowed agent")) << "no officer";
  EXPECT_TRUE(net.node(kQuzhou).core.fence());
  EXPECT_THAT(publish(order(Epoch{2})), ElementsAre(HasSubstr(" ok ")));
  EXPECT_THAT(publish(order(Epoch{2})), ElementsAre(HasSubstr("conflict entity"))) << "there is nothing left to override";
}

TEST_F(FenceTest, ANodeThatWasNeverRestoredIsNotFenced) {
  LinkRig fresh({kQuzhou, kHuangshan}, three);
  fresh.pass(300);
  EXPECT_FALSE(fresh.node(kQuzhou).core.fence());
}

}  // namespace
}  // namespace lianxi::core
