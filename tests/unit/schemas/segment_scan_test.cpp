// SegmentScan must judge as parse_segments and verify_chain do: what they take it takes, and they refuse in the same words.
#include "schemas/codec/segment_scan.h"

#include <gtest/gtest.h>

#include <random>

#include "schemas/codec/event_codec.h"
#include "tests/support/sample_events.h"

namespace lianxi {
namespace {

using Heads = std::map<FeedId, FeedHead>;

const FeedId kNormal{RegionCode(330800), Epoch(1), Lane::normal, Audience::conference()};
const FeedId kBulk{RegionCode(341000), Epoch(2), Lane::bulk, Audience::local()};

Bytes segment_of(const FeedId& feed, FeedHead& head, std::uint64_t count, bool sealed = false) {
  static const SealKeyPair keys = seal_keys_from_seed(Hash{7});
  SegmentWriter writer(feed, head, Offset(head.sequence.value + 100));
  for (std::uint64_t i = 1; i <= count; ++i) {
    const std::uint64_t sequence = head.sequence.value + i;
    const AgentId publisher = AgentId::parse(sequence % 3 == 0 ? "330800.fire.desk" : "330800.police.dispatch").value();
    const Stamp stamp{Sequence(sequence), Ordinal(sequence * 2), Hlc(sequence << 20U),
                      publisher,          SessionId(77),         Sequence(sequence)};
    writer.append(stamp, derive_salt(Hash{9}, Ordinal(sequence)), encode_event(test::small_event(sequence)));
  }
  head = writer.head();
  return sealed ? std::move(writer).finish(sign_seal(keys.secret_key, feed, head)) : std::move(writer).finish();
}

void append(Bytes& to, const Bytes& more) {
  to.insert(to.end(), more.begin(), more.end());
}

// Five segments of two feeds, some sealed; more records than are hashed at once.
Bytes delivery() {
  FeedHead normal, bulk;
  Bytes all;
  append(all, segment_of(kNormal, normal, 3));
  append(all, segment_of(kBulk, bulk, 70, true));
  append(all, segment_of(kNormal, normal, 1, true));
  append(all, segment_of(kNormal, normal, 9));
  append(all, segment_of(kBulk, bulk, 2));
  return all;
}

// The walk that SegmentScan::verify shortens.
Result<void> verify_one_by_one(const std::vector<Segment>& segments, Heads& heads) {
  for (const Segment& segment : segments) {
    FeedHead& head = heads[segment.info().feed];
    const Sequence before(segment.info().first_sequence.value - 1);
    if (head.sequence != before) head = {before, segment.info().previous};
    const auto good = verify_chain(segment, head);
    if (!good) return tl::unexpected(good.error());
    head = *good;
  }
  return {};
}

void expect_same(SegmentScan& scan, BytesView payload, const Heads& begin = {}) {
  const auto segments = parse_segments(payload);
  const auto read = scan.read(payload);
  ASSERT_EQ(segments.has_value(), read.has_value());
  if (!segments) {
    ASSERT_EQ(segments.error(), read.error());
    ASSERT_TRUE(scan.segments().empty());
    return;
  }
  ASSERT_EQ(scan.segments().size(), segments->size());
  for (std::size_t i = 0; i < segments->size(); ++i) {
    const SegmentScan::Run& run = scan.segments()[i];
    const Segment& segment = (*segments)[i];
    ASSERT_EQ(run.info.feed, segment.info().feed);
    ASSERT_EQ(run.info.first_sequence, segment.info().first_sequence);
    ASSERT_EQ(run.info.first_offset, segment.info().first_offset);
    ASSERT_EQ(run.info.filtered, segment.info().filtered);
    ASSERT_EQ(run.seal, segment.seal());
    ASSERT_EQ(run.info.count, segment.records().size());
    for (std::uint32_t at = 0; at < run.info.count; ++at) {
      const RecordView& mine = scan.record(run, at);
      const RecordView& theirs = segment.records()[at];
      ASSERT_EQ(mine.stamp, theirs.stamp);
      ASSERT_EQ(mine.salt, theirs.salt);
      ASSERT_EQ(mine.body_digest, theirs.body_digest);
      ASSERT_EQ(mine.hash, theirs.hash);
      ASSERT_EQ(mine.redacted, theirs.redacted);
      ASSERT_EQ(mine.body.data(), theirs.body.data());
      ASSERT_EQ(mine.body.size(), theirs.body.size());
      ASSERT_EQ(mine.bytes.size(), theirs.bytes.size());
    }
  }
  Heads ours = begin, others = begin;
  const auto checked = scan.verify(ours), walked = verify_one_by_one(*segments, others);
  ASSERT_EQ(checked.has_value(), walked.has_value());
  if (!checked) {
    ASSERT_EQ(checked.error(), walked.error());
  } else {
    ASSERT_EQ(ours, others);
  }
}

TEST(SegmentScan, ReadsWhatParseSegmentsReads) {
  SegmentScan scan;
  const Bytes all = delivery();
  expect_same(scan, all);
  ASSERT_EQ(scan.segments().size(), 5U);
  expect_same(scan, {});
  expect_same(scan, all);
}

TEST(SegmentScan, JudgesDamagedBytesAsParseSegmentsDoes) {
  SegmentScan scan;
  std::mt19937 random(3);
  const Bytes good = delivery();
  for (int round = 0; round < 2'000; ++round) {
    Bytes bytes = good;
    for (auto left = random() % 3; left > 0; --left) bytes[random() % bytes.size()] ^= static_cast<std::uint8_t>(random());
    if (random() % 8 == 0) bytes.resize(random() % bytes.size());
    expect_same(scan, bytes);
    if (HasFatalFailure()) return;
  }
}

// What is well formed and lies all the same: each segment as somebody wrote it who knew checksums, but not the past.
TEST(SegmentScan, FindsTheSameBreakInAChain) {
  SegmentScan scan;
  FeedHead head;
  const Bytes first = segment_of(kNormal, head, 70);
  FeedHead forged{head.sequence, Hash{1}};
  FeedHead later{Sequence(head.sequence.value + 5), head.hash};
  for (FeedHead from : {head, forged, later}) {
    Bytes bytes = first;
    append(bytes, segment_of(kNormal, from, 70));
    expect_same(scan, bytes);
    expect_same(scan, bytes, {{kNormal, {Sequence(0), Hash{}}}});
    expect_same(scan, bytes, {{kNormal, {Sequence(3), Hash{4}}}});
  }
  Heads heads;
  Bytes broken = first;
  append(broken, segment_of(kNormal, forged, 2));
  ASSERT_TRUE(scan.read(broken));
  const auto verdict = scan.verify(heads);
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().code, RefusalCode::feed_broken);
  EXPECT_EQ(verdict.error().field, "330800/1/normal/conference#71");
}

TEST(SegmentScan, FindsTheRecordWhoseBodyWasChanged) {
  FeedHead head;
  SegmentWriter writer(kNormal, head, Offset(1));
  const Hash wrong = body_digest(Salt{}, Bytes{1});
  const Bytes body = encode_event(test::small_event(1));
  for (std::uint64_t i = 1; i <= 130; ++i) {
    const Stamp stamp{Sequence(i), Ordinal(i), Hlc(i), AgentId::parse("330800.fire.desk").value(), SessionId(1), Sequence(i)};
    (void)writer.append(stamp, Salt{}, i == 99 ? wrong : body_digest(Salt{}, body), body);
  }
  const Bytes bytes = std::move(writer).finish();
  SegmentScan scan;
  expect_same(scan, bytes);
  Heads heads;
  const auto verdict = scan.verify(heads);
  ASSERT_FALSE(verdict);
  EXPECT_EQ(verdict.error().field, "330800/1/normal/conference#99");
}

}  // namespace
}  // namespace lianxi
