// What may become an event of this node, and how a publisher is told that it may not.
#include <gmock/gmock.h>

#include "tests/unit/core/core_rig.h"

namespace lianxi::core {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// The answer to one event, published under the next sequence of its lane.
class AcceptanceTest : public testing::Test {
 protected:
  Refusal refusal(const Agent& agent, const Event& event) { return refusal(agent, lane_of(event), event); }
  Refusal refusal(const Agent& agent, Lane lane, const Event& event) {
    if (opened_.insert(agent.id).second) (void)rig.hello(agent, 1);
    const std::uint64_t sequence = ++sent_[{agent.id, lane}];
    const auto effects = rig.turn({rig.says(agent, CoreRig::publish_message(1, lane, sequence, {event}))});
    const auto answers = messages<Answers>(effects.sends);
    if (answers.size() != 1 || answers[0].refusals.empty()) return Refusal{};
    EXPECT_EQ(answers[0].refusals[0].refusal.retry_after_ms, 0U);
    EXPECT_THAT(codes(effects), ElementsAre(answers[0].refusals[0].refusal.code));
    return answers[0].refusals[0].refusal;
  }
  bool accepted(const Agent& agent, const Event& event) { return refusal(agent, event).code == RefusalCode{}; }
  void refused(const Agent& agent, const Event& event, RefusalCode code, const std::string& field) {
    const Refusal r = refusal(agent, event);
    EXPECT_EQ(r.code, code) << to_word(r.code) << ": " << r.reason;
    EXPECT_EQ(r.field, field) << r.reason;
  }

  CoreRig rig{kQuzhou,
              four_cities({Group{audience("qu-huang"), {kQuzhou, kHuangshan}}, Group{audience("south"), {kNanping, kShangrao}}})};

