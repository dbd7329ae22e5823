#include "tests/unit/app/delivery_desk_fixture.h"

namespace lianxi::app {
namespace {

using test::kQuzhou;
using test::link_of;

TEST_F(DeliveryDeskTest, FollowersWithEqualWishesAndRightsGetTheSameBytes) {
  commit(3);
  commit(2);
  const auto done = perform({order("a", spec("330800.police.b")), order("b", spec("330800.fire.c"))});
  ASSERT_EQ(outlet_.sent.size(), 2U);
  EXPECT_EQ(outlet_.sent[0].segments, outlet_.sent[1].segments);
  EXPECT_EQ(offsets("a"), all());
  ASSERT_EQ(done.size(), 2U);
  EXPECT_EQ(done[0].report.next, commits_.next);
  EXPECT_EQ(done[0].report.bytes, outlet_.sent[0].segments->size());
  EXPECT_EQ(done[0].report.messages, 1U);
  EXPECT_TRUE(outlet_.sent[0].head.caught_up);
}

TEST_F(DeliveryDeskTest, OneSegmentThatIsAllAdmittedGoesAsItIsStored) {
  commit(3);
  (void)perform({order("a", spec())});
  ASSERT_EQ(outlet_.sent.size(), 1U);
  EXPECT_EQ(outlet_.sent[0].segments, commits_.segments[0]->shared_bytes());
  EXPECT_FALSE(commits_.segments[0]->has_facts()) << "no event was looked at";
}

TEST_F(DeliveryDeskTest, RightsAndFiltersThatDifferAreServedApart) {
  commit(1, 100, "330802");
  commit(1, 100, "330803");
  auto narrow = spec();
  narrow->filter.places = {*PlaceCode::parse("330803")};
  (void)perform({order("all", spec()), order("narrow", narrow)});
  EXPECT_EQ(offsets("all"), all());
  EXPECT_EQ(offsets("narrow"), (std::vector<std::uint64_t>{2}));
}

TEST_F(DeliveryDeskTest, ALargeCommitGoesInMessagesOfBoundedSizeAndIsPaidForAsSuch) {
  commit(1000, 300);
  const auto done = perform({order("a", spec()), order("b", spec())});
  EXPECT_GT(outlet_.sent.size(), 12U);
  std::size_t bytes = 0;
  for (const Recorder::Sent& sent : outlet_.sent) {
    EXPECT_LE(sent.segments->size(), kStepBytes);
    bytes += sent.segments->size();
  }
  EXPECT_EQ(offsets("a"), all());
  EXPECT_EQ(offsets("b"), all());
  ASSERT_EQ(done.size(), 2U);
  EXPECT_EQ(done[0].report.bytes + done[1].report.bytes, bytes);
  EXPECT_EQ(done[0].report.messages + done[1].report.messages, outlet_.sent.size());
}

TEST_F(DeliveryDeskTest, NothingLeavesBeyondTheCredit) {
  commit(1000, 300);
  core::DeliverOrder bytes = order("bytes", spec());
  bytes.max_bytes = kStepBytes + 2000;
  core::DeliverOrder messages = order("messages", spec());
  messages.max_messages = 2;
  const auto done = perform({bytes, messages});
  ASSERT_EQ(done.size(), 2U);
  for (const auto& [report, moved] : done) {
    EXPECT_TRUE(moved);
    EXPECT_LT(report.next, commits_.next);
    EXPECT_LE(report.messages, 2U);
    EXPECT_LE(report.bytes, 2 * kStepBytes);
  }
  std::size_t sent = 0;
  for (const Recorder::Sent& one : outlet_.sent) sent += one.to == "bytes" ? one.segments->size() : 0;
  EXPECT_LE(sent, bytes.max_bytes);
  EXPECT_GT(sent, kStepBytes / 2);
}

TEST_F(DeliveryDeskTest, WhatIsNotInMemoryIsReadAndThenMemoryGoesOn) {
  commit(5, 100, "330802", Lane::normal, false);
  commit(5);
  (void)perform({order("a", spec()), order("b", spec())});
  EXPECT_EQ(offsets("a"), all());
  EXPECT_EQ(offsets("b"), all());
  EXPECT_EQ(reads_, 1) << "both wait for one read";
}

TEST_F(DeliveryDeskTest, AFollowThatEndedWhileItWasReadForGetsNothing) {
  commit(5, 100, "330802", Lane::normal, false);
  hold_ = true;
  EXPECT_TRUE(perform({order("a", spec()), order("b", spec())}).empty());
  hold_ = false;
  closed_ = {"a"};
  const auto done = perform({});
  EXPECT_EQ(offsets("a"), (std::vector<std::uint64_t>{}));
  EXPECT_EQ(offsets("b"), all());
  EXPECT_EQ(done.size(), 2U) << "every order is reported";
}

TEST_F(DeliveryDeskTest, NarrowedRightsHoldForWhatIsReadAlready) {
  commit(5, 100, "330802", Lane::normal, false);
  hold_ = true;
  (void)perform({order("a", spec())});
  core::Rule elsewhere;
  elsewhere.places = {*PlaceCode::parse("330803")};
  allow(elsewhere);
  hold_ = false;
  const auto done = perform({});
  EXPECT_EQ(offsets("a"), (std::vector<std::uint64_t>{}));
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].report.next, commits_.next);
}

