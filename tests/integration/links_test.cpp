// Two nodes linked: they converge, also after one was stopped, killed or unreachable, and no event comes twice.
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>

#include "tests/integration/raw_client.h"

namespace lianxi::test {
namespace {

constexpr const char* kQuzhou = "330800";
constexpr const char* kHuangshan = "341000";

class LinksTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(cities.start(kQuzhou)) << cities.city(kQuzhou).process->output();
    ASSERT_TRUE(cities.start(kHuangshan)) << cities.city(kHuangshan).process->output();
  }
  void publish(const std::string& region, std::uint64_t from, std::uint64_t to) {
    Publisher police(cities.city(region), "police", SessionId(from + 1000));
    ASSERT_TRUE(police.connect());
    std::vector<Bytes> events;
    for (std::uint64_t i = from; i < to; ++i) events.push_back(incident_event(region, "police", i));
    police.publish(Lane::normal, Sequence(1), std::move(events));
    const auto answers = police.answers();
    ASSERT_TRUE(answers);
    ASSERT_TRUE(answers->refusals.empty());
    Publisher emergency(cities.city(region), "emergency", SessionId(from + 2000), "flash");
    ASSERT_TRUE(emergency.connect());
    emergency.publish(Lane::flash, Sequence(1), {alert_event(region, from)});
    ASSERT_TRUE(emergency.answers());
  }
  static FeedVector shared(const StatusReport& status) {
    FeedVector feeds = status.feeds;
    std::erase_if(feeds, [](const FeedPosition& position) { return position.feed.audience.is_local(); });
    return feeds;
  }
  static std::optional<DigestRow> conference(const StatusReport& status) {
    for (const DigestRow& row : status.digests)
      if (row.audience == Audience::conference()) return row;
    return std::nullopt;
  }
  // Both hold the same shared feeds to the same heads, and their views agree.
  bool converged() {
    return eventually([&] {
      const auto a = status_of(cities.city(kQuzhou));
      const auto b = status_of(cities.city(kHuangshan));
      if (!a || !b || shared(*a) != shared(*b) || shared(*a).size() < 4) return false;
      const auto x = conference(*a);
      const auto y = conference(*b);
      return x && y && x->vector == y->vector && x->vector.size() >= 4 && x->digest == y->digest;
    });
  }
  std::uint64_t events_held(const std::string& region) {
    const auto status = status_of(cities.city(region));
    return status ? status->head.value - 1 : 0;
  }
  // A node says how far it is just after it has answered.
  bool holds(const std::string& region, std::uint64_t events) {
    return eventually([&] { return events_held(region) == events; });
  }
  bool following(const std::string& region) {
    return eventually([&] {
      const auto status = status_of(cities.city(region));
      return status && status->links.size() == 3 &&
             std::all_of(status->links.begin(), status->links.end(), [](const LinkRow& row) { return row.state == "following"; });
    });
  }
  Cities cities{{kQuzhou, kHuangshan}};
};

TEST_F(LinksTest, TwoNodesHoldTheSame) {
  publish(kQuzhou, 1, 51);
  publish(kHuangshan, 1, 31);
  EXPECT_TRUE(converged());
  EXPECT_TRUE(holds(kQuzhou, 82U));
  EXPECT_TRUE(holds(kHuangshan, 82U));
  for (const char* name : {R"(lianxi_view_vector{audience="conference"})", R"(lianxi_view_state{audience="conference"})"}) {
    EXPECT_GT(cities.metric(kQuzhou, name), 0) << name;
    EXPECT_EQ(cities.metric(kQuzhou, name), cities.metric(kHuangshan, name)) << name;
  }
  EXPECT_NE(cities.metric(kQuzhou, R"(lianxi_view_vector{audience="conference"})"),
            cities.metric(kQuzhou, R"(lianxi_view_state{audience="conference"})"));
  EXPECT_EQ(cities.metric(kQuzhou, R"(lianxi_view_state{audience="local"})"), -1) << "nobody else has it";
}

TEST_F(LinksTest, ALocalEventDoesNotTravel) {
  Publisher police(cities.city(kQuzhou), "police", SessionId(1));
  ASSERT_TRUE(police.connect());
  police.publish(Lane::normal, Sequence(1), {incident_event(kQuzhou, "police", 900, "local")});
  ASSERT_TRUE(police.answers());
  publish(kQuzhou, 1, 11);
  publish(kHuangshan, 1, 11);
  ASSERT_TRUE(converged());
  EXPECT_TRUE(holds(kQuzhou, 23U));
  EXPECT_TRUE(holds(kHuangshan, 22U));
}

