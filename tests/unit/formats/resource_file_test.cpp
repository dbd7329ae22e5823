#include "agents/formats/resource_file.h"

#include <gmock/gmock.h>

#include "agents/formats/resource_words.h"
#include "agents/formats/row_file.h"
#include "schemas/limits.h"
#include "tests/support/source_tree.h"
#include "tests/unit/formats/resource_samples.h"

namespace lianxi::formats {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

const Resource& resource(const Event& event) {
  return std::get<Resource>(event.body);
}

TEST(ResourceFile, EveryFieldComesBackFromACsv) {
  std::string text = resource_csv_heading();
  for (const Event& each : {full_row(), bare_row()})
    append_resource_csv(text, {each.envelope.entity, each.envelope.place}, resource(each));
  const ReadFile read = read_csv_file(text);
  EXPECT_THAT(read.said, ElementsAre());
  EXPECT_THAT(read.events, ElementsAre(full_row(), bare_row()));
}

TEST(ResourceFile, EveryFieldComesBackFromAGeoJson) {
  std::string text(kGeoJsonHead);
  append_resource_geojson(text, {"site-1", full_row().envelope.place}, resource(full_row()));
  text += kGeoJsonBetween;
  append_resource_geojson(text, {"team-1", bare_row().envelope.place}, resource(bare_row()));
  text += kGeoJsonTail;
  const ReadFile read = read_geojson(text);
  EXPECT_THAT(read.said, ElementsAre());
  EXPECT_THAT(read.events, ElementsAre(full_row(), bare_row()));
}

TEST(ResourceFile, AFeatureKeepsWhatItDoesNotSay) {
  const auto read = [](const std::string& geometry, const std::string& properties) {
    const ReadFile file = read_geojson(R"({"type":"FeatureCollection","features":[{"type":"Feature","id":"a","geometry":)" +
                                       geometry + R"(,"properties":{"type":"team","name":"b")" + properties + "}}]}");
    return file.events.empty() ? 0xFF : static_cast<int>(resource(file.events[0]).keeps.bits);
  };
  EXPECT_EQ(read("null", ""), 0x0F);
  EXPECT_EQ(read("null", R"(,"state":null,"quantity":null,"phone":null,"address":null)"), 0x01);
  EXPECT_EQ(read(R"({"type":"Point","coordinates":[118,28]})", R"(,"state":"deployed","occupancy":3,"contact":"王")"), 0);
}

TEST(ResourceFile, TheColumnsThatAreMissingAreNamed) {
  const auto unsaid = [](const std::string& text) {
    const auto file = open_resources_csv(blocks_of(text), file_context());
    Event event;
    while (file->next(event)) continue;
    return file->unsaid();
  };
  const Unsaid some =
      unsaid("id,type,name,owner,quantity,capabilities,attr.x,lat,lon,datum,answerable,answerable_phone,valid_from,on_call\n");
  EXPECT_THAT(some.kept, ElementsAre("state", "contact", "phone"));
  EXPECT_THAT(some.emptied, ElementsAre("place", "address", "area", "unit", "capacity", "occupancy", "supply_code", "valid_until",
                                        "languages"));
  const Unsaid none = unsaid(resource_csv_heading());
  EXPECT_THAT(none.kept, ElementsAre());
  EXPECT_THAT(none.emptied, ElementsAre());
}

// Rows without end, of which every other one is bad.
class EndlessFile : public RowFile {
 public:
  EndlessFile() : RowFile("row") {}