TEST_F(DeliveryDeskTest, AFlashEventThatWaitsStopsTheOthersAndNothingIsLost) {
  commit(1000, 300);
  outlet_.flash_after = 3;
  auto done = perform({order("a", spec()), order("b", spec())});
  EXPECT_TRUE(broke_);
  EXPECT_EQ(outlet_.sent.size(), 3U);
  EXPECT_TRUE(done.empty());
  EXPECT_TRUE(desk_.has_work());
  outlet_.flash_after = static_cast<std::size_t>(-1);
  done = perform({});
  EXPECT_FALSE(broke_);
  EXPECT_EQ(done.size(), 2U);
  EXPECT_EQ(offsets("a"), all());
  EXPECT_EQ(offsets("b"), all());
}

TEST_F(DeliveryDeskTest, FlashConnectionsAreServedFirstAndAreNotBrokenOff) {
  commit(2, 100, "330802", Lane::flash);
  auto flash = spec();
  flash->lanes = mask_of(Lane::flash);
  core::DeliverOrder urgent = order("flash", flash);
  urgent.connection.socket = 0;
  outlet_.flash_after = 0;
  (void)perform({order("a", spec()), urgent});
  ASSERT_EQ(outlet_.sent.size(), 1U);
  EXPECT_EQ(outlet_.sent[0].to, "flash");
}

TEST_F(DeliveryDeskTest, AFullConnectionIsReportedWithWhatItTook) {
  commit(3);
  outlet_.full = {"a"};
  const auto done = perform({order("a", spec()), order("b", spec())});
  ASSERT_EQ(done.size(), 2U);
  EXPECT_FALSE(done[0].report.sent);
  EXPECT_EQ(done[0].report.next, Offset(1));
  EXPECT_EQ(done[0].report.bytes, 0U);
  EXPECT_TRUE(done[1].report.sent);
}

TEST_F(DeliveryDeskTest, AVectorIsJumpedToAndAJumpToTheHeadSaysSo) {
  commit(4, 100, "330802", Lane::bulk, false);
  commit(5, 100, "330802", Lane::normal, false);
  commit(4, 100, "330802", Lane::bulk, false);
  const FeedId feed{kQuzhou, Epoch(1), Lane::normal, Audience::conference()};
  auto some = spec();
  some->lanes = mask_of(Lane::normal);
  some->have = {{feed, {Sequence(3), {}}}};
  auto most = spec();
  most->lanes = mask_of(Lane::normal);
  most->have = {{feed, commits_.heads[feed]}};
  core::DeliverOrder first = order("some", some);
  core::DeliverOrder second = order("most", most);
  first.search = second.search = true;
  const auto done = perform({first, second});
  EXPECT_EQ(offsets("some"), (std::vector<std::uint64_t>{8, 9}));
  EXPECT_EQ(offsets("most"), (std::vector<std::uint64_t>{}));
  ASSERT_FALSE(outlet_.sent.empty());
  std::size_t standing = 0;
  for (const Recorder::Sent& sent : outlet_.sent)
    if (sent.to == "most" && sent.head.caught_up && sent.head.next == commits_.next) ++standing;
  EXPECT_EQ(standing, 1U);
  EXPECT_EQ(done.size(), 2U);
}

TEST_F(DeliveryDeskTest, AQuietOrderThatFindsNothingMovesOnWithoutAWord) {
  commit(3);
  auto nothing = spec();
  nothing->filter.kinds = {Kind::alert};
  core::DeliverOrder quiet = order("quiet", nothing);
  quiet.quiet = true;
  const auto done = perform({quiet, order("told", nothing)});
  ASSERT_EQ(outlet_.sent.size(), 1U);
  EXPECT_EQ(outlet_.sent[0].to, "told");
  EXPECT_TRUE(outlet_.sent[0].segments->empty());
  ASSERT_EQ(done.size(), 2U);
  EXPECT_EQ(done[0].report.next, commits_.next);
  EXPECT_FALSE(done[0].report.sent);
}

