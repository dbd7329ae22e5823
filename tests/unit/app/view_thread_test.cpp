#include "broker/app/view_thread.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <mutex>

#include "broker/app/clock.h"

namespace lianxi::app {
namespace {

constexpr RegionCode kHere{330800};
constexpr std::int64_t kNever = 3'600'000;
using store::StoreResult;

// What the thread did to its view.
struct Diary {
  std::mutex mutex;
  std::vector<std::size_t> transactions;  // bytes of each
  std::vector<std::size_t> rows() {
    const std::lock_guard lock(mutex);
    return transactions;
  }
};

// One event a segment.
class DiaryView final : public store::View {
 public:
  DiaryView(Diary& diary, bool broken) : diary_(diary), broken_(broken) {}
  [[nodiscard]] Offset offset() const override { return offset_; }
  [[nodiscard]] Offset taken() const override { return taken_; }
  [[nodiscard]] StoreResult<void> take(std::span<const store::SegmentView> segments) override {
    if (broken_) return tl::unexpected(store::StoreFailure{store::StoreError::corrupt, "torn"});
    for (const store::SegmentView& segment : segments) {
      EXPECT_EQ(segment.first_offset, taken_);
      taken_ = Offset(taken_.value + 1);
      bytes_ += segment.bytes.size();
    }
    return {};
  }
  [[nodiscard]] StoreResult<void> commit() override {
    if (taken_ == offset_) return {};
    const std::lock_guard lock(diary_.mutex);
    diary_.transactions.push_back(bytes_);
    counts_.push_back({kHere, Lane::flash, Kind::alert, taken_.value - offset_.value});
    counts_.push_back({RegionCode(341000), Lane::normal, Kind::incident, 1});
    bytes_ = 0;
    offset_ = taken_;
    return {};
  }
  [[nodiscard]] std::vector<Count> counts() override { return std::exchange(counts_, {}); }
  [[nodiscard]] std::vector<std::string> mismatches() override { return {}; }
  [[nodiscard]] std::vector<RetainedFeed> retained() override { return {}; }
  [[nodiscard]] StoreResult<void> each_stock(RegionCode, const StockVisitor&) const override { return {}; }
  [[nodiscard]] StoreResult<void> each_cut(RegionCode, const CutVisitor&) const override { return {}; }
  [[nodiscard]] StoreResult<void> each_mobilisation(const MobilisationVisitor&, const FinishedVisitor&) const override {
    return {};
  }
  [[nodiscard]] StoreResult<void> each_alert(RegionCode, const AlertVisitor&) const override { return {}; }

 private:
  Diary& diary_;
  bool broken_;
  Offset offset_{1}, taken_{1};
  std::size_t bytes_ = 0;
  std::vector<Count> counts_;
};

class EndlessJournal final : public store::JournalReader {
 public:
  EndlessJournal(const StatusBoard& board, std::size_t event_bytes) : board_(board), event_bytes_(event_bytes) {}
  [[nodiscard]] StoreResult<std::vector<store::JournalSegment>> read(Offset from, std::size_t max_bytes) override {
    std::vector<store::JournalSegment> segments;
    ++reads;
    for (std::size_t bytes = 0; bytes < max_bytes && from.value < board_.head; bytes += event_bytes_) {
      segments.push_back({from, Bytes(event_bytes_), std::nullopt});
      from = Offset(from.value + 1);
    }
    return segments;
  }
  [[nodiscard]] StoreResult<Offset> first_beyond(const FeedVector&) override { return Offset(1); }
  [[nodiscard]] StoreResult<Offset> next_offset() override { return Offset(board_.head); }

  std::atomic<int> reads{0};

 private:
  const StatusBoard& board_;
  std::size_t event_bytes_;
};

class AViewThread : public ::testing::Test {
 protected:
  void start(std::int64_t gather_ms, std::size_t event_bytes = 100, bool broken = false) {
    auto journal = std::make_unique<EndlessJournal>(board_, event_bytes);
    journal_ = journal.get();
    thread_ = std::make_unique<ViewThread>(
        ViewThread::Parts{std::make_unique<DiaryView>(diary_, broken), std::move(journal), kHere, gather_ms}, board_, metrics_,
        [this] { moved_.signal(); },
        [this](const store::StoreFailure& why) {
          failure_ = why.detail;
          failed_ = true;
          moved_.signal();
        });
  }
  // As the broker does after a turn.
  void commit_and_tell(std::uint64_t offset) {
    SegmentInfo info;
    info.first_offset = Offset(offset);
    info.count = 1;
    const std::vector<SharedSegment> committed = {
        std::make_shared<const HeldSegment>(StoredSegment{info, {}, Bytes(100), std::nullopt}, true)};
    thread_->committed(committed);
    commit_up_to(offset + 1);
  }
  void commit_up_to(std::uint64_t head) {
    board_.head = head;
    thread_->wake();
  }
  template <class Condition>
  [[nodiscard]] bool eventually(Condition condition) {
    for (const std::int64_t until = steady_ms() + 20'000; !condition();) {
      if (steady_ms() > until) return false;
      std::array items = {net::WaitItem{nullptr, moved_.fd()}};
      net::wait(items, std::chrono::milliseconds(50));
      moved_.drain();
    }
    return true;
  }
  [[nodiscard]] bool reaches(std::uint64_t offset) {
    return eventually([&] { return board_.view_offset == offset; });
  }

