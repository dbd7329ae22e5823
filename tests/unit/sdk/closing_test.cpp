// What callbacks publish while the client is being destroyed.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <thread>

#include "agents/sdk/client.h"
#include "tests/unit/sdk/scripted_node.h"

namespace lianxi::sdk {
namespace {

class Closing : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = std::filesystem::temp_directory_path() / "closing-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder); }
  std::unique_ptr<Client> open(const std::string& outbox = {}) {
    auto client = Client::open(node.profile(), {.outbox = outbox});
    EXPECT_TRUE(client) << client.error().reason;
    return std::move(*client);
  }
  ScriptedNode node;
  std::filesystem::path folder;
};

TEST_F(Closing, WhatACallbackPublishesThenHearsThatTheClientIsClosed) {
  node.stop();
  auto client = open();
  Client* const mine = client.get();
  std::atomic<int> told = 0;
  const auto closed = [&](const Outcome& outcome) {
    EXPECT_FALSE(outcome);
    EXPECT_EQ(outcome.error().code, RefusalCode::busy);
    ++told;
  };
  client->publish(report("一"), [&](const Outcome& first) {
    closed(first);
    mine->publish(report("二"), [&](const Outcome& second) { closed(second); });
  });
  client.reset();
  EXPECT_EQ(told, 2);
}

TEST_F(Closing, WhatACallbackHandsOverThenIsStoredForTheNextClient) {
  node.stop();
  const std::string outbox = folder / "outbox.db";
  auto client = open(outbox);
  Client* const mine = client.get();
  const Event event = report("二");
  client->publish(report("一"),
                  [&](const Outcome&) { mine->publish_async(std::span(&event, 1), [](std::size_t, const Outcome&) {}); });
  client.reset();
  EXPECT_EQ(open(outbox)->pending(), 2U);
}

TEST_F(Closing, AChainOfCallbacksEndsWithItsClient) {
  for (int round = 0; round < 10; ++round) {
    auto client = open(folder / ("outbox-" + std::to_string(round) + ".db"));
    Client* const mine = client.get();
    std::atomic<std::uint64_t> told = 0;
    const Event event = report("又一件");
    std::function<void(std::size_t, const Outcome&)> again = [&](std::size_t, const Outcome& outcome) {
      ++told;
      if (outcome) mine->publish_async(std::span(&event, 1), again);
    };
    client->publish_async(std::span(&event, 1), again);
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (told < 3 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    client.reset();
    EXPECT_GE(told, 3U);
  }
}

}  // namespace
}  // namespace lianxi::sdk
