#include "broker/app/cold_thread.h"

#include <gtest/gtest.h>

#include <chrono>

namespace lianxi::app {
namespace {

// A journal that cannot be read, and says when it was asked.
class Unreadable final : public store::JournalReader {
 public:
  store::StoreResult<std::vector<store::JournalSegment>> read(Offset, std::size_t) override {
    return tl::unexpected(store::StoreFailure{store::StoreError::io, "no disk"});
  }
  store::StoreResult<Offset> first_beyond(const FeedVector&) override { return Offset(7); }
  store::StoreResult<Offset> next_offset() override { return Offset(9); }
};

ColdJob job(std::uint64_t id) {
  auto spec = std::make_shared<core::FollowSpec>();
  spec->agent = {*AgentId::parse("330800.police.b"), "police", core::Role::agent};
  ColdJob out;
  out.id = id;
  out.plan =
      std::make_shared<const DeliveryPlan>(spec, std::make_shared<const core::Policy>(), std::make_shared<const core::Members>());
  out.stretch = {Offset(1), Offset(9), 1000};
  return out;
}

class ColdThreadTest : public ::testing::Test {
 protected:
  ColdResult next(ColdReadThread& reads) {
    std::unique_lock lock(mutex_);
    std::optional<ColdResult> result;
    EXPECT_TRUE(woken_.wait_for(lock, std::chrono::seconds(10), [&] { return (result = reads.take()).has_value(); }));
    return result ? *std::move(result) : ColdResult{};
  }
  std::function<void()> wake() {
    return [this] {
      const std::lock_guard lock(mutex_);
      woken_.notify_all();
    };
  }
  std::mutex mutex_;
  std::condition_variable woken_;
};

TEST_F(ColdThreadTest, EveryJobIsAnsweredInTheOrderInWhichItWasAsked) {
  ColdReadThread reads(std::make_unique<Unreadable>(), wake());
  for (std::uint64_t id = 1; id <= kMaxColdJobs; ++id) reads.ask(job(id));
  for (std::uint64_t id = 1; id <= kMaxColdJobs; ++id) EXPECT_EQ(next(reads).id, id);
  EXPECT_FALSE(reads.done());
}

TEST_F(ColdThreadTest, AFailureIsHandedBackWithItsJob) {
  ColdReadThread reads(std::make_unique<Unreadable>(), wake());
  reads.ask(job(5));
  const ColdResult result = next(reads);
  ASSERT_TRUE(result.failure);
  EXPECT_EQ(result.failure->detail, "no disk");
}

TEST_F(ColdThreadTest, ItEndsWithJobsThatNobodyWaitsFor) {
  ColdReadThread reads(std::make_unique<Unreadable>(), wake());
  for (std::uint64_t id = 1; id <= kMaxColdJobs; ++id) reads.ask(job(id));
}

}  // namespace
}  // namespace lianxi::app
