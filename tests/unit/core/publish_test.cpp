// Promise 2: a sequence has one effect and one first answer.
#include <gmock/gmock.h>

#include "schemas/limits.h"
#include "tests/unit/core/core_rig.h"

namespace lianxi::core {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint64_t kSession = 77;

class PublishTest : public testing::Test {
 protected:
  CoreRig rig;
};

TEST_F(PublishTest, AnEventWithinItsRightsIsAcceptedAndItsReceiptNamesFeedAndOffset) {
  rig.hello(police(), kSession);
  EXPECT_THAT(rig.publish(police(), kSession, 1, {report("浓烟")}), ElementsAre("1 ok conference#1 @1"));
  EXPECT_THAT(rig.publish(police(), kSession, 2, {report("爆炸声")}), ElementsAre("2 ok conference#2 @2"));
  EXPECT_THAT(words(rig.disk.events(kQuzhou)), ElementsAre("浓烟", "爆炸声"));
}

TEST_F(PublishTest, APublishWithoutASessionIsToldToSayHello) {
  EXPECT_THAT(rig.publish(police(), kSession, 1, {report("浓烟")}), ElementsAre("refused session_unknown session"));
  EXPECT_TRUE(rig.disk.segments.empty());
}

TEST_F(PublishTest, ASessionBelongsToItsAgent) {
  rig.hello(police(), kSession);
  EXPECT_THAT(rig.publish(fire(), kSession, 1, {report("浓烟", "fire")}), ElementsAre("refused session_unknown session"));
}

TEST_F(PublishTest, ARepeatGetsTheFirstAnswerAndHasNoEffect) {
  rig.hello(police(), kSession);
  const Transcript first = rig.publish(police(), kSession, 1, {report("浓烟"), report("爆炸声")});
  EXPECT_EQ(rig.publish(police(), kSession, 1, {report("浓烟"), report("爆炸声")}), first);
  EXPECT_EQ(rig.disk.events(kQuzhou).size(), 2U);
}

TEST_F(PublishTest, ARepeatWithinTheSameTurnGetsTheOffsetThatTheFirstGot) {
  rig.hello(police(), kSession);
  const auto message = CoreRig::publish_message(kSession, Lane::normal, 1, {report("浓烟")});
  const Effects effects = rig.turn({rig.says(police(), message), rig.says(police(), message, "second connection")});
  EXPECT_THAT(lines_of(effects.sends), ElementsAre("1 ok conference#1 @1", "1 ok conference#1 @1"));
  EXPECT_EQ(rig.disk.events(kQuzhou).size(), 1U);
}

TEST_F(PublishTest, ARepeatAfterARestartGetsTheFirstAnswer) {
  rig.hello(police(), kSession);
  const std::vector<Event> events{report("浓烟"), report("来自消防", "fire"), report("爆炸声")};
  const Transcript first = rig.publish(police(), kSession, 1, events);
  EXPECT_THAT(first, ElementsAre("1 ok conference#1 @1", "3 ok conference#2 @2", "2 not_allowed agency"));
  rig.restart();
  EXPECT_EQ(rig.publish(police(), kSession, 1, events), first);
  EXPECT_EQ(rig.disk.events(kQuzhou).size(), 2U);
}

TEST_F(PublishTest, TheSameSequenceWithAnotherBodyIsRefusedAsReused) {
  rig.hello(police(), kSession);
  (void)rig.publish(police(), kSession, 1, {report("浓烟")});
  EXPECT_THAT(rig.publish(police(), kSession, 1, {report("没有烟")}), ElementsAre("1 sequence_reused sequence"));
  EXPECT_THAT(words(rig.disk.events(kQuzhou)), ElementsAre("浓烟"));
}

TEST_F(PublishTest, AnAnswerThatTheClientSaidItHoldsIsForgotten) {
  rig.hello(police(), kSession);
  (void)rig.publish(police(), kSession, 1, {report("浓烟"), report("爆炸声")});
  (void)rig.publish(police(), kSession, 3, {report("火势")}, 2);
  EXPECT_EQ(rig.disk.answers.size(), 1U);
  EXPECT_THAT(rig.publish(police(), kSession, 2, {report("爆炸声")}), ElementsAre("2 sequence_reused sequence"));
  EXPECT_THAT(rig.publish(police(), kSession, 3, {report("火势")}), ElementsAre("3 ok conference#3 @3"));
}

TEST_F(PublishTest, AClientCannotHoldAnswersThatWereNotGiven) {
  rig.hello(police(), kSession);
  EXPECT_THAT(rig.publish(police(), kSession, 1, {report("浓烟")}, 1000), ElementsAre("1 ok conference#1 @1"));
  EXPECT_THAT(rig.publish(police(), kSession, 1, {report("浓烟")}), ElementsAre("1 ok conference#1 @1"));
}

TEST_F(PublishTest, AGapConsumesNothingAndAsksToSendFromThere) {
  rig.hello(police(), kSession);
  EXPECT_THAT(rig.publish(police(), kSession, 2, {report("爆炸声"), report("火势")}),
              ElementsAre("2 sequence_gap sequence retry"));
  EXPECT_TRUE(rig.disk.segments.empty());
  EXPECT_THAT(rig.publish(police(), kSession, 1, {report("浓烟"), report("爆炸声")}),
              ElementsAre("1 ok conference#1 @1", "2 ok conference#2 @2"));
}

TEST_F(PublishTest, ARefusedEventConsumesItsSequenceAndTheRefusalIsKept) {
  rig.hello(police(), kSession);
  const Effects effects =
      rig.turn({rig.says(police(), CoreRig::publish_message(kSession, Lane::normal, 1, {report("浓烟", "fire")}))});
  EXPECT_THAT(lines_of(effects.sends), ElementsAre("1 not_allowed agency"));
  EXPECT_THAT(codes(effects), ElementsAre(RefusalCode::not_allowed));
  EXPECT_THAT(rig.publish(police(), kSession, 2, {report("浓烟")}), ElementsAre("2 ok conference#1 @1"));
  rig.restart();
  EXPECT_THAT(rig.publish(police(), kSession, 1, {report("浓烟", "fire")}), ElementsAre("1 not_allowed agency"));
}

TEST_F(PublishTest, UnreadableBytesAreRefusedAsAnEventLikeAnyOther) {
  rig.hello(police(), kSession);
  Publish publish = CoreRig::publish_message(kSession, Lane::normal, 1, {report("浓烟")});
  publish.events.insert(publish.events.begin(), Bytes{1, 2, 3});
  const Transcript lines = lines_of(rig.turn({rig.says(police(), publish)}).sends);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0], "2 ok conference#1 @1");
  EXPECT_THAT(lines[1], HasSubstr("1 malformed"));
}

