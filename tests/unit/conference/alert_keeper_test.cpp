#include "agents/conference/alert_keeper.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <condition_variable>
#include <filesystem>

#include "tests/unit/sdk/scripted_node.h"

namespace lianxi::conference {
namespace {

using sdk::kPatience;

class KeepingReceipts : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = std::filesystem::temp_directory_path() / "receipts-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  // A keeper with its client, as the program runs them.
  struct Run {
    Run(KeepingReceipts& test, KeeperOptions options)
        : receipts(test.folder / "receipts.db"),
          keeper(
              receipts, options,
              [this](const std::string& line) {
                const std::scoped_lock lock(mutex);
                lines.push_back(line);
                changed.notify_all();
              },
              [] { return TimeMs{1'604'894'401'500}; }, [this] { changed.notify_all(); }),
          client(std::move(*sdk::Client::open(test.node.profile(), {}))) {
      follow();
    }
    void follow() { EXPECT_TRUE(client->follow(keeper.where(), keeper.callbacks())); }
    bool until(const std::function<bool()>& holds) {
      std::unique_lock lock(mutex);
      const auto end = std::chrono::steady_clock::now() + kPatience;
      while (!holds()) {
        if (changed.wait_for(lock, std::chrono::milliseconds(10)) == std::cv_status::timeout &&
            std::chrono::steady_clock::now() > end)
          return false;
      }
      return true;
    }
    bool lines_are(std::size_t count) {
      return until([&] { return lines.size() == count; });
    }

    std::mutex mutex;
    std::condition_variable changed;
    std::vector<std::string> lines;
    Receipts receipts;
    AlertKeeper keeper;
    std::unique_ptr<sdk::Client> client;
  };

  void publish(const Event& event) {
    auto client = sdk::Client::open(node.profile(), {});
    auto future = (*client)->publish(event);
    ASSERT_EQ(future.wait_for(kPatience), std::future_status::ready);
    ASSERT_TRUE(future.get());
  }

  std::filesystem::path folder;
  sdk::ScriptedNode node;
};

TEST_F(KeepingReceipts, EveryAlertHasOneReceiptAndOneLine) {
  Run run(*this, {.json = true});
  publish(sdk::alert("a1"));
  publish(sdk::report("not an alert"));
  publish(sdk::alert("a2"));
  ASSERT_TRUE(run.lines_are(2));
  EXPECT_NE(run.lines[0].find("\"seq\":1"), std::string::npos) << run.lines[0];
  EXPECT_NE(run.lines[0].find("\"headline\":\"撤离\""), std::string::npos);
  EXPECT_NE(run.lines[0].find("\"latency_ms\":1500"), std::string::npos);
  EXPECT_NE(run.lines[1].find("a2"), std::string::npos);
}

TEST_F(KeepingReceipts, ARestartGoesOnAtTheDurableCursor) {
  {
    Run run(*this, {});
    publish(sdk::alert("a1"));
    ASSERT_TRUE(run.lines_are(1));
  }
  publish(sdk::alert("a2"));
  Run run(*this, {});
  ASSERT_TRUE(run.lines_are(1));
  EXPECT_NE(run.lines[0].find("a2"), std::string::npos);
  const Follow asked = node.seen().follows.back();
  EXPECT_EQ(asked.from, FollowFrom::cursor);
  EXPECT_EQ(asked.offset, Offset{2});
}

TEST_F(KeepingReceipts, AnUnknownCursorReadsAllAgainAndDoublesNothing) {
  {
    Run run(*this, {});
    publish(sdk::alert("a1"));
    ASSERT_TRUE(run.lines_are(1));
  }
  node.set([](auto& s) { s.refuse_follow = Refusal{RefusalCode::cursor_unknown, "cursor", "restored", 0}; });
  Run run(*this, {});
  ASSERT_TRUE(run.until([&] { return run.keeper.wants_restart(); }));
  node.set([](auto& s) { s.refuse_follow.reset(); });
  run.follow();
  publish(sdk::alert("a2"));
  ASSERT_TRUE(run.lines_are(1));
  EXPECT_NE(run.lines[0].find("a2"), std::string::npos);
  EXPECT_EQ(node.seen().follows.back().from, FollowFrom::beginning);
}

TEST_F(KeepingReceipts, AnExerciseIsMarked) {
  Event drill = sdk::alert("d1");
  drill.envelope.status = Status::Exercise;
  {
    Run run(*this, {.count = 1});
    publish(drill);
    ASSERT_TRUE(run.lines_are(1));
    EXPECT_NE(run.lines[0].find("** Exercise **"), std::string::npos);
    EXPECT_TRUE(run.until([&] { return run.keeper.over(); }));
    EXPECT_EQ(run.keeper.failure(), "");
  }
  std::filesystem::remove(folder / "receipts.db");
  Run run(*this, {.chinese = true});
  ASSERT_TRUE(run.lines_are(1));
  EXPECT_NE(run.lines[0].find("【演练】"), std::string::npos);
}

TEST_F(KeepingReceipts, ARefusalEndsItWithTheReason) {
  node.set([](auto& s) { s.refuse_follow = Refusal{RefusalCode::not_allowed, "kind", "no rights", 0}; });
  Run run(*this, {});
  ASSERT_TRUE(run.until([&] { return run.keeper.over(); }));
  EXPECT_EQ(run.keeper.failure(), "not_allowed: no rights");
}

}  // namespace
}  // namespace lianxi::conference
