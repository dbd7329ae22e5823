#include "broker/app/fair_queue.h"

#include <gtest/gtest.h>

namespace lianxi::app {
namespace {

net::Inbound message(const std::string& agent, std::size_t bytes, std::uint8_t number = 0) {
  return {"connection", agent, Bytes{number}, Bytes(bytes)};
}

TEST(FairQueue, AnAgentsMessagesKeepTheirOrder) {
  FairQueue queue;
  for (std::uint8_t i = 0; i < 10; ++i) queue.push(message("police", i % 2 == 0 ? 200'000 : 1, i), 0);
  queue.push(message("fire", 1), 0);
  std::uint8_t next = 0;
  while (const auto got = queue.pop()) {
    if (got->agent == "police") {
      EXPECT_EQ(got->header.at(0), next++);
    }
  }
  EXPECT_EQ(next, 10);
  EXPECT_TRUE(queue.empty());
}

TEST(FairQueue, HugeMessagesOfOneDoNotHoldUpTheSmallOnesOfAnother) {
  FairQueue queue;
  for (int i = 0; i < 50; ++i) queue.push(message("bulk", 1'000'000), 0);
  for (int i = 0; i < 10; ++i) queue.push(message("small", 1'000), 0);
  std::size_t bulk = 0;
  for (std::size_t small = 0; small < 10;) queue.pop()->agent == "bulk" ? ++bulk : ++small;
  EXPECT_LE(bulk, 1U);
}

TEST(FairQueue, SharesAreEqualInBytes) {
  FairQueue queue;
  for (int i = 0; i < 1'000; ++i) queue.push(message("large", 100'000), 0);
  for (int i = 0; i < 10'000; ++i) queue.push(message("small", 10'000), 0);
  std::map<std::string, std::size_t> bytes;
  for (int i = 0; i < 3'000; ++i) {
    const auto got = queue.pop();
    ASSERT_TRUE(got);
    bytes[got->agent] += got->payload.size();
  }
  EXPECT_NEAR(static_cast<double>(bytes["large"]), static_cast<double>(bytes["small"]), 200'000);
}

TEST(FairQueue, WhoeverWasHeardLatelyAndHasNothingHereIsMissing) {
  FairQueue queue;
  queue.push(message("police", 1), 1'000);
  EXPECT_FALSE(queue.somebody_missing(1'000));
  (void)queue.pop();
  queue.push(message("fire", 1), 1'500);
  EXPECT_TRUE(queue.somebody_missing(1'900));
  EXPECT_FALSE(queue.somebody_missing(2'500)) << "police has not been heard for a while";
}

}  // namespace
}  // namespace lianxi::app
