#include <gtest/gtest.h>

#include <atomic>
#include <set>

#include "agents/sdk/client.h"
#include "tests/unit/sdk/scripted_node.h"

namespace lianxi::sdk {
namespace {

using Seen = ScriptedNode::Seen;

class Publishing : public ::testing::Test {
 protected:
  std::unique_ptr<Client> open(ClientOptions options = {}) {
    options.report = [this](const std::string&) { ++reports; };
    auto client = Client::open(node.profile(), std::move(options));
    EXPECT_TRUE(client) << client.error().reason;
    return std::move(*client);
  }
  static Outcome outcome(std::future<Outcome>& future) {
    if (future.wait_for(kPatience) != std::future_status::ready) return refuse(RefusalCode::deadline, "", "no answer");
    return future.get();
  }
  // Of events that were sent; a client that waited long for an answer sends them again.
  static std::size_t sent(const Seen& seen) {
    std::set<std::uint64_t> sequences;
    for (const Publish& publish : seen.publishes) {
      for (std::size_t i = 0; i < publish.events.size(); ++i) sequences.insert(publish.first_sequence.value + i);
    }
    return sequences.size();
  }
  std::vector<std::string> accepted() {
    std::vector<std::string> texts;
    for (const Bytes& body : node.seen().accepted) texts.push_back(text_of(body));
    return texts;
  }

