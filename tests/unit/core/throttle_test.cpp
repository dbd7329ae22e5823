#include "broker/core/throttle.h"

#include <gtest/gtest.h>

#include "tests/unit/core/events.h"

namespace lianxi::core {
namespace {

constexpr TimeMs kStart = 1'700'000'000'000;
constexpr PublishRates kHundredEvents{{.events_per_s = 10}, {.events_per_s = 100}};

// How many events of `bytes` are taken before one must wait.
std::size_t taken_at_once(Throttle& throttle, const PublishRates& rates, TimeMs now, Lane lane = Lane::normal,
                          std::size_t bytes = 1) {
  std::size_t taken = 0;
  while (taken < 100'000 && throttle.take(police().id, lane, bytes, rates, now) == 0) ++taken;
  return taken;
}

TEST(Throttle, WithoutARateEverythingIsTaken) {
  Throttle throttle;
  EXPECT_EQ(taken_at_once(throttle, {{}, {}}, kStart), 100'000U);
}

TEST(Throttle, ABurstOfTwoSecondsIsTakenAtOnceAndThenTheRate) {
  Throttle throttle;
  EXPECT_EQ(taken_at_once(throttle, kHundredEvents, kStart), 201U);
  EXPECT_EQ(taken_at_once(throttle, kHundredEvents, kStart + 1'000), 100U);
  EXPECT_EQ(taken_at_once(throttle, kHundredEvents, kStart + 60'000), 201U) << "no more than a burst is saved up";
}

TEST(Throttle, WhoMustWaitIsToldHowLongAndIsTakenThen) {
  Throttle throttle;
  taken_at_once(throttle, kHundredEvents, kStart);
  const std::uint32_t after_ms = throttle.take(police().id, Lane::bulk, 1, kHundredEvents, kStart);
  EXPECT_GT(after_ms, 0U);
  EXPECT_LE(after_ms, 10U);
  EXPECT_GT(throttle.take(police().id, Lane::bulk, 1, kHundredEvents, kStart + after_ms - 1), 0U);
  EXPECT_EQ(throttle.take(police().id, Lane::bulk, 1, kHundredEvents, kStart + after_ms), 0U);
}

TEST(Throttle, FlashHasABucketOfItsOwn) {
  Throttle throttle;
  taken_at_once(throttle, kHundredEvents, kStart);
  EXPECT_EQ(taken_at_once(throttle, kHundredEvents, kStart, Lane::flash), 21U);
  EXPECT_EQ(taken_at_once(throttle, kHundredEvents, kStart, Lane::bulk), 0U);
}

TEST(Throttle, EachAgentHasItsOwn) {
  Throttle throttle;
  taken_at_once(throttle, kHundredEvents, kStart);
  EXPECT_EQ(throttle.take(fire().id, Lane::normal, 1, kHundredEvents, kStart), 0U);
}

TEST(Throttle, BytesCountAndAnEventLargerThanTheBurstIsTakenAllTheSame) {
  Throttle throttle;
  const PublishRates rates{{}, {.bytes_per_s = 1'000}};
  EXPECT_EQ(taken_at_once(throttle, rates, kStart, Lane::normal, 500), 5U);
  EXPECT_EQ(taken_at_once(throttle, rates, kStart + 60'000, Lane::normal, 100'000), 1U);
}

TEST(Throttle, AnEventFarLargerThanTheRateIsPaidForInFull) {
  Throttle throttle;
  const PublishRates rates{{}, {.bytes_per_s = 1'000}};
  EXPECT_EQ(taken_at_once(throttle, rates, kStart, Lane::normal, 250'000), 1U);
  EXPECT_GT(throttle.take(police().id, Lane::normal, 1, rates, kStart + 240'000), 0U);
  EXPECT_EQ(throttle.take(police().id, Lane::normal, 1, rates, kStart + 250'000), 0U);
}

TEST(Throttle, AClockThatWasSetBackLocksNobodyOut) {
  Throttle throttle;
  taken_at_once(throttle, kHundredEvents, kStart);
  const std::uint32_t wait = throttle.take(police().id, Lane::normal, 1, kHundredEvents, kStart);
  EXPECT_EQ(throttle.take(police().id, Lane::normal, 1, kHundredEvents, kStart - 3'600'000), wait);
  EXPECT_EQ(throttle.take(police().id, Lane::normal, 1, kHundredEvents, kStart - 3'600'000 + wait), 0U);
}

}  // namespace
}  // namespace lianxi::core
