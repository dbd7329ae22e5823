#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <set>

#include "agents/sdk/client.h"
#include "agents/sdk/outbox.h"
#include "tests/unit/sdk/scripted_node.h"

namespace lianxi::sdk {
namespace {

class DurableOutbox : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = std::filesystem::temp_directory_path() / "outbox-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder = pattern;
    path = folder / "outbox.db";
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  std::unique_ptr<Client> open(const Profile& profile, std::function<void(const std::string&)> report = {}) {
    auto client = Client::open(profile, {.outbox = path, .report = std::move(report)});
    EXPECT_TRUE(client) << client.error().reason;
    return client ? std::move(*client) : nullptr;
  }
  static bool good(std::future<Outcome>& future) {
    return future.wait_for(kPatience) == std::future_status::ready && future.get().has_value();
  }

  std::filesystem::path folder;
  std::string path;
};

TEST_F(DurableOutbox, WhatWasPublishedWhileTheNodeWasAwayIsSentByTheNextClient) {
  ScriptedNode node;
  node.stop();
  {
    auto client = open(node.profile());
    for (int i = 0; i < 10; ++i) (void)client->publish(report(std::to_string(i)));
    EXPECT_EQ(client->pending(), 10U);
  }
  node.start();
  auto client = open(node.profile());
  ASSERT_TRUE(node.until([](const auto& seen) { return seen.accepted.size() == 10; }));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(text_of(node.seen().accepted.at(static_cast<std::size_t>(i))), std::to_string(i));
}

TEST_F(DurableOutbox, EveryPublishThatReturnedSurvivesKill9AndIsAcceptedOnce) {
  ScriptedNode node;
  node.stop();  // no thread of ours runs while we fork
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto client = Client::open(node.profile(), {.outbox = path});
    if (!client) ::_exit(1);
    for (std::uint32_t i = 0;; ++i) {
      (void)(*client)->publish(report(std::to_string(i)));
      if (::write(pipe[1], &i, sizeof i) != sizeof i) ::_exit(2);
    }
  }
  ::close(pipe[1]);
  std::uint32_t last = 0;
  while (last < 200 && ::read(pipe[0], &last, sizeof last) == sizeof last) {
  }
  ::kill(child, SIGKILL);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  std::uint32_t more = 0;
  while (::read(pipe[0], &more, sizeof more) == sizeof more) last = more;
  ::close(pipe[0]);
  ASSERT_GE(last, 200U);

  node.start();
  auto client = open(node.profile());
  ASSERT_NE(client, nullptr);
  ASSERT_TRUE(node.until([&](const auto& seen) { return seen.accepted.size() > last; }));
  auto behind = client->publish(report("behind"));
  ASSERT_TRUE(good(behind));
  const auto accepted = node.seen().accepted;
  for (std::uint32_t i = 0; i <= last; ++i) EXPECT_EQ(text_of(accepted.at(i)), std::to_string(i));
  EXPECT_LE(accepted.size(), last + 3);  // at most one more was on its way in
}

TEST_F(DurableOutbox, WhatIsPublishedBehindTheCallersBackIsStoredAndAnswered) {
  ScriptedNode node;
  std::mutex mutex;
  std::condition_variable changed;
  int good_ones = 0, told = 0;
  auto client = open(node.profile());
  for (int i = 0; i < 500; ++i) {
    const Event event = report(std::to_string(i));
    client->publish_async(std::span(&event, 1), [&](std::size_t, const Outcome& outcome) {
      const std::scoped_lock lock(mutex);
      good_ones += outcome ? 1 : 0;
      ++told;
      changed.notify_all();
    });
  }
  std::unique_lock lock(mutex);
  ASSERT_TRUE(changed.wait_for(lock, kPatience, [&] { return told == 500; })) << told;
  EXPECT_EQ(good_ones, 500);
  lock.unlock();
  const auto accepted = node.seen().accepted;
  ASSERT_EQ(accepted.size(), 500U);
  for (std::size_t i = 0; i < 500; ++i) EXPECT_EQ(text_of(accepted[i]), std::to_string(i));
  EXPECT_EQ(client->pending(), 0U);
}

