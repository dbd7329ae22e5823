#include "schemas/membership.h"

#include <gtest/gtest.h>

namespace lianxi {
namespace {

constexpr TimeMs kMidnight = 1'796'054'400'000;  // 2026-12-01 00:00 in Beijing

TEST(Membership, ADateIsSinceItsFirstInstantAndUntilItsLast) {
  EXPECT_EQ(parse_bound("2026-12-01", Bound::since).value(), kMidnight);
  EXPECT_EQ(parse_bound("2026-11-30", Bound::until).value(), kMidnight);
  EXPECT_EQ(to_iso8601(kMidnight), "2026-12-01T00:00:00.000+08:00");
}

TEST(Membership, AnInstantIsTakenAsItIs) {
  EXPECT_EQ(parse_bound("2026-12-01T08:00:00+08:00", Bound::since).value(), kMidnight + 8 * 3'600'000);
  EXPECT_EQ(parse_bound("2026-11-30T16:00:00Z", Bound::until).value(), kMidnight);
}

TEST(Membership, WhatIsNoTimeIsRefusedWithTheFormToWrite) {
  for (const char* text : {"", "tomorrow", "2026-13-01", "2026-02-30", "01/12/2026", "2026-12-01T08:00:00"}) {
    const auto bound = parse_bound(text, Bound::until);
    ASSERT_FALSE(bound) << text;
    EXPECT_EQ(bound.error().field, "until");
    EXPECT_NE(bound.error().reason.find("2026-12-31"), std::string::npos);
  }
}

TEST(Membership, TheBoundsAreSharp) {
  const Window window{100, 200};
  EXPECT_EQ(standing_of(window, 99), Standing::not_yet);
  EXPECT_EQ(standing_of(window, 100), Standing::member);
  EXPECT_EQ(standing_of(window, 199), Standing::member);
  EXPECT_EQ(standing_of(window, 200), Standing::retired);
  EXPECT_EQ(standing_of({}, 0), Standing::member);
}

TEST(Membership, AVersionIsThatOfTheTextWithoutCarriageReturns) {
  EXPECT_EQ(members_version("a\r\nb\n"), members_version("a\nb\n"));
  EXPECT_NE(members_version("a\nb\n"), members_version("a\nc\n"));
  EXPECT_EQ(to_text(MembersVersion(0x3f2a91c077de0b15)), "3f2a-91c0-77de-0b15");
  EXPECT_EQ(to_text(MembersVersion{}), "-");
  EXPECT_EQ(to_text(members_version("")), "0e57-51c0-26e5-43b2");  // BLAKE2b-256 of nothing
}

}  // namespace
}  // namespace lianxi