TEST_F(PublishTest, ALowDiskHoldsBackWithoutConsumingButStillAnswersRepeats) {
  rig.hello(police(), kSession);
  const Transcript first = rig.publish(police(), kSession, 1, {report("浓烟")});
  (void)rig.step(DiskState{true});
  EXPECT_THAT(rig.publish(police(), kSession, 1, {report("浓烟"), report("爆炸声"), report("火势")}),
              ElementsAre(first.front(), "2 disk_full sequence retry"));
  (void)rig.step(DiskState{false});
  EXPECT_THAT(rig.publish(police(), kSession, 2, {report("爆炸声")}), ElementsAre("2 ok conference#2 @2"));
}

TEST_F(PublishTest, AClientThatNeverTakesItsAnswersIsHeldBack) {
  rig.hello(police(), kSession);
  Publish publish = CoreRig::publish_message(kSession, Lane::normal, 1, {});
  publish.events.assign(1024, Bytes{1});
  Effects effects;
  for (std::uint64_t sent = 0; sent < 2 * kMaxAnswersHeld / kRefusalWeight; sent += 1024) {
    publish.first_sequence = Sequence{sent + 1};
    effects = rig.turn({rig.says(police(), publish)});
  }
  EXPECT_THAT(codes(effects), ElementsAre(RefusalCode::sequence_gap));
  publish.first_sequence = Sequence{kMaxAnswersHeld / kRefusalWeight + 1};
  EXPECT_THAT(lines_of(rig.turn({rig.says(police(), publish)}).sends), ElementsAre("4097 busy sequence retry"));
  publish.answered_through = Sequence{4096};
  EXPECT_EQ(codes(rig.turn({rig.says(police(), publish)})).size(), 1024U);
}

TEST_F(PublishTest, AnswersOfManyRefusalsGoInBoundedMessages) {
  rig.hello(police(), kSession);
  Publish publish = CoreRig::publish_message(kSession, Lane::normal, 1, {});
  publish.events.assign(1024, Bytes{1});
  const Effects effects = rig.turn({rig.says(police(), publish)});
  std::size_t refusals = 0;
  for (const Answers& answers : messages<Answers>(effects.sends)) {
    refusals += answers.refusals.size();
    std::size_t text = 0;
    for (const SequenceRefusal& r : answers.refusals) text += r.refusal.field.size() + r.refusal.reason.size();
    EXPECT_LE(text, kMaxAnswersBytes);
  }
  EXPECT_EQ(refusals, 1024U);
}

TEST_F(PublishTest, ReceiptsOfARunAreOneRange) {
  rig.hello(police(), kSession);
  std::vector<Event> events;
  for (int i = 0; i < 500; ++i) events.push_back(report("报告" + std::to_string(i)));
  const auto answers =
      messages<Answers>(rig.turn({rig.says(police(), CoreRig::publish_message(kSession, Lane::normal, 1, events))}).sends);
  ASSERT_EQ(answers.size(), 1U);
  ASSERT_EQ(answers[0].receipts.size(), 1U);
  EXPECT_EQ(answers[0].receipts[0].count, 500U);
  EXPECT_EQ(answers[0].receipts[0].body_hashes.size(), 500U);
  EXPECT_EQ(answers[0].receipts[0].body_hashes[499], body_hash(encode_event(events[499])));
}

