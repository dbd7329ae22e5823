// Questions of several threads over one connection, and what becomes of them when it goes.
#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <csignal>
#include <future>
#include <set>
#include <thread>

#include "agents/sdk/query_line.h"
#include "tests/unit/sdk/scripted_node.h"

namespace lianxi::sdk {
namespace {

using Answered = QueryResult;
constexpr std::chrono::milliseconds kShort{200};

class Questions : public ::testing::Test {
 protected:
  void SetUp() override { client = open(node.profile()); }
  static std::unique_ptr<Client> open(const Profile& profile) {
    auto opened = Client::open(profile, {});
    EXPECT_TRUE(opened);
    return std::move(*opened);
  }
  std::future<Answered> ask(std::chrono::milliseconds timeout = kPatience) {
    return std::async(std::launch::async, [mine = client.get(), timeout] { return mine->query(AskAlerts{}, timeout); });
  }
  [[nodiscard]] bool heard(std::size_t questions) {
    return node.until([&](const auto& seen) { return seen.queries.size() >= questions; });
  }
  void mute(bool on) {
    node.set([on](auto& s) { s.mute_query = on; });
  }

  ScriptedNode node;
  std::unique_ptr<Client> client;
};

TEST_F(Questions, OfManyThreadsAreEachAnsweredOnce) {
  constexpr int kThreads = 8, kEach = 200;
  std::atomic<int> answered = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < kEach; ++k) {
        const auto answer = client->query(AskAlerts{}, kPatience);
        if (answer && *answer) ++answered;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(answered, kThreads * kEach);
  const auto seen = node.seen().queries;
  EXPECT_EQ(seen.size(), kThreads * kEach);
  std::set<std::uint64_t> requests;
  for (const Query& query : seen) requests.insert(query.request);
  EXPECT_EQ(requests.size(), seen.size());
}

// The first one drives and has gone to sleep by then.
TEST_F(Questions, ThatComeWhileAnotherWaitsAreSentAtOnce) {
  mute(true);
  auto first = ask();
  ASSERT_TRUE(heard(1));
  mute(false);
  const auto second = client->query(AskAlerts{}, kPatience);
  ASSERT_TRUE(second) << second.error().detail;
  EXPECT_TRUE(*second);
  EXPECT_EQ(first.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  client.reset();
  const auto unanswered = first.get();
  ASSERT_FALSE(unanswered);
  EXPECT_EQ(unanswered.error().code, SdkError::closed);
}

TEST_F(Questions, GoOnWhenTheOneThatDroveIsDone) {
  mute(true);
  auto first = ask(std::chrono::seconds(2));  // the others have come by then
  ASSERT_TRUE(heard(1));
  auto second = ask(), third = ask();
  ASSERT_TRUE(heard(3));
  mute(false);
  const auto gave_up = first.get();  // and with it the connection, on which nothing came
  ASSERT_FALSE(gave_up);
  EXPECT_EQ(gave_up.error().code, SdkError::timeout);
  for (auto* waiting : {&second, &third}) {
    const auto answer = waiting->get();
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_TRUE(*answer);
  }
}

TEST_F(Questions, OneThatGivesUpHasTheConnectionMadeAnewForTheOthers) {
  mute(true);
  auto first = ask();
  ASSERT_TRUE(heard(1));
  const auto second = client->query(AskAlerts{}, kShort);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, SdkError::timeout);
  mute(false);
  const auto answer = first.get();
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_TRUE(*answer);
}

TEST_F(Questions, WithoutTimeCostTheOthersNothing) {
  ASSERT_TRUE(client->query(AskAlerts{}, kPatience));
  mute(true);
  auto first = ask();
  ASSERT_TRUE(heard(2));
  for (const auto timeout : {std::chrono::milliseconds(0), std::chrono::milliseconds(-1), std::chrono::milliseconds::min()}) {
    const auto none = client->query(AskAlerts{}, timeout);
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, SdkError::timeout);
  }
  mute(false);
  const auto answer = client->query(AskAlerts{}, std::chrono::milliseconds::max());  // on the connection as it was
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(node.seen().queries.size(), 3U) << "the first was not asked again";
  client.reset();
  EXPECT_FALSE(first.get());
}

TEST_F(Questions, FindAConnectionLostWhileNobodyAsked) {
  for (int round = 0; round < 3; ++round) {
    const auto answer = client->query(AskAlerts{}, kPatience);
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_TRUE(*answer);
    EXPECT_FALSE(client->trouble());
    node.restart();
  }
}

extern "C" void take_note(int /*signal*/) {}

TEST_F(Questions, ASignalToTheAskingThreadIsNotTheConnectionsFault) {
  struct sigaction action {
  }, before{};
  action.sa_handler = take_note;  // without SA_RESTART
  ASSERT_EQ(::sigaction(SIGUSR1, &action, &before), 0);
  ASSERT_TRUE(client->query(AskAlerts{}, kPatience));
  const pthread_t asking = ::pthread_self();
  std::atomic<bool> over = false;
  std::thread disturbing([&] {
    while (!over) {
      ::pthread_kill(asking, SIGUSR1);
      std::this_thread::yield();
    }
  });
  for (int i = 0; i < 500; ++i) {
    const auto answer = client->query(AskAlerts{}, kPatience);
    EXPECT_TRUE(answer && *answer);
    EXPECT_FALSE(client->trouble());
  }
  over = true;
  disturbing.join();
  ::sigaction(SIGUSR1, &before, nullptr);
  EXPECT_EQ(node.seen().queries.size(), 501U);
}

TEST_F(Questions, AllHearThatTheClientIsClosed) {
  mute(true);
  std::vector<std::future<Answered>> waiting;
  for (std::size_t i = 0; i < 4; ++i) waiting.push_back(ask());
  ASSERT_TRUE(heard(waiting.size()));
  client.reset();
  for (auto& one : waiting) {
    const auto answer = one.get();
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, SdkError::closed);
  }
}

