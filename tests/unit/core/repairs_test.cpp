// Damaged stretches of a journal come back from whoever holds the feed; what does not fit is passed over.
#include <gmock/gmock.h>

#include "broker/core/repairs.h"
#include "tests/unit/core/links_fixture.h"

namespace lianxi::core {
namespace {

using testing::Contains;
using testing::IsEmpty;
using testing::SizeIs;

class RepairsTest : public LinksTest {
 protected:
  RepairsTest() {
    for (const RegionCode region : {kQuzhou, kHuangshan}) open(region);
    net.pass(1'000);
    for (int i = 1; i <= 6; ++i) say(kQuzhou, "衢" + std::to_string(i));
    for (int i = 1; i <= 6; ++i) say(kHuangshan, "黄" + std::to_string(i));
    say(kQuzhou, "本市", Audience::local());
    say(kQuzhou, "两市", audience("qu-huang"));
    net.pass(500);
    net.alarms.clear();
    net.given.clear();
  }
  // The n-th segment that Quzhou holds of the feed, as if it were damaged.
  DamagedRange segment_of(RegionCode region, std::size_t n, const Audience& whom = Audience::conference()) {
    for (const StoredSegment& segment : net.node(kQuzhou).disk.segments) {
      if (segment.info.feed.region != region || segment.info.feed.audience != whom || n-- > 0) continue;
      stored = segment;
      return {segment.info.feed,     segment.info.first_sequence, segment.last.sequence,
              segment.info.previous, segment.last.hash,           false};
    }
    throw std::logic_error("no such segment");
  }
  void tell(const DamagedRange& range) { (void)net.at(kQuzhou, {net.node(kQuzhou).input(Damaged{{range}})}); }
  // What was given is, event for event, what stood there.
  void expect_given() {
    ASSERT_THAT(net.given, SizeIs(1));
    const StoredSegment& segment = net.given[0].segment;
    EXPECT_EQ(segment.info.feed, stored.info.feed);
    EXPECT_EQ(segment.info.first_sequence, stored.info.first_sequence);
    EXPECT_EQ(segment.last, stored.last);
    EXPECT_EQ(as_stored(Segment::parse(segment.bytes).value(), Offset(1)),
              as_stored(Segment::parse(stored.bytes).value(), Offset(1)));
    EXPECT_EQ(net.node(kQuzhou).disk.next_offset, head) << "nothing is appended";
  }
  StoredSegment stored;
  Offset head = net.node(kQuzhou).disk.next_offset;
};

TEST_F(RepairsTest, AnotherMembersFeedComesBack) {
  head = net.node(kQuzhou).disk.next_offset;
  tell(segment_of(kHuangshan, 3));
  net.pass(500);
  expect_given();
  EXPECT_THAT(net.alarms, IsEmpty());
}

TEST_F(RepairsTest, AnOwnFeedComesBackFromAPeer) {
  head = net.node(kQuzhou).disk.next_offset;
  tell(segment_of(kQuzhou, 0));
  net.pass(500);
  expect_given();
  EXPECT_THAT(net.alarms, IsEmpty());
  say(kQuzhou, "后来");
  EXPECT_THAT(held(kHuangshan, kQuzhou), Contains("后来")) << "the links go on";
}

TEST_F(RepairsTest, ManyStretchesComeOneByOne) {
  std::vector<DamagedRange> all;
  for (std::size_t n = 0; n < 5; ++n) all.push_back(segment_of(kHuangshan, n));
  (void)net.at(kQuzhou, {net.node(kQuzhou).input(Damaged{all})});
  net.pass(2'000);
  EXPECT_THAT(net.given, SizeIs(5));
}

TEST_F(RepairsTest, OnlyWhoHoldsTheAudienceIsAsked) {
  head = net.node(kQuzhou).disk.next_offset;
  net.cut(kQuzhou, kHuangshan);
  net.pass(kPeerSilenceMs + 1'000);
  net.alarms.clear();
  tell(segment_of(kQuzhou, 0, audience("qu-huang")));
  net.pass(2'000);
  EXPECT_THAT(net.given, IsEmpty()) << "the one that holds it is not reached";
  EXPECT_THAT(net.alarms, IsEmpty()) << "and may come back";
  net.mend(kQuzhou, kHuangshan);
  net.pass(kPeerSilenceMs + 2 * kMaxReconnectMs);
  ASSERT_THAT(net.given, SizeIs(1));
}

TEST_F(RepairsTest, WhatNeverLeavesTheRegionIsSaidToBeLost) {
  tell(segment_of(kQuzhou, 0, Audience::local()));
  net.pass(1'000);
  EXPECT_THAT(net.given, IsEmpty());
  EXPECT_THAT(net.alarms, testing::ElementsAre("330800 journal_damaged"));
}

TEST_F(RepairsTest, AForgedStretchIsRefusedAndTheNextNodeAsked) {
  head = net.node(kQuzhou).disk.next_offset;
  int forged = 0;
  net.tamper = [&](RegionCode from, RegionCode to, Deliver& deliver) {
    if (from != kHuangshan || to != kQuzhou || forged > 0) return;
    const auto segments = parse_segments(deliver.segments);
    if (!segments || segments->empty()) return;
    ++forged;
    // A chain that holds together, over other bodies, from the same place on.
    const Segment& first = segments->front();
    SegmentWriter writer(first.info().feed, {Sequence(first.info().first_sequence.value - 1), first.info().previous}, Offset(1));
    for (const RecordView& record : first.records()) {
      Bytes body(record.body.begin(), record.body.end());
      body.back() ^= 1;
      writer.append(record.stamp, record.salt, body);
    }
    const Seal seal{writer.head().sequence, writer.head().hash, first.seal()->signature};
    deliver.segments = std::move(writer).finish(seal);
  };
  tell(segment_of(kHuangshan, 3));
  net.pass(1'000);
  EXPECT_EQ(forged, 1);
  EXPECT_THAT(net.alarms, testing::ElementsAre("330800 repair_refused"));
  expect_given();
}

TEST_F(RepairsTest, AStretchThatNobodyHoldsAsItWasIsReported) {
  DamagedRange range = segment_of(kQuzhou, 0, audience("qu-huang"));
  range.hash->at(0) ^= 1;  // nobody's history ends like that
  tell(range);
  net.pass(2'000);
  EXPECT_THAT(net.given, IsEmpty());
  EXPECT_THAT(net.alarms, testing::ElementsAre("330800 repair_refused", "330800 journal_damaged"));
}

TEST_F(RepairsTest, WhatNobodyCouldGiveStandsAsAnAlarmUntilItComesAfterAll) {
  head = net.node(kQuzhou).disk.next_offset;
  const DamagedRange range = segment_of(kQuzhou, 0, audience("qu-huang"));
  net.tamper = [&](RegionCode from, RegionCode to, Deliver& deliver) {
    if (from == kHuangshan && to == kQuzhou) deliver.segments = {1, 2, 3};
  };
  tell(range);
  net.pass(1'000);
  const auto rows = net.node(kQuzhou).core.alarms();
  ASSERT_THAT(rows, SizeIs(1));
  EXPECT_EQ(rows[0].what, "journal_damaged");
  EXPECT_EQ(rows[0].about, to_text(range.feed));
  net.tamper = nullptr;
  net.pass(kRepairRetryMs + 1'000);
  expect_given();
  EXPECT_THAT(net.node(kQuzhou).core.alarms(), IsEmpty());
  EXPECT_THAT(net.alarms, Contains("330800 journal_damaged_over"));
}

TEST_F(RepairsTest, WhatNobodyHoldsTakesNoRoomFromWhatOthersHold) {
  const DamagedRange local = segment_of(kQuzhou, 0, Audience::local());
  std::vector<DamagedRange> lost(kMaxRepairs, local);
  for (std::size_t i = 0; i < lost.size(); ++i) lost[i].first = lost[i].last = Sequence(i + 1);
  (void)net.at(kQuzhou, {net.node(kQuzhou).input(Damaged{lost})});
  net.pass(500);
  head = net.node(kQuzhou).disk.next_offset;
  tell(segment_of(kHuangshan, 3));
  net.pass(500);
  expect_given();
}

TEST_F(RepairsTest, AMemberThatHasGoneIsNotWaitedFor) {
  const auto since = net.node(kQuzhou).now;
  std::vector<Member> without = members->all();
  for (Member& member : without)
    if (member.region == kHuangshan) member.window.until = since;
  const auto changed = std::make_shared<const Members>(without, members->groups());
  (void)net.at(kQuzhou, {net.node(kQuzhou).input(PolicyChanged{nullptr, changed, nullptr})});
  net.cut(kQuzhou, kHuangshan);
  net.pass(kPeerSilenceMs + 1'000);
  net.alarms.clear();
  tell(segment_of(kQuzhou, 0, audience("qu-huang")));
  net.pass(1'000);
  EXPECT_THAT(net.alarms, testing::ElementsAre("330800 journal_damaged"));
}

TEST_F(RepairsTest, WhoHoldsOnlyLaterEventsIsPassedOverInSilence) {
  head = net.node(kQuzhou).disk.next_offset;
  net.tamper = [&](RegionCode from, RegionCode to, Deliver& deliver) {
    const auto segments = parse_segments(deliver.segments);
    if (from != kHuangshan || to != kQuzhou || !segments || segments->size() < 2) return;
    deliver.segments.erase(deliver.segments.begin(),
                           deliver.segments.begin() + static_cast<std::ptrdiff_t>(segments->front().size_bytes()));
  };
  tell(segment_of(kHuangshan, 1));
  net.pass(1'000);
  expect_given();
  EXPECT_THAT(net.alarms, IsEmpty());
}

TEST_F(RepairsTest, AStretchThatNeverEndsFillsNoMemory) {
  const std::string much(60'000, 'x');
  for (int i = 0; i < 30; ++i) say(kHuangshan, much);
  net.pass(500);
  DamagedRange range = segment_of(kHuangshan, 3);
  range.last = Sequence(1'000'000);  // as a damaged seal says
  range.hash.reset();
  range.seal_lost = true;
  tell(range);
  net.pass(2'000);
  EXPECT_THAT(net.given, IsEmpty());
  EXPECT_THAT(net.alarms, Contains("330800 repair_refused"));
}

TEST_F(RepairsTest, WithoutAHashTheSealDecidesAndComesAlong) {
  head = net.node(kQuzhou).disk.next_offset;
  DamagedRange range = segment_of(kHuangshan, 3);
  range.hash.reset();
  range.seal_lost = true;
  tell(range);
  net.pass(500);
  expect_given();
  EXPECT_EQ(net.given[0].segment.seal, stored.seal);
}

TEST_F(RepairsTest, ANodeThatIsCutOffInTheMiddleIsAskedAgain) {
  head = net.node(kQuzhou).disk.next_offset;
  net.cut(kQuzhou, kNanping);
  net.tamper = [&](RegionCode from, RegionCode to, Deliver& deliver) {
    if (from == kHuangshan && to == kQuzhou) deliver.segments.clear();
  };
  tell(segment_of(kHuangshan, 3));
  net.tamper = nullptr;
  net.cut(kQuzhou, kHuangshan);
  net.pass(kPeerSilenceMs + 1'000);
  EXPECT_THAT(net.given, IsEmpty());
  net.mend(kQuzhou, kHuangshan);
  net.pass(kPeerSilenceMs + 2 * kMaxReconnectMs);
  expect_given();
}

TEST_F(RepairsTest, WhatWasGivenAndIsToldAgainIsNotAskedForAtOnce) {
  const DamagedRange range = segment_of(kHuangshan, 3);
  tell(range);
  net.pass(500);
  ASSERT_THAT(net.given, SizeIs(1));
  tell(range);
  net.pass(5'000);
  EXPECT_THAT(net.given, SizeIs(1)) << "the disk did not take it: not at once again";
}

TEST_F(RepairsTest, WhatIsAskedForKeepsItsPlaceThoughNobodyHadItBefore) {
  const DamagedRange range = segment_of(kQuzhou, 0, audience("qu-huang"));
  net.tamper = [&](RegionCode from, RegionCode to, Deliver& deliver) {
    if (from == kHuangshan && to == kQuzhou) deliver.segments = {1, 2, 3};
  };
  tell(range);
  net.pass(1'000);
  ASSERT_THAT(net.node(kQuzhou).core.alarms(), SizeIs(1));
  // Asked again, it hangs; meanwhile all the room is asked for.
  net.tamper = [&](RegionCode from, RegionCode to, Deliver& deliver) {
    if (from == kHuangshan && to == kQuzhou) deliver.segments.clear();
  };
  net.pass(kRepairRetryMs - 500);
  std::vector<DamagedRange> many(kMaxRepairs, range);
  for (std::size_t i = 0; i < many.size(); ++i) many[i].first = many[i].last = Sequence(1'000 + i);
  for (TimeMs passed = 0; passed < 2'000; passed += 200) {
    net.pass(200);
    (void)net.at(kQuzhou, {net.node(kQuzhou).input(Damaged{many})});
  }
  net.pass(3 * kRepairPatienceMs);
  EXPECT_THAT(net.given, IsEmpty());
}

TEST_F(RepairsTest, WhoGivesNothingButEmptyMessagesHoldsNobodyUp) {
  head = net.node(kQuzhou).disk.next_offset;
  net.tamper = [&](RegionCode from, RegionCode to, Deliver& deliver) {
    if (from == kHuangshan && to == kQuzhou) deliver.segments.clear(), deliver.next = Offset(1);
  };
  const DamagedRange range = segment_of(kHuangshan, 3);
  tell(range);
  const CoreRig& peer = net.node(kHuangshan);
  for (TimeMs passed = 0; passed < 2 * kRepairPatienceMs; passed += 5'000) {
    say(kHuangshan, "又" + std::to_string(peer.now));  // each is an empty message
    net.pass(5'000);
  }
  ASSERT_THAT(net.given, SizeIs(1)) << "the next node was asked";
}

TEST_F(RepairsTest, WithoutRoomOnTheDiskNothingIsAskedFor) {
  (void)net.at(kQuzhou, {net.node(kQuzhou).input(DiskState{true})});
  tell(segment_of(kHuangshan, 3));
  net.pass(2'000);
  EXPECT_THAT(net.given, IsEmpty());
  (void)net.at(kQuzhou, {net.node(kQuzhou).input(DiskState{false})});
  net.pass(2'000);
  EXPECT_THAT(net.given, SizeIs(1));
}

TEST_F(RepairsTest, WhoseSealsStandElsewhereIsNoForger) {
  DamagedRange range = segment_of(kHuangshan, 3);
  range.hash.reset();
  range.seal_lost = true;
  net.tamper = [&](RegionCode, RegionCode to, Deliver& deliver) {
    const auto segments = parse_segments(deliver.segments);
    if (to != kQuzhou || !segments) return;
    Bytes without;  // the events are given, no seal at their end
    for (const Segment& segment : *segments) {
      SegmentWriter writer(segment.info().feed, {Sequence(segment.info().first_sequence.value - 1), segment.info().previous},
                           segment.info().first_offset);
      for (const RecordView& record : segment.records()) writer.append(record);
      const Bytes bytes = std::move(writer).finish();
      without.insert(without.end(), bytes.begin(), bytes.end());
    }
    deliver.segments = without;
  };
  tell(range);
  net.pass(2'000);
  EXPECT_THAT(net.given, IsEmpty());
  EXPECT_THAT(net.alarms, testing::Not(Contains("330800 repair_refused")));
}

}  // namespace
}  // namespace lianxi::core
