// Ack level peers(k) with real nodes: the receipt at once, then how many others hold the events on disk.
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/integration/raw_client.h"

namespace lianxi::test {
namespace {

constexpr const char* kQuzhou = "330800";
constexpr const char* kHuangshan = "341000";
constexpr const char* kNanping = "350700";

class PeerAcksTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* region : {kQuzhou, kHuangshan, kNanping})
      ASSERT_TRUE(cities.start(region)) << cities.city(region).process->output();
    ASSERT_TRUE(police.connect());
  }
  // The receipt of `count` events from `first` on must come before the outcome that this returns.
  std::optional<ReplicatedRange> publish(std::uint64_t first, std::uint64_t count, std::uint8_t peers,
                                         std::uint32_t deadline_ms) {
    Publish message;
    message.session = police.session();
    message.lane = Lane::normal;
    message.first_sequence = Sequence(first);
    message.peers = peers;
    message.deadline_ms = deadline_ms;
    for (std::uint64_t i = first; i < first + count; ++i) message.events.push_back(incident_event(kQuzhou, "police", i));
    police.client().send(message);
    const auto answers = police.client().receive();
    if (!answers || !std::holds_alternative<Answers>(*answers)) return std::nullopt;
    const auto outcome = police.client().receive_a<Replicated>();
    if (!outcome || outcome->session != police.session() || outcome->ranges.size() != 1) return std::nullopt;
    return outcome->ranges.front();
  }
  bool holds(const std::string& region, std::uint64_t events) {
    return eventually([&] {
      const auto status = status_of(cities.city(region));
      return status && status->head == Offset(events + 1);
    });
  }
  Cities cities{{kQuzhou, kHuangshan, kNanping}};
  Publisher police{cities.city(kQuzhou), "police", SessionId(7)};
};

TEST_F(PeerAcksTest, WithAllLinksUpBothPeersHoldIt) {
  const auto outcome = publish(1, 20, 2, 60'000);
  EXPECT_EQ(outcome, (ReplicatedRange{Lane::normal, Sequence(1), 20, 2, 2}));
  EXPECT_TRUE(holds(kHuangshan, 20));
  EXPECT_TRUE(holds(kNanping, 20));
  EXPECT_TRUE(cities.metric_comes_to(kQuzhou, "lianxi_peer_acks_total{outcome=\"reached\"}", 1));
  EXPECT_TRUE(cities.metric_comes_to(kQuzhou, "lianxi_peer_acks_waiting", 0));
}

TEST_F(PeerAcksTest, WithAPeerAwayTheDeadlinePassesAndTheEventComesToItLater) {
  ASSERT_EQ(publish(1, 1, 2, 60'000), (ReplicatedRange{Lane::normal, Sequence(1), 1, 2, 2}));
  cities.kill(kNanping);
  ASSERT_EQ(publish(2, 3, 1, 60'000), (ReplicatedRange{Lane::normal, Sequence(2), 3, 1, 1})) << "Huangshan holds them";
  EXPECT_EQ(publish(2, 3, 2, 500), (ReplicatedRange{Lane::normal, Sequence(2), 3, 2, 1})) << "and nobody else";
  EXPECT_TRUE(holds(kQuzhou, 4));
  ASSERT_TRUE(cities.start(kNanping)) << cities.city(kNanping).process->output();
  EXPECT_EQ(publish(2, 3, 2, 60'000), (ReplicatedRange{Lane::normal, Sequence(2), 3, 2, 2})) << "a repeat gets today's count";
  EXPECT_TRUE(holds(kNanping, 4));
}

TEST_F(PeerAcksTest, AfterTheNodeWasKilledARepeatIsCountedAnew) {
  ASSERT_TRUE(publish(1, 5, 2, 60'000));
  cities.kill(kQuzhou);
  ASSERT_TRUE(cities.start(kQuzhou)) << cities.city(kQuzhou).process->output();
  ASSERT_TRUE(police.connect());
  EXPECT_EQ(publish(1, 5, 2, 60'000), (ReplicatedRange{Lane::normal, Sequence(1), 5, 2, 2}));
}

TEST_F(PeerAcksTest, MorePeersThanThereAreIsRefused) {
  Publish message;
  message.session = police.session();
  message.lane = Lane::normal;
  message.first_sequence = Sequence(1);
  message.peers = 3;
  message.events = {incident_event(kQuzhou, "police", 1)};
  police.client().send(message);
  const auto answers = police.answers();
  ASSERT_TRUE(answers && answers->refusals.size() == 1);
  EXPECT_EQ(answers->refusals[0].refusal.code, RefusalCode::invalid_field);
  EXPECT_EQ(answers->refusals[0].refusal.field, "peers");
}

}  // namespace
}  // namespace lianxi::test