TEST_F(DurableOutbox, TheDestructorStoresWhatWaitsForTheDisk) {
  ScriptedNode node;
  node.stop();
  std::atomic<int> told{0};
  {
    auto client = open(node.profile());
    std::vector<Event> events;
    for (int i = 0; i < 200; ++i) events.push_back(report(std::to_string(i)));
    client->publish_async(events, [&](std::size_t, const Outcome& outcome) { told += outcome ? 100'000 : 1; });
  }
  EXPECT_EQ(told, 200) << "each waiter is told that the client was closed";
  node.start();
  auto client = open(node.profile());
  ASSERT_TRUE(node.until([](const auto& seen) { return seen.accepted.size() == 200; }));
}

TEST_F(DurableOutbox, AResumedSessionNoticesAnotherBodyUnderItsSequence) {
  ScriptedNode node;
  const std::string copy = path + ".copy";
  {
    auto client = open(node.profile());
    auto first = client->publish(report("一"));
    ASSERT_TRUE(good(first));
  }
  std::filesystem::copy_file(path, copy);
  {
    auto client = open(node.profile());
    auto second = client->publish(report("二"));
    ASSERT_TRUE(good(second));
    node.stop();  // so that the node keeps what it answered
  }
  std::filesystem::rename(copy, path);
  std::filesystem::remove(path + "-wal");
  std::filesystem::remove(path + "-shm");
  std::atomic<int> reports{0};
  auto client = open(node.profile(), [&](const std::string&) { ++reports; });
  auto other = client->publish(report("另一个二"));  // the same sequence
  node.start();
  ASSERT_TRUE(good(other));
  EXPECT_GE(reports, 1);
  const auto accepted = node.seen().accepted;
  ASSERT_EQ(accepted.size(), 3U);
  EXPECT_EQ(text_of(accepted.back()), "另一个二");
}

TEST_F(DurableOutbox, ASecondProcessGoesOnInTheSameSession) {
  ScriptedNode node;
  {
    auto client = open(node.profile());
    auto first = client->publish(report("一"));
    ASSERT_TRUE(good(first));
  }
  auto client = open(node.profile());
  auto second = client->publish(report("二"));
  ASSERT_TRUE(good(second));
  const auto seen = node.seen();
  EXPECT_EQ(seen.publishes.front().session, seen.publishes.back().session);
  EXPECT_EQ(seen.publishes.back().first_sequence, Sequence{2});
  EXPECT_EQ(seen.publishes.back().answered_through, Sequence{1});
}

TEST_F(DurableOutbox, AnOutboxRestoredFromACopyOpensANewSession) {
  ScriptedNode node;
  {
    auto client = open(node.profile());
    auto first = client->publish(report("一"));
    ASSERT_TRUE(good(first));
  }
  std::filesystem::copy_file(path, path + ".copy");
  {
    auto client = open(node.profile());
    auto second = client->publish(report("二"));
    ASSERT_TRUE(good(second));
  }
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix);
  std::filesystem::rename(path + ".copy", path);
  std::atomic<int> reports{0};
  auto client = open(node.profile(), [&](const std::string&) { ++reports; });
  auto third = client->publish(report("三"));
  ASSERT_TRUE(good(third));
  const auto seen = node.seen();
  EXPECT_NE(seen.publishes.front().session, seen.publishes.back().session);
  EXPECT_GE(reports, 1);
  EXPECT_EQ(seen.accepted.size(), 3U);
}

TEST_F(DurableOutbox, OneClientAtATime) {
  ScriptedNode node;
  auto client = open(node.profile());
  const auto second = Client::open(node.profile(), {.outbox = path});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, RefusalCode::config);
}

TEST_F(DurableOutbox, AnotherAgentsOutboxIsRefused) {
  ScriptedNode node;
  (void)open(node.profile());
  Profile other = node.profile();
  other.agent = AgentId::parse("330800.fire.dispatch").value();
  EXPECT_FALSE(Client::open(other, {.outbox = path}));
}

TEST_F(DurableOutbox, AKeyIsPublishedOnceAndRepeatsGetTheFirstOutcome) {
  ScriptedNode node;
  Offset first_offset;
  {
    auto client = open(node.profile());
    auto first = client->publish_once(report("一"), "file/1");
    ASSERT_EQ(first.wait_for(kPatience), std::future_status::ready);
    first_offset = first.get()->offset;
    auto again = client->publish_once(report("一"), "file/1");
    ASSERT_EQ(again.wait_for(kPatience), std::future_status::ready);
    EXPECT_EQ(again.get()->offset, first_offset);
  }
  auto client = open(node.profile());
  auto again = client->publish_once(report("一"), "file/1");
  ASSERT_EQ(again.wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ(again.get()->offset, first_offset);
  EXPECT_EQ(node.seen().accepted.size(), 1U);
  client->forget_keys("file/");
  auto anew = client->publish_once(report("一"), "file/1");
  ASSERT_TRUE(good(anew));
  EXPECT_EQ(node.seen().accepted.size(), 2U);
}

TEST_F(DurableOutbox, ARepeatedKeyWaitsForTheAnswerOfTheFirst) {
  ScriptedNode node;
  node.stop();
  {
    auto client = open(node.profile());
    (void)client->publish_once(report("一"), "file/1");
  }
  auto client = open(node.profile());
  auto first = client->publish_once(report("一"), "file/1");
  auto second = client->publish_once(report("一"), "file/1");
  EXPECT_EQ(client->pending(), 1U);
  client->forget_keys("file/");  // not answered: stays
  node.start();
  EXPECT_TRUE(good(first));
  EXPECT_TRUE(good(second));
  EXPECT_EQ(node.seen().accepted.size(), 1U);
}

TEST_F(DurableOutbox, ARefusedKeyKeepsItsRefusal) {
  ScriptedNode node;
  node.set([](auto& s) { s.judge = [](BytesView) { return Refusal{RefusalCode::not_allowed, "kind", "no", 0}; }; });
  {
    auto client = open(node.profile());
    auto first = client->publish_once(report("一"), "k");
    ASSERT_EQ(first.wait_for(kPatience), std::future_status::ready);
  }
  auto client = open(node.profile());
  auto again = client->publish_once(report("一"), "k");
  ASSERT_EQ(again.wait_for(kPatience), std::future_status::ready);
  const Outcome outcome = again.get();
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().reason, "no");
}

TEST_F(DurableOutbox, ManyThreadsShareCommits) {
  ScriptedNode node;
  auto client = open(node.profile());
  std::atomic<int> count{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        auto future = client->publish(team(std::to_string(t) + "-" + std::to_string(i)));
        if (good(future)) ++count;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(count, 160);
  std::set<std::string> texts;
  for (const Bytes& body : node.seen().accepted) texts.insert(text_of(body));
  EXPECT_EQ(texts.size(), 160U);
  EXPECT_EQ(node.seen().accepted.size(), 160U);
}

}  // namespace
}  // namespace lianxi::sdk
