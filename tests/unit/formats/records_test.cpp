#include "agents/formats/records.h"

#include <gmock/gmock.h>

#include <fstream>
#include <sstream>

#include "schemas/codec/event_codec.h"
#include "tests/support/source_tree.h"

namespace lianxi::formats {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const std::string kAdapter = test::source_tree("agents/adapter/");

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

Mapping mapping_of(const std::string& agency) {
  auto mapping = load_mapping(kAdapter + agency + "/mapping.toml", {RegionCode(330800), agency});
  if (!mapping) {
    ADD_FAILURE() << mapping.error().front().reason;
    return {};
  }
  return *mapping;
}

Source source_of(const std::string& toml) {
  auto mapping = parse_mapping("[[source]]\nname = \"s\"\n" + toml, "m.toml", {RegionCode(330800), "police"});
  if (!mapping) {
    ADD_FAILURE() << mapping.error().front().field << " " << mapping.error().front().reason;
    return {};
  }
  return mapping->sources.front();
}

Records sample(const std::string& agency, const std::string& file) {
  const Mapping mapping = mapping_of(agency);
  const Source* source = mapping.of_file(file);
  if (source == nullptr) {
    ADD_FAILURE() << "no source for " << file;
    return {};
  }
  auto records = read_records(*source, text_of(kAdapter + agency + "/samples/" + file), 0);
  if (!records) {
    for (const Refusal& refusal : records.error()) ADD_FAILURE() << refusal.field << " " << refusal.reason;
    return {};
  }
  for (const Record& record : records->records) {
    EXPECT_TRUE(record.event) << file << " " << record.line << ": " << record.event.error().reason;
    EXPECT_TRUE(record.event && check_event(*record.event));
  }
  return std::move(*records);
}

const IncidentReport& report_of(const Record& record) {
  return std::get<IncidentReport>(record.event->body);
}

TEST(Records, ThreeAgenciesReportOneIncidentInTheirOwnWords) {
  const Records police = sample("police", "110.jsonl");
  const Records fire = sample("fire", "119.csv");
  const Records emergency = sample("emergency", "reports.jsonl");
  ASSERT_EQ(police.records.size(), 2U);
  ASSERT_EQ(fire.records.size(), 2U);
  ASSERT_EQ(emergency.records.size(), 1U);
  for (const Record* record : {&police.records[0], &fire.records[0], &emergency.records[0]}) {
    EXPECT_EQ(record->event->envelope.entity, "330800:incident:QZ20201109-0001");
    EXPECT_EQ(record->event->envelope.place.text(), "330803");
    EXPECT_EQ(record->event->envelope.level, Level::orange);
    EXPECT_EQ(report_of(*record).incident_class, IncidentClass::accident);
    EXPECT_EQ(report_of(*record).report_type, ReportType::first);
    EXPECT_EQ(report_of(*record).state, IncidentState::responding);
    EXPECT_EQ(report_of(*record).trapped, 3);
  }
  EXPECT_EQ(police.records[0].event->envelope.agency, "police");
  EXPECT_EQ(fire.records[0].event->envelope.agency, "fire");
  EXPECT_EQ(police.records[0].event->envelope.occurred_at, 1604881865000);
  EXPECT_EQ(emergency.records[0].event->envelope.occurred_at, 1604881865000);
  EXPECT_EQ(fire.records[0].event->envelope.occurred_at, 1604882020000);
}

TEST(Records, WhatIsNotMappedIsKeptAndWhatIsDroppedStaysInside) {
  const Records police = sample("police", "110.jsonl");
  const auto& fields = report_of(police.records[0]).fields;
  EXPECT_THAT(fields, Contains(NameValue{"CJJL", "沈家派出所"}));
  EXPECT_THAT(fields, Contains(NameValue{"BJLB", "03"})) << "a code behind a table of words is kept as it was";
  for (const NameValue& field : fields) EXPECT_THAT(field.name, Not(testing::AnyOf("BJRXM", "BJDH", "SFDZ")));
  EXPECT_THAT(report_of(police.records[1]).fields, Contains(NameValue{"FKDL", "[\"念化路\",\"绿茵路\"]"}));
  EXPECT_THAT(report_of(sample("fire", "119.csv").records[0]).fields, Contains(NameValue{"出动车辆", "6"}));
}

TEST(Records, CoordinatesOfAllAgenciesMeetInOneDatum) {
  const auto place = [](const Records& records) { return *report_of(records.records[0]).location; };
  const LonLat police = place(sample("police", "110.jsonl"));
  const LonLat fire = place(sample("fire", "119.csv"));
  EXPECT_NEAR(police.lon, fire.lon, 0.001);
  EXPECT_NEAR(police.lat, fire.lat, 0.001);
  EXPECT_EQ(place(sample("emergency", "reports.jsonl")), (LonLat{118.8774, 28.8936}));
}

TEST(Records, ACellWithALineBreakIsOneRecord) {
  const Records fire = sample("fire", "119.csv");
  EXPECT_THAT(report_of(fire.records[1]).text, HasSubstr("蔓延，\n请求"));
  EXPECT_EQ(fire.records[1].line, 3U);
}

TEST(Records, WarningsAndImportsAreWhole) {
  const Records warning = sample("emergency", "warning.cap");
  EXPECT_TRUE(warning.whole);
  ASSERT_EQ(warning.records.size(), 1U);
  EXPECT_EQ(warning.records[0].event->envelope.kind, Kind::alert);
  EXPECT_EQ(warning.records[0].event->envelope.place.text(), "330803");
  const Records resources = sample("emergency", "resources.csv");
  EXPECT_TRUE(resources.whole);
  EXPECT_EQ(resources.records.size(), 4U);
}

const char* const kSmall = R"(format = "jsonl"
empty = ["无"]
[source.map]
case_reference = ["A", "B"]
occurred_at = "T"
text = "W"
injured = "I"
report_type = "R"
place = "P"
[source.values.report_type]
"1" = "first"
[source.defaults]
injured = "0"
)";

