#include "schemas/codec/segment.h"

#include <gtest/gtest.h>

#include "schemas/codec/event_codec.h"
#include "schemas/codec/segment_cut.h"
#include "schemas/limits.h"
#include "tests/support/sample_events.h"

namespace lianxi {
namespace {

const FeedId kFeed{RegionCode(330800), Epoch(1), Lane::normal, Audience::conference()};
const SealKeyPair kKeys = seal_keys_from_seed(Hash{1, 2, 3});

Stamp stamp_at(std::uint64_t sequence) {
  return {Sequence(sequence),
          Ordinal(sequence * 2),
          Hlc((1'604'880'305'123ULL << 16U) + sequence),
          AgentId::parse("330800.police.dispatch").value(),
          SessionId(77),
          Sequence(sequence + 5)};
}

// Records first..first+count-1 after `before`.
SegmentWriter write(const FeedHead& before, std::uint64_t count, Offset first_offset = Offset(1'000)) {
  SegmentWriter writer(kFeed, before, first_offset);
  for (std::uint64_t i = 1; i <= count; ++i) {
    const std::uint64_t sequence = before.sequence.value + i;
    writer.append(stamp_at(sequence), derive_salt(Hash{9}, Ordinal(sequence)), encode_event(test::small_event(sequence)));
  }
  return writer;
}

TEST(Segment, IsReadBackWithEveryStampAndBody) {
  const Bytes bytes = write({}, 20).finish();
  const Segment segment = Segment::parse(bytes).value();
  EXPECT_EQ(segment.info().feed, kFeed);
  EXPECT_EQ(segment.info().first_sequence, Sequence(1));
  EXPECT_EQ(segment.info().count, 20U);
  EXPECT_EQ(segment.info().first_offset, Offset(1'000));
  EXPECT_FALSE(segment.info().filtered);
  EXPECT_FALSE(segment.seal());
  EXPECT_EQ(segment.size_bytes(), bytes.size());
  ASSERT_EQ(segment.records().size(), 20U);
  for (std::uint64_t i = 0; i < 20; ++i) {
    const RecordView& record = segment.records()[i];
    EXPECT_EQ(record.stamp, stamp_at(i + 1));
    EXPECT_EQ(decode_event(record.body).value(), test::small_event(i + 1));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(record.body.data()) % 8, reinterpret_cast<std::uintptr_t>(bytes.data()) % 8);
  }
  EXPECT_EQ(verify_chain(segment, {}).value(), segment.last());
}

TEST(Segment, CarriesItsSealAndShedsItWhenStored) {
  SegmentWriter writer = write({}, 3);
  const Seal seal = sign_seal(kKeys.secret_key, kFeed, writer.head());
  SegmentWriter copy = writer;
  const Bytes sealed = std::move(writer).finish(seal);
  const Bytes stored = std::move(copy).finish();
  EXPECT_EQ(with_seal(stored, seal), sealed);
  const Segment segment = Segment::parse(sealed).value();
  ASSERT_TRUE(segment.seal());
  EXPECT_EQ(*segment.seal(), seal);
  EXPECT_TRUE(verify_seal(kKeys.public_key, kFeed, *segment.seal()));
  const Bytes here = as_stored(segment, Offset(5));
  EXPECT_EQ(Segment::parse(here)->info().first_offset, Offset(5));
  EXPECT_EQ(Segment::parse(here)->last(), segment.last());
  EXPECT_EQ(as_stored(segment, Offset(1'000)), stored);
}

TEST(Segment, IsCutFromItsStoredBytesAsItsWriterWouldHaveWrittenIt) {
  const Bytes whole = write({}, 6).finish();
  const Segment segment = Segment::parse(whole).value();
  const StoredRecords stored(whole);
  ASSERT_EQ(stored.count(), 6U);
  for (std::size_t begin = 0; begin < 6; ++begin) {
    const FeedHead before =
        begin == 0 ? FeedHead{} : FeedHead{segment.records()[begin - 1].stamp.sequence, segment.records()[begin - 1].hash};
    EXPECT_TRUE(std::ranges::equal(stored.body(begin), segment.records()[begin].body));
    EXPECT_FALSE(stored.redacted(begin));
    for (std::size_t end = begin + 1; end <= 6; ++end) {
      for (const bool filtered : {false, true}) {
        SegmentWriter writer(kFeed, before, Offset(1'000 + begin));
        for (std::size_t i = begin; i < end; ++i) writer.append(segment.records()[i]);
        if (filtered) writer.mark_filtered();
        Bytes cut;
        stored.append_cut(cut, begin, end, filtered);
        EXPECT_EQ(cut, std::move(writer).finish());
        EXPECT_EQ(cut.size(), stored.cut_bytes(begin, end));
        EXPECT_EQ(stored.end_within(begin, cut.size()), end);
        EXPECT_EQ(stored.end_within(begin, cut.size() - 1), end - 1);
      }
    }
  }
}

TEST(Segment, CutAnywhereAndJoinedAgainKeepsChainAndSeal) {
  const Bytes whole = write({}, 12).finish();
  const Segment segment = Segment::parse(whole).value();
  const Seal seal = sign_seal(kKeys.secret_key, kFeed, segment.last());
  for (std::size_t cut = 1; cut < 12; ++cut) {
    SegmentWriter front(kFeed, {}, Offset(1'000));
    for (std::size_t i = 0; i < cut; ++i) front.append(segment.records()[i]);
    SegmentWriter back(kFeed, front.head(), Offset(1'000 + cut));
    for (std::size_t i = cut; i < 12; ++i) back.append(segment.records()[i]);
    Bytes payload = std::move(front).finish();
    const Bytes tail = std::move(back).finish(seal);
    payload.insert(payload.end(), tail.begin(), tail.end());

    const std::vector<Segment> parts = parse_segments(payload).value();
    ASSERT_EQ(parts.size(), 2U);
    const FeedHead middle = verify_chain(parts[0], {}).value();
    EXPECT_EQ(verify_chain(parts[1], middle).value(), segment.last());
    EXPECT_TRUE(verify_seal(kKeys.public_key, kFeed, *parts[1].seal()));

    SegmentWriter joined(kFeed, {}, Offset(1'000));
    for (const Segment& part : parts) {
      for (const RecordView& record : part.records()) joined.append(record);
    }
    EXPECT_EQ(std::move(joined).finish(), whole);
  }
}

TEST(Segment, EveryFlippedBitIsRefused) {
  SegmentWriter writer = write({}, 2);
  const Seal seal = sign_seal(kKeys.secret_key, kFeed, writer.head());
  Bytes bytes = std::move(writer).finish(seal);
  for (std::size_t i = 0; i < bytes.size() * 8; ++i) {
    bytes[i / 8] = static_cast<std::uint8_t>(bytes[i / 8] ^ (1U << (i % 8)));
    EXPECT_FALSE(Segment::parse(bytes)) << "bit " << i;
    bytes[i / 8] = static_cast<std::uint8_t>(bytes[i / 8] ^ (1U << (i % 8)));
  }
}

TEST(Segment, EveryCutIsRefused) {
  const Bytes bytes = write({}, 2).finish();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_FALSE(Segment::parse(cut)) << size;
  }
}

TEST(Segment, RefusalsNameTheRecord) {
  Bytes bytes = write({}, 3).finish();
  bytes[bytes.size() - 200] ^= 1U;
  const auto refused = Segment::parse(bytes);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().field, "segment.records[2]");
  EXPECT_NE(refused.error().reason.find("330800/1/normal/conference sequence 3"), std::string::npos) << refused.error().reason;
}

TEST(Segment, RecordsNeedNoAlignment) {
  const Bytes bytes = write({}, 3).finish();
  for (std::size_t shift = 1; shift < 8; ++shift) {
    Bytes shifted(shift);
    shifted.insert(shifted.end(), bytes.begin(), bytes.end());
    const Segment segment = Segment::parse(BytesView(shifted).subspan(shift)).value();
    EXPECT_EQ(decode_event(segment.records()[2].body).value(), test::small_event(3));
    EXPECT_TRUE(verify_chain(segment, {}));
  }
}

TEST(Segment, KnowsWhenItIsFull) {
  SegmentWriter writer(kFeed, {}, Offset(1));
  const Bytes body(kMaxBodyBytes, 7);
  std::uint64_t sequence = 0;
  while (writer.has_room(22, body.size())) writer.append(stamp_at(++sequence), Salt{}, body);
  EXPECT_GE(sequence, 4U);
  const Seal seal = sign_seal(kKeys.secret_key, kFeed, writer.head());
  EXPECT_TRUE(Segment::parse(std::move(writer).finish(seal)));
}

TEST(Segment, ANewerVersionIsNamed) {
  Bytes bytes = write({}, 1).finish();
  bytes[4] = 2;
  EXPECT_EQ(Segment::parse(bytes).error().code, RefusalCode::unsupported_version);
}

TEST(Segment, FilteredOnesSaySo) {
  const Bytes bytes = write({}, 3).finish();
  const Segment segment = Segment::parse(bytes).value();
  const FeedHead before{segment.records()[0].stamp.sequence, segment.records()[0].hash};
  SegmentWriter writer(kFeed, before, Offset(1'001));
  writer.append(segment.records()[1]);
  writer.mark_filtered();
  const Bytes cut = std::move(writer).finish();
  EXPECT_TRUE(Segment::parse(cut)->info().filtered);
  EXPECT_EQ(Segment::parse(cut)->records()[0].stamp.sequence, Sequence(2));
}

TEST(Chain, ABrokenLinkIsNamedByFeedAndSequence) {
  const Bytes bytes = write({}, 3).finish();
  const Segment segment = Segment::parse(bytes).value();
  EXPECT_EQ(verify_chain(segment, FeedHead{Sequence(0), Hash{1}}).error().code, RefusalCode::feed_broken);
  const auto gap = verify_chain(segment, FeedHead{Sequence(5), Hash{}});
  ASSERT_FALSE(gap);
  EXPECT_EQ(gap.error().field, "330800/1/normal/conference#1");
}

TEST(Chain, TheFirstBrokenLinkOfALongRunIsNamed) {
  constexpr std::uint64_t kRecords = 600;
  const Bytes good = write({}, kRecords).finish();
  EXPECT_TRUE(verify_chain(Segment::parse(good).value(), {}));
  const Bytes foreign_bytes = write({Sequence(0), Hash{4}}, kRecords).finish();  // the same events on another beginning
  const Segment foreign = Segment::parse(foreign_bytes).value();
  for (const std::uint64_t bad : {1U, 2U, 255U, 256U, 257U, 600U}) {
    SegmentWriter changed(kFeed, {}, Offset(1));
    SegmentWriter joined(kFeed, {}, Offset(1));
    for (std::uint64_t sequence = 1; sequence <= kRecords; ++sequence) {
      const Bytes body = encode_event(test::small_event(sequence));
      const Salt salt = derive_salt(Hash{9}, Ordinal(sequence));
      const Hash digest = sequence == bad ? Hash{7} : body_digest(salt, body);
      changed.append(stamp_at(sequence), salt, digest, body);
      if (sequence >= bad) {
        joined.append(foreign.records()[sequence - 1]);
      } else {
        joined.append(stamp_at(sequence), salt, digest, body);
      }
    }
    const std::string field = "330800/1/normal/conference#" + std::to_string(bad);
    for (const Bytes& bytes : {std::move(changed).finish(), std::move(joined).finish()}) {
      const auto broken = verify_chain(Segment::parse(bytes).value(), {});
      ASSERT_FALSE(broken) << bad;
      EXPECT_EQ(broken.error().field, field);
    }
  }
}

TEST(Chain, EveryFieldOfStampAndFeedCounts) {
  const Hash previous{1};
  const Hash digest{2};
  const Stamp stamp = stamp_at(7);
  const Hash base = chain_hash(previous, kFeed, stamp, digest);
  std::vector<Hash> others{chain_hash(Hash{3}, kFeed, stamp, digest), chain_hash(previous, kFeed, stamp, Hash{3})};
  for (int field = 0; field < 6; ++field) {
    Stamp other = stamp;
    if (field == 0) ++other.sequence.value;
    if (field == 1) ++other.ordinal.value;
    if (field == 2) ++other.time.value;
    if (field == 3) other.publisher = AgentId::parse("330800.police.other").value();
    if (field == 4) ++other.session.value;
    if (field == 5) ++other.session_sequence.value;
    others.push_back(chain_hash(previous, kFeed, other, digest));
  }
  for (const FeedId& feed : {FeedId{RegionCode(341000), Epoch(1), Lane::normal, Audience::conference()},
                             FeedId{RegionCode(330800), Epoch(2), Lane::normal, Audience::conference()},
                             FeedId{RegionCode(330800), Epoch(1), Lane::flash, Audience::conference()},
                             FeedId{RegionCode(330800), Epoch(1), Lane::normal, Audience::local()}}) {
    others.push_back(chain_hash(previous, feed, stamp, digest));
  }
  for (const Hash& other : others) EXPECT_NE(other, base);
}

TEST(Seal, HoldsForItsFeedItsHeadAndItsKeyAlone) {
  const FeedHead head{Sequence(9), Hash{4}};
  const Seal seal = sign_seal(kKeys.secret_key, kFeed, head);
  EXPECT_TRUE(verify_seal(kKeys.public_key, kFeed, seal));
  EXPECT_FALSE(verify_seal(seal_keys_from_seed(Hash{5}).public_key, kFeed, seal));
  FeedId other = kFeed;
  other.lane = Lane::flash;
  EXPECT_FALSE(verify_seal(kKeys.public_key, other, seal));
  Seal moved = seal;
  ++moved.sequence.value;
  EXPECT_FALSE(verify_seal(kKeys.public_key, kFeed, moved));
  moved = seal;
  moved.hash[0] ^= 1U;
  EXPECT_FALSE(verify_seal(kKeys.public_key, kFeed, moved));
  EXPECT_NE(make_seal_keys().public_key, make_seal_keys().public_key);
}

TEST(Salt, DiffersByOrdinalAndHidesTheBody) {
  EXPECT_NE(derive_salt(Hash{1}, Ordinal(1)), derive_salt(Hash{1}, Ordinal(2)));
  EXPECT_NE(derive_salt(Hash{1}, Ordinal(1)), derive_salt(Hash{2}, Ordinal(1)));
  const Bytes body{1, 2, 3};
  EXPECT_NE(body_digest(Salt{1}, body), body_digest(Salt{2}, body));
}

}  // namespace
}  // namespace lianxi
