#include "broker/app/fresh_segments.h"

#include <gtest/gtest.h>

namespace lianxi::app {
namespace {

constexpr std::size_t kMost = 1'000;

class AFreshTail : public ::testing::Test {
 protected:
  // Segments of three events each, of `bytes` bytes.
  void commit(std::uint64_t first, std::size_t bytes = 100) {
    SegmentInfo info;
    info.first_offset = Offset(first);
    info.count = 3;
    const std::vector<SharedSegment> committed = {
        std::make_shared<const HeldSegment>(StoredSegment{info, {}, Bytes(bytes), std::nullopt}, true)};
    fresh_.add(committed);
  }
  using Firsts = std::vector<std::uint64_t>;
  Firsts take(std::uint64_t from, std::size_t max_bytes = 10'000) {
    Firsts out;
    for (const FreshSegments::Held& held : fresh_.take(Offset(from), max_bytes)) out.push_back(held.first.value);
    return out;
  }

  FreshSegments fresh_{kMost};
};

TEST_F(AFreshTail, IsTakenOnceAndInOrder) {
  for (const std::uint64_t first : {10U, 13U, 16U}) commit(first);
  EXPECT_EQ(take(10), (Firsts{10, 13, 16}));
  EXPECT_EQ(take(10), (Firsts{}));
  commit(19);
  EXPECT_EQ(take(19), (Firsts{19}));
}

TEST_F(AFreshTail, HasNothingForWhoeverNeedsWhatLiesBeforeIt) {
  EXPECT_EQ(take(1), (Firsts{}));
  commit(10);
  EXPECT_EQ(take(9), (Firsts{})) << "the journal has it";
  EXPECT_EQ(take(10), (Firsts{10})) << "and the tail is still there";
}

TEST_F(AFreshTail, DropsWhatWasReadElsewhere) {
  for (const std::uint64_t first : {10U, 13U, 16U}) commit(first);
  EXPECT_EQ(take(14), (Firsts{13, 16})) << "a segment may begin below";
}

TEST_F(AFreshTail, IsHandedOutInBoundedPieces) {
  for (const std::uint64_t first : {10U, 13U, 16U}) commit(first);
  EXPECT_EQ(take(10, 150), (Firsts{10, 13}));
  EXPECT_EQ(take(16, 150), (Firsts{16}));
}

TEST_F(AFreshTail, HoldsSoManyBytesAndNoMore) {
  for (std::uint64_t i = 0; i < 20; ++i) commit(10 + 3 * i);
  EXPECT_EQ(take(37), (Firsts{}));
  EXPECT_EQ(take(40).size(), kMost / 100);
}

}  // namespace
}  // namespace lianxi::app
