#include "broker/app/recent_segments.h"

#include <gtest/gtest.h>

namespace lianxi::app {
namespace {

// Counts how often it is asked; knows nothing.
class CountingReader final : public store::JournalReader {
 public:
  explicit CountingReader(int& asked) : asked_(asked) {}
  store::StoreResult<std::vector<store::JournalSegment>> read(Offset, std::size_t) override {
    ++asked_;
    return std::vector<store::JournalSegment>{};
  }
  store::StoreResult<Offset> first_beyond(const FeedVector&) override { return Offset(1); }
  store::StoreResult<Offset> next_offset() override { return Offset(1); }

 private:
  int& asked_;
};

class RecentSegmentsTest : public ::testing::Test {
 protected:
  // Segments of three events each, of `bytes` bytes.
  void remember(std::uint64_t first, std::size_t bytes = 100) {
    recent_.remember({Offset(first), Bytes(bytes), std::nullopt}, Offset(first + 3));
  }
  std::vector<std::uint64_t> read(std::uint64_t from, std::size_t max_bytes = 10'000) {
    std::vector<std::uint64_t> out;
    const auto segments = recent_.read(Offset(from), max_bytes);
    for (const store::JournalSegment& segment : *segments) out.push_back(segment.first_offset.value);
    return out;
  }
  using Firsts = std::vector<std::uint64_t>;

  int asked_ = 0;
  RecentSegments recent_{std::make_unique<CountingReader>(asked_)};
};

TEST_F(RecentSegmentsTest, TheTailIsReadFromMemory) {
  for (const std::uint64_t first : {10U, 13U, 16U}) remember(first);
  EXPECT_EQ(read(10), (Firsts{10, 13, 16}));
  EXPECT_EQ(read(14), (Firsts{13, 16}));
  EXPECT_EQ(read(18), (Firsts{16}));
  EXPECT_EQ(read(19), (Firsts{}));
  EXPECT_EQ(asked_, 0);
}

TEST_F(RecentSegmentsTest, WhatLiesBeforeItIsReadFromTheDisk) {
  (void)read(1);
  remember(10);
  (void)read(9);
  EXPECT_EQ(asked_, 2);
}

TEST_F(RecentSegmentsTest, AReadEndsBehindItsBound) {
  for (const std::uint64_t first : {10U, 13U, 16U}) remember(first);
  EXPECT_EQ(read(10, 150), (Firsts{10, 13}));
}

TEST_F(RecentSegmentsTest, MemoryIsBounded) {
  for (std::uint64_t i = 0; i < 10; ++i) remember(10 + 3 * i, kRecentBytes / 4);
  (void)read(10);
  EXPECT_EQ(asked_, 1);
  EXPECT_EQ(recent_.read(Offset(28), kRecentBytes)->size(), 4U);
  EXPECT_EQ(asked_, 1);
}

}  // namespace
}  // namespace lianxi::app
