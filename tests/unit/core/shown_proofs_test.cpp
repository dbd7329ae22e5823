// Proofs that a joiner was shown, and what it does with them; its peers are played by the tests.
#include "schemas/codec/retention_proof.h"

#include "broker/core/replication.h"
#include "tests/unit/core/beginning_fixture.h"

namespace lianxi::core {
namespace {

using testing::ElementsAre;

// The peers of Nanping's node.
class PlayedPeers {
 protected:
  explicit PlayedPeers(const std::shared_ptr<const Members>& members) : joiner(kNanping, members) {}
  // All that the joiner asks stands answered.
  void begin(RegionCode peer) {
    for (const auto& [link, message] : joiner.step(Tick{}).link_sends) hear(link, message);
    says(Followed{follow(peer).follow, peer, Incarnation{9}, Offset{1}, Offset{6}}, peer);
  }
  void hear(const LinkId& link, const Message& message) {
    if (link.lanes != LaneClass::normal) return;
    const auto* asked = std::get_if<Follow>(&message);
    if (asked != nullptr && asked->regions == std::vector{link.peer}) {  // no detour
      follows_[link.peer] = *asked;
      if (link.peer == kQuzhou) questions.push_back(asked->from_retention);
    }
    if (const auto* credit = std::get_if<Credit>(&message)) paid = std::max(paid, credit->offset);
  }
  void says(Message message, RegionCode peer = kQuzhou) {
    const LinkId link{peer, LaneClass::normal};
    for (const LinkSend& send : joiner.step(PeerMessage{link, std::move(message)}).link_sends) hear(send.link, send.message);
  }
  void pass(TimeMs ms) {
    for (const LinkSend& send : joiner.pass(ms).link_sends) hear(send.link, send.message);
  }
  // The last question to the peer for its own feeds.
  [[nodiscard]] const Follow& follow(RegionCode peer = kQuzhou) { return follows_[peer]; }

  CoreRig joiner;
  std::vector<bool> questions;  // to Quzhou: whether each said that feeds may begin behind a retention
  Offset paid;

 private:
  std::map<RegionCode, Follow> follows_;
};

class SwallowedProofTest : public BeginningTest, protected PlayedPeers {
 protected:
  SwallowedProofTest() : PlayedPeers(members) {
    retain(4);
    PlayedPeers::begin(kQuzhou);
  }
  void deliver(std::initializer_list<std::uint64_t> firsts, Offset next) {
    Deliver message{follow().follow, next, false, {}};
    for (const StoredSegment& stored : net.node(kQuzhou).disk.segments) {
      if (stored.info.feed != feed() || std::count(firsts.begin(), firsts.end(), stored.info.first_sequence.value) == 0) continue;
      const Bytes bytes = with_seal(stored.bytes, *stored.seal);
      message.segments.insert(message.segments.end(), bytes.begin(), bytes.end());
    }
    says(std::move(message));
  }
  std::uint64_t stands() { return joiner.disk.heads[feed()].sequence.value; }
};

TEST_F(SwallowedProofTest, TheEventsBehindAProofAreTaken) {
  ASSERT_TRUE(follow().from_retention);
  deliver({5}, Offset{1});
  EXPECT_EQ(stands(), 0U);
  deliver({5}, Offset{6});
  EXPECT_EQ(stands(), 5U);
  EXPECT_EQ(paid, Offset{6});
}

TEST_F(SwallowedProofTest, ARetentionBehindAGapIsNotPaidForAsHeld) {
  deliver({1, 2}, Offset{3});
  ASSERT_EQ(stands(), 2U);
  deliver({5}, Offset{6});
  EXPECT_EQ(stands(), 2U);
  EXPECT_EQ(paid, Offset{3}) << "3 to 5 are not on disk here";
  pass(kHealed);
  ASSERT_EQ(follow().vector.size(), 1U);
  EXPECT_EQ(follow().vector.front().head.sequence, Sequence{2});
  EXPECT_TRUE(follow().from_retention) << "other feeds may still begin behind theirs";
}

TEST_F(SwallowedProofTest, ARetentionThatComesWithoutItsProofIsNotTakenForOne) {
  deliver({}, Offset{1});
  deliver({5}, Offset{6});
  EXPECT_EQ(stands(), 0U);
  EXPECT_LE(paid, Offset{1});
  pass(kHealed);
  ASSERT_GE(questions.size(), 3U);
  EXPECT_THAT((std::vector<bool>(questions.begin(), questions.begin() + 3)), ElementsAre(true, false, true))
      << "whole once, for what the peer cannot show";
}

// Feeds of several epochs, each with a retention through its third event and so much behind it that four proofs may wait.
class ShownProofsTest : public testing::Test, protected PlayedPeers {
 protected:
  static constexpr std::size_t kBehind = 6'500;