TEST_F(DeliveryDeskTest, WhatALinkTakesCompressedIsCompressedOnceForAllNodes) {
  core::Member quzhou, huangshan, nanping;
  quzhou.region = kQuzhou;
  huangshan.region = RegionCode(341000);
  nanping.region = RegionCode(350700);
  members_ = std::make_shared<const core::Members>(std::vector{quzhou, huangshan, nanping}, std::vector<core::Group>{});
  allow({});
  commit(40, 300);
  auto plain = std::make_shared<core::FollowSpec>(*link_of("350700"));
  plain->zstd = false;
  const auto done = perform({order("h", link_of("341000")), order("n", link_of("350700")), order("old", plain)});
  ASSERT_EQ(outlet_.sent.size(), 3U);
  ASSERT_TRUE(outlet_.sent[0].head.packed);
  EXPECT_EQ(outlet_.sent[0].head.packed, outlet_.sent[1].head.packed);
  EXPECT_FALSE(outlet_.sent[2].head.packed);
  EXPECT_EQ(unpack(*outlet_.sent[0].head.packed).value(), *outlet_.sent[0].segments);
  EXPECT_EQ(*outlet_.sent[2].segments, *outlet_.sent[0].segments);
  ASSERT_EQ(done.size(), 3U);
  EXPECT_EQ(done[0].report.bytes, outlet_.sent[0].segments->size()) << "credit counts what is read";
  EXPECT_EQ(done[0].report.wire_bytes, outlet_.sent[0].head.packed->size());
  EXPECT_EQ(reads_, 0);
}

TEST_F(DeliveryDeskTest, ANodeThatHasGoneSharesNothingWithThoseThatStay) {
  core::Member quzhou, huangshan, nanping;
  quzhou.region = kQuzhou;
  huangshan.region = RegionCode(341000);
  huangshan.window.until = 1'000;
  nanping.region = RegionCode(350700);
  const core::Group inner{*Audience::parse("inner"), {kQuzhou, huangshan.region}};
  const core::Members written(std::vector{quzhou, huangshan, nanping}, std::vector{inner});
  members_ = std::make_shared<const core::Members>(written.at(2'000));
  allow({});
  commit(2);
  (void)perform({order("n", link_of("350700")), order("h", link_of("341000"))});
  EXPECT_EQ(offsets("n"), all());
  EXPECT_TRUE(offsets("h").empty());
}

TEST_F(DeliveryDeskTest, WhatWasOrderedInAnEarlierTurnIsNotSentToAFollowThatEnded) {
  commit(2);
  outlet_.flash_after = 0;
  (void)perform({order("a", spec())});
  ASSERT_TRUE(outlet_.sent.empty());
  outlet_.flash_after = static_cast<std::size_t>(-1);
  closed_ = {"a"};
  (void)perform({});
  EXPECT_TRUE(outlet_.sent.empty());
}

TEST_F(DeliveryDeskTest, MuchToCompressIsLeftToTheCatchUpThread) {
  core::Member quzhou, huangshan;
  quzhou.region = kQuzhou;
  huangshan.region = RegionCode(341000);
  members_ = std::make_shared<const core::Members>(std::vector{quzhou, huangshan}, std::vector<core::Group>{});
  allow({});
  for (int i = 0; i < 10; ++i) commit(40, 300);
  (void)perform({order("h", link_of("341000"))});
  EXPECT_GT(reads_, 0);
  EXPECT_EQ(offsets("h"), all());
  for (const Recorder::Sent& sent : outlet_.sent) EXPECT_TRUE(sent.head.packed);
}

TEST_F(DeliveryDeskTest, AMessageForAThinLinkIsSmall) {
  core::Member quzhou, huangshan;
  quzhou.region = kQuzhou;
  huangshan.region = RegionCode(341000);
  members_ = std::make_shared<const core::Members>(std::vector{quzhou, huangshan}, std::vector<core::Group>{});
  allow({});
  for (int i = 0; i < 10; ++i) commit(1, 300);
  core::DeliverOrder thin = order("h", link_of("341000"));
  thin.step_bytes = 1'000;
  thin.max_messages = 1;
  const auto done = perform({thin});
  ASSERT_EQ(outlet_.sent.size(), 1U);
  EXPECT_LE(offsets("h").size(), 2U) << "past its measure with the second";
  ASSERT_EQ(done.size(), 1U);
  EXPECT_EQ(done[0].report.next, Offset(1 + offsets("h").size()));
}

}  // namespace
}  // namespace lianxi::app
