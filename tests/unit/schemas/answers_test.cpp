#include <gtest/gtest.h>

#include "schemas/journal_batch.h"

namespace lianxi {
namespace {

StoredAnswer accepted(std::uint64_t n, const char* audience = "conference") {
  StoredAnswer answer;
  answer.accepted = true;
  answer.hash.fill(static_cast<std::uint8_t>(n));
  answer.feed = {RegionCode(330800), Epoch(1), Lane::normal, Audience::parse(audience).value()};
  answer.feed_sequence = Sequence(100 + n);
  answer.ordinal = Ordinal(200 + n);
  answer.offset = Offset(300 + n);
  return answer;
}

StoredAnswer refused(std::uint64_t n) {
  StoredAnswer answer;
  answer.hash.fill(static_cast<std::uint8_t>(n));
  answer.refusal = {RefusalCode::not_allowed, "place", "地点不在权限内", 0};
  return answer;
}

void expect_equal(const std::vector<StoredAnswer>& a, const std::vector<StoredAnswer>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].hash, b[i].hash);
    EXPECT_EQ(a[i].accepted, b[i].accepted);
    EXPECT_EQ(a[i].feed, b[i].feed);
    EXPECT_EQ(a[i].feed_sequence, b[i].feed_sequence);
    EXPECT_EQ(a[i].ordinal, b[i].ordinal);
    EXPECT_EQ(a[i].offset, b[i].offset);
    EXPECT_EQ(a[i].refusal, b[i].refusal);
  }
}

TEST(StoredAnswers, AreReadBackInOrder) {
  for (const std::vector<StoredAnswer>& answers :
       {std::vector<StoredAnswer>{},
        {accepted(1)},
        {refused(1)},
        {accepted(1), accepted(2), refused(3), accepted(4), accepted(9)},
        {accepted(1), accepted(2, "local"), accepted(3, "local"), refused(4), refused(5)}}) {
    expect_equal(decode_answers(encode_answers(answers)).value(), answers);
  }
}

TEST(StoredAnswers, ADenseRunCostsItsHashes) {
  std::vector<StoredAnswer> answers;
  for (std::uint64_t n = 0; n < 1'000; ++n) answers.push_back(accepted(n));
  EXPECT_LT(encode_answers(answers).size(), 16 * 1'000 + 100);
}

TEST(StoredAnswers, EveryFlippedBitAndEveryCutIsRefused) {
  Bytes blob = encode_answers({accepted(1), accepted(2), refused(3)});
  for (std::size_t i = 0; i < blob.size() * 8; ++i) {
    blob[i / 8] = static_cast<std::uint8_t>(blob[i / 8] ^ (1U << (i % 8)));
    EXPECT_FALSE(decode_answers(blob)) << i;
    blob[i / 8] = static_cast<std::uint8_t>(blob[i / 8] ^ (1U << (i % 8)));
  }
  for (std::size_t size = 0; size < blob.size(); ++size) EXPECT_FALSE(decode_answers(BytesView(blob).first(size))) << size;
}

}  // namespace
}  // namespace lianxi
