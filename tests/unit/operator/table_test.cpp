#include "agents/operator/table.h"

#include <gtest/gtest.h>

#include <sstream>

namespace lianxi::cli {
namespace {

TEST(Width, ChineseTakesTwoCellsAndLatinOne) {
  EXPECT_EQ(display_width("hazmat"), 6U);
  EXPECT_EQ(display_width("危化救援队"), 10U);
  EXPECT_EQ(display_width("衢州A队"), 7U);
  EXPECT_EQ(display_width("【演练】"), 8U);
  EXPECT_EQ(display_width("e\u0301"), 1U);  // a combining accent
  EXPECT_EQ(display_width("𠮷"), 2U);       // beyond the basic plane
  EXPECT_EQ(display_width(""), 0U);
}

TEST(Width, ClippingNeverSplitsACharacterAndKeepsTheWidth) {
  EXPECT_EQ(clipped("危化救援队", 10), "危化救援队");
  EXPECT_EQ(clipped("危化救援队", 9), "危化救援…");
  EXPECT_EQ(clipped("危化救援队", 8), "危化救…");
  EXPECT_LE(display_width(clipped("危a化b救", 4)), 4U);
}

TEST(Printable, ControlCharactersAndBrokenBytesCannotSteerATerminal) {
  EXPECT_EQ(printable("red\033[31m"), "red [31m");
  EXPECT_EQ(printable("a\nb\tc"), "a b c");
  EXPECT_EQ(printable("\xC2\x9B"
                      "31m"),
            " 31m");  // C1 control sequence introducer
  EXPECT_EQ(printable("a\xE2\x80\xAE"
                      "b"),
            "ab");  // right-to-left override
  EXPECT_EQ(printable("x\xFF\xE4\xBD"), "x\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(printable("衢江区"), "衢江区");
}

TEST(Tables, ColumnsAlignByWhatTheScreenShows) {
  Table table({{"名称"}, {"distance", true}, {"state"}});
  table.add({{"危化队"}, {"1.2 km"}, {"可用"}});
  table.add({{"A"}, {"800 m"}, {""}});
  std::ostringstream out;
  table.print(out, false, 0);
  EXPECT_EQ(out.str(),
            "名称    distance  state\n"
            "危化队    1.2 km  可用\n"
            "A          800 m\n");
}

TEST(Tables, OnlyATerminalClipsAndOnlyColourColours) {
  Table table({{"name", false, 6}});
  table.add({{"危化救援队", Style::red}});
  std::ostringstream plain, narrow, coloured;
  table.print(plain, false, 0);
  EXPECT_EQ(plain.str(), "name\n危化救援队\n");
  table.print(narrow, false, 80);
  EXPECT_EQ(narrow.str(), "name\n危化…\n");
  table.print(coloured, true, 80);
  EXPECT_NE(coloured.str().find("\033[1;31m危化…\033[0m"), std::string::npos);
}

}  // namespace
}  // namespace lianxi::cli