 private:
  bool to_row() override { return true; }
  bool read_row(Event&) override { return rows_ % 2 == 0; }
  std::string where() const override { return "row " + std::to_string(rows_); }
};

TEST(ResourceFile, AFileEndsAtItsBound) {
  EndlessFile file;
  Event event;
  std::size_t good = 0;
  while (file.next(event)) ++good;
  EXPECT_EQ(good, kMaxImportRows / 2);
  EXPECT_EQ(file.problems().rows, kMaxImportRows / 2);
  ASSERT_EQ(file.problems().all, 1U);
  EXPECT_EQ(file.problems().first[0].code, RefusalCode::oversize);
  EXPECT_EQ(file.problems().first[0].field, "row 4000001");
  EXPECT_EQ(file.problems().first[0].reason, "the file has more than 4000000 rows: part it");
  EXPECT_FALSE(file.next(event)) << "it is over";
  EXPECT_EQ(file.problems().all, 1U);
}

TEST(ResourceFile, BlocksMayEndAnywhere) {
  std::string csv = "\xEF\xBB\xBF" + resource_csv_heading(), json = "\xEF\xBB\xBF" + std::string(kGeoJsonHead);
  for (int i = 0; i < 3; ++i) {
    const std::string id = "r-" + std::to_string(i);
    append_resource_csv(csv, {id, full_row().envelope.place}, resource(full_row()));
    if (i > 0) json += kGeoJsonBetween;
    append_resource_geojson(json, {id, full_row().envelope.place}, resource(full_row()));
  }
  json += kGeoJsonTail;
  for (std::size_t step : {1U, 2U, 3U, 7U, 64U}) {
    EXPECT_EQ(read_csv_file(csv, file_context(), step).events, read_csv_file(csv).events) << step;
    EXPECT_EQ(read_geojson(json, file_context(), step).events, read_geojson(json).events) << step;
  }
  EXPECT_EQ(read_csv_file(csv).events.size(), 3U);
  EXPECT_EQ(read_geojson(json).events.size(), 3U);
}

TEST(ResourceFile, ChineseHeadingsOfSitesAndExpertsAreRead) {
  const ReadFile read = read_csv_file(
      "编号,类型,名称,包保责任人,包保责任人电话,有效期起,有效期止,语言,值班时间,范围,坐标系,属性.等级\n"
      "s-1,风险点,滑坡点,赵,1390,2026-06-01,2026-06-30,zh；en,周一至周五 08:00-18:00；周末 全天,"
      "\"118.5 28.5; 119 28.5; 119 29\",CGCS2000,高\n");
  ASSERT_THAT(read.said, ElementsAre());
  const Resource& site = resource(read.events.at(0));
  EXPECT_EQ(site.type, ResourceType::site);
  EXPECT_EQ(site.answerable, "赵");
  EXPECT_EQ(site.answerable_phone, "1390");
  EXPECT_EQ(to_iso8601(site.valid_from.value()), "2026-06-01T00:00:00.000+08:00");
  EXPECT_EQ(to_iso8601(site.valid_until.value()), "2026-07-01T00:00:00.000+08:00");  // the whole last day
  EXPECT_THAT(site.languages, ElementsAre("zh", "en"));
  EXPECT_THAT(site.on_call, ElementsAre(OnCall{31, 480, 1080}, OnCall{96, 0, 1440}));
  EXPECT_EQ(site.area, (std::vector<LonLat>{{118.5, 28.5}, {119, 28.5}, {119, 29}, {118.5, 28.5}}));
  EXPECT_THAT(site.attributes, ElementsAre(NameValue{"等级", "高"}));
}

TEST(ResourceFile, AnAreaIsConvertedAsAPointIs) {
  const ReadFile read =
      read_csv_file("id,type,name,area,datum\ns-1,site,a,\"POLYGON((118.5 28.5, 119 28.5, 119 29, 118.5 28.5))\",GCJ-02\n");
  ASSERT_THAT(read.said, ElementsAre());
  EXPECT_EQ(resource(read.events[0]).area[0], from_gcj02({118.5, 28.5}));
}

TEST(ResourceFile, CapabilitiesMayBeNamesWhereTheListIsKnown) {
  const auto words = CapabilityWords::parse(
      "[capabilities]\nhazmat = \"危化品处置\"\npump = { zh = \"排涝\" }\n[english]\npump = \"Pumping\"\n[synonyms]\npump = "
      "[\"抽水\"]\n",
      "c.toml");
  ASSERT_TRUE(words) << words.error().reason;
  ResourceFileContext context = file_context();
  context.words = &*words;
  const std::string head = "id,type,name,capabilities\n";
  const ReadFile read = read_csv_file(head + "a,team,b,危化品处置；pumping;抽水;other-word\nc,team,d,排水\n", context);
  ASSERT_EQ(read.events.size(), 1U);
  EXPECT_THAT(resource(read.events[0]).capabilities, ElementsAre("hazmat", "pump", "pump", "other-word"));
  EXPECT_THAT(read.said, ElementsAre(AllOf(HasSubstr("row 3, column capabilities"), HasSubstr("排水"))));
  EXPECT_THAT(read_csv_file(head + "a,team,b,危化品处置\n").said, ElementsAre(HasSubstr("hand in the list")));
}

TEST(ResourceFile, ANameOfTwoCapabilitiesIsRefused) {
  const auto words = CapabilityWords::parse("[capabilities]\na = \"水\"\nb = [\"水\"]\n", "c.toml");
  ASSERT_FALSE(words);
  EXPECT_THAT(words.error().reason, AllOf(HasSubstr("水"), HasSubstr("c.toml")));
  EXPECT_FALSE(CapabilityWords::parse("[capabilities]\na = \"水\"\n[english]\nb = \"water\"\n", "c.toml"));
  EXPECT_FALSE(CapabilityWords::parse("x = 1", "c.toml"));
  EXPECT_FALSE(CapabilityWords::parse("[", "c.toml"));
  EXPECT_FALSE(CapabilityWords::load("/nowhere.toml"));
}

TEST(ResourceFile, AllBadCellsAreCountedAndTheFirstAreNamed) {
  std::string text = "id,type,name,quantity\n";
  for (std::size_t i = 0; i < 2 * kMaxRowProblems; ++i) text += "r-" + std::to_string(i) + ",team,b,many\n";
  const ReadFile read = read_csv_file(text);
  EXPECT_EQ(read.problems.all, 2 * kMaxRowProblems);
  EXPECT_EQ(read.problems.rows, 2 * kMaxRowProblems);
  EXPECT_EQ(read.problems.first.size(), kMaxRowProblems);
  EXPECT_THAT(read.said[0], HasSubstr("row 2, column quantity: \"many\""));
}

TEST(ResourceFile, TheLineIsToldWhereItIsNotTheRow) {
  const ReadFile read = read_csv_file("id,type,name,address\na,team,b,\"x\ny\"\nc,troop,d,e\n");
  EXPECT_THAT(read.said, ElementsAre(HasSubstr("row 3 (line 4), column type")));
}

TEST(ResourceFile, NewColumnsAreCheckedWordByWord) {
  EXPECT_THAT(
      read_csv_file("id,type,name,on_call,valid_from,valid_until,area,datum,languages,attributes\n"
                    "a,team,x,some day,,,,,,\n"
                    "b,team,x,,2026-13-01,,,,,\n"
                    "c,team,x,,2026-02-01,2026-01-01,,,,\n"
                    "d,team,x,,,,\"POLYGON((1 2, 3 4))\",WGS84,,\n"
                    "e,team,x,,,,1 2;3 4;5,WGS84,,\n"
                    "f,team,x,,,,\"POLYGON((1 1,2 1,2 2,1 1),(1 1,2 1,2 2,1 1))\",WGS84,,\n"
                    "g,team,x,,,,,,中文,\n"
                    "h,team,x,,,,,,,note\n"
                    "i,team,x,,,,1 1;2 1;2 2,,,\n")
          .said,
      ElementsAre(HasSubstr("row 2, column on_call"), HasSubstr("row 3, column valid_from"),
                  HasSubstr("row 4, column valid_until"), HasSubstr("row 5, column area"), HasSubstr("row 6, column area"),
                  AllOf(HasSubstr("row 7, column area"), HasSubstr("no holes")), HasSubstr("row 8, column languages"),
                  HasSubstr("row 9, column attributes"), HasSubstr("row 10, column datum")));
}

TEST(ResourceFile, HoursOnCallAreReadAndWritten) {
  const auto read = [](std::string_view text) { return read_on_call(text).value(); };
  EXPECT_THAT(read("24h"), ElementsAre(OnCall{127, 0, 1440}));
  EXPECT_THAT(read("sat-mon 08:00-09:30"), ElementsAre(OnCall{97, 480, 570}));
  EXPECT_THAT(read("Mon, Wed 22:00-06:00"), ElementsAre(OnCall{5, 1320, 1440}, OnCall{10, 0, 360}));
  EXPECT_THAT(read("周日 22:00-24:00"), ElementsAre(OnCall{64, 1320, 1440}));
  EXPECT_THAT(read("工作日"), ElementsAre(OnCall{31, 0, 1440}));
  EXPECT_EQ(on_call_text({{31, 480, 1080}, {127, 0, 1440}, {5, 0, 60}}), "mon-fri 08:00-18:00; daily 24h; mon,wed 00:00-01:00");
  for (int days = 1; days < 128; ++days) {
    const std::vector<OnCall> hours{{static_cast<std::uint8_t>(days), 61, 1440}};
    EXPECT_EQ(read(on_call_text(hours)), hours);
  }
  for (const char* bad : {"mon-xyz 08:00-09:00", "mon 8-9", "mon 08:00-25:00", "mon 08:00-08:00"}) {
    EXPECT_FALSE(read_on_call(bad)) << bad;
  }
}

TEST(ResourceFile, ARecordWithoutEndIsRefusedBeforeItFillsMemory) {
  const ReadFile read = read_csv_file("id,type,name\n\"" + std::string(3 << 20, 'x'));
  EXPECT_THAT(read.said, ElementsAre(AllOf(HasSubstr("line 2"), HasSubstr("never closed"))));
  const ReadFile json = read_geojson(collection("{\"type\":\"" + std::string(3 << 20, 'x')));
  ASSERT_EQ(json.problems.first.size(), 1U);
  EXPECT_EQ(json.problems.first[0].code, RefusalCode::oversize);
}

const std::string kPoint =
    R"({"type":"Feature","id":"a","geometry":{"type":"Point","coordinates":[118.9,28.9]},"properties":{"type":"team","name":"b")";

TEST(GeoJson, CoordinatesAreWgs84UnlessTheFileSaysOtherwise) {
  EXPECT_EQ(resource(read_geojson(collection(kPoint + "}}")).events.at(0)).location, (LonLat{118.9, 28.9}));
  const LonLat moved = from_gcj02({118.9, 28.9});
  EXPECT_EQ(resource(read_geojson(collection(kPoint + "}}", "\"datum\":\"GCJ-02\",")).events.at(0)).location, moved);
  EXPECT_EQ(resource(read_geojson(collection(kPoint + ",\"datum\":\"GCJ02\"}}")).events.at(0)).location, moved);
  ResourceFileContext context = file_context();
  context.default_datum = Datum::gcj02;
  EXPECT_EQ(resource(read_geojson(collection(kPoint + "}}"), context).events.at(0)).location, moved);
  EXPECT_THAT(read_geojson(collection(kPoint + "}}", "\"datum\":\"BD-09\",")).said, ElementsAre(HasSubstr("BD-09")));
  EXPECT_THAT(read_geojson(collection(kPoint + ",\"datum\":\"BD-09\"}}")).said, ElementsAre(HasSubstr("properties.datum")));
  EXPECT_THAT(read_geojson(collection(kPoint + "}}", R"("crs":{"type":"name","properties":{"name":"EPSG:3857"}},)")).said,
              ElementsAre(HasSubstr("crs")));
  EXPECT_THAT(read_geojson("{\"type\":\"FeatureCollection\",\"features\":[],\"datum\":\"GCJ02\"}").said,
              ElementsAre(HasSubstr("before them")));
}

TEST(GeoJson, PropertiesMayBeNumbersAndLists) {
  const ReadFile read = read_geojson(collection(
      R"({"type":"Feature","id":7,"geometry":null,"properties":{"类型":"物资","name":"沙袋","quantity":12.5,"capacity":3,"capabilities":["flood","pump"],
         "languages":"zh;en","on_call":["mon 08:00-09:00","tue 08:00-09:00"],"attr.a":1,"attributes":{"b":"c"},"owner":null}})"));
  ASSERT_THAT(read.said, ElementsAre());
  EXPECT_EQ(read.events[0].envelope.entity, "330800:resource:7");
  const Resource& supply = resource(read.events[0]);
  EXPECT_EQ(supply.type, ResourceType::supply);
  EXPECT_EQ(supply.quantity_milli, 12'500);
  EXPECT_EQ(supply.capacity, 3);
  EXPECT_THAT(supply.capabilities, ElementsAre("flood", "pump"));
  EXPECT_THAT(supply.languages, ElementsAre("zh", "en"));
  EXPECT_EQ(supply.on_call.size(), 2U);
  EXPECT_THAT(supply.attributes, testing::UnorderedElementsAre(NameValue{"a", "1"}, NameValue{"b", "c"}));
}

TEST(GeoJson, WhatIsWrongIsNamedWithItsFeatureAndLine) {
  const std::string good = kPoint + "}}";
  const auto geometry = [](const std::string& text) {
    return R"({"type":"Feature","id":"g","geometry":)" + text + R"(,"properties":{"type":"team","name":"b"}})";
  };
  const auto said = [](const std::string& feature) { return read_geojson(collection("\n" + feature)).said; };
  EXPECT_THAT(said(kPoint + ",\"colour\":1}}"), ElementsAre(HasSubstr("feature 1 (line 2), properties.colour: ")));
  EXPECT_THAT(said(kPoint + ",\"quantity\":true}}"), ElementsAre(HasSubstr("properties.quantity")));
  EXPECT_THAT(said(kPoint + ",\"quantity\":-1}}"), ElementsAre(HasSubstr("properties.quantity")));
  EXPECT_THAT(said(kPoint + ",\"lon\":1}}"), ElementsAre(HasSubstr("geometry")));
  EXPECT_THAT(said(R"({"type":"Thing"})"), ElementsAre(HasSubstr("type")));
  EXPECT_THAT(said(R"({"type":"Feature","properties":{"type":"team","name":"x"}})"),
              ElementsAre(HasSubstr("feature 1 (line 2), id")));
  EXPECT_THAT(said(geometry(R"({"type":"Point","coordinates":[28.9,118.9]})")), ElementsAre(HasSubstr("exchanged")));
  EXPECT_THAT(said(geometry(R"({"type":"Point","coordinates":[118.9,28.9,12]})")), ElementsAre(HasSubstr("no more")));
  EXPECT_THAT(said(geometry(R"({"type":"LineString","coordinates":[]})")), ElementsAre(HasSubstr("geometry.type")));
  EXPECT_THAT(said(geometry(R"({"type":"Polygon","coordinates":[[[1,1],[2,1],[2,2]]]})")), ElementsAre(HasSubstr("area")));
  EXPECT_THAT(said(geometry(R"({"type":"Polygon","coordinates":[[[1,1],[2,1],[2,2],[1,1]],[]]})")),
              ElementsAre(HasSubstr("holes")));
  EXPECT_THAT(said(good + "," + good), ElementsAre(AllOf(HasSubstr("feature 2"), HasSubstr("feature 1 has the same id"))));
  EXPECT_THAT(said("{\"a\" 1}"), ElementsAre(AllOf(HasSubstr("feature 1"), HasSubstr("not JSON"))));
}

TEST(GeoJson, WhatIsNoCollectionIsRefused) {
  for (const char* text :
       {"", "[]", "{", "{}", "{\"type\":\"Feature\"}", "{\"type\":\"FeatureCollection\"}", "{\"features\":[]}",
        "{\"type\":\"FeatureCollection\",\"features\":{}}", "{\"type\":\"FeatureCollection\",\"features\":[",
        "{\"type\":\"FeatureCollection\",\"features\":[{}", "{\"type\":\"FeatureCollection\",\"features\":[,]}",
        "{\"type\":\"FeatureCollection\",\"features\":[]} {}",
        "{\"type\":\"FeatureCollection\",\"features\":[],\"features\":[]}"}) {
    const ReadFile read = read_geojson(text);
    EXPECT_GE(read.problems.all, 1U) << text;
    EXPECT_TRUE(read.events.empty()) << text;
  }
}

TEST(ResourceFile, TheListOfCapabilitiesThatIsShippedIsRead) {
  const auto words = CapabilityWords::load(test::source_tree("config/capabilities.toml"));
  ASSERT_TRUE(words) << words.error().reason;
  EXPECT_EQ(words->word_of("危化品处置"), "hazmat");
  EXPECT_EQ(words->word_of("Water Rescue"), "water-rescue");
  EXPECT_EQ(words->word_of("危险化学品"), "hazmat");
  EXPECT_EQ(words->word_of("pump"), "pump");
  EXPECT_FALSE(words->word_of("no such thing"));
}

}  // namespace
}  // namespace lianxi::formats