TEST_F(Questions, ARefusedKeyIsTriedAgainAndNoExcuseForSilence) {
  node.set([](auto& s) { s.refuse_keys = true; });
  for (int i = 0; i < 2; ++i) {
    const auto refused = client->query(AskAlerts{}, kPatience);
    ASSERT_TRUE(refused) << refused.error().detail;
    ASSERT_FALSE(*refused);
    EXPECT_EQ(refused->error().code, RefusalCode::unknown_key);
    EXPECT_EQ(client->trouble()->code, RefusalCode::unknown_key);
  }
  node.stop();
  // As soon as it is tried again, nobody is there to refuse anything.
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  Answered answer = client->query(AskAlerts{}, kShort);
  while (answer && std::chrono::steady_clock::now() < give_up) answer = client->query(AskAlerts{}, kShort);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, SdkError::unreachable);
  EXPECT_EQ(client->trouble()->code, RefusalCode::busy);
  node.set([](auto& s) { s.refuse_keys = false; });
  node.start();
  answer = client->query(AskAlerts{}, kPatience);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_TRUE(*answer);
  EXPECT_FALSE(client->trouble());
}

TEST_F(Questions, SayWhyTheEndpointCannotBeReached) {
  node.stop();
  const auto answer = client->query(AskAlerts{}, kShort);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, SdkError::unreachable);
  EXPECT_FALSE(answer.error().detail.empty());
  ASSERT_TRUE(client->trouble());
  EXPECT_EQ(client->trouble()->code, RefusalCode::busy);
  node.start();
  const auto again = client->query(AskAlerts{}, kPatience);
  ASSERT_TRUE(again) << again.error().detail;
  EXPECT_FALSE(client->trouble());
}

}  // namespace
}  // namespace lianxi::sdk
