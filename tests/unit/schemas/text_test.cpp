#include "schemas/text.h"

#include <gtest/gtest.h>

#include <string>

namespace lianxi {
namespace {

bool continues(unsigned byte) {
  return (byte & 0xC0U) == 0x80U;
}

// By the code point, where is_text looks at bytes.
bool is_three_byte_character(unsigned a, unsigned b, unsigned c) {
  if ((a & 0xF0U) != 0xE0U || !continues(b) || !continues(c)) return false;
  const unsigned point = ((a & 0x0FU) << 12U) | ((b & 0x3FU) << 6U) | (c & 0x3FU);
  return point >= 0x800 && (point < 0xD800 || point > 0xDFFF);
}

TEST(Text, TakesEveryThreeByteCharacterAndNoOtherThreeBytesOfItsKind) {
  std::string bytes(3, '\0');
  for (unsigned a = 0xE0; a <= 0xEF; ++a) {
    for (unsigned b = 0; b < 256; ++b) {
      for (unsigned c = 0; c < 256; ++c) {
        bytes = {static_cast<char>(a), static_cast<char>(b), static_cast<char>(c)};
        ASSERT_EQ(is_text(bytes), is_three_byte_character(a, b, c)) << a << " " << b << " " << c;
      }
    }
  }
}

TEST(Text, FindsWhatIsWrongBehindAnyNumberOfGoodCharacters) {
  for (const char* good : {"a", "衢", "é", "😀"}) {
    std::string text;
    for (int i = 0; i < 20; ++i) {
      EXPECT_TRUE(is_line(text));
      EXPECT_TRUE(is_text(text + "\n"));
      for (const char* bad : {"\x01", "\x7f", "\xff", "\xe8\xa1", "\xed\xa0\x80", "\xe0\x80\x80", "\xc2\x85"}) {
        EXPECT_FALSE(is_text(text + bad));
        EXPECT_FALSE(is_text(text + bad + good));
      }
      EXPECT_FALSE(is_line(text + "\n"));
      text += good;
    }
  }
}

}  // namespace
}  // namespace lianxi
