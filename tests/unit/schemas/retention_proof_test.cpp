// What proves that a feed may begin in its middle, and everything near to it that does not.
#include "schemas/codec/retention_proof.h"

#include <gtest/gtest.h>

#include "schemas/codec/event_codec.h"

namespace lianxi {
namespace {

const RegionCode kHome(330800), kOther(341000);
const SealKeyPair kKeys = seal_keys_from_seed(Hash{1, 2, 3});
constexpr TimeMs kThen = 1'604'880'305'123;

// Of the feed's events 5 and 6, of which the first is a retention through the third.
class RetentionProofTest : public testing::Test {
 protected:
  RetentionProofTest() {
    event.envelope = {Kind::retention,
                      retention_entity(kHome, Lane::normal, Audience::conference()),
                      Status::Actual,
                      PlaceCode::of(kHome),
                      "emergency",
                      Level::none,
                      Audience::conference(),
                      kThen};
  }
  Bytes made(std::size_t sealed_at = 6) {
    event.body = retention;
    SegmentWriter writer(feed, {Sequence(4), Hash{4}}, Offset(9));
    FeedHead sealed;
    for (const std::uint64_t sequence : {5U, 6U}) {
      const Stamp stamp{Sequence(sequence), Ordinal(sequence * 2),
                        Hlc(sequence),      AgentId::parse("330800.police.dispatch").value(),
                        SessionId(7),       Sequence(sequence)};
      const FeedHead head = writer.append(stamp, Salt{}, encode_event(event));
      if (sequence == sealed_at) sealed = head;
    }
    if (filtered) writer.mark_filtered();
    return with_seal(std::move(writer).finish(), sign_seal(signer, feed, sealed));
  }
  static bool proves(const Bytes& bytes) {
    const auto segment = Segment::parse(bytes);
    return segment && read_retention_proof(*segment, kKeys.public_key);
  }
  bool proves() { return proves(made()); }

  FeedId feed{kHome, Epoch(1), Lane::normal, Audience::conference()};
  Event event;
  Retention retention{Epoch(1), Lane::normal, {Sequence(3), Hash{3}}, Ordinal(6), kThen, Sequence(4), Hash{9}};
  SealSecretKey signer = kKeys.secret_key;
  bool filtered = false;
};

TEST_F(RetentionProofTest, ARetentionUnderItsRegionsSealProves) {
  const Bytes bytes = made();
  const auto proof = read_retention_proof(Segment::parse(bytes).value(), kKeys.public_key);
  ASSERT_TRUE(proof) << proof.error().reason;
  EXPECT_EQ(proof->through, (FeedHead{Sequence(3), Hash{3}}));
  EXPECT_EQ(proof->at, Sequence(5));
}

TEST_F(RetentionProofTest, StrippedItProvesTheSame) {
  const Bytes bytes = made();
  const Bytes stripped = strip_proof(Segment::parse(bytes).value());
  EXPECT_LT(stripped.size(), bytes.size());
  EXPECT_TRUE(proves(stripped));
}

TEST_F(RetentionProofTest, OfAnotherLaneOrEpochItProvesNothing) {
  retention.lane = Lane::bulk;
  EXPECT_FALSE(proves());
  retention.lane = Lane::normal;
  retention.epoch = Epoch(2);
  EXPECT_FALSE(proves());
}

TEST_F(RetentionProofTest, OfAnotherAudienceOrEntityItProvesNothing) {
  event.envelope.audience = Audience::local();
  EXPECT_FALSE(proves());
  event.envelope.audience = Audience::conference();
  event.envelope.entity = retention_entity(kOther, Lane::normal, Audience::conference());
  EXPECT_FALSE(proves());
}

TEST_F(RetentionProofTest, OfAnExerciseItProvesNothing) {
  event.envelope.status = Status::Exercise;
  EXPECT_FALSE(proves());
}

TEST_F(RetentionProofTest, ThroughNothingOrBeyondItsPositionItProvesNothing) {
  retention.through.sequence = Sequence(0);
  EXPECT_FALSE(proves());
  retention.through.sequence = Sequence(5);
  EXPECT_FALSE(proves());
  retention.through.sequence = Sequence(4);
  EXPECT_TRUE(proves());
}

TEST_F(RetentionProofTest, AtAnotherPlaceThanItWasMadeForItProvesNothing) {
  retention.position = Sequence(3);
  EXPECT_FALSE(proves());
  retention.position = Sequence(4);
  retention.ordinal = Ordinal(10);
  EXPECT_FALSE(proves()) << "from the ordinal of its own on";
}

TEST_F(RetentionProofTest, AFilteredSegmentProvesNothing) {
  filtered = true;
  EXPECT_FALSE(proves());
}

TEST_F(RetentionProofTest, ASealBeforeTheLastEventProvesNothing) {
  EXPECT_TRUE(proves(made(6)));
  EXPECT_FALSE(proves(made(5)));
}

TEST_F(RetentionProofTest, UnderAnothersSealItProvesNothing) {
  signer = seal_keys_from_seed(Hash{7}).secret_key;
  EXPECT_FALSE(proves());
}

TEST_F(RetentionProofTest, WithoutASealOrWithAByteChangedItProvesNothing) {
  const Bytes bytes = made();
  const Segment segment = Segment::parse(bytes).value();
  SegmentWriter bare(feed, {Sequence(4), Hash{4}}, Offset(9));
  for (const RecordView& record : segment.records()) bare.append(record);
  EXPECT_FALSE(proves(std::move(bare).finish()));
  for (std::size_t at = bytes.size() / 2; at < bytes.size(); ++at) {
    Bytes changed = bytes;
    changed[at] ^= 1U;
    EXPECT_FALSE(proves(changed)) << "byte " << at;
  }
}

}  // namespace
}  // namespace lianxi