std::string refused(const Source& source, const std::string& line) {
  const auto event = read_line(source, line);
  return event ? "read" : std::string(to_word(event.error().code)) + " " + event.error().field + " " + event.error().reason;
}

TEST(Records, FieldsAreJoinedDefaultsFillAndEmptyWordsAreNothing) {
  const Source source = source_of(kSmall);
  const auto event = read_line(source, R"({"A":"x","B":7,"T":"2020-11-09T08:31:05+08:00","W":"无","I":null,"U":1.50})");
  ASSERT_TRUE(event) << event.error().reason;
  const auto& report = std::get<IncidentReport>(event->body);
  EXPECT_EQ(report.case_reference, "x 7");
  EXPECT_EQ(report.text, "");
  EXPECT_EQ(report.injured, 0);
  EXPECT_THAT(report.fields, ElementsAre(NameValue{"U", "1.5"}));
  EXPECT_EQ(event->envelope.place.text(), "330800");
}

TEST(Records, ABadRecordIsRefusedByTheAgencysFieldName) {
  const Source source = source_of(kSmall);
  const std::string time = R"("T":"2020-11-09T08:31:05+08:00")";
  EXPECT_THAT(refused(source, "{" + time + "}"), HasSubstr("missing_field A, B"));
  EXPECT_THAT(refused(source, R"({"A":"x"})"), HasSubstr("missing_field T"));
  EXPECT_THAT(refused(source, R"({"A":"x","T":"gestern"})"), HasSubstr("invalid_field T T (our occurred_at): \"gestern\""));
  EXPECT_THAT(refused(source, R"({"A":"x","T":"2020-11-09T08:31:05"})"), HasSubstr("invalid_field T"));
  EXPECT_THAT(refused(source, "{\"A\":\"x\"," + time + ",\"I\":\"3人\"}"), HasSubstr("invalid_field I"));
  EXPECT_THAT(refused(source, "{\"A\":\"x\"," + time + ",\"R\":\"9\"}"), HasSubstr("known are 1; add it there"));
  EXPECT_THAT(refused(source, "{\"A\":\"x\"," + time + ",\"P\":\"3308\\u00000\"}"), HasSubstr("invalid_field P"));
}

