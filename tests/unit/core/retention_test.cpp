// A retention is a node's own finding, published; a restatement undoes nothing.
#include <gmock/gmock.h>

#include "tests/unit/core/core_rig.h"

namespace lianxi::core {
namespace {

using testing::ElementsAre;

class RetentionTest : public testing::Test {
 protected:
  RetentionTest() {
    (void)rig.hello(operator_agent(), 1);
    (void)rig.hello(fire(), 1);
    (void)rig.publish(operator_agent(), 1, 1, {report("一", "emergency"), report("二", "emergency"), report("三", "emergency")});
  }
  static Retention plan() { return {Epoch(1), Lane::normal, {Sequence(2), Hash{7}}, Ordinal(2), kNoon, Sequence(3), Hash{8}}; }
  void work_out(const Retention& retention) { (void)rig.step(RetentionPlanned{Audience::conference(), retention}); }
  // The answer without its sequence.
  static std::string answer(const Transcript& lines) { return lines.at(0).substr(lines.at(0).find(' ') + 1); }
  std::string publish(const Event& event) { return answer(rig.publish(operator_agent(), 1, next_++, {event})); }
  // Of the bulk lane.
  std::string state(const Event& event) { return answer(rig.publish(fire(), 1, bulk_++, {event})); }
  static Event stated_again(Offset as_of) {
    Event event = team("t");
    std::get<Resource>(event.body).as_of = as_of;
    return event;
  }

  CoreRig rig;
  std::uint64_t next_ = 4, bulk_ = 1;
};

TEST_F(RetentionTest, WhatTheNodeHasWorkedOutIsTakenOnce) {
  EXPECT_EQ(publish(retention_event(plan())), "conflict through");
  work_out(plan());
  EXPECT_EQ(publish(retention_event(plan())), "ok conference#4 @4");
  EXPECT_EQ(publish(retention_event(plan())), "conflict through");
}

TEST_F(RetentionTest, OnlyAnOperatorMayPublishIt) {
  work_out(plan());
  (void)rig.hello(emergency(), 1);
  EXPECT_THAT(rig.publish(emergency(), 1, 1, {retention_event(plan())}), ElementsAre("1 not_allowed agent"));
  EXPECT_EQ(publish(retention_event(plan())), "ok conference#4 @4");
}

TEST_F(RetentionTest, AnotherHashOrdinalDigestOrTimeIsRefusedByName) {
  work_out(plan());
  Retention lie = plan();
  lie.through.hash = Hash{1};
  EXPECT_EQ(publish(retention_event(lie)), "invalid_field hash");
  lie = plan();
  lie.ordinal = Ordinal(3);
  EXPECT_EQ(publish(retention_event(lie)), "invalid_field ordinal");
  lie = plan();
  lie.digest = Hash{};
  EXPECT_EQ(publish(retention_event(lie)), "invalid_field digest");
  lie = plan();
  lie.before += 1;
  EXPECT_EQ(publish(retention_event(lie)), "invalid_field before");
  lie = plan();
  lie.epoch = Epoch(2);
  EXPECT_EQ(publish(retention_event(lie)), "invalid_field epoch");
  Event drill = retention_event(plan());
  drill.envelope.status = Status::Exercise;
  EXPECT_EQ(publish(drill), "invalid_field status");
  EXPECT_EQ(publish(retention_event(plan(), kHuangshan)), "not_home entity");
  EXPECT_EQ(publish(retention_event(plan())), "ok conference#4 @4");
}

TEST_F(RetentionTest, AFeedThatHasMovedOnIsAskedAgain) {
  work_out(plan());
  EXPECT_EQ(publish(report("四", "emergency")), "ok conference#4 @4");
  EXPECT_EQ(publish(retention_event(plan())), "conflict position");
}

TEST_F(RetentionTest, AFeedMovesOnWithinATurnToo) {
  work_out(plan());
  EXPECT_THAT(rig.publish(operator_agent(), 1, 4, {report("四", "emergency"), retention_event(plan())}),
              ElementsAre("4 ok conference#4 @4", "5 conflict position"));
}

TEST_F(RetentionTest, ItGoesOnTheLaneOfTheFeedThatItCuts) {
  Retention bulk = plan();
  bulk.lane = Lane::bulk;
  EXPECT_EQ(lane_of(retention_event(bulk)), Lane::bulk);
  const auto effects =
      rig.turn({rig.says(operator_agent(), CoreRig::publish_message(1, Lane::normal, 4, {retention_event(bulk)}))});
  EXPECT_THAT(lines_of(effects.sends), ElementsAre("4 wrong_lane lane"));
}

TEST_F(RetentionTest, BehindARestoreEveryMemberIsHeardFirst) {
  rig.restore(rig.disk);
  (void)rig.hello(operator_agent(), 2);
  (void)rig.publish(operator_agent(), 2, 1, {report("四", "emergency"), report("五", "emergency")});
  Retention later = plan();
  later.epoch = Epoch(2);
  later.through.sequence = Sequence(1);
  later.ordinal = Ordinal(1);
  later.position = Sequence(2);
  work_out(later);
  (void)rig.pass(1'000);
  EXPECT_THAT(rig.publish(operator_agent(), 2, 3, {retention_event(later)}), ElementsAre("3 conflict epoch"));
}

TEST_F(RetentionTest, ARestatementUndoesNoChangeThatItHasNotSeen) {
  EXPECT_EQ(state(team("t")), "ok conference#1 @4");
  EXPECT_EQ(state(stated_again(Offset(4))), "conflict as_of") << "the resource stands at 4: that was not seen";
  EXPECT_EQ(state(stated_again(Offset(6))), "conflict as_of") << "beyond the journal";
  EXPECT_EQ(state(stated_again(Offset(5))), "ok conference#2 @5");
  EXPECT_EQ(state(stated_again(Offset(5))), "conflict as_of") << "it was stated again since";
  EXPECT_EQ(state(team("t")), "ok conference#3 @6") << "who does not restate is not asked";
  Event other = stated_again(Offset(5));
  other.envelope.entity = resource_entity(kQuzhou, "u");
  EXPECT_EQ(state(other), "ok conference#4 @7") << "another resource has not changed";
}

TEST_F(RetentionTest, ARestatementOfBeforeTheStartIsReadAgain) {
  EXPECT_EQ(state(team("t")), "ok conference#1 @4");
  rig.restart();
  EXPECT_EQ(state(stated_again(Offset(4))), "conflict as_of");
  EXPECT_EQ(state(stated_again(Offset(5))), "ok conference#2 @5");
}

}  // namespace
}  // namespace lianxi::core
