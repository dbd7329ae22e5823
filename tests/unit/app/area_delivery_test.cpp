// Filters by area on the broker's thread: nobody's area holds others up. What is counted is work, never time.
#include <gtest/gtest.h>

#include "tests/support/fine_ring.h"
#include "tests/unit/app/desk_kit.h"

namespace lianxi::app {
namespace {

using lianxi::test::fine_ring;
using test::kQuzhou;

constexpr LonLat kCentre = lianxi::test::kRingCentre;

// Counts what leaves and how often flash is looked at; from the look `flash_at` on, flash waits.
class Recorder final : public Outlet {
 public:
  SendResult answer(const core::Connection&, const Message&) override { return SendResult::sent; }
  SendResult deliver(const core::Connection&, const DeliveryHead&, const std::shared_ptr<const Bytes>& segments) override {
    sent.push_back(segments);
    return SendResult::sent;
  }
  [[nodiscard]] bool flash_waits() override { return looks >= flash_at; }
  [[nodiscard]] bool flash_waits_now() override { return ++looks >= flash_at; }

  std::vector<std::shared_ptr<const Bytes>> sent;
  std::size_t looks = 0;
  std::size_t flash_at = static_cast<std::size_t>(-1);
};

class Asked final : public ColdReads {
 public:
  explicit Asked(std::vector<ColdJob>& jobs) : jobs_(jobs) {}
  void ask(ColdJob job) override { jobs_.push_back(std::move(job)); }
  [[nodiscard]] std::optional<ColdResult> take() override { return std::nullopt; }
  [[nodiscard]] bool done() const override { return false; }

 private:
  std::vector<ColdJob>& jobs_;
};

class AreaDelivery : public ::testing::Test {
 protected:
  AreaDelivery() {
    core::Member quzhou;
    quzhou.region = kQuzhou;
    core::Grant grant;
    grant.agents = "*.*.*";
    grant.follow.push_back({});
    desk_.rights(std::make_shared<const core::Policy>(std::vector{grant}),
                 std::make_shared<const core::Members>(std::vector{quzhou}, std::vector<core::Group>{}));
  }
  void commit(std::size_t count, LonLat where = kCentre, std::size_t bytes = 100, Lane lane = Lane::normal) {
    desk_.remember(commits_.add(count, lane, [&](std::uint64_t n) { return test::report(n, "330802", bytes, where); }));
  }
  static std::shared_ptr<core::FollowSpec> near(const FilterArea& area = fine_ring()) {
    auto spec = std::make_shared<core::FollowSpec>();
    spec->agent = {*AgentId::parse("330800.police.b"), "police", core::Role::agent};
    spec->filter.area = area;
    return spec;
  }
  void order(std::shared_ptr<const core::FollowSpec> spec, Offset from = Offset(1)) {
    desk_.take({commits_.order(std::to_string(++orders_), std::move(spec), from)}, outlet_, [] { return FeedVector{}; });
  }
  // A turn; true: it was not broken off.
  bool say(std::size_t steps = 1000) {
    std::size_t unbroken = 0;
    steps_ = steps;
    return desk_.say_others(outlet_, steps_, unbroken);
  }
  std::size_t delivered() const {
    std::size_t events = 0;
    for (const auto& message : outlet_.sent) {
      const auto segments = parse_segments(*message);
      for (const Segment& segment : *segments) events += segment.records().size();
    }
    return events;
  }

