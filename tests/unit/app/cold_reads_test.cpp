// What was read from the journal lately, and what of it is kept.
#include "broker/app/cold_reads.h"

#include <gtest/gtest.h>

#include "schemas/codec/segment.h"

namespace lianxi::app {
namespace {

constexpr std::size_t kBody = 300;

// A journal of commits of one event each, and how often it was asked.
class SingleEvents final : public store::JournalReader {
 public:
  SingleEvents(std::size_t count, int& reads) : reads_(reads) {
    const FeedId feed{RegionCode(330800), Epoch(1), Lane::normal, Audience::conference()};
    FeedHead head;
    for (std::uint64_t i = 1; i <= count; ++i) {
      SegmentWriter writer(feed, head, Offset(i));
      Stamp stamp;
      stamp.sequence = Sequence(i);
      stamp.ordinal = Ordinal(i);
      stamp.publisher = *AgentId::parse("330800.police.a");
      head = writer.append(stamp, Salt{}, Bytes(kBody, 'b'));
      segments_.push_back({Offset(i), std::move(writer).finish(), std::nullopt});
    }
  }
  store::StoreResult<std::vector<store::JournalSegment>> read(Offset from, std::size_t max_bytes) override {
    ++reads_;
    std::vector<store::JournalSegment> out;
    std::size_t bytes = 0;
    for (std::size_t i = from.value - 1; i < segments_.size() && bytes <= max_bytes; ++i) {
      bytes += segments_[i].bytes.size();
      out.push_back(segments_[i]);
    }
    return out;
  }
  store::StoreResult<Offset> first_beyond(const FeedVector&) override { return Offset(1); }
  store::StoreResult<Offset> next_offset() override { return Offset(segments_.size() + 1); }
  [[nodiscard]] std::size_t segment_bytes() const { return segments_.front().bytes.size(); }

 private:
  int& reads_;
  std::vector<store::JournalSegment> segments_;
};

TEST(ColdSource, WhatWasUsedLeastLatelyMakesRoomAndNothingElseDoes) {
  int reads = 0;
  const std::size_t each = SingleEvents(1, reads).segment_bytes();
  const std::size_t kept = kColdCacheBytes / each;  // so many segments are held
  const std::size_t count = kept + kept / 4;
  ColdSource source(std::make_unique<SingleEvents>(count, reads));
  const auto at = [&](std::size_t offset) {
    const int before = reads;
    const auto got = source.read(Offset(offset), 1);
    EXPECT_TRUE(got && !got->empty() && got->front()->first() == Offset(offset)) << offset;
    return reads > before;  // from the journal
  };
  std::size_t next = 1;
  while (next <= kept / 2) next = source.read(Offset(next), kColdReadBytes)->back()->end().value;
  while (next <= count) {
    next = source.read(Offset(next), kColdReadBytes)->back()->end().value;
    EXPECT_FALSE(at(1)) << "it is used all the time, at " << next;
  }
  EXPECT_FALSE(at(count));
  EXPECT_FALSE(at(count - kept / 2));
  EXPECT_TRUE(at(2)) << "nobody wanted it since the start";
}

}  // namespace
}  // namespace lianxi::app