  ShownProofsTest() : PlayedPeers(four_cities()) {
    begin(kQuzhou);
    begin(kHuangshan);
  }
  static FeedId feed(std::uint32_t epoch, RegionCode region) {
    return {region, Epoch{epoch}, Lane::normal, Audience::conference()};
  }
  static Bytes sealed(SegmentWriter writer, const FeedId& feed) {
    const FeedHead head = writer.head();
    return std::move(writer).finish(sign_seal(seal_keys_of(feed.region).secret_key, feed, head));
  }
  static Stamp stamp(std::uint64_t sequence) {
    return {Sequence{sequence}, Ordinal{sequence}, Hlc{sequence}, police().id, SessionId{1}, Sequence{sequence}};
  }
  static Bytes proof(const FeedId& feed) {
    Event event = retention_event({feed.epoch, feed.lane, {Sequence{3}, Hash{3}}, Ordinal{3}, kNoon, Sequence{4}, Hash{9}});
    event.envelope.entity = retention_entity(feed.region, feed.lane, feed.audience);
    SegmentWriter writer(feed, {Sequence{4}, Hash{4}}, Offset{9});
    writer.append(stamp(5), Salt{}, encode_event(event));
    for (std::uint64_t i = 0; i < kBehind; ++i) writer.append(stamp(6 + i), Salt{}, Bytes(8, 'b'));
    return sealed(std::move(writer), feed);
  }
  void show(std::initializer_list<std::uint32_t> epochs, RegionCode region = kQuzhou) {
    Deliver message{follow(region).follow, Offset{1}, false, {}};
    for (const std::uint32_t epoch : epochs) {
      const Bytes bytes = proof(feed(epoch, region));
      message.segments.insert(message.segments.end(), bytes.begin(), bytes.end());
    }
    says(std::move(message), region);
  }
  // The same on the next connection, for what comes behind the first message is no proof.
  void show_again(std::initializer_list<std::uint32_t> epochs) {
    for (const LinkSend& send : joiner.step(LinkLost{{kQuzhou, LaneClass::normal}}).link_sends) hear(send.link, send.message);
    pass(kMaxReconnectMs);
    says(Followed{follow().follow, kQuzhou, Incarnation{9}, Offset{1}, Offset{6}});
    show(epochs);
  }
  // The event behind what the retention lets go; whether it was taken.
  bool goes_on(std::uint32_t epoch, RegionCode region = kQuzhou) {
    const FeedId of = feed(epoch, region);
    SegmentWriter writer(of, {Sequence{3}, Hash{3}}, Offset{4});
    writer.append(stamp(4), Salt{}, encode_event(report("四", "police", region)));
    says(Deliver{follow(region).follow, Offset{5}, false, sealed(std::move(writer), of)}, region);
    return joiner.disk.heads[of].sequence == Sequence{4};
  }
};

TEST_F(ShownProofsTest, TheyWaitOverConnectionsWhileThereIsRoom) {
  show({1, 2, 3});
  show_again({4});
  for (const std::uint32_t epoch : {1U, 2U, 3U, 4U}) EXPECT_TRUE(goes_on(epoch)) << epoch;
}

TEST_F(ShownProofsTest, BeyondTheirRoomThoseBeforeGoAndTheirFeedsComeWhole) {
  show({1, 2, 3});
  show_again({4, 5});
  EXPECT_TRUE(goes_on(5));
  questions.clear();
  EXPECT_FALSE(goes_on(4));
  pass(kHealed);
  ASSERT_FALSE(questions.empty());
  EXPECT_FALSE(questions.front());
}

TEST_F(ShownProofsTest, OneRegionsNeverTakeTheRoomOfAnothers) {
  show({1}, kHuangshan);
  show({1, 2, 3});
  show_again({4, 5});
  EXPECT_TRUE(goes_on(1, kHuangshan));
}

TEST_F(ShownProofsTest, WhatWaitsIsCountedWithoutTheBodiesThatAreNotNeeded) {
  const Bytes whole = proof(feed(1, kQuzhou));
  const Bytes kept = strip_proof(Segment::parse(whole).value());
  EXPECT_LE(4 * kept.size(), kMaxShownProofBytes);
  EXPECT_GT(5 * kept.size(), kMaxShownProofBytes);
}

TEST_F(ShownProofsTest, WhoIsToHoldFeedsWholeAsksForAllOfThem) {
  EXPECT_TRUE(follow().from_retention);
  joiner.whole_feeds = true;
  joiner.restart();
  begin(kQuzhou);
  EXPECT_FALSE(follow().from_retention);
  show({1});
  EXPECT_FALSE(goes_on(1));
}

}  // namespace
}  // namespace lianxi::core
