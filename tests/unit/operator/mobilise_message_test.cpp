#include "agents/operator/mobilise_message.h"

#include <gtest/gtest.h>

#include "agents/operator/arguments.h"
#include "schemas/codec/event_codec.h"

namespace lianxi::cli {
namespace {

constexpr Say kEnglish{Language::english};
constexpr TimeMs kNow = 1'604'880'000'000;
const RegionCode kQuzhou{330800}, kShangrao{361100};

Need need(const char* text) {
  return parse_need(text, kEnglish).value();
}
Picked picked(const char* text) {
  return parse_picked(text, kEnglish).value();
}
Speaker speaker(RegionCode region, const char* id) {
  return {region, "emergency", kNow, id};
}

// Quzhou asks for 2 teams and 500 respirators.
MobilisationRow asked() {
  MobiliseCommand command{.move = Move::request, .needs = {need("team:hazmat=2支"), need("supply:呼吸器=500只")}};
  const Event event = message_of(command, nullptr, speaker(kQuzhou, "q-1"), kEnglish).value();
  MobilisationRow row;
  row.id = event.envelope.entity;
  row.region = kQuzhou;
  row.place = event.envelope.place;
  row.level = Level::orange;
  row.audience = event.envelope.audience;
  row.status = Status::Exercise;
  row.needs = {{.id = "1", .type = ResourceType::team, .capability = "hazmat", .quantity_milli = 2'000, .unit = "支"},
               {.id = "2", .type = ResourceType::supply, .name = "呼吸器", .quantity_milli = 500'000, .unit = "只"}};
  row.messages = {{kQuzhou, "330800.emergency.duty", kNow, Ordinal(1), std::get<Mobilisation>(event.body)}};
  return row;
}
MobilisationRow committed() {
  MobilisationRow row = asked();
  row.holdings = {{.region = kShangrao,
                   .resource = "361100:resource:team-3",
                   .name = "一队",
                   .item = "1",
                   .state = MobilisationState::committed,
                   .held = true,
                   .quantity_milli = 1'000,
                   .unit = "支"}};
  Mobilisation commit;
  commit.message = ResourceMessage::CommitResource;
  commit.message_id = "s-1";
  row.messages.push_back({kShangrao, "361100.emergency.duty", kNow, Ordinal(1), commit});
  return row;
}
const Mobilisation& body(const Result<Event>& event) {
  return std::get<Mobilisation>(event->body);
}

TEST(MobiliseMessage, ARequestBeginsAThreadUnderItsOwnId) {
  MobiliseCommand command{.move = Move::request, .needs = {need("team:hazmat=2支"), need("supply:呼吸器=500只")}};
  command.answer_by = parse_when("30m", kEnglish).value();
  command.location = LonLat{118.958, 28.973};
  const auto event = message_of(command, nullptr, speaker(kQuzhou, "q-1"), kEnglish);
  ASSERT_TRUE(event) << event.error().reason;
  EXPECT_TRUE(check_event(*event)) << check_event(*event).error().reason;
  EXPECT_EQ(event->envelope.entity, "330800:mobilisation:q-1");
  EXPECT_EQ(event->envelope.place.text(), "330800");
  EXPECT_EQ(body(event).answer_by, kNow + 30 * 60'000);
  ASSERT_EQ(body(event).items.size(), 2U);
  EXPECT_EQ(body(event).items[0].capability, "hazmat");
  EXPECT_EQ(body(event).items[1].name, "呼吸器") << "not a word of the capabilities";
  EXPECT_EQ(body(event).items[1].quantity_milli, 500'000);
  EXPECT_EQ(body(event).items[0].schedule.front().location, (LonLat{118.958, 28.973}));
}

TEST(MobiliseMessage, AnAnswerStandsUnderTheRequestsEntityWithItsPlaceAudienceAndStatus) {
  const MobilisationRow thread = asked();
  MobiliseCommand command{.move = Move::offer, .thread = "q-1", .resources = {picked("361100:resource:team-3=1支")}, .item = "1"};
  const auto event = message_of(command, &thread, speaker(kShangrao, "s-1"), kEnglish);
  ASSERT_TRUE(event) << event.error().reason;
  EXPECT_TRUE(check_event(*event)) << check_event(*event).error().reason;
  EXPECT_EQ(event->envelope.entity, thread.id);
  EXPECT_EQ(event->envelope.status, Status::Exercise);
  EXPECT_EQ(event->envelope.level, Level::orange);
  EXPECT_EQ(body(event).originating_id, "q-1");
  EXPECT_EQ(body(event).preceding_id, "q-1");
  EXPECT_EQ(body(event).items[0].response, Response::Provisional);
  EXPECT_EQ(body(event).items[0].preceding, "1");
}

TEST(MobiliseMessage, WhichOfSeveralNeedsIsMeantMustBeSaid) {
  const MobilisationRow thread = asked();
  MobiliseCommand command{.move = Move::commit, .thread = "q-1", .resources = {picked("361100:resource:team-3=1支")}};
  const auto event = message_of(command, &thread, speaker(kShangrao, "s-1"), kEnglish);
  ASSERT_FALSE(event);
  EXPECT_EQ(event.error().field, "--item");
}

TEST(MobiliseMessage, WhatTheThreadHoldsNeedNotBeSaidAgain) {
  const MobilisationRow thread = committed();
  for (const auto& [move, message] : {std::pair{Move::depart, ResourceMessage::ReportResourceDeploymentStatus},
                                      std::pair{Move::return_, ResourceMessage::ReportResourceDeploymentStatus}}) {
    const auto event = message_of({.move = move, .thread = "q-1"}, &thread, speaker(kShangrao, "s-2"), kEnglish);
    ASSERT_TRUE(event) << event.error().reason;
    EXPECT_TRUE(check_event(*event)) << check_event(*event).error().reason;
    EXPECT_EQ(body(event).message, message);
    EXPECT_EQ(body(event).preceding_id, "s-1");
    EXPECT_EQ(body(event).items[0].resource, "361100:resource:team-3");
    EXPECT_EQ(body(event).items[0].quantity_milli, 1'000);
  }
  const auto release = message_of({.move = Move::release, .thread = "q-1"}, &thread, speaker(kQuzhou, "q-2"), kEnglish);
  ASSERT_TRUE(release);
  EXPECT_EQ(body(release).message, ResourceMessage::ReleaseResource);
  EXPECT_FALSE(message_of({.move = Move::depart, .thread = "q-1"}, &thread, speaker(RegionCode(350700), "n-1"), kEnglish))
      << "Nanping holds nothing of it";
}

TEST(MobiliseMessage, WhoAskedExtendsByARequestAndTheOwnerByItsAnswer) {
  const MobilisationRow thread = committed();
  MobiliseCommand command{.move = Move::extend, .thread = "q-1"};
  EXPECT_EQ(message_of(command, &thread, speaker(kQuzhou, "q-2"), kEnglish).error().field, "--until");
  command.until = parse_when("6h", kEnglish).value();
  EXPECT_EQ(body(message_of(command, &thread, speaker(kQuzhou, "q-2"), kEnglish)).message,
            ResourceMessage::RequestExtendedDeploymentDuration);
  const auto answer = message_of(command, &thread, speaker(kShangrao, "s-2"), kEnglish);
  EXPECT_EQ(body(answer).message, ResourceMessage::ResponseToRequestExtendedDeploymentDuration);
  EXPECT_EQ(body(answer).items[0].response, Response::Accept);
}

TEST(MobiliseMessage, ADeclineIsOfEveryNeedUnlessOneIsNamedAndSaysWhy) {
  const MobilisationRow thread = asked();
  MobiliseCommand command{.move = Move::decline, .thread = "q-1"};
  EXPECT_EQ(message_of(command, &thread, speaker(kShangrao, "s-1"), kEnglish).error().field, "--reason");
  command.reason = "无队伍";
  EXPECT_EQ(body(message_of(command, &thread, speaker(kShangrao, "s-1"), kEnglish)).items.size(), 2U);
  command.item = "2";
  const auto one = message_of(command, &thread, speaker(kShangrao, "s-1"), kEnglish);
  ASSERT_EQ(body(one).items.size(), 1U);
  EXPECT_EQ(body(one).items[0].preceding, "2");
  EXPECT_TRUE(check_event(*one));
}

TEST(MobiliseMessage, ARecallIsOfAMessageOfOnesOwn) {
  const MobilisationRow thread = committed();
  const auto own = message_of({.move = Move::recall, .thread = "q-1"}, &thread, speaker(kShangrao, "s-2"), kEnglish);
  ASSERT_TRUE(own);
  EXPECT_EQ(body(own).recalled_id, "s-1");
  EXPECT_EQ(body(own).recall, Recall::Cancel);
  EXPECT_TRUE(check_event(*own)) << check_event(*own).error().reason;
  EXPECT_FALSE(
      message_of({.move = Move::recall, .thread = "q-1", .recalled = "s-1"}, &thread, speaker(kQuzhou, "q-2"), kEnglish));
}

}  // namespace
}  // namespace lianxi::cli