 private:
  std::set<AgentId> opened_;
  std::map<std::pair<AgentId, Lane>, std::uint64_t> sent_;
};

TEST_F(AcceptanceTest, EachKindWithRulesIsAccepted) {
  EXPECT_TRUE(accepted(police(), report("浓烟")));
  EXPECT_TRUE(accepted(emergency(), alert("a1")));
  EXPECT_TRUE(accepted(fire(), team("t1")));
}

TEST_F(AcceptanceTest, AKindWithoutRulesIsUnknown) {
  Event event = report("x");
  event.envelope.kind = Kind::duty;
  event.envelope.entity = "330800:duty:today";
  event.body = std::monostate{};
  refused(police(), event, RefusalCode::unknown_kind, "kind");
}

TEST_F(AcceptanceTest, AnEventOnTheWrongLaneNamesItsOwn) {
  const Refusal r = refusal(emergency(), Lane::bulk, alert("a1"));
  EXPECT_EQ(r.code, RefusalCode::wrong_lane);
  EXPECT_THAT(r.reason, HasSubstr("flash"));
}

TEST_F(AcceptanceTest, AResourcesChangeOfStateIsNormalAndItsRecordBulk) {
  Event moved = team("t1");
  std::get<Resource>(moved.body).change = ResourceChange::state;
  EXPECT_TRUE(accepted(fire(), moved));
  EXPECT_EQ(refusal(fire(), Lane::bulk, moved).code, RefusalCode::wrong_lane);
}

TEST_F(AcceptanceTest, AnAgentSpeaksForItsOwnAgencyAndAnOperatorForAny) {
  refused(police(), report("x", "fire"), RefusalCode::not_allowed, "agency");
  EXPECT_TRUE(accepted(operator_agent(), report("x", "fire")));
}

TEST_F(AcceptanceTest, TheAudienceMustBeKnownAndHoldThisRegion) {
  refused(police(), to(report("x"), audience("nobody")), RefusalCode::invalid_field, "audience");
  refused(police(), to(report("x"), audience("south")), RefusalCode::not_allowed, "audience");
  EXPECT_TRUE(accepted(police(), to(report("x"), audience("qu-huang"))));
  EXPECT_TRUE(accepted(police(), to(report("x"), Audience::local())));
}

// Rights are judged once for events that differ in nothing they look at: only an event that had them may spare the next.
TEST_F(AcceptanceTest, ARefusedEventLendsItsRightsToNoneBehindIt) {
  Event record = team("team-1");
  record.envelope.agency = "police";
  record.envelope.audience = audience("nobody");
  Event change = record;
  std::get<Resource>(change.body).change = ResourceChange::state;
  (void)rig.hello(police(), 1);
  const auto effects =
      rig.turn({rig.says(police(), CoreRig::publish_message(1, Lane::normal, 1, {report("a"), record, change}))});
  const auto answers = messages<Answers>(effects.sends);
  ASSERT_EQ(answers.size(), 1U);
  ASSERT_EQ(answers[0].refusals.size(), 2U);
  EXPECT_EQ(answers[0].refusals[0].refusal.code, RefusalCode::wrong_lane);
  EXPECT_EQ(answers[0].refusals[1].refusal.field, "audience");
}

TEST_F(AcceptanceTest, OnlyTheHomeDecidesAboutAlertsAndResources) {
  refused(emergency(), alert("a1", "撤离", kHuangshan), RefusalCode::not_home, "entity");
  refused(fire(), team("t1", kHuangshan), RefusalCode::not_home, "entity");
}

TEST_F(AcceptanceTest, AReportMayBeAboutAnotherMembersIncidentButNotAboutAStrangers) {
  EXPECT_TRUE(accepted(police(), report("江对岸有浓烟", "police", kHuangshan)));
  refused(police(), report("x", "police", RegionCode{110000}), RefusalCode::wrong_region, "entity");
}

TEST_F(AcceptanceTest, TheEntityIsTheOneThatTheBodyNames) {
  Event event = report("x");
  event.envelope.entity = "330800:incident:another-case";
  EXPECT_EQ(refusal(police(), event).code, RefusalCode::invalid_field);
  Event warning = alert("a1");
  std::get<Alert>(warning.body).identifier = "a2";
  EXPECT_EQ(refusal(emergency(), warning).code, RefusalCode::invalid_field);
}

TEST_F(AcceptanceTest, TheSameTripleWithOtherContentIsAConflict) {
  EXPECT_TRUE(accepted(emergency(), alert("a1", "撤离")));
  const Refusal r = refusal(emergency(), alert("a1", "不用撤离"));
  EXPECT_EQ(r.code, RefusalCode::conflict);
  EXPECT_THAT(r.reason, HasSubstr("other content"));
}

TEST_F(AcceptanceTest, TheSameTripleWithTheSameContentIsAlreadyThere) {
  EXPECT_TRUE(accepted(emergency(), alert("a1")));
  const Refusal r = refusal(operator_agent(), alert("a1"));
  EXPECT_EQ(r.code, RefusalCode::conflict);
  EXPECT_THAT(r.reason, HasSubstr("already there, with the same content"));
  EXPECT_EQ(refusal(emergency(), to(alert("a1"), Audience::local())).code, RefusalCode::conflict);
}

TEST_F(AcceptanceTest, ATripleIsRememberedOverARestartAndWithinATurn) {
  (void)rig.hello(emergency(), 9);
  const auto effects =
      rig.turn({rig.says(emergency(), CoreRig::publish_message(9, Lane::flash, 1, {alert("a1"), alert("a1", "不用撤离")}))});
  EXPECT_THAT(lines_of(effects.sends), ElementsAre("1 ok conference#1 @1", "2 conflict identifier"));
  rig.restart();
  EXPECT_THAT(rig.publish(emergency(), 9, 3, {alert("a1", "再撤离")}), ElementsAre("3 conflict identifier"));
}

TEST_F(AcceptanceTest, ADrillNeverStandsInTheWayOfTheRealAlert) {
  Event drill = alert("a1", "演练：撤离");
  drill.envelope.status = Status::Exercise;
  EXPECT_TRUE(accepted(emergency(), drill));
  EXPECT_TRUE(accepted(emergency(), alert("a1")));
  Event later = alert("a2", "演练：撤离");
  later.envelope.status = Status::Exercise;
  EXPECT_TRUE(accepted(emergency(), later));
  rig.restart();
  EXPECT_TRUE(accepted(emergency(), alert("a2")));
  EXPECT_EQ(refusal(emergency(), alert("a1", "再撤离")).code, RefusalCode::conflict);
  std::get<Alert>(later.body).infos[0].headline = "演练：改";
  EXPECT_EQ(refusal(emergency(), later).code, RefusalCode::conflict);
}

TEST_F(AcceptanceTest, WhatAnUpdateRefersToMayStillBeOnItsWay) {
  Event update = alert("a2", "扩大撤离");
  auto& body = std::get<Alert>(update.body);
  body.msg_type = MsgType::Update;
  body.references = {{body.sender, "never-seen", kNoon}};
  EXPECT_TRUE(accepted(emergency(), update));
}

TEST_F(AcceptanceTest, ContentIsNotWhoMayReadItNorWhenItWasSeen) {
  Event a = alert("a1");
  Event b = to(alert("a1"), Audience::local());
  b.envelope.occurred_at += 1;
  EXPECT_EQ(alert_content_hash(a), alert_content_hash(b));
  b.envelope.status = Status::Exercise;
  EXPECT_NE(alert_content_hash(a), alert_content_hash(b));
}

TEST(Acceptance, TheChangedPolicyHoldsFromTheNextStep) {
  CoreRig rig;
  (void)rig.hello(police(), 1);
  PolicyChanged nothing{std::make_shared<const Policy>(), nullptr};
  const auto effects =
      rig.turn({rig.says(police(), CoreRig::publish_message(1, Lane::normal, 1, {report("一")})), rig.input(nothing),
                rig.says(police(), CoreRig::publish_message(1, Lane::normal, 2, {report("二")}))});
  EXPECT_THAT(lines_of(effects.sends), ElementsAre("1 ok conference#1 @1", "2 not_allowed agent"));
}

}  // namespace
}  // namespace lianxi::core
