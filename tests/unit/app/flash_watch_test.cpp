#include "broker/app/flash_watch.h"

#include <gtest/gtest.h>

namespace lianxi::app {
namespace {

TEST(FlashWatch, WhatIsTakenWithoutALookMayHaveWaitedSinceTheLastOne) {
  FlashWatch watch;
  watch.taken();
  watch.committed();  // it may have come while the disk was written
  watch.said_other(1'000);
  watch.taken();
  watch.committed();
  EXPECT_EQ(watch.said().batches, 1U);
  EXPECT_EQ(watch.said().bytes, 1'000U);
}

TEST(FlashWatch, WhatIsTakenAtOnceWasPassedByNothing) {
  FlashWatch watch;
  watch.said_other(1'000);
  watch.committed();
  watch.taken();  // nothing was there
  watch.taken();
  watch.committed();
  EXPECT_EQ(watch.said().batches, 0U);
  EXPECT_EQ(watch.said().bytes, 0U);
}

TEST(FlashWatch, ABatchThatWasUnderWayWhenItArrivedPassedIt) {
  FlashWatch watch;
  watch.taken();
  watch.looked(false);  // before the commit
  watch.committed();    // it arrives in here
  watch.looked(true);
  watch.taken();
  watch.looked(false);
  watch.committed();
  EXPECT_EQ(watch.said().batches, 1U);
  EXPECT_EQ(watch.said().bytes, 0U);
}

TEST(FlashWatch, AllThatWasSaidSinceTheLastLookThatSawNothingIsCounted) {
  FlashWatch watch;
  watch.taken();
  watch.said_other(500);
  watch.looked(false);
  watch.said_other(7'000);
  watch.looked(true);
  watch.said_other(1);  // seen and said all the same
  watch.looked(true);
  watch.taken();
  watch.committed();
  EXPECT_EQ(watch.said().bytes, 7'001U);
}

TEST(FlashWatch, OneThatWaitsWhileAnotherIsSaidKeepsItsOwnArrival) {
  FlashWatch watch;
  watch.taken();       // the first
  watch.looked(true);  // the second waits before the first is committed
  watch.committed();
  EXPECT_EQ(watch.said().batches, 0U);
  watch.said_other(300);
  watch.looked(true);
  watch.taken();
  watch.committed();
  EXPECT_EQ(watch.said().batches, 1U);
  EXPECT_EQ(watch.said().bytes, 300U);
}

}  // namespace
}  // namespace lianxi::app
