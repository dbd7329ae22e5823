#include "schemas/ids.h"

#include <gtest/gtest.h>

#include "schemas/decision.h"
#include "schemas/limits.h"

namespace lianxi {
namespace {

PlaceCode place(std::string_view digits) {
  return PlaceCode::parse(digits).value();
}

TEST(AgentId, IsRegionAgencyAndName) {
  const AgentId id = AgentId::parse("330800.police.dispatch").value();
  EXPECT_EQ(id.region(), RegionCode(330800));
  EXPECT_EQ(id.agency(), "police");
  EXPECT_EQ(id.text(), "330800.police.dispatch");
}

TEST(AgentId, RefusesEveryOtherForm) {
  for (const char* text : {"", "330800", "330800.police", "330800..x", "330800.police.", "33080.police.x", "030800.police.x",
                           "330800.Police.x", "330800.police.a.b", "330800.police.a b", "330800.警察.x", ".police.x"}) {
    const auto refused = AgentId::parse(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_EQ(refused.error().code, RefusalCode::invalid_field);
    EXPECT_NE(refused.error().reason.find("330800.police.dispatch"), std::string::npos) << "the reason shows how to write one";
  }
  EXPECT_FALSE(AgentId::parse("330800.police." + std::string(kMaxAgentIdBytes, 'a')));
  EXPECT_TRUE(AgentId::parse("330800.police." + std::string(kMaxAgentIdBytes - 14, 'a')));
}

TEST(AgentId, EmptyOneHasNoParts) {
  EXPECT_EQ(AgentId().region(), RegionCode(0));
  EXPECT_EQ(AgentId().agency(), "");
}

TEST(Audience, IsAShortNameOfLowerCaseLettersDigitsAndDashes) {
  EXPECT_TRUE(Audience::parse("local")->is_local());
  EXPECT_EQ(Audience::parse("conference").value(), Audience::conference());
  EXPECT_TRUE(Audience::parse("zhe-wan-2"));
  for (const char* text : {"", "Local", "a b", "a/b", "组"}) EXPECT_FALSE(Audience::parse(text)) << text;
  EXPECT_FALSE(Audience::parse(std::string(kMaxAudienceBytes + 1, 'a')));
}

TEST(PlaceCode, PadsShortCodesAndCutsEmptyParts) {
  EXPECT_EQ(place("33").text(), "330000");
  EXPECT_EQ(place("3308").text(), "330800");
  EXPECT_EQ(place("330803001").text(), "330803001");
  EXPECT_EQ(place("330803001000").text(), "330803001");
  EXPECT_EQ(place("330803000000").text(), "330803");
}

TEST(PlaceCode, PrefixIsTheDigitsThatCount) {
  EXPECT_EQ(place("330000").prefix(), "33");
  EXPECT_EQ(place("330800").prefix(), "3308");
  EXPECT_EQ(place("330803").prefix(), "330803");
  EXPECT_EQ(place("330803001").prefix(), "330803001");
  EXPECT_EQ(place("330803001001").prefix(), "330803001001");
  EXPECT_EQ(place("441900003").prefix(), "441900003") << "a city without counties has towns of its own";
}

TEST(PlaceCode, CoversItselfAndWhatLiesBelow) {
  EXPECT_TRUE(place("33").covers(place("330803001001")));
  EXPECT_TRUE(place("330800").covers(place("330800")));
  EXPECT_TRUE(place("330800").covers(place("330803")));
  EXPECT_FALSE(place("330800").covers(place("330900")));
  EXPECT_FALSE(place("330803").covers(place("330800")));
  EXPECT_FALSE(place("330803").covers(place("330804001")));
}

TEST(PlaceCode, RefusesEveryOtherForm) {
  for (const char* text : {"", "3", "330", "33080", "0308", "33080a", "3308030010", "33080300100100", "-30800"}) {
    EXPECT_FALSE(PlaceCode::parse(text)) << text;
  }
}

TEST(Decision, OrdersByEpochAndThenByOrdinal) {
  const auto at = [](std::uint32_t epoch, std::uint64_t ordinal) { return decision_of(Epoch(epoch), Ordinal(ordinal)); };
  constexpr std::uint64_t kLast = (std::uint64_t{1} << kDecisionOrdinalBits) - 1;
  EXPECT_GT(at(1, 1).value(), 0);
  EXPECT_LT(at(1, 1), at(1, 2));
  EXPECT_LT(at(1, kLast), at(2, 1));
  EXPECT_GT(at((1U << kDecisionEpochBits) - 1, kLast).value(), 0);
  EXPECT_FALSE(at(1U << kDecisionEpochBits, 1));
  EXPECT_FALSE(at(1, kLast + 1));
}

TEST(Region, IsSixDigits) {
  EXPECT_EQ(parse_region("341000").value(), RegionCode(341000));
  EXPECT_EQ(to_text(RegionCode(341000)), "341000");
  for (const char* text : {"", "3410", "041000", "34100x", "3410000"}) EXPECT_FALSE(parse_region(text)) << text;
}

TEST(FeedId, HasAText) {
  EXPECT_EQ(to_text(FeedId{RegionCode(330800), Epoch(2), Lane::flash, Audience::conference()}), "330800/2/flash/conference");
}

TEST(Iso8601, PrintsBeijingTimeAndReadsItBack) {
  EXPECT_EQ(to_iso8601(1'604'880'305'123), "2020-11-09T08:05:05.123+08:00");
  EXPECT_EQ(to_iso8601(0), "1970-01-01T08:00:00.000+08:00");
  for (const TimeMs time : {TimeMs{0}, TimeMs{-1}, TimeMs{1'604'880'305'123}, TimeMs{951'782'399'999}, kMinTimeMs, kMaxTimeMs}) {
    EXPECT_EQ(parse_iso8601(to_iso8601(time)).value(), time) << time;
  }
}

TEST(Iso8601, ReadsEveryOffsetAndFraction) {
  EXPECT_EQ(parse_iso8601("2020-11-09T00:05:05Z").value(), 1'604'880'305'000);
  EXPECT_EQ(parse_iso8601("2020-11-08T19:05:05-05:00").value(), 1'604'880'305'000);
  EXPECT_EQ(parse_iso8601("2020-11-09T00:05:05-00:00").value(), 1'604'880'305'000);
  EXPECT_EQ(parse_iso8601("2020-11-09T08:05:05.5+08:00").value(), 1'604'880'305'500);
  EXPECT_EQ(parse_iso8601("2020-11-09T08:05:05.123999+08:00").value(), 1'604'880'305'123);
  EXPECT_EQ(parse_iso8601("2016-12-31T23:59:60Z").value(), parse_iso8601("2017-01-01T00:00:00Z").value());
}

TEST(Iso8601, RefusesWhatIsNoTime) {
  for (const char* text : {"", "2020-11-09", "2020-11-09T08:05:05", "2020-13-09T08:05:05Z", "2020-02-30T08:05:05Z",
                           "2020-11-09T24:00:00Z", "2020-11-09T08:60:05Z", "2020-11-09T08:05:61Z", "2020-11-09T08:05:05.Z",
                           "2020-11-09T08:05:05+15:00", "2020-11-09T08:05:05+08:60", "2020-11-09 08:05:05Z",
                           "2020-11-09T08:05:05Zx", "0000-01-01T00:00:00Z", "+020-11-09T08:05:05Z"}) {
    EXPECT_FALSE(parse_iso8601(text)) << text;
  }
}

TEST(Iso8601, TimesBeyondTheCalendarPrintItsEnds) {
  EXPECT_EQ(to_iso8601(INT64_MAX), to_iso8601(kMaxTimeMs));
  EXPECT_EQ(to_iso8601(INT64_MIN), to_iso8601(kMinTimeMs));
}

}  // namespace
}  // namespace lianxi
