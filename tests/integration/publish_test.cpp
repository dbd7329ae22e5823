// What one node promises whoever publishes, seen from a plain ZeroMQ socket.
#include <gmock/gmock.h>

#include "schemas/codec/frame.h"
#include "tests/integration/raw_client.h"

namespace lianxi::test {
namespace {

constexpr const char* kHere = "330800";

class PublishTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(cities.start(kHere)) << city().process->output(); }
  City& city() { return cities.city(kHere); }
  Offset head(Offset at_least = Offset{}) {
    const auto status = status_of(city(), at_least);
    return status ? status->head : Offset{};
  }
  // A publisher with its Hello said.
  Publisher publisher(const std::string& agency, std::uint64_t session, const std::string& endpoint = "data") {
    Publisher made(city(), agency, SessionId(session), endpoint);
    EXPECT_TRUE(made.connect());
    return made;
  }
  Cities cities{{kHere}};
};

TEST_F(PublishTest, AReceiptNamesWhereTheEventStands) {
  auto police = publisher("police", 1);
  police.publish(Lane::normal, Sequence(1), {incident_event(kHere, "police", 1), incident_event(kHere, "police", 2)});
  const auto answers = police.answers();
  ASSERT_TRUE(answers);
  ASSERT_EQ(answers->receipts.size(), 1U);
  EXPECT_EQ(answers->receipts[0].count, 2U);
  EXPECT_EQ(answers->receipts[0].first_offset, Offset(1));
  const auto status = status_of(city(), Offset(3));
  ASSERT_TRUE(status);
  EXPECT_EQ(status->head, Offset(3));
  EXPECT_EQ(status->view_offset, Offset(3));
}

TEST_F(PublishTest, ARepeatHasOneEffectAndGetsTheFirstAnswer) {
  auto police = publisher("police", 1);
  const auto event = incident_event(kHere, "police", 1);
  police.publish(Lane::normal, Sequence(1), {event});
  const auto first = police.answers();
  ASSERT_TRUE(first);
  police.publish(Lane::normal, Sequence(1), {event});
  EXPECT_EQ(police.answers(), first);
  auto again = publisher("police", 1);
  again.publish(Lane::normal, Sequence(1), {event});
  EXPECT_EQ(again.answers(), first);
  EXPECT_EQ(head(Offset(2)), Offset(2));
}

TEST_F(PublishTest, ARepeatAfterARestartGetsTheFirstAnswer) {
  const auto event = incident_event(kHere, "police", 1);
  std::optional<Answers> first;
  {
    auto police = publisher("police", 1);
    police.publish(Lane::normal, Sequence(1), {event});
    first = police.answers();
    ASSERT_TRUE(first);
  }
  cities.kill(kHere);
  ASSERT_TRUE(cities.start(kHere)) << city().process->output();
  Publisher again(city(), "police", SessionId(1));
  const auto welcome = again.connect();
  ASSERT_TRUE(welcome);
  EXPECT_TRUE(welcome->session_known);
  again.publish(Lane::normal, Sequence(1), {event});
  EXPECT_EQ(again.answers(), first);
  EXPECT_EQ(head(Offset(2)), Offset(2));
}

TEST_F(PublishTest, AFlashEventIsTakenOnItsOwnEndpoint) {
  auto emergency = publisher("emergency", 1, "flash");
  emergency.publish(Lane::flash, Sequence(1), {alert_event(kHere, 1)});
  const auto answers = emergency.answers();
  ASSERT_TRUE(answers);
  EXPECT_EQ(answers->receipts.size(), 1U);
}

TEST_F(PublishTest, ALaneOnTheWrongEndpointIsRefused) {
  auto emergency = publisher("emergency", 1);
  emergency.publish(Lane::flash, Sequence(1), {alert_event(kHere, 1)});
  const auto refused = emergency.client().receive_a<Refused>();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->refusal.code, RefusalCode::wrong_lane);
  EXPECT_EQ(refused->session, SessionId(1));
  EXPECT_EQ(refused->sequence, 1U);
}

TEST_F(PublishTest, WhatTheRightsDoNotAdmitIsRefusedAndCountedAndChangesNothing) {
  auto police = publisher("police", 1);
  police.publish(Lane::normal, Sequence(1), {incident_event(kHere, "fire", 1)});
  const auto answers = police.answers();
  ASSERT_TRUE(answers);
  ASSERT_EQ(answers->refusals.size(), 1U);
  EXPECT_EQ(answers->refusals[0].refusal.code, RefusalCode::not_allowed);
  EXPECT_EQ(answers->refusals[0].refusal.field, "agency");
  EXPECT_EQ(head(), Offset(1));
  EXPECT_TRUE(cities.metric_comes_to(kHere, "lianxi_refusals_total{code=\"not_allowed\"}", 1));
}

TEST_F(PublishTest, AnUnknownMessageTypeIsRefusedAndTheConnectionGoesOn) {
  auto police = publisher("police", 1);
  Frames frames = encode(Heartbeat{});
  frames.header[5] = 200;  // the type, by the header's layout
  police.client().send_parts(
      {std::string(frames.header.begin(), frames.header.end()), std::string(frames.payload.begin(), frames.payload.end())});
  const auto refused = police.client().receive_a<Refused>();
  ASSERT_TRUE(refused);
  EXPECT_NE(refused->refusal.code, RefusalCode{});
  police.publish(Lane::normal, Sequence(1), {incident_event(kHere, "police", 1)});
  EXPECT_TRUE(police.answers());
}