TEST(Records, LinesThatAreNoRecordsAreRefused) {
  const Source source = source_of(kSmall);
  EXPECT_THAT(refused(source, "{\"A\":"), HasSubstr("malformed  the line is not JSON"));
  EXPECT_THAT(refused(source, "[1]"), HasSubstr("malformed"));
  EXPECT_THAT(refused(source, "{\"A\":\"\xFF\"}"), HasSubstr("not UTF-8"));
  EXPECT_THAT(refused(source, std::string(100000, '[')), HasSubstr("nests"));
  EXPECT_THAT(refused(source, std::string(300000, 'x')), HasSubstr("oversize"));
}

TEST(Records, OneBadLineDoesNotTouchTheOthers) {
  const auto records = read_records(source_of(kSmall),
                                    "\xEF\xBB\xBF{\"A\":\"x\",\"T\":\"2020-11-09T08:31:05+08:00\"}\r\n\n{\"A\":\"x\"}\nnonsense\n"
                                    "{\"A\":\"y\",\"T\":\"2020-11-09T08:31:05+08:00\"}",
                                    0);
  ASSERT_TRUE(records);
  std::vector<std::pair<std::size_t, bool>> seen;
  for (const Record& record : records->records) seen.emplace_back(record.line, record.event.has_value());
  EXPECT_THAT(seen, ElementsAre(std::pair(1U, true), std::pair(3U, false), std::pair(4U, false), std::pair(5U, true)));
  EXPECT_EQ(records->records[1].raw, "{\"A\":\"x\"}");
}

TEST(Records, ACsvWithoutAMappedColumnIsRefusedAsAWhole) {
  const Source source = source_of("format = \"csv\"\n[source.map]\ncase_reference = \"编号\"\noccurred_at = \"时间\"\n");
  const auto missing = read_records(source, "编号,其他\n1,2\n", 0);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().front().field, "row 1, column 时间");
  const auto rows = read_records(source, "编号,时间\n1\n2,2020-11-09T08:31:05Z\n", 0);
  ASSERT_TRUE(rows);
  EXPECT_EQ(rows->records[0].event.error().field, "row 2");
  EXPECT_TRUE(rows->records[1].event);
  EXPECT_EQ(rows->heading, "编号,时间");
}

TEST(Records, Gb18030IsReadWhereTheMappingSaysSo) {
  const Source source = source_of(
      "format = \"jsonl\"\nencoding = \"gb18030\"\n[source.map]\ncase_reference = \"A\"\noccurred_at = \"T\"\ntext = \"W\"\n");
  const auto records = read_records(source, "{\"A\":\"1\",\"T\":\"2020-11-09T08:31:05Z\",\"W\":\"\xBB\xF0\xD4\xD6\"}", 0);
  ASSERT_TRUE(records);
  ASSERT_TRUE(records->records[0].event) << records->records[0].event.error().reason;
  EXPECT_EQ(report_of(records->records[0]).text, "火灾");
  EXPECT_FALSE(read_records(source, "\xFF\xFF", 0));
}

TEST(RecordTime, EveryFormOfAMappingIsRead) {
  EXPECT_EQ(read_time("20201109083105", {"%Y%m%d%H%M%S", 480}), 1604881865000);
  EXPECT_EQ(read_time("2020年11月09日", {"%Y年%m月%d日", 480}), 1604851200000);
  EXPECT_EQ(read_time("1604881865", {"epoch_s", {}}), 1604881865000);
  EXPECT_EQ(read_time("1604881865000", {"epoch_ms", {}}), 1604881865000);
  EXPECT_EQ(read_time("2020-11-09 08:31:05", {"iso8601", 480}), 1604881865000);
  EXPECT_EQ(read_time("2020-11-09T00:31:05Z", {"iso8601", 480}), 1604881865000);
}

TEST(RecordTime, WhatIsNoTimeIsRefused) {
  const TimeRule rule{"%Y%m%d%H%M%S", 480};
  for (const char* text : {"", "20201131083105", "20201109243105", "2020110908310", "202011090831055", "2020110908310x"}) {
    EXPECT_FALSE(read_time(text, rule)) << text;
  }
  EXPECT_FALSE(read_time("1604881865000", {"epoch_s", {}})) << "milliseconds where seconds were promised";
  EXPECT_FALSE(read_time("2020-11-09 08:31:05", {"iso8601", {}}));
}

}  // namespace
}  // namespace lianxi::formats
