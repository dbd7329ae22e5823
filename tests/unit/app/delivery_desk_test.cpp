#include "tests/unit/app/desk_kit.h"

#include <gtest/gtest.h>

namespace lianxi::app {
namespace {

using test::kQuzhou;

// What left, in order; says `full`, and that a flash event waits, when it is told to.
class Recorder final : public Outlet {
 public:
  struct Sent {
    std::string to;
    DeliveryHead head;
    std::shared_ptr<const Bytes> segments;
  };
  SendResult answer(const core::Connection&, const Message&) override { return SendResult::sent; }
  SendResult deliver(const core::Connection& to, const DeliveryHead& head,
                     const std::shared_ptr<const Bytes>& segments) override {
    if (full.contains(to.routing)) return SendResult::full;
    sent.push_back({to.routing, head, segments});
    return SendResult::sent;
  }
  [[nodiscard]] bool is_flash(const core::Connection& to) const override { return to.socket == 0; }
  [[nodiscard]] bool flash_waits() override { return sent.size() >= flash_after; }

  std::vector<Sent> sent;
  std::set<std::string> full;
  std::size_t flash_after = static_cast<std::size_t>(-1);
};

// A journal in memory; may hold its results back until they are let go.
class Reader final : public store::JournalReader {
 public:
  explicit Reader(const std::vector<SharedSegment>& segments, int& reads) : segments_(segments), reads_(reads) {}
  store::StoreResult<std::vector<store::JournalSegment>> read(Offset from, std::size_t max_bytes) override {
    ++reads_;
    std::vector<store::JournalSegment> out;
    std::size_t bytes = 0;
    for (const SharedSegment& segment : segments_) {
      if (segment->end() <= from || bytes > max_bytes) continue;
      bytes += segment->bytes().size();
      out.push_back(segment->as_journal_segment());
    }
    return out;
  }
  store::StoreResult<Offset> first_beyond(const FeedVector& have) override {
    for (const SharedSegment& segment : segments_) {
      const auto held = std::find_if(have.begin(), have.end(), [&](const auto& p) { return p.feed == segment->info().feed; });
      const std::uint64_t sequence = held == have.end() ? 0 : held->head.sequence.value;
      const std::uint64_t first = segment->info().first_sequence.value;
      if (sequence + 1 < first + segment->info().count)
        return Offset(segment->first().value + (sequence >= first ? sequence + 1 - first : 0));
    }
    return segments_.empty() ? Offset(1) : segments_.back()->end();
  }
  store::StoreResult<Offset> next_offset() override { return segments_.back()->end(); }

 private:
  const std::vector<SharedSegment>& segments_;
  int& reads_;
};

class HeldReads final : public ColdReads {
 public:
  HeldReads(std::unique_ptr<store::JournalReader> journal, const bool& hold) : inner_(std::move(journal)), hold_(hold) {}
  void ask(ColdJob job) override { inner_.ask(std::move(job)); }
  std::optional<ColdResult> take() override { return hold_ ? std::nullopt : inner_.take(); }
  [[nodiscard]] bool done() const override { return !hold_ && inner_.done(); }

 private:
  InlineColdReads inner_;
  const bool& hold_;
};

class DeliveryDeskTest : public ::testing::Test {
 protected:
  DeliveryDeskTest()
      : desk_(std::make_unique<HeldReads>(std::make_unique<Reader>(commits_.segments, reads_), hold_),
              [this](const core::Connection& connection, SessionId) { return !closed_.contains(connection.routing); }) {
    core::Member quzhou;
    quzhou.region = kQuzhou;
    members_ = std::make_shared<const core::Members>(std::vector{quzhou}, std::vector<core::Group>{});
    allow({});
  }
  void allow(const core::Rule& rule) {
    core::Grant grant;
    grant.agents = "*.*.*";
    grant.follow.push_back(rule);
    desk_.rights(std::make_shared<const core::Policy>(std::vector{grant}), members_);
  }
  // One commit of `count` events; in memory if `recent`.
  void commit(std::size_t count, std::size_t bytes = 100, const std::string& place = "330802", Lane lane = Lane::normal,
              bool recent = true) {
    const SharedSegment& made = commits_.add(count, lane, [&](std::uint64_t n) { return test::report(n, place, bytes); });
    if (recent) desk_.remember(made);
  }
  static std::shared_ptr<core::FollowSpec> spec(const std::string& agent = "330800.police.b") {
    auto out = std::make_shared<core::FollowSpec>();
    out->agent = {*AgentId::parse(agent), "police", core::Role::agent};
    return out;
  }
  core::DeliverOrder order(const std::string& to, std::shared_ptr<const core::FollowSpec> what, Offset from = Offset(1)) {
    return commits_.order(to, std::move(what), from);
  }
  // A turn's deliveries.
  std::vector<DeliveryDesk::Done> perform(std::vector<core::DeliverOrder> orders) {
    desk_.take(std::move(orders), outlet_, [this] {
      FeedVector all;
      for (const auto& [feed, head] : commits_.heads) all.push_back({feed, head});
      return all;
    });
    std::size_t steps = 1000;
    (void)desk_.say_flash(outlet_, steps);
    std::size_t unbroken = 0;
    broke_ = !desk_.say_others(outlet_, steps, unbroken);
    return desk_.take_done();
  }
  std::vector<std::uint64_t> offsets(const std::string& to) const {
    std::vector<std::uint64_t> out;
    for (const Recorder::Sent& sent : outlet_.sent) {
      if (sent.to != to) continue;
      const auto segments = parse_segments(*sent.segments);
      for (const Segment& segment : *segments)
        for (std::size_t i = 0; i < segment.records().size(); ++i) out.push_back(segment.info().first_offset.value + i);
    }
    return out;
  }
  std::vector<std::uint64_t> all() const {
    std::vector<std::uint64_t> out;
    for (std::uint64_t i = 1; i < commits_.next.value; ++i) out.push_back(i);
    return out;
  }

  test::Commits commits_;
  int reads_ = 0;
  bool hold_ = false;
  bool broke_ = false;
  std::set<std::string> closed_;
  std::shared_ptr<const core::Members> members_;
  Recorder outlet_;
  DeliveryDesk desk_;
};

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

std::shared_ptr<core::FollowSpec> link_of(const std::string& node) {
  auto out = std::make_shared<core::FollowSpec>();
  out->agent = {*AgentId::parse(node + ".broker.node"), "broker", core::Role::node};
  out->mode = FollowMode::feeds;
  out->lanes = mask_of(Lane::normal);
  out->zstd = true;
  return out;
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
