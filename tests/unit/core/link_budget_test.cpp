#include "broker/core/link_budget.h"

#include <gtest/gtest.h>

#include "tests/unit/core/events.h"

namespace lianxi::core {
namespace {

constexpr LaneMask kFlash = mask_of(Lane::flash);
constexpr LaneMask kNormal = mask_of(Lane::normal);
constexpr LaneMask kBulk = mask_of(Lane::bulk);

TEST(LinkBudget, AtFirstEverythingMayGo) {
  LinkBudget budget;
  for (const LaneMask lanes : {kFlash, kNormal, kBulk}) EXPECT_EQ(budget.wait_ms(kHuangshan, lanes, kNoon), 0);
}

TEST(LinkBudget, WhatWentIsWaitedForAndFlashNeverWaits) {
  LinkBudget budget;
  budget.spend(kHuangshan, 10'000, 1'000, kNoon);  // ten seconds of the link
  EXPECT_EQ(budget.wait_ms(kHuangshan, kBulk, kNoon), 10'000);
  EXPECT_EQ(budget.wait_ms(kHuangshan, kFlash, kNoon), 0);
  EXPECT_EQ(budget.wait_ms(kHuangshan, kBulk, kNoon + 10'000), 0);
  EXPECT_EQ(budget.wait_ms(kNanping, kBulk, kNoon), 0) << "another link";
}

TEST(LinkBudget, BulkGivesWayToNormal) {
  LinkBudget budget;
  budget.spend(kHuangshan, 1'000, 1'000, kNoon);
  EXPECT_EQ(budget.wait_ms(kHuangshan, kNormal, kNoon), 1'000 - kLinkBorrowMs);
  EXPECT_EQ(budget.wait_ms(kHuangshan, kNormal | kBulk, kNoon), 1'000 - kLinkBorrowMs) << "a peer that asks for both at once";
  EXPECT_EQ(budget.wait_ms(kHuangshan, kBulk, kNoon), 1'000);
  EXPECT_EQ(budget.wait_ms(kHuangshan, kBulk, kNoon + 999), 1) << "rounded up: at the end of the wait it may go";
}

TEST(LinkBudget, NothingIsSavedUp) {
  LinkBudget budget;
  budget.spend(kHuangshan, 1'000, 1'000, kNoon);
  budget.spend(kHuangshan, 1'000, 1'000, kNoon + 60'000);
  EXPECT_EQ(budget.wait_ms(kHuangshan, kBulk, kNoon + 60'000), 1'000);
}

TEST(LinkBudget, AClockSetBackTakesTheDebtsWithIt) {
  LinkBudget budget;
  budget.spend(kHuangshan, 1'000, 1'000, kNoon);
  EXPECT_EQ(budget.wait_ms(kHuangshan, kBulk, kNoon - 3'600'000), 1'000);
}

TEST(LinkBudget, WithoutABoundNothingIsOwed) {
  LinkBudget budget;
  budget.spend(kHuangshan, 1'000'000, 1'000, kNoon);
  budget.spend(kHuangshan, 1'000'000, 0, kNoon);  // the bound was taken away
  EXPECT_EQ(budget.wait_ms(kHuangshan, kBulk, kNoon), 0);
}

}  // namespace
}  // namespace lianxi::core
