#include "agents/formats/csv.h"

#include <gmock/gmock.h>

namespace lianxi::formats {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Csv, QuotedCellsHoldCommasQuotesAndLineBreaks) {
  const auto rows = read_csv(
      "\xEF\xBB\xBF"
      "a,b\r\n\"x, y\",\"he said \"\"hi\"\"\r\nand left\"\r\n1,\n");
  ASSERT_TRUE(rows) << rows.error().reason;
  ASSERT_EQ(rows->size(), 3U);
  EXPECT_THAT((*rows)[0].cells, ElementsAre("a", "b"));
  EXPECT_THAT((*rows)[1].cells, ElementsAre("x, y", "he said \"hi\"\r\nand left"));
  EXPECT_THAT((*rows)[2].cells, ElementsAre("1", ""));
  EXPECT_EQ((*rows)[2].row, 3U);
  EXPECT_EQ((*rows)[2].line, 4U);
  EXPECT_EQ((*rows)[1].raw, "\"x, y\",\"he said \"\"hi\"\"\r\nand left\"");
}

TEST(Csv, BlankLinesAreLeftOutAndCounted) {
  const auto rows = read_csv("a\n\n  \nb");
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 2U);
  EXPECT_EQ((*rows)[1].row, 4U);
}

TEST(Csv, QuotesOutOfPlaceAreRefusedWithTheirLine) {
  EXPECT_EQ(read_csv("a\nb\"c\n").error().field, "line 2");
  EXPECT_EQ(read_csv("a\n\"b\"c\n").error().field, "line 2");
  const auto open = read_csv("a\n\"b\n\n\n");
  ASSERT_FALSE(open);
  EXPECT_EQ(open.error().field, "line 2");
  EXPECT_EQ(open.error().code, RefusalCode::csv_row);
}

TEST(Csv, TextInAnotherEncodingIsRefused) {
  const auto rows = read_csv("\xB1\xE0\xBA\xC5,x\n");
  ASSERT_FALSE(rows);
  EXPECT_EQ(rows.error().code, RefusalCode::malformed);
  EXPECT_THAT(rows.error().reason, HasSubstr("UTF-8"));
}

TEST(Csv, AnEmptyTextHasNoRows) {
  EXPECT_TRUE(read_csv("")->empty());
}

}  // namespace
}  // namespace lianxi::formats
