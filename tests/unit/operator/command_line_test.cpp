#include "agents/operator/command_line.h"

#include <gtest/gtest.h>

#include "agents/operator/arguments.h"
#include "agents/operator/hints.h"
#include "agents/operator/words.h"
#include "schemas/limits.h"

namespace lianxi::cli {
namespace {

std::variant<Settings, Usage> parse(const std::vector<const char*>& words, Language language = Language::english) {
  std::vector<const char*> line{"lianxi"};
  for (const char* word : words) line.push_back(word);
  return parse_command_line(static_cast<int>(line.size()), line.data(), language);
}
template <class T>
T command(const std::vector<const char*>& words) {
  auto parsed = parse(words);
  if (auto* usage = std::get_if<Usage>(&parsed)) {
    ADD_FAILURE() << usage->text;
    return {};
  }
  return std::get<T>(std::get<Settings>(parsed).command);
}
std::string mistake(const std::vector<const char*>& words, Language language = Language::english) {
  const auto parsed = parse(words, language);
  const auto* usage = std::get_if<Usage>(&parsed);
  if (usage == nullptr || usage->exit != Exit::usage) return "";
  return usage->text;
}

TEST(CommandLine, CommonOptionsStandBeforeOrBehindTheCommand) {
  for (const auto& words : {std::vector<const char*>{"--profile", "p.toml", "--json", "status"},
                            std::vector<const char*>{"status", "--profile", "p.toml", "--json"}}) {
    const auto parsed = parse(words);
    ASSERT_TRUE(std::holds_alternative<Settings>(parsed));
    EXPECT_EQ(std::get<Settings>(parsed).common.profile, "p.toml");
    EXPECT_TRUE(std::get<Settings>(parsed).common.json);
  }
}

TEST(CommandLine, AQuestionToTheResourceMapIsReadWhole) {
  const auto resources = command<ResourcesCommand>({"--profile", "p", "resources", "--near", "118.958,28.973", "--within",
                                                    "120km", "--kind", "team,expert", "--kind", "supply", "--capability",
                                                    "hazmat", "--place", "3308", "--available", "--limit", "7"});
  EXPECT_EQ(resources.ask.near, (LonLat{118.958, 28.973}));
  EXPECT_EQ(resources.ask.within_m, 120'000);
  EXPECT_EQ(resources.ask.types, (std::vector{ResourceType::team, ResourceType::expert, ResourceType::supply}));
  EXPECT_EQ(resources.ask.capability, "hazmat");
  EXPECT_EQ(resources.ask.place->text(), "330800");
  EXPECT_TRUE(resources.ask.available);
  EXPECT_EQ(resources.ask.limit, 7U);
}

TEST(CommandLine, AnEventToExplainIsAnEntityAPlaceInAFeedOrAnOffset) {
  const auto asked = [](const char* event) { return command<ExplainCommand>({"--profile", "p", "explain", event}).ask; };
  EXPECT_EQ(asked("330800:incident:2026-07"), (AskExplain{"330800:incident:2026-07", std::nullopt, {}}));
  EXPECT_EQ(asked("41"), (AskExplain{"", std::nullopt, Offset(41)}));
  const FeedPosition at{{RegionCode(330800), Epoch(2), Lane::flash, Audience::conference()}, {Sequence(7), Hash{}}};
  EXPECT_EQ(asked("330800/2/flash/conference/7"), (AskExplain{"", at, {}}));
  for (const char* bad : {"0", "x", "330800/2/fast/conference/7", "330800/2/flash/conference/0", "330800/2/flash/7"})
    EXPECT_NE(mistake({"--profile", "p", "explain", bad}).find("330800:incident:2026-07"), std::string::npos) << bad;
}

TEST(CommandLine, AMemberIsReadWithFivePortsInARowOrEachEndpoint) {
  const std::string key(40, '0'), seal(64, 'a');
  const auto add = command<MemberAddCommand>({"member", "add", "--members", "m.toml", "--region", "361100", "--name-zh", "上饶市",
                                              "--seal-key", seal.c_str(), "--curve-key", key.c_str(), "--host", "sr.example",
                                              "--port", "8001", "--live", "tcp://other:9"});
  EXPECT_EQ(add.entry.endpoints.at("flash"), "tcp://sr.example:8001");
  EXPECT_EQ(add.entry.endpoints.at("query"), "tcp://sr.example:8004");
  EXPECT_EQ(add.entry.endpoints.at("live"), "tcp://other:9");
  EXPECT_EQ(add.entry.seal_key, seal);
  const auto retire =
      command<MemberRetireCommand>({"member", "retire", "--members", "m", "--region", "341000", "--until", "2026-12-31"});
  EXPECT_EQ(retire.region, RegionCode(341000));
  EXPECT_EQ(retire.until, "2026-12-31");
  EXPECT_NE(mistake({"member", "add", "--members", "m", "--region", "361100", "--name-zh", "市"}).find("--keys"),
            std::string::npos);
  EXPECT_NE(mistake({"member", "list", "--members", "m", "--node"}).find("profile"), std::string::npos);
  EXPECT_FALSE(command<MemberListCommand>({"member", "list", "--members", "m"}).node);
}

TEST(CommandLine, OnlyAlertsCanBeAskedForDrills) {
  EXPECT_NE(mistake({"--profile", "p", "resources", "--drills"}).find("--drills"), std::string::npos);
  EXPECT_NE(mistake({"--profile", "p", "incidents", "--drills"}).find("--drills"), std::string::npos);
  EXPECT_TRUE(command<AlertsCommand>({"--profile", "p", "alerts", "--all"}).ask.all);
}

TEST(CommandLine, AFollowIsReadWhole) {
  const auto follow =
      command<FollowCommand>({"--profile", "p", "follow", "--kind", "alert", "--place", "330803", "--from",
                              "330800:18446744073709551615:57", "--until", "now", "--count", "3", "--level", "red,orange"});
  EXPECT_EQ(follow.from, FollowFrom::cursor);
  EXPECT_EQ(follow.node, RegionCode{330800});
  EXPECT_EQ(follow.incarnation.value, ~std::uint64_t{0});
  EXPECT_EQ(follow.offset, Offset{57});
  EXPECT_TRUE(follow.until_now);
  EXPECT_EQ(follow.count, 3U);
  EXPECT_EQ(follow.filter.kinds, std::vector{Kind::alert});
  EXPECT_EQ(follow.filter.levels, (std::vector{Level::red, Level::orange}));
}

TEST(CommandLine, AFollowMayBeOfAnAreaAndOnANamedCursor) {
  const auto round = command<FollowCommand>({"--profile", "p", "follow", "--area", "118.958,28.973,5", "--cursor", "desk 1"});
  ASSERT_TRUE(round.filter.area && round.filter.area->circle);
  EXPECT_EQ(round.filter.area->circle->centre, (LonLat{118.958, 28.973}));
  EXPECT_EQ(round.filter.area->circle->radius_m, 5'000);
  EXPECT_TRUE(round.filter.area->ring.empty());
  EXPECT_EQ(round.cursor_name, "desk 1");
  EXPECT_EQ(round.from, FollowFrom::named);
  const auto ring = command<FollowCommand>(
      {"--profile", "p", "follow", "--polygon", "118.8,28.9 119.0,28.9 119.0,29.1", "--cursor", "desk", "--from", "now"});
  ASSERT_EQ(ring.filter.area->ring.size(), 4U);
  EXPECT_EQ(ring.filter.area->ring.back(), (LonLat{118.8, 28.9}));
  EXPECT_EQ(ring.from, FollowFrom::now);
  EXPECT_FALSE(command<FollowCommand>({"--profile", "p", "follow"}).filter.area);
}

TEST(CommandLine, ARetentionIsOfADayInBeijing) {
  const auto retain = command<RetainCommand>(
      {"--profile", "p", "retain", "--lane", "bulk", "--audience", "local", "--before", "2026-06-01", "--dry-run"});
  EXPECT_EQ(retain.ask, (AskRetention{Lane::bulk, Audience::local(), 1'780'243'200'000}));
  EXPECT_TRUE(retain.dry_run);
  EXPECT_EQ(command<RetainCommand>({"--profile", "p", "retain", "--before", "2026-05-31T16:00:00Z"}).ask,
            (AskRetention{Lane::normal, Audience::conference(), 1'780'243'200'000}));
  EXPECT_NE(mistake({"--profile", "p", "retain", "--before", "June"}).find("--before"), std::string::npos);
  EXPECT_NE(mistake({"--profile", "p", "retain"}).find("--before"), std::string::npos);
}

TEST(CommandLine, AnImportOfResourcesIsReadWhole) {
  const auto import =
      command<ImportCommand>({"--profile", "p", "import", "resources", "stock.csv", "--datum", "gcj02", "--dry-run", "--audience",
                              "local", "--status", "Exercise", "--agency", "fire", "--capabilities", "c.toml"});
  EXPECT_EQ(import.file, "stock.csv");
  EXPECT_EQ(import.format, FileFormat::csv);
  EXPECT_EQ(import.datum, formats::Datum::gcj02);
  EXPECT_TRUE(import.dry_run);
  EXPECT_EQ(import.audience.text(), "local");
  EXPECT_EQ(import.status, Status::Exercise);
  EXPECT_EQ(import.agency, "fire");
  EXPECT_EQ(import.capabilities, "c.toml");
}

TEST(CommandLine, AFilesNameSaysItsFormUnlessSomebodyDoes) {
  const auto format = [](std::vector<const char*> words) {
    words.insert(words.begin(), {"--profile", "p", "import", "resources"});
    return command<ImportCommand>(words).format;
  };
  EXPECT_EQ(format({"a.geojson"}), FileFormat::geojson);
  EXPECT_EQ(format({"a.json"}), FileFormat::geojson);
  EXPECT_EQ(format({"a.txt"}), FileFormat::csv);
  EXPECT_EQ(format({"-", "--format", "geojson"}), FileFormat::geojson);
  EXPECT_EQ(format({"a.geojson", "--format", "csv"}), FileFormat::csv);
  EXPECT_NE(mistake({"--profile", "p", "import", "resources", "a", "--format", "xls"}), "");
}

TEST(CommandLine, AnExportIsReadWhole) {
  const auto out = command<ExportCommand>({"--profile", "p", "export", "resources", "--out", "x.geojson", "--place", "3308",
                                           "--kind", "team,site", "--capability", "hazmat", "--own"});
  EXPECT_EQ(out.out, "x.geojson");
  EXPECT_EQ(out.format, FileFormat::geojson);
  EXPECT_EQ(out.ask.place->text(), "330800");
  EXPECT_EQ(out.ask.types, (std::vector{ResourceType::team, ResourceType::site}));
  EXPECT_EQ(out.ask.capability, "hazmat");
  EXPECT_TRUE(out.own);
  EXPECT_EQ(command<ExportCommand>({"--profile", "p", "export", "resources"}).out, "-");
}

TEST(CommandLine, AnExportIsOfNowOrAnotherTimeOrAll) {
  const auto now = command<ExportCommand>({"--profile", "p", "export", "resources"}).ask;
  EXPECT_FALSE(now.any_time);
  EXPECT_FALSE(now.valid_at);
  const auto then =
      command<ExportCommand>({"--profile", "p", "export", "resources", "--valid-at", "2026-06-01T00:00:00+08:00"}).ask;
  EXPECT_EQ(to_iso8601(then.valid_at.value_or(0)), "2026-06-01T00:00:00.000+08:00");
  EXPECT_TRUE(command<ExportCommand>({"--profile", "p", "export", "resources", "--all"}).ask.any_time);
  EXPECT_NE(mistake({"--profile", "p", "export", "resources", "--valid-at", "soon"}).find("--valid-at"), std::string::npos);
  EXPECT_NE(mistake({"--profile", "p", "export", "resources", "--all", "--valid-at", "2h"}), "");
}

TEST(CommandLine, MobilisationsGoInOneByOneAndComeOutByThread) {
  const auto in = command<ImportMobilisationCommand>({"--profile", "p", "import", "mobilisation", "m.xml", "--place", "330803"});
  EXPECT_EQ(in.file, "m.xml");
  EXPECT_EQ(in.place->text(), "330803");
  EXPECT_FALSE(in.status);
  const auto out = command<ExportMobilisationCommand>(
      {"--profile", "p", "export", "mobilisation", "330800:mobilisation:qz-1", "--out", "folder"});
  EXPECT_EQ(out.thread, "330800:mobilisation:qz-1");
  EXPECT_NE(mistake({"--profile", "p", "export", "mobilisation", "330800:mobilisation:qz-1"}).find("--message"),
            std::string::npos);
  EXPECT_EQ(command<ExportMobilisationCommand>({"--profile", "p", "export", "mobilisation", "4f2a", "--out", "folder"}).thread,
            "4f2a")
      << "the end of an id is enough";
}

TEST(CommandLine, MistakesSayHowItShouldRead) {
  EXPECT_NE(mistake({"--profile", "p", "follow", "--area", "118.958,28.973"}).find("RADIUS_KM"), std::string::npos);
  EXPECT_NE(mistake({"--profile", "p", "follow", "--area", "28.973,118.958,5"}).find("latitude first?"), std::string::npos);
  EXPECT_NE(mistake({"--profile", "p", "follow", "--polygon", "118,28 119,28"}).find("3 to 1023"), std::string::npos);
  EXPECT_NE(mistake({"--profile", "p", "follow", "--polygon", "no-such-file"}).find("cannot be opened"), std::string::npos);
  EXPECT_NE(mistake({"--profile", "p", "resources", "--near", "28.973,118.958"}).find("latitude first?"), std::string::npos);
  EXPECT_NE(mistake({"--profile", "p", "resources", "--near", "28.973,118.958"}, Language::chinese).find("纬度"),
            std::string::npos);
  EXPECT_NE(mistake({"--profile", "p", "resources", "--near", "2.3,48.8"}).find("outside China"), std::string::npos);
  EXPECT_NE(mistake({"--profile", "p", "resources", "--within", "50km"}).find("--near"), std::string::npos);
  EXPECT_NE(mistake({"--profile", "p", "resources", "--near", "118,28", "--within", "50"}).find("50km"), std::string::npos);
  EXPECT_NE(mistake({"--profile", "p", "resources", "--kind", "tank"}).find("team"), std::string::npos);
  EXPECT_NE(mistake({"--profile", "p", "follow", "--from", "yesterday"}).find("beginning"), std::string::npos);
  EXPECT_NE(mistake({"--profile", "p", "follow", "--kind", "allert"}).find("--kind"), std::string::npos);
  EXPECT_NE(mistake({"--profile", "p", "alerts", "--place", "33080"}), "");
  EXPECT_NE(mistake({"--profile", "p", "status", "--timeout", "soon"}), "");
  EXPECT_NE(mistake({"keys", "new", "Police"}), "");
  EXPECT_NE(mistake({"--profile", "p", "nonsense"}), "");
  EXPECT_NE(mistake({}), "");
}

TEST(CommandLine, AnUnknownCommandIsNamedWithTheNearestOne) {
  EXPECT_EQ(mistake({"resource"}), "\"resource\" is not a command; did you mean resources?");
  EXPECT_EQ(mistake({"--profile", "p", "resource"}, Language::chinese), "没有命令 \"resource\";是不是 resources?");
  EXPECT_EQ(mistake({"publish", "alrt"}), "\"alrt\" is not a command; did you mean alert?");
  EXPECT_EQ(mistake({"publish", "x"}), "\"x\" is not a command; commands: alert, incident");
  EXPECT_NE(mistake({"bogus"}).find("\"bogus\" is not a command; commands: status, "), std::string::npos);
  EXPECT_NE(mistake({}).find("a command is missing; commands: status, "), std::string::npos);
  EXPECT_NE(mistake({}, Language::chinese).find("缺少命令"), std::string::npos);
}

TEST(CommandLine, KeysNeedNoProfile) {
  const auto keys = command<KeysCommand>({"keys", "new", "330800.police.dispatch", "--role", "operator", "--out", "d", "--seal"});
  EXPECT_EQ(keys.name.text(), "330800.police.dispatch");
  EXPECT_EQ(keys.role, "operator");
  EXPECT_TRUE(keys.seal);
}

TEST(CommandLine, HelpSpeaksTheOperatorsLanguage) {
  const auto parsed = parse({"resources", "--help", "--lang", "zh"});
  ASSERT_TRUE(std::holds_alternative<Usage>(parsed));
  EXPECT_EQ(std::get<Usage>(parsed).exit, Exit::done);
  EXPECT_NE(std::get<Usage>(parsed).text.find("一张图"), std::string::npos);
}

TEST(CommandLine, HelpNamesTheBoundsOfALimit) {
  for (const char* list : {"resources", "alerts", "incidents"}) {
    const auto parsed = parse({list, "--help"});
    const auto* usage = std::get_if<Usage>(&parsed);
    ASSERT_NE(usage, nullptr);
    EXPECT_NE(usage->text.find(std::to_string(kDefaultQueryLimit)), std::string::npos) << list;
    EXPECT_NE(usage->text.find(std::to_string(kMaxQueryLimit)), std::string::npos) << list;
  }
}

TEST(Arguments, ACursorIsReadAsItIsPrinted) {
  FollowCommand follow;
  ASSERT_TRUE(parse_from(cursor_text(RegionCode{341000}, Incarnation{12}, Offset{34}), {}, follow));
  EXPECT_EQ(follow.node, RegionCode{341000});
  EXPECT_EQ(follow.incarnation, Incarnation{12});
  EXPECT_EQ(follow.offset, Offset{34});
}

TEST(Arguments, TimesAndDistancesCarryTheirUnits) {
  EXPECT_EQ(*parse_timeout("500ms", {}), std::chrono::milliseconds(500));
  EXPECT_EQ(*parse_timeout("5s", {}), std::chrono::milliseconds(5'000));
  EXPECT_EQ(*parse_timeout("2.5", {}), std::chrono::milliseconds(2'500));
  EXPECT_EQ(*parse_within("800m", {}), 800);
  EXPECT_EQ(*parse_within("1.5km", {}), 1'500);
  EXPECT_FALSE(parse_within("-5km", {}));
  EXPECT_FALSE(parse_within("nankm", {}));
}

TEST(Words, EveryRefusalHasAChineseWord) {
  for (auto code = static_cast<int>(RefusalCode::malformed); code <= static_cast<int>(RefusalCode::internal); ++code) {
    const auto refusal = static_cast<RefusalCode>(code);
    const std::string contract(to_word(refusal));
    EXPECT_EQ(refusal_word(refusal, {}), contract);
    const std::string chinese = refusal_word(refusal, {Language::chinese});
    EXPECT_GT(chinese.size(), contract.size() + 1);
    EXPECT_TRUE(chinese.ends_with(" " + contract));
  }
  EXPECT_EQ(refusal_word(RefusalCode::not_allowed, {Language::chinese}), "无权限 not_allowed");
}

TEST(Hints, AnEmptyAnswerNamesCapabilityWordsAndThePlacesThatAreNoLongerGivenOut) {
  AskResources ask;
  EXPECT_EQ(hints_for(ask, {}), "");
  ask.place = *PlaceCode::parse("330803");
  EXPECT_EQ(hints_for(ask, {}), "");
  ask.place = *PlaceCode::parse("330821");
  EXPECT_EQ(hints_for(ask, {}), "330821 is no longer given out, use 330802/330803\n");
  EXPECT_NE(hints_for(ask, {Language::chinese}).find("已停用,请改用 330802/330803"), std::string::npos);
  ask.capability = "chemical";
  EXPECT_NE(hints_for(ask, {}).find("hazmat, flood, forest-fire"), std::string::npos);
}

TEST(Words, NumbersReadAsTheyAreSaid) {
  EXPECT_EQ(quantity_text(2'500, "吨"), "2.5 吨");
  EXPECT_EQ(quantity_text(14'000'000, "只"), "14000 只");
  EXPECT_EQ(quantity_text(1'050, "t"), "1.05 t");
  EXPECT_EQ(quantity_text(0, ""), "-");
  EXPECT_EQ(distance_text(799.6), "800 m");
  EXPECT_EQ(distance_text(12'345.0), "12.3 km");
  EXPECT_EQ(distance_text(std::nullopt), "-");
}

}  // namespace
}  // namespace lianxi::cli
