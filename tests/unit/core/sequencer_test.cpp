// Stamps, segments and time.
#include <gmock/gmock.h>

#include "broker/core/clock.h"
#include "schemas/limits.h"
#include "tests/unit/core/core_rig.h"

namespace lianxi::core {
namespace {

using testing::ElementsAre;

std::vector<RecordView> records_of(const StoredSegment& stored) {
  return Segment::parse(stored.bytes).value().records();
}

TEST(Clock, TimeNeverGoesBack) {
  HybridClock clock;
  const Hlc first = clock.tick(kNoon);
  const Hlc same = clock.tick(kNoon);
  const Hlc back = clock.tick(kNoon - 10'000);
  const Hlc on = clock.tick(kNoon + 1);
  EXPECT_LT(first, same);
  EXPECT_LT(same, back);
  EXPECT_LT(back, on);
  EXPECT_EQ(physical_ms(back), kNoon);
  EXPECT_EQ(physical_ms(on), kNoon + 1);
}

TEST(Clock, RemoteTimeIsMergedUnlessItIsTooFarAhead) {
  HybridClock clock;
  const auto at = [](TimeMs ms) { return Hlc{static_cast<std::uint64_t>(ms) << 16U}; };
  EXPECT_TRUE(clock.merge(at(kNoon + kMaxClockSkewMs), kNoon));
  EXPECT_GT(clock.tick(kNoon), at(kNoon + kMaxClockSkewMs));
  EXPECT_FALSE(clock.merge(at(kNoon + kMaxClockSkewMs + 1), kNoon));
  EXPECT_EQ(physical_ms(clock.last()), kNoon + kMaxClockSkewMs);
}

TEST(Sequencer, TheOrdinalCountsOverAllFeedsInTheOrderOfDecisions) {
  CoreRig rig;
  (void)rig.hello(operator_agent(), 1);
  const auto batch = rig.turn({rig.says(operator_agent(), CoreRig::publish_message(
                                                              1, Lane::normal, 1,
                                                              {report("一"), to(report("二"), Audience::local()), report("三")})),
                               rig.says(operator_agent(), CoreRig::publish_message(1, Lane::flash, 1, {alert("a1")}))})
                         .batch;
  ASSERT_EQ(batch.segments.size(), 3U);
  const auto flash = records_of(batch.segments[0]);
  const auto normal = records_of(batch.segments[1]);
  const auto local = records_of(batch.segments[2]);
  EXPECT_EQ(to_text(batch.segments[0].info.feed), "330800/1/flash/conference");
  EXPECT_EQ(flash[0].stamp.ordinal, Ordinal{4});
  EXPECT_EQ(normal[0].stamp.ordinal, Ordinal{1});
  EXPECT_EQ(local[0].stamp.ordinal, Ordinal{2});
  EXPECT_EQ(normal[1].stamp.ordinal, Ordinal{3});
  EXPECT_LT(normal[0].stamp.time, local[0].stamp.time);
  EXPECT_LT(local[0].stamp.time, normal[1].stamp.time);
}

TEST(Sequencer, AStampNamesItsPublisherSessionAndSequence) {
  CoreRig rig;
  (void)rig.hello(police(), 31);
  (void)rig.publish(police(), 31, 1, {report("一"), report("二")});
  const auto segment = Segment::parse(rig.disk.segments[0].bytes).value();
  EXPECT_EQ(segment.records()[1].stamp.publisher, police().id);
  EXPECT_EQ(segment.records()[1].stamp.session, SessionId{31});
  EXPECT_EQ(segment.records()[1].stamp.session_sequence, Sequence{2});
  EXPECT_NE(segment.records()[0].salt, segment.records()[1].salt);
}

TEST(Sequencer, OrdinalsFeedsAndTimeGoOnAfterARestart) {
  CoreRig rig;
  (void)rig.hello(police(), 1);
  rig.now += 50'000;
  (void)rig.publish(police(), 1, 1, {report("一"), to(report("二"), Audience::local())});
  rig.restart();
  rig.now -= 50'000;  // the machine came up with an older clock
  (void)rig.publish(police(), 1, 3, {report("三")});
  const auto before = records_of(rig.disk.segments[1]);
  const auto after = records_of(rig.disk.segments[2]);
  EXPECT_EQ(after[0].stamp.ordinal, Ordinal{3});
  EXPECT_EQ(after[0].stamp.sequence, Sequence{2});
  EXPECT_GT(after[0].stamp.time, before[0].stamp.time);
}

TEST(Sequencer, ALargeBatchIsSplitAndEverySegmentGetsAHeadToSeal) {
  CoreRig rig;
  (void)rig.hello(police(), 1);
  const std::string long_text(100'000, 'x');
  std::vector<Input> inputs;
  for (std::uint64_t i = 0; i < 3; ++i) {
    const std::vector<Event> events(9, report(long_text));
    inputs.push_back(rig.says(police(), CoreRig::publish_message(1, Lane::normal, 1 + i * 9, events)));
  }
  const Effects effects = rig.turn(std::move(inputs));
  EXPECT_GE(effects.batch.segments.size(), 3U);
  EXPECT_EQ(effects.touched.size(), effects.batch.segments.size());
  for (const StoredSegment& stored : effects.batch.segments) EXPECT_LE(stored.bytes.size(), kMaxBatchBytes);
  EXPECT_EQ(rig.disk.events(kQuzhou).size(), 27U);
  const auto answers = messages<Answers>(effects.sends);
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].receipts.size(), 1U);  // offsets and sequences run on over the segments' bounds
}

TEST(Sequencer, ATurnThatTookTooMuchHoldsBack) {
  CoreRig rig;
  (void)rig.hello(police(), 1);
  const std::string long_text(200'000, 'x');
  std::vector<Input> inputs;
  for (std::uint64_t i = 0; i < 25; ++i)
    inputs.push_back(
        rig.says(police(), CoreRig::publish_message(1, Lane::normal, 1 + i * 4, std::vector<Event>(4, report(long_text)))));
  const Effects effects = rig.turn(std::move(inputs));
  EXPECT_THAT(codes(effects), testing::Contains(RefusalCode::busy));
  EXPECT_LT(rig.disk.events(kQuzhou).size(), 100U);
}

TEST(Sequencer, ATurnWithoutEventsWritesNothing) {
  CoreRig rig;
  EXPECT_TRUE(rig.turn({}).batch.empty());
  EXPECT_TRUE(rig.step(Tick{}).batch.empty());
  EXPECT_EQ(rig.core.next_offset(), Offset{1});
}

TEST(Sequencer, TheCoreSaysWhereItStands) {
  CoreRig rig;
  (void)rig.hello(police(), 1);
  (void)rig.publish(police(), 1, 1, {report("一"), to(report("二"), Audience::local())});
  ASSERT_EQ(rig.core.heads().size(), 2U);
  EXPECT_EQ(to_text(rig.core.heads()[0].feed), "330800/1/normal/conference");
  EXPECT_EQ(rig.core.next_offset(), Offset{3});
  EXPECT_EQ(rig.core.pending_bytes(), 0U);
}

// A link's follower sleeps through what is not of its region and lanes, and through nothing else.
TEST(Sequencer, WhatIsBehindACursorIsToldByRegionAndLane) {
  Sequencer sequencer(kQuzhou, Epoch{1}, Offset{1}, {}, Ordinal{}, Hlc{});
  const auto append = [&](RegionCode region, Lane lane) {
    StoredSegment segment;
    segment.info = {{region, Epoch{1}, lane, Audience::conference()}, Sequence{1}, 1, sequencer.peer_offset()};
    segment.last.sequence = Sequence{1};
    sequencer.append_peer(std::move(segment));
  };
  append(kNanping, Lane::bulk);     // offset 1
  append(kHuangshan, Lane::flash);  // 2
  Turn turn;
  sequencer.close(turn);
  const LaneMask flash = mask_of(Lane::flash), bulk = mask_of(Lane::bulk), all = flash | mask_of(Lane::normal) | bulk;
  EXPECT_TRUE(sequencer.nothing_behind(Offset{1}, {kQuzhou}, all));
  EXPECT_TRUE(sequencer.nothing_behind(Offset{1}, {kNanping}, flash));
  EXPECT_FALSE(sequencer.nothing_behind(Offset{1}, {kNanping}, bulk));
  EXPECT_TRUE(sequencer.nothing_behind(Offset{2}, {kNanping}, all));
  EXPECT_FALSE(sequencer.nothing_behind(Offset{2}, {kHuangshan}, flash));
  EXPECT_FALSE(sequencer.nothing_behind(Offset{2}, {kQuzhou, kHuangshan}, all));
  EXPECT_FALSE(sequencer.nothing_behind(Offset{2}, {}, flash));
  EXPECT_TRUE(sequencer.nothing_behind(Offset{2}, {}, bulk));
  EXPECT_TRUE(sequencer.nothing_behind(Offset{3}, {}, all));
}

}  // namespace
}  // namespace lianxi::core