TEST_F(PublishTest, WhatOnlyANodeSaysIsRefused) {
  auto police = publisher("police", 1);
  police.client().send(Answers{SessionId(1), {}, {}});
  const auto refused = police.client().receive_a<Refused>();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->refusal.code, RefusalCode::unknown_type);
}

TEST_F(PublishTest, BytesThatDoNotReadAreRefusedAndCounted) {
  auto police = publisher("police", 1);
  const Bytes junk(100, 0xAB);
  FrameHeader header;
  header.type = MessageType::publish;
  header.lane = Lane::normal;
  header.session = SessionId(1);
  header.sequence = 1;
  const Frames frames = encode_frames(header, junk);
  police.client().send_parts(
      {std::string(frames.header.begin(), frames.header.end()), std::string(frames.payload.begin(), frames.payload.end())});
  const auto refused = police.client().receive_a<Refused>();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->refusal.code, RefusalCode::malformed);
  EXPECT_EQ(head(), Offset(1));
  EXPECT_TRUE(cities.metric_comes_to(kHere, "lianxi_refusals_total{code=\"malformed\"}", 1));
}

TEST_F(PublishTest, AnEventThatDoesNotReadIsRefusedAlone) {
  auto police = publisher("police", 1);
  police.publish(Lane::normal, Sequence(1), {Bytes(64, 0xCD), incident_event(kHere, "police", 2)});
  std::size_t receipts = 0, refusals = 0;
  while (receipts + refusals < 2) {
    const auto answers = police.answers();
    ASSERT_TRUE(answers);
    for (const auto& range : answers->receipts) receipts += range.count;
    refusals += answers->refusals.size();
  }
  EXPECT_EQ(receipts, 1U);
  EXPECT_EQ(refusals, 1U);
}

TEST_F(PublishTest, AnOversizePublishIsRefusedByItsSize) {
  auto police = publisher("police", 1);
  FrameHeader header;
  header.type = MessageType::publish;
  header.lane = Lane::normal;
  header.session = SessionId(1);
  header.sequence = 1;
  const Frames frames = encode_frames(header, Bytes(kMaxPublishBytes + 1, 0));
  police.client().send_parts(
      {std::string(frames.header.begin(), frames.header.end()), std::string(frames.payload.begin(), frames.payload.end())});
  const auto refused = police.client().receive_a<Refused>();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->refusal.code, RefusalCode::oversize);
  EXPECT_EQ(head(), Offset(1));
}

TEST_F(PublishTest, ThreeFramesAreRefusedAndTheConnectionIsCut) {
  auto police = publisher("police", 1);
  const Frames frames = encode(Heartbeat{});
  const std::string header(frames.header.begin(), frames.header.end());
  police.client().send_parts({header, "a", "b"});
  const auto refused = police.client().receive_a<Refused>();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->refusal.code, RefusalCode::malformed);
  // The SDK's part is played by libzmq: it comes back on a fresh connection, which says Hello anew.
  EXPECT_TRUE(cities.metric_comes_to(kHere, "lianxi_connections_cut_total", 1));
  auto fire = publisher("fire", 2);
  fire.publish(Lane::normal, Sequence(1), {incident_event(kHere, "fire", 1)});
  EXPECT_TRUE(fire.answers());
}

TEST_F(PublishTest, AnUnknownKeyIsTurnedAwayAndCounted) {
  RawClient stranger(city(), "data", make_keys());
  stranger.send(Hello{SessionId(1), {}, {}, "stranger"});
  EXPECT_TRUE(eventually([&] { return cities.metric(kHere, "lianxi_zap_rejections_total") > 0; }));
  EXPECT_FALSE(stranger.receive(std::chrono::milliseconds(0)));
  EXPECT_TRUE(eventually([&] { return cities.metric(kHere, "lianxi_refusals_total{code=\"unknown_key\"}") > 0; }));
  EXPECT_EQ(head(), Offset(1));
}

TEST_F(PublishTest, AQueryWaitsForTheOffsetItNames) {
  auto police = publisher("police", 1);
  RawClient asker(city(), "query", city().agents.at("police"));
  Query query;
  query.request = 9;
  query.after_offset = Offset(2);
  query.ask = AskIncidents{};
  asker.send(query);
  police.publish(Lane::normal, Sequence(1), {incident_event(kHere, "police", 1)});
  ASSERT_TRUE(police.answers());
  const auto answer = asker.receive_a<Answer>();
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->request, 9U);
  EXPECT_EQ(std::get<IncidentRows>(answer->rows).rows.size(), 1U);
}

TEST_F(PublishTest, AQueryWhoseOffsetDoesNotComeIsRefusedAndOthersAreAnsweredMeanwhile) {
  RawClient waits(city(), "query", city().agents.at("police"));
  Query query;
  query.request = 1;
  query.after_offset = Offset(1000);
  query.deadline_ms = 500;
  query.ask = AskIncidents{};
  waits.send(query);
  EXPECT_TRUE(status_of(city()));
  const auto refused = waits.receive_a<Refused>();
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->refusal.code, RefusalCode::deadline);
  EXPECT_EQ(refused->sequence, 1U);
}

}  // namespace
}  // namespace lianxi::test
