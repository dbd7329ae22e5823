#include "agents/operator/links.h"

#include <gmock/gmock.h>

#include <sstream>

#include "agents/operator/command_line.h"
#include "agents/operator/reasons.h"

namespace lianxi::cli {
namespace {

using testing::HasSubstr;

constexpr TimeMs kNow = 1'604'894'400'000;
constexpr Say kEnglish{Language::english};
constexpr Say kChinese{Language::chinese};

LinkRow in_step(std::uint32_t region, const std::string& lanes) {
  LinkRow row;
  row.region = RegionCode(region);
  row.lanes = lanes;
  row.state = "following";
  row.last_contact = kNow - 400;
  row.received_events = 12;
  row.lag_events = 0;
  row.behind_ms = 0;
  row.round_trip_ms = 31;
  row.clock_ahead_ms = -3;
  return row;
}
StatusReport report(std::vector<LinkRow> links) {
  StatusReport status;
  status.time = kNow;
  status.links = std::move(links);
  return status;
}
std::string printed(const StatusReport& status, const Say& say = kEnglish) {
  std::ostringstream out;
  links_table(status, say).print(out, false, 0);
  return out.str();
}

TEST(Links, OneInStepSaysSoAndHowFarAwayItIs) {
  LinkRow row = in_step(341000, "bulk");
  row.plain_bytes = 4'000'000;
  row.wire_bytes = 1'000'000;
  const std::string text = printed(report({row}));
  EXPECT_THAT(text, testing::ContainsRegex("341000 +bulk +in step +0 +31 ms +400 ms ago +12 +3.0 MB \\(75%\\)"));
  EXPECT_EQ(links_summary(report({row}), kEnglish), "links: 1 of 1 linked, 1 in step");
  EXPECT_EQ(links_summary(report({row}), kChinese), "链路:1/1 已连接,1 同步");
}

TEST(Links, OneThatIsBehindSaysHowManyEventsAndSinceWhen) {
  LinkRow row = in_step(341000, "normal");
  row.lag_events = 1234;
  row.behind_ms = 185'000;
  EXPECT_THAT(printed(report({row})), HasSubstr("catching up"));
  EXPECT_THAT(printed(report({row})), HasSubstr("1234 events, 3 min"));
  EXPECT_THAT(printed(report({row}), kChinese), HasSubstr("1234 条, 3 分"));
  EXPECT_THAT(links_summary(report({row}), kEnglish), HasSubstr("0 in step; 341000 normal catching up 1234 events, 3 min"));
}

TEST(Links, ACutOneTellsWhatIsKnownAndWhoHelps) {
  LinkRow row = in_step(341000, "flash");
  row.state = "down";
  row.behind_ms = 7'500'000;
  row.lag_events = 0;  // known last: it may be more
  row.round_trip_ms.reset();
  row.detour = RegionCode(350700);
  row.clock_ahead_ms = 61'000;
  row.reason = "no word from the peer for 8000 ms; its feeds are asked of 350700";
  const std::string text = printed(report({row}));
  EXPECT_THAT(text, HasSubstr("CUT"));
  EXPECT_THAT(text, HasSubstr("2 h 5 min"));
  EXPECT_THAT(text, testing::Not(HasSubstr("0 events"))) << "nobody knows that";
  EXPECT_THAT(text, HasSubstr("comes through 350700; its clock is ahead by 1 min; no word from the peer for 8000 ms"));
  EXPECT_THAT(text, testing::Not(HasSubstr("asked of"))) << "said once";
}

TEST(Links, WhatTheNodeSaysInEnglishIsSaidInChineseWithItsValues) {
  LinkRow row = in_step(341000, "flash");
  row.state = "refused";
  row.reason =
      "the peer refuses: not_allowed: 330800 is a member from 2020-11-09T08:00:34.570+08:00 on, and not yet; its agents and its "
      "node "
      "are served by no other; its feeds are asked of 350700";
  row.detour = RegionCode(350700);
  EXPECT_THAT(
      printed(report({row}), kChinese),
      HasSubstr("经由 350700; 对方拒绝(无权限 not_allowed):330800 自 2020-11-09T08:00:34.570+08:00 起才是成员,现在还不是"));
  EXPECT_EQ(reason_text("no word from the peer for 8000 ms", kChinese), "对方 8000 毫秒没有消息");
  EXPECT_EQ(reason_text("no word from the peer for 8000 ms", kEnglish), "no word from the peer for 8000 ms");
  EXPECT_EQ(reason_text("no word from the peer for  ms", kChinese), "no word from the peer for  ms") << "no value in it";
  EXPECT_EQ(reason_text("a reason of a later version", kChinese), "a reason of a later version");
  EXPECT_EQ(reason_text("", kChinese), "");
  EXPECT_EQ(reason_text("the clock of 341000 is 751 s ahead; its times are kept but not followed", kChinese),
            "341000 的时钟快 751 秒;其时间予以保留,但不跟随");
  EXPECT_EQ(alarm_word("clock_ahead", kChinese), "时钟偏快 clock_ahead");
  EXPECT_EQ(alarm_word("clock_ahead", kEnglish), "clock_ahead");
}

TEST(Links, TheSummaryNamesTheWorstLaneOfEachPeer) {
  LinkRow slow = in_step(341000, "bulk");
  slow.lag_events = 5;
  slow.behind_ms = 900;
  LinkRow cut = in_step(341000, "normal");
  cut.state = "down";
  cut.lag_events = 7;
  LinkRow never;
  never.region = RegionCode(361100);
  never.lanes = "flash";
  never.state = "refused";
  EXPECT_EQ(links_summary(report({in_step(341000, "flash"), cut, slow, never}), kEnglish),
            "links: 2 of 4 linked, 1 in step; 341000 normal CUT ≥ 7 events, 0 ms; 361100 flash REFUSED ?");
  EXPECT_THAT(printed(report({never})), testing::ContainsRegex("REFUSED +\\? +- +never"));
}

TEST(Links, TimesAndBytesAreSaidAsAPersonWould) {
  EXPECT_EQ(duration_text(0, kEnglish), "0 ms");
  EXPECT_EQ(duration_text(59'999, kEnglish), "59 s");
  EXPECT_EQ(duration_text(3'600'000, kEnglish), "1 h 0 min");
  EXPECT_EQ(duration_text(200'000'000, kChinese), "2 天");
  EXPECT_EQ(bytes_text(999), "999 B");
  EXPECT_EQ(bytes_text(12'345), "12.3 KB");
  EXPECT_EQ(bytes_text(4'000'000'000), "4.0 GB");
}

TEST(Links, IsACommand) {
  const char* line[] = {"lianxi", "--profile", "p.toml", "links", "--json"};
  const auto parsed = parse_command_line(5, line, Language::english);
  ASSERT_TRUE(std::holds_alternative<Settings>(parsed));
  EXPECT_TRUE(std::holds_alternative<LinksCommand>(std::get<Settings>(parsed).command));
}

}  // namespace
}  // namespace lianxi::cli