  ScriptedNode node;
  std::atomic<int> reports{0};
};

TEST_F(Publishing, EventsOfEveryLaneGetTheirReceipts) {
  auto client = open();
  auto incident = client->publish(report("起火"));
  auto warning = client->publish(alert("a1"));
  auto resource = client->publish(team("队伍"));
  const Outcome first = outcome(incident);
  ASSERT_TRUE(first) << first.error().reason;
  EXPECT_EQ(to_text(first->feed), "330800/1/normal/conference");
  EXPECT_EQ(first->sequence, Sequence{1});
  EXPECT_EQ(outcome(warning)->feed.lane, Lane::flash);
  EXPECT_EQ(outcome(resource)->feed.lane, Lane::bulk);
  EXPECT_EQ(client->pending(), 0U);
}

TEST_F(Publishing, ALostAnswerIsAskedForAgainUnderTheSameSequence) {
  node.set([](auto& s) { s.lose_answers = 1; });
  auto client = open();
  auto future = client->publish(report("起火"));
  ASSERT_TRUE(node.until([](const Seen& s) { return s.publishes.size() == 1; }));
  node.restart();
  ASSERT_TRUE(outcome(future));
  const Seen seen = node.seen();
  ASSERT_GE(seen.publishes.size(), 2U);
  EXPECT_EQ(seen.publishes.back().session, seen.publishes.front().session);
  EXPECT_EQ(seen.publishes.back().first_sequence, Sequence{1});
  EXPECT_EQ(seen.accepted.size(), 1U);
}

TEST_F(Publishing, TheWindowIsNeverExceededAndWhatWaitsTravelsTogether) {
  node.set([](auto& s) { s.hold_answers = true; });
  auto client = open({.max_in_flight = 4});
  std::vector<std::future<Outcome>> futures;
  for (int i = 0; i < 24; ++i) futures.push_back(client->publish(report(std::to_string(i))));
  ASSERT_TRUE(node.until([](const Seen& s) { return sent(s) >= 4; }));
  EXPECT_EQ(client->pending(), 24U);
  EXPECT_EQ(sent(node.seen()), 4U);
  node.release();
  for (auto& future : futures) ASSERT_TRUE(outcome(future));
  const Seen seen = node.seen();
  EXPECT_EQ(sent(seen), 24U);
  std::size_t widest = 0;
  for (const Publish& publish : seen.publishes) widest = std::max(widest, publish.events.size());
  EXPECT_GT(widest, 1U);
  EXPECT_LE(widest, 4U);
  for (int i = 0; i < 24; ++i) EXPECT_EQ(accepted().at(static_cast<std::size_t>(i)), std::to_string(i));
}

TEST_F(Publishing, ANodeThatIsBehindGetsANewSessionAndWhatHasNoAnswer) {
  auto client = open();
  auto before = client->publish(report("一"));
  ASSERT_TRUE(outcome(before));
  node.set([](auto& s) { s.lose_answers = 1'000'000; });  // also those of what is sent again
  auto between = client->publish(report("二"));
  ASSERT_TRUE(node.until([](const Seen& s) { return s.accepted.size() == 2; }));
  node.stop();
  node.forget_sessions();
  node.set([](auto& s) { s.lose_answers = 0; });
  node.start();
  auto after = client->publish(report("三"));
  ASSERT_TRUE(outcome(between));
  ASSERT_TRUE(outcome(after));
  EXPECT_GE(reports, 1);
  const Seen seen = node.seen();
  EXPECT_NE(seen.publishes.back().session, seen.publishes.front().session);
  const std::vector<SessionId> closed = seen.hellos.back().close_sessions;
  EXPECT_EQ(closed, std::vector<SessionId>{seen.publishes.front().session});
  EXPECT_EQ(accepted(), (std::vector<std::string>{"一", "二", "二", "三"}));  // the restored node had lost the first 二
}

TEST_F(Publishing, ASessionThatTheNodeForgotWithoutALostAnswerGoesOn) {
  auto client = open();
  ASSERT_TRUE(client->wait_connected(kPatience));
  node.forget_sessions();
  auto future = client->publish(report("一"));
  ASSERT_TRUE(outcome(future));
  EXPECT_EQ(node.seen().accepted.size(), 1U);
}

TEST_F(Publishing, RetryAfterHoldsBackWhatIsBehindItAndLosesNothing) {
  node.set([](auto& s) { s.busy = 3; });
  auto client = open();
  std::vector<std::future<Outcome>> futures;
  for (int i = 0; i < 50; ++i) futures.push_back(client->publish(report(std::to_string(i))));
  for (auto& future : futures) ASSERT_TRUE(outcome(future));
  const auto texts = accepted();
  ASSERT_EQ(texts.size(), 50U);
  for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(texts[i], std::to_string(i));
}

TEST_F(Publishing, AFullDiskIsNoUnreachableNode) {
  node.set([](auto& s) {
    s.busy = 1'000'000;
    s.busy_code = RefusalCode::disk_full;
  });
  auto client = open();
  EXPECT_FALSE(client->held_back());
  auto future = client->publish(report("满"));
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  while (!client->held_back() && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
  ASSERT_TRUE(client->held_back());
  EXPECT_EQ(client->held_back()->code, RefusalCode::disk_full);
  EXPECT_FALSE(client->trouble());
  node.set([](auto& s) { s.busy = 0; });
  ASSERT_TRUE(outcome(future));
  while (client->held_back() && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
  EXPECT_FALSE(client->held_back());
}

TEST_F(Publishing, AKeyOfAnotherAgentIsAMistakeOfTheProfile) {
  node.set([](auto& s) { s.key_owner = AgentId::parse("330800.fire.dispatch").value(); });
  auto client = open();
  auto future = client->publish(report("错"));
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  while (!client->trouble() && std::chrono::steady_clock::now() < give_up) std::this_thread::yield();
  ASSERT_TRUE(client->trouble());
  EXPECT_EQ(client->trouble()->code, RefusalCode::config);
  EXPECT_EQ(client->trouble()->field, "agent.id");
  EXPECT_NE(client->trouble()->reason.find("330800.fire.dispatch"), std::string::npos);
  EXPECT_FALSE(client->wait_connected(std::chrono::milliseconds(50)));
  EXPECT_TRUE(node.seen().publishes.empty());
  EXPECT_EQ(reports, 1);
}

TEST_F(Publishing, ARefusalReachesItsEventAndConsumesItsSequence) {
  node.set([](auto& s) {
    s.judge = [](BytesView body) -> std::optional<Refusal> {
      if (text_of(body) != "坏") return std::nullopt;
      return Refusal{RefusalCode::not_allowed, "kind", "outside your rights", 0};
    };
  });
  auto client = open();
  auto first = client->publish(report("好"));
  auto bad = client->publish(report("坏"));
  auto last = client->publish(report("又好"));
  ASSERT_TRUE(outcome(first));
  const Outcome refused = outcome(bad);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, RefusalCode::not_allowed);
  ASSERT_TRUE(outcome(last));
  EXPECT_EQ(client->pending(), 0U);
}

TEST_F(Publishing, ABadOrOversizeEventIsRefusedBeforeItIsSent) {
  auto client = open();
  Event nowhere = report("x");
  nowhere.envelope.entity = "nonsense";
  auto bad = client->publish(nowhere);
  EXPECT_FALSE(outcome(bad));
  auto large = client->publish(report(std::string(kMaxBodyBytes + 1, 'x')));
  const Outcome refused = outcome(large);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, RefusalCode::oversize);
  EXPECT_EQ(client->pending(), 0U);
  auto good = client->publish(report("好"));
  ASSERT_TRUE(outcome(good));
  EXPECT_EQ(sent(node.seen()), 1U);
}

TEST_F(Publishing, ACallbackRunsOnceForEachEvent) {
  std::atomic<int> calls{0};
  auto client = open();
  for (int i = 0; i < 100; ++i) client->publish(team(std::to_string(i)), [&](const Outcome&) { ++calls; });
  auto last = client->publish(team("last"));
  ASSERT_TRUE(outcome(last));
  EXPECT_EQ(calls, 100);
}

TEST_F(Publishing, OneCallPublishesManyAndHearsOfEach) {
  std::vector<Event> events;
  for (int i = 0; i < 300; ++i) events.push_back(report(std::to_string(i)));
  events.at(7).envelope.entity = "nonsense";
  std::vector<int> good(events.size()), bad(events.size());
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t told = 0;
  auto client = open({.max_in_flight = 64});
  client->publish(events, [&](std::size_t i, const Outcome& outcome) {
    const std::scoped_lock lock(mutex);
    ++(outcome ? good : bad).at(i);
    ++told;
    changed.notify_all();
  });
  const auto last = client->publish(report("last")).wait_for(kPatience);
  ASSERT_EQ(last, std::future_status::ready);
  std::unique_lock lock(mutex);
  ASSERT_TRUE(changed.wait_for(lock, kPatience, [&] { return told == events.size(); })) << told;
  for (std::size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(good[i], i == 7 ? 0 : 1) << i;
    EXPECT_EQ(bad[i], i == 7 ? 1 : 0) << i;
  }
  const auto texts = accepted();
  ASSERT_EQ(texts.size(), 300U);
  EXPECT_EQ(texts.front(), "0");
  EXPECT_EQ(texts.back(), "last");
}

TEST_F(Publishing, MemoryHoldsNoMoreThanItMay) {
  node.stop();
  auto client = open({.max_waiting_bytes = 100'000});
  std::vector<std::future<Outcome>> futures;
  for (int i = 0; i < 30; ++i) futures.push_back(client->publish(report(std::string(10'000, 'x'))));
  const Outcome last = outcome(futures.back());
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error().code, RefusalCode::busy);
  EXPECT_EQ(last.error().field, "outbox");
  const std::size_t held = client->pending();
  EXPECT_GT(held, 5U);
  EXPECT_LT(held, 11U);
  node.start();
  EXPECT_TRUE(outcome(futures.front()));
  ASSERT_TRUE(node.until([&](const Seen& s) { return s.accepted.size() == held; }));
  auto again = client->publish(report("再"));
  EXPECT_TRUE(outcome(again));
}

TEST_F(Publishing, ACallbackMayPublish) {
  auto client = open();
  std::promise<Outcome> second;
  client->publish(report("一"), [&](const Outcome&) {
    client->publish(report("二"), [&](const Outcome& outcome) { second.set_value(outcome); });
  });
  auto future = second.get_future();
  EXPECT_TRUE(outcome(future));
}

TEST_F(Publishing, ManyThreadsShareAClient) {
  auto client = open({.max_in_flight = 16});
  std::atomic<int> accepted_count{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        auto future = client->publish(team(std::to_string(t) + "-" + std::to_string(i)));
        if (outcome(future)) ++accepted_count;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(accepted_count, 200);
  const auto texts = accepted();
  EXPECT_EQ(std::set<std::string>(texts.begin(), texts.end()).size(), 200U);
  EXPECT_EQ(texts.size(), 200U);
}

TEST_F(Publishing, TheDestructorWaitsForNobodyAndTellsWhoWaits) {
  node.stop();
  auto client = open();
  auto future = client->publish(report("无人"));
  const auto before = std::chrono::steady_clock::now();
  client.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - before, kPatience);
  const Outcome closed = outcome(future);
  ASSERT_FALSE(closed);
  EXPECT_EQ(closed.error().code, RefusalCode::busy);
}

TEST_F(Publishing, AClientOpenedBeforeItsNodeConnectsWhenItComes) {
  node.stop();
  auto client = open();
  auto future = client->publish(report("早"));
  EXPECT_FALSE(client->wait_connected(std::chrono::milliseconds(50)));
  node.start();
  EXPECT_TRUE(outcome(future));
  EXPECT_TRUE(client->wait_connected(kPatience));
  EXPECT_EQ(client->welcome()->region, RegionCode{330800});
}

}  // namespace
}  // namespace lianxi::sdk
