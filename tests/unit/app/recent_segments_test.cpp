#include "broker/app/recent_segments.h"

#include <gtest/gtest.h>

namespace lianxi::app {
namespace {

class RecentSegmentsTest : public ::testing::Test {
 protected:
  // Segments of three events each, of `bytes` bytes.
  void remember(std::uint64_t first, std::size_t bytes = 100) {
    SegmentInfo info;
    info.first_offset = Offset(first);
    info.count = 3;
    recent_.remember(std::make_shared<const HeldSegment>(StoredSegment{info, {}, Bytes(bytes), std::nullopt}, true));
  }
  std::vector<std::uint64_t> read(std::uint64_t from, std::size_t max_bytes = 10'000) {
    std::vector<std::uint64_t> out;
    const auto segments = recent_.read(Offset(from), max_bytes);
    for (const SharedSegment& segment : *segments) out.push_back(segment->first().value);
    return out;
  }
  using Firsts = std::vector<std::uint64_t>;

  RecentSegments recent_;
};

TEST_F(RecentSegmentsTest, TheTailIsReadFromMemory) {
  for (const std::uint64_t first : {10U, 13U, 16U}) remember(first);
  EXPECT_EQ(read(10), (Firsts{10, 13, 16}));
  EXPECT_EQ(read(14), (Firsts{13, 16}));
  EXPECT_EQ(read(18), (Firsts{16}));
  EXPECT_EQ(read(19), (Firsts{}));
}

TEST_F(RecentSegmentsTest, WhatLiesBeforeItIsNotHeld) {
  EXPECT_FALSE(recent_.holds(Offset(1)));
  remember(10);
  EXPECT_FALSE(recent_.holds(Offset(9)));
  EXPECT_TRUE(recent_.holds(Offset(10)));
  EXPECT_TRUE(recent_.holds(Offset(13)));
}

TEST_F(RecentSegmentsTest, AReadEndsBehindItsBound) {
  for (const std::uint64_t first : {10U, 13U, 16U}) remember(first);
  EXPECT_EQ(read(10, 150), (Firsts{10, 13}));
}

TEST_F(RecentSegmentsTest, MemoryIsBounded) {
  for (std::uint64_t i = 0; i < 10; ++i) remember(10 + 3 * i, kRecentBytes / 4);
  EXPECT_FALSE(recent_.holds(Offset(27)));
  EXPECT_TRUE(recent_.holds(Offset(28)));
  EXPECT_EQ(read(28, 2 * kRecentBytes).size(), 4U);
}

}  // namespace
}  // namespace lianxi::app