  test::Commits commits_;
  std::size_t orders_ = 0;
  std::size_t steps_ = 0;
  std::vector<ColdJob> cold_;
  Recorder outlet_;
  DeliveryDesk desk_{std::make_unique<Asked>(cold_), [](const core::Connection&, SessionId) { return true; }};
};

TEST_F(AreaDelivery, WhoIsBehindIsJudgedByTheCatchUpThreadThoughMemoryHoldsItAll) {
  commit(1000);
  order(near());
  EXPECT_TRUE(say());
  EXPECT_EQ(cold_.size(), 1U);
  EXPECT_TRUE(outlet_.sent.empty());
  EXPECT_FALSE(commits_.segments[0]->has_facts()) << "no event of it was looked at";
}

TEST_F(AreaDelivery, WhatWasJustCommittedIsJudgedAtOnce) {
  commit(1000);
  commit(20);
  order(near(), Offset(1001));
  EXPECT_TRUE(say());
  EXPECT_TRUE(cold_.empty());
  EXPECT_EQ(delivered(), 20U);
}

TEST_F(AreaDelivery, BulkThatAFollowerDoesNotWantDoesNotPutItBehind) {
  auto alerts = near();
  alerts->lanes = mask_of(Lane::flash);
  commit(1000, kCentre, 100, Lane::bulk);
  commit(1, kCentre, 100, Lane::flash);
  order(alerts);
  EXPECT_TRUE(say());
  EXPECT_TRUE(cold_.empty());
  EXPECT_EQ(delivered(), 1U);
}

TEST_F(AreaDelivery, AFlashEventIsSeenWhileAMessageIsInTheMaking) {
  commit(100, {100.0, 20.0});  // far away: no message is ever full of these
  auto spec = near();
  spec->filter.area->ring = fine_ring(20).ring;  // its box holds them, so each is compared with each side
  outlet_.flash_at = 2;
  order(spec);
  EXPECT_FALSE(say()) << "broken off";
  EXPECT_EQ(outlet_.looks, 2U) << "and nothing judged behind it";
  outlet_.flash_at = static_cast<std::size_t>(-1);
  EXPECT_TRUE(say());
  const auto done = desk_.take_done();
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].report.next, commits_.next);
}

TEST_F(AreaDelivery, WhatIsJudgedCountsAgainstTheTurnsSteps) {
  commit(100);
  const FilterArea fine = fine_ring();
  order(near(fine));
  EXPECT_TRUE(say(1000));
  const std::size_t fine_steps = 1000 - steps_;
  EXPECT_GE(fine_steps, 100 * kMaxAreaPoints / kStepWork) << "messages: " << outlet_.sent.size();
  commit(100);
  auto plain = near();
  plain->filter.area.reset();
  order(plain, Offset(101));
  EXPECT_TRUE(say(1000));
  EXPECT_LE(1000 - steps_, 3U);
}

TEST_F(AreaDelivery, ATurnWithoutStepsLeftGoesOnInTheNext) {
  commit(100);
  order(near());
  std::size_t turns = 0;
  while (desk_.take_done().empty() && ++turns < 1000) EXPECT_TRUE(say(5));
  EXPECT_GE(turns, 100 * kMaxAreaPoints / kStepWork / 6);
  EXPECT_EQ(delivered(), 100U);
}

TEST_F(AreaDelivery, EqualAreasShareTheirMessagesAndWhatLiesElsewhereDoesNot) {
  commit(10);
  order(near());
  order(near());
  order(near(fine_ring(0.2)));
  EXPECT_TRUE(say());
  ASSERT_EQ(outlet_.sent.size(), 3U);
  EXPECT_EQ(outlet_.sent[0], outlet_.sent[1]);
  EXPECT_NE(outlet_.sent[0], outlet_.sent[2]);
}

TEST_F(AreaDelivery, AnEventIsDecodedOnceForAllAreas) {
  commit(1);
  std::size_t first = 0;
  std::size_t again = 0;
  const core::Whereabouts* where = commits_.segments[0]->where(0, first);
  ASSERT_NE(where, nullptr);
  EXPECT_EQ(where->point, kCentre);
  EXPECT_EQ(commits_.segments[0]->where(0, again), where);
  EXPECT_GT(first, 0U);
  EXPECT_EQ(again, 0U);
}

}  // namespace
}  // namespace lianxi::app