TEST_F(PublishTest, ARunIsCutWhereAnotherDecisionStandsBetween) {
  rig.hello(police(), kSession);
  rig.hello(emergency(), kSession);
  const auto publish = [&](const Agent& agent, Lane lane, std::uint64_t first, const Event& event) {
    return rig.says(agent, CoreRig::publish_message(kSession, lane, first, {event}));
  };
  const auto answers = messages<Answers>(
      rig.turn({publish(police(), Lane::normal, 1, report("一")), publish(emergency(), Lane::flash, 1, alert("a1")),
                publish(police(), Lane::normal, 2, report("二"))})
          .sends);
  ASSERT_EQ(answers.size(), 2U);
  ASSERT_EQ(answers[0].receipts.size(), 2U);
  EXPECT_EQ(answers[0].receipts[0].first_ordinal, Ordinal{1});
  EXPECT_EQ(answers[0].receipts[1].first_ordinal, Ordinal{3});
}

TEST_F(PublishTest, EventsForTwoAudiencesGetRangesOfTheirOwnFeeds) {
  rig.hello(police(), kSession);
  EXPECT_THAT(rig.publish(police(), kSession, 1, {report("一"), to(report("二"), Audience::local()), report("三")}),
              ElementsAre("1 ok conference#1 @1", "2 ok local#1 @3", "3 ok conference#2 @2"));
  EXPECT_EQ(rig.disk.segments.size(), 2U);
}

TEST_F(PublishTest, ReceiptsAreNeverCumulative) {
  rig.hello(police(), kSession);
  (void)rig.publish(police(), kSession, 1, {report("一")});
  EXPECT_THAT(rig.publish(police(), kSession, 2, {report("二")}), ElementsAre("2 ok conference#2 @2"));
}

TEST_F(PublishTest, LanesAndSessionsCountForThemselves) {
  rig.hello(operator_agent(), 1);
  rig.hello(operator_agent(), 2);
  EXPECT_THAT(rig.publish(operator_agent(), 1, 1, {report("一")}), ElementsAre("1 ok conference#1 @1"));
  EXPECT_THAT(rig.publish(operator_agent(), 1, 1, {alert("a1")}), ElementsAre("1 ok conference#1 @2"));
  EXPECT_THAT(rig.publish(operator_agent(), 2, 1, {report("二")}), ElementsAre("1 ok conference#2 @3"));
}

TEST_F(PublishTest, AFlashEventClosesItsBatch) {
  rig.hello(emergency(), kSession);
  EXPECT_TRUE(rig.turn({rig.says(emergency(), CoreRig::publish_message(kSession, Lane::flash, 1, {alert("a1")}))}).flash);
  EXPECT_FALSE(
      rig.turn({rig.says(emergency(), CoreRig::publish_message(kSession, Lane::normal, 1, {report("一", "emergency")}))}).flash);
}

TEST_F(PublishTest, AMessageThatANodeDoesNotTakeIsRefused) {
  EXPECT_THAT(lines_of(rig.turn({rig.says(police(), Deliver{})}).sends), ElementsAre("refused unknown_type header.type"));
}

TEST_F(PublishTest, SequenceZeroIsRefusedAsAWhole) {
  rig.hello(police(), kSession);
  EXPECT_THAT(rig.publish(police(), kSession, 0, {report("一")}), ElementsAre("refused invalid_field sequence"));
}

TEST_F(PublishTest, AnEmptyPublishOnlySaysWhatTheClientHolds) {
  rig.hello(police(), kSession);
  (void)rig.publish(police(), kSession, 1, {report("一")});
  EXPECT_THAT(rig.publish(police(), kSession, 2, {}, 1), IsEmpty());
  EXPECT_TRUE(rig.disk.answers.empty());
}

TEST(Publish, WhoeverPublishesFasterThanItsRateIsToldWhenToComeBackAndNothingIsConsumed) {
  const auto policy = std::make_shared<Policy>(*open_policy());
  policy->set_rates({{}, {.events_per_s = 1}});
  CoreRig rig(kQuzhou, four_cities(), policy);
  rig.hello(police(), 5);
  const std::vector<Event> events = {report("一"), report("二"), report("三"), report("四"), report("五")};
  const Effects effects = rig.turn({rig.says(police(), CoreRig::publish_message(5, Lane::normal, 1, events))});
  const auto answers = messages<Answers>(effects.sends);
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].receipts.at(0).count, 3U);
  ASSERT_EQ(answers[0].refusals.size(), 1U);
  EXPECT_EQ(answers[0].refusals[0].sequence, Sequence{4});
  EXPECT_EQ(answers[0].refusals[0].refusal.code, RefusalCode::busy);
  EXPECT_EQ(effects.throttled, 2U);
  rig.now += answers[0].refusals[0].refusal.retry_after_ms;
  EXPECT_EQ(rig.publish(police(), 5, 4, {report("四")}).size(), 1U);
  EXPECT_EQ(rig.disk.events(kQuzhou).size(), 4U);
}

}  // namespace
}  // namespace lianxi::core
