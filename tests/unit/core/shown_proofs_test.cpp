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
    if (asked != nullptr && asked->regions == std::vector{link.peer}) {
      follows_[link.peer] = *asked;
      if (link.peer == kQuzhou) questions.push_back(asked->from_retention);
    } else if (asked != nullptr && asked->regions == std::vector{kQuzhou}) {
      detour = *asked;
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
  Follow detour;  // the last question to another for Quzhou's feeds

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

// Seven events of Quzhou, the fifth of them a retention.
class StrippedProofTest : public ShownProofsTest {
 protected:
  // Those from `first` to `last`; as a proof without the bodies behind the first.
  Bytes part(std::uint64_t first, std::uint64_t last, bool as_proof = false) {
    FeedHead head;
    std::optional<SegmentWriter> out;
    for (std::uint64_t i = 1; i <= last; ++i) {
      if (i == first) out.emplace(of, head, Offset{i});
      SegmentWriter one(of, head, Offset{i});
      const Retention lets_go{of.epoch, of.lane, {Sequence{3}, third_}, Ordinal{3}, kNoon, Sequence{4}, Hash{9}};
      const Bytes body = encode_event(i == 5 ? retention_event(lets_go) : report(std::to_string(i)));
      head = one.append(stamp(i), Salt{}, body);
      if (i == 3) third_ = head.hash;
      if (out) out->append(stamp(i), Salt{}, body);
    }
    const Bytes bytes = sealed(std::move(*out), of);
    return as_proof ? strip_proof(Segment::parse(bytes).value()) : bytes;
  }
  void gives(Bytes segments, Offset next) { says(Deliver{follow().follow, next, false, std::move(segments)}); }
  std::vector<std::string> held() { return words(joiner.disk.events(kQuzhou)); }

  const FeedId of = feed(1, kQuzhou);

 private:
  Hash third_{};
};

TEST_F(StrippedProofTest, TheFeedBeginsBehindItWithAllBodies) {
  gives(part(5, 7, true), Offset{4});
  EXPECT_EQ(joiner.disk.heads[of].sequence, Sequence{0});
  gives(part(4, 7), Offset{8});
  EXPECT_EQ(joiner.disk.heads[of].sequence, Sequence{7});
  EXPECT_EQ(joiner.disk.beginnings.size(), 1U);
  for (const std::uint64_t i : {4U, 5U, 6U, 7U}) EXPECT_FALSE(joiner.disk.record(of, Sequence{i}).redacted) << i;
}

TEST_F(StrippedProofTest, OfAFeedThatHasComeAnotherWayItIsPassedOver) {
  for (const LinkSend& send : joiner.step(LinkLost{{kQuzhou, LaneClass::normal}}).link_sends) hear(send.link, send.message);
  pass(kDetourAfterMs + 1'000);
  const std::size_t asked = questions.size();
  says(Deliver{detour.follow, Offset{5}, false, part(1, 4)}, kHuangshan);
  ASSERT_EQ(joiner.disk.heads[of].sequence, Sequence{4});
  says(Followed{follow().follow, kQuzhou, Incarnation{9}, Offset{1}, Offset{8}});
  gives(part(5, 7, true), Offset{4});
  EXPECT_EQ(joiner.disk.heads[of].sequence, Sequence{4}) << "what it is without is not held";
  EXPECT_EQ(paid, Offset{4});
  gives(part(4, 7), Offset{8});
  EXPECT_EQ(joiner.disk.heads[of].sequence, Sequence{7});
  EXPECT_EQ(paid, Offset{8});
  EXPECT_FALSE(joiner.disk.record(of, Sequence{6}).redacted);
  EXPECT_EQ(questions.size(), asked) << "the link goes on";
}

TEST_F(StrippedProofTest, BehindTheFirstMessageItIsRefused) {
  gives(part(1, 4), Offset{5});
  gives(part(5, 7, true), Offset{8});
  EXPECT_EQ(joiner.disk.heads[of].sequence, Sequence{4});
  EXPECT_EQ(paid, Offset{5});
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
