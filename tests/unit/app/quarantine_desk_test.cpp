// Of what a turn was shown, only what contradicts the journal under the region's own seal is kept, once and within bounds.
#include "broker/app/quarantine_desk.h"

#include <gtest/gtest.h>

#include "tests/unit/store/store_kit.h"

namespace lianxi::app {
namespace {

using store::test::body_of;
using store::test::JournalBench;
using store::test::keys_of;
using store::test::kHuangshan;
using store::test::kQuzhou;
using store::test::Regions;
using store::test::TempFolder;

const FeedId kFeed = store::test::feed_of(kQuzhou);

class QuarantineDeskTest : public ::testing::Test {
 protected:
  QuarantineDeskTest() {
    core::Member member;
    member.region = kQuzhou;
    member.seal_key = keys_of(kQuzhou).public_key;
    members = core::Members({member}, {});
    bench.commit({kFeed});
    (void)other.segment(kFeed, {body_of(200, 1), body_of(200, 2), body_of(200, 3)}, Offset(1));
    bench.commit({kFeed});
  }
  Bytes another(std::size_t events = 3) {
    std::vector<Bytes> bodies;
    for (std::size_t i = 0; i < events; ++i) bodies.push_back(body_of(200, 900 + i));
    const StoredSegment made = other.segment(kFeed, bodies, Offset(4));
    return with_seal(made.bytes, *made.seal);
  }
  core::Effects judge(QuarantineDesk& with, const Bytes& segment) {
    core::Effects effects;
    effects.suspects.push_back({kFeed, kHuangshan, segment});
    with.judge(effects, bench.regions.heads(), members, 1'700'000'000'000);
    return effects;
  }

  TempFolder folder;
  JournalBench bench{folder.path("journal")};
  Regions other;
  core::Members members;
  QuarantineDesk desk{bench.options, {}};
};

TEST_F(QuarantineDeskTest, AnotherHistoryIsKeptOnceAndToldWithBothHashes) {
  const Bytes segment = another();
  const core::Effects effects = judge(desk, segment);
  ASSERT_EQ(effects.batch.quarantined.size(), 1U);
  const Quarantined& row = effects.batch.quarantined[0].about;
  EXPECT_EQ(row.differs, Sequence(4));
  EXPECT_EQ(row.by, kHuangshan);
  EXPECT_EQ(effects.batch.quarantined[0].segment, segment);
  ASSERT_EQ(effects.alarms.size(), 1U);
  EXPECT_EQ(effects.alarms[0].what, "quarantined");
  EXPECT_NE(effects.alarms[0].reason.find("330800/1/normal/conference sequence 4"), std::string::npos)
      << effects.alarms[0].reason;
  EXPECT_NE(effects.alarms[0].reason.find(to_hex(row.held).substr(0, 16)), std::string::npos);
  EXPECT_NE(effects.alarms[0].reason.find(to_hex(row.other).substr(0, 16)), std::string::npos);
  EXPECT_TRUE(judge(desk, segment).batch.empty()) << "delivered again";
  // A node that starts again knows what it keeps.
  QuarantineDesk later(bench.options, {row});
  EXPECT_TRUE(judge(later, segment).batch.empty());
}

TEST_F(QuarantineDeskTest, WhatGoesOnFromAKeptPartIsKeptWithoutAnotherAlarm) {
  (void)judge(desk, another());
  const core::Effects further = judge(desk, another());  // behind this journal's head
  ASSERT_EQ(further.batch.quarantined.size(), 1U);
  EXPECT_EQ(further.batch.quarantined[0].about.differs, Sequence(4));
  EXPECT_TRUE(further.alarms.empty());
}

TEST_F(QuarantineDeskTest, TheSameHistoryIsNoEvidence) {
  for (const store::JournalSegment& own : bench.read_all()) {
    const core::Effects effects = judge(desk, with_seal(own.bytes, *own.seal));
    EXPECT_TRUE(effects.batch.empty());
    EXPECT_TRUE(effects.alarms.empty());
  }
}

TEST_F(QuarantineDeskTest, WhatTheRegionDidNotSealIsNotKept) {
  const StoredSegment made = other.segment(kFeed, {body_of(200, 900)}, Offset(4));
  const Bytes forged = with_seal(made.bytes, sign_seal(keys_of(kHuangshan).secret_key, kFeed, made.last));
  const core::Effects effects = judge(desk, forged);
  EXPECT_TRUE(effects.batch.empty());
  EXPECT_TRUE(effects.alarms.empty());
}

TEST_F(QuarantineDeskTest, WhatThisTurnWritesIsComparedToo) {
  core::Effects effects;
  const StoredSegment fresh = bench.regions.segment(kFeed, {body_of(200, 77)}, bench.next);  // sequence 7, not committed
  effects.batch.segments.push_back(fresh);
  (void)another();
  const Bytes behind = another();  // sequences 7 to 9
  effects.suspects.push_back({kFeed, kHuangshan, behind});
  desk.judge(effects, bench.regions.heads(), members, 1);
  ASSERT_EQ(effects.batch.quarantined.size(), 1U);
  EXPECT_EQ(effects.batch.quarantined[0].about.differs, Sequence(6)) << "the head that it follows is another one";
}

TEST_F(QuarantineDeskTest, WhatIsTooMuchForATurnWaitsForTheNext) {
  core::Effects effects;
  const store::JournalSegment own = bench.read_all().front();
  for (std::size_t i = 0; i < kJudgedATurn; ++i) effects.suspects.push_back({kFeed, kHuangshan, with_seal(own.bytes, *own.seal)});
  effects.suspects.push_back({kFeed, kHuangshan, another()});
  desk.judge(effects, bench.regions.heads(), members, 1);
  EXPECT_TRUE(effects.batch.quarantined.empty());
  ASSERT_TRUE(desk.waits());
  core::Effects later;
  desk.judge(later, bench.regions.heads(), members, 2);
  EXPECT_EQ(later.batch.quarantined.size(), 1U);
  EXPECT_FALSE(desk.waits());
}

TEST_F(QuarantineDeskTest, NoMoreIsKeptOfAFeedThanItsBound) {
  std::size_t kept = 0;
  std::size_t told = 0;
  for (std::size_t i = 0; i < kMaxQuarantinedOfFeed + 5; ++i) {
    const core::Effects effects = judge(desk, another(1));
    kept += effects.batch.quarantined.size();
    for (const core::Alarm& alarm : effects.alarms) told += alarm.what == "quarantine_full" ? 1U : 0U;
  }
  EXPECT_EQ(kept, kMaxQuarantinedOfFeed);
  EXPECT_EQ(told, 1U);
}

}  // namespace
}  // namespace lianxi::app