TEST_F(LinksTest, AKilledNodeCatchesUpWhenItIsBack) {
  publish(kQuzhou, 1, 21);
  publish(kHuangshan, 1, 21);
  ASSERT_TRUE(converged());
  cities.kill(kHuangshan);
  publish(kQuzhou, 100, 151);
  ASSERT_TRUE(cities.start(kHuangshan)) << cities.city(kHuangshan).process->output();
  publish(kHuangshan, 100, 131);
  EXPECT_TRUE(converged());
  EXPECT_TRUE(holds(kQuzhou, 20 + 1 + 20 + 1 + 51 + 1 + 31 + 1));
  EXPECT_TRUE(holds(kHuangshan, events_held(kQuzhou)));
  EXPECT_TRUE(following(kQuzhou));
  EXPECT_TRUE(following(kHuangshan));
}

TEST_F(LinksTest, AStoppedNodeIsNoticedAndCatchesUpWhenItGoesOn) {
  publish(kQuzhou, 1, 21);
  publish(kHuangshan, 1, 21);
  ASSERT_TRUE(converged());
  ASSERT_TRUE(following(kQuzhou));
  cities.city(kHuangshan).process->signal(SIGSTOP);
  publish(kQuzhou, 100, 121);
  EXPECT_TRUE(eventually([&] {
    const auto status = status_of(cities.city(kQuzhou));
    return status &&
           std::none_of(status->links.begin(), status->links.end(), [](const LinkRow& row) { return row.state == "following"; });
  })) << "silence is noticed";
  publish(kQuzhou, 200, 221);
  cities.city(kHuangshan).process->signal(SIGCONT);
  EXPECT_TRUE(converged());
  EXPECT_TRUE(holds(kHuangshan, 21U + 21U + 22U + 22U));
  EXPECT_TRUE(following(kQuzhou));
}

// What was published while the node was away comes compressed, and once.
TEST_F(LinksTest, ABacklogComesCompressedAndNoEventTwice) {
  cities.kill(kHuangshan);
  Publisher police(cities.city(kQuzhou), "police", SessionId(7));
  ASSERT_TRUE(police.connect());
  for (std::uint64_t i = 0; i < 20; ++i) {
    std::vector<Bytes> events;
    for (std::uint64_t k = 0; k < 20; ++k) events.push_back(large_incident_event(kQuzhou, "police", i * 100 + k, 4'000));
    police.publish(Lane::normal, Sequence(i * 20 + 1), std::move(events));
    ASSERT_TRUE(police.answers());
  }
  ASSERT_TRUE(cities.start(kHuangshan)) << cities.city(kHuangshan).process->output();
  EXPECT_TRUE(holds(kHuangshan, 400U));
  std::optional<StatusReport> status;
  ASSERT_TRUE(eventually([&] {
    status = status_of(cities.city(kHuangshan));
    return status && std::all_of(status->links.begin(), status->links.end(), [](const LinkRow& row) {
             return row.state == "following" && row.lag_events == 0U && row.behind_ms == 0 && row.round_trip_ms &&
                    row.clock_ahead_ms;
           });
  })) << "in step, on every lane";
  const auto normal =
      std::find_if(status->links.begin(), status->links.end(), [](const LinkRow& row) { return row.lanes == "normal"; });
  ASSERT_NE(normal, status->links.end());
  EXPECT_EQ(normal->received_events, 400U);
  EXPECT_LE(normal->delivered_events, normal->received_events * 11 / 10);
  EXPECT_GT(normal->plain_bytes, 400U * 4'000U);
  EXPECT_LT(normal->wire_bytes, normal->plain_bytes / 2);
  EXPECT_TRUE(cities.metric_comes_to(kHuangshan, R"(lianxi_link_lag_events{lanes="normal",region="330800"})", 0));
  EXPECT_LT(cities.metric(kQuzhou, "lianxi_delivered_wire_bytes_total"), cities.metric(kQuzhou, "lianxi_delivered_bytes_total"));
}

TEST_F(LinksTest, AMemberWithAnEmptyDiskCatchesUpWhole) {
  publish(kQuzhou, 1, 301);
  cities.kill(kHuangshan);
  std::filesystem::remove_all(cities.data_dir(kHuangshan));
  ASSERT_TRUE(cities.start(kHuangshan)) << cities.city(kHuangshan).process->output();
  EXPECT_TRUE(holds(kHuangshan, 301U));
  EXPECT_TRUE(eventually([&] {
    const auto a = status_of(cities.city(kQuzhou));
    const auto b = status_of(cities.city(kHuangshan));
    return a && b && shared(*a) == shared(*b) && conference(*a) && conference(*b) &&
           conference(*a)->digest == conference(*b)->digest && conference(*a)->vector == conference(*b)->vector;
  }));
}

}  // namespace
}  // namespace lianxi::test