  Diary diary_;
  StatusBoard board_;
  Metrics metrics_;
  net::Wakeup moved_;
  std::string failure_;  // to be read once `failed_`
  std::atomic<bool> failed_{false};
  EndlessJournal* journal_ = nullptr;
  std::unique_ptr<ViewThread> thread_;
};

TEST_F(AViewThread, WhatItIsToldIsNotReadFromTheJournal) {
  start(1);
  for (std::uint64_t offset = 1; offset <= 50; ++offset) commit_and_tell(offset);
  ASSERT_TRUE(reaches(51));
  EXPECT_EQ(journal_->reads, 0);
  commit_up_to(61);  // untold
  ASSERT_TRUE(reaches(61));
  const int reads = journal_->reads;
  EXPECT_GT(reads, 0);
  commit_and_tell(61);
  ASSERT_TRUE(reaches(62));
  EXPECT_EQ(journal_->reads, reads);
}

TEST_F(AViewThread, AppliesAtOnceAfterARestThenGathersUntilAQuestionWaits) {
  start(kNever);
  commit_up_to(2);
  ASSERT_TRUE(reaches(2));
  for (std::uint64_t head = 3; head <= 500; ++head) commit_up_to(head);
  EXPECT_EQ(board_.view_offset, 2U);  // and would be for an hour
  board_.view_wanted = 400;
  board_.view_call.signal();
  ASSERT_TRUE(reaches(500));
  EXPECT_THAT(diary_.rows(), ::testing::ElementsAre(100U, 498U * 100U));
}

TEST_F(AViewThread, AQuestionForWhatIsNotCommittedEndsNoGathering) {
  start(kNever);
  commit_up_to(2);
  ASSERT_TRUE(reaches(2));
  board_.view_wanted = ~std::uint64_t{0};
  commit_up_to(3);
  board_.view_call.signal();
  EXPECT_EQ(board_.view_offset, 2U);
  thread_.reset();
  EXPECT_EQ(diary_.rows().size(), 1U);
}

TEST_F(AViewThread, GathersForAShortTimeOnly) {
  start(1);
  for (std::uint64_t head = 2; head <= 50; ++head) {
    commit_up_to(head);
    ASSERT_TRUE(reaches(head));
  }
}

TEST_F(AViewThread, ABacklogIsAppliedWithoutRestInBoundedTransactions) {
  constexpr std::size_t kEventBytes = 256 * 1024;
  start(kNever, kEventBytes);
  commit_up_to(101);
  ASSERT_TRUE(reaches(101));
  std::size_t sum = 0;
  for (const std::size_t bytes : diary_.rows()) {
    EXPECT_LE(bytes, store::kViewTransactionBytes + store::kTakeBytes);
    sum += bytes;
  }
  EXPECT_EQ(sum, 100 * kEventBytes);
}

TEST_F(AViewThread, WhatComesBehindAFullTransactionThatTookAllIsGathered) {
  constexpr std::size_t kEventBytes = store::kTakeBytes / 4;
  constexpr std::uint64_t kFull = 1 + store::kViewTransactionBytes / kEventBytes;
  start(kNever, kEventBytes);
  commit_up_to(kFull);
  ASSERT_TRUE(reaches(kFull));
  for (std::uint64_t head = kFull + 1; head <= kFull + 3; ++head) commit_up_to(head);
  EXPECT_EQ(board_.view_offset, kFull);  // and would be for an hour
  board_.view_wanted = kFull + 3;
  board_.view_call.signal();
  ASSERT_TRUE(reaches(kFull + 3));
  EXPECT_EQ(diary_.rows().back(), 3 * kEventBytes);
}

TEST_F(AViewThread, CountsEventsByWhoseTheyAre) {
  start(1);
  commit_up_to(5);
  ASSERT_TRUE(reaches(5));
  EXPECT_THAT(metrics_.text(), ::testing::HasSubstr("lianxi_events_accepted_total{kind=\"alert\",lane=\"flash\"} 4"));
  EXPECT_THAT(metrics_.text(),
              ::testing::HasSubstr("lianxi_events_received_total{kind=\"incident\",lane=\"normal\",region=\"341000\"} 1"));
}

TEST_F(AViewThread, AFailureIsSaidOnceAndFinal) {
  start(1, 100, true);
  commit_up_to(2);
  ASSERT_TRUE(eventually([&] { return failed_.load(); }));
  thread_.reset();
  EXPECT_EQ(failure_, "torn");
  EXPECT_EQ(board_.view_offset, 1U);
}

}  // namespace
}  // namespace lianxi::app
