#include "agents/formats/mapping.h"

#include <gmock/gmock.h>

#include "tests/support/source_tree.h"

namespace lianxi::formats {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string kRight = R"(agency = "police"

[[source]]
name = "110"
files = ["*.jsonl"]
format = "jsonl"
datum = "GCJ02"

[source.map]
case_reference = { from = ["XZQH", "JJDBH"], join = "-" }
occurred_at = "BJSJ"
incident_class = "BJLB"
lon = "X"
lat = "Y"

[source.values.incident_class]
"03" = "accident"

[source.time]
format = "%Y%m%d%H%M%S"
offset = "+08:00"

[[source]]
name = "warnings"
files = ["*.cap", "*.xml"]
format = "cap"
audience = "local"
)";

const MappingContext kContext{RegionCode(330800), "dispatch"};

Result<Mapping, std::vector<Refusal>> parse(const std::string& toml) {
  return parse_mapping(toml, "police.toml", kContext);
}

// "field: reason" of each mistake of kRight with `part` changed to `other`.
std::vector<std::string> mistakes(const std::string& part, const std::string& other) {
  std::string toml = kRight;
  const std::size_t at = toml.find(part);
  if (at == std::string::npos) return {"the part is not there"};
  const auto mapping = parse(toml.replace(at, part.size(), other));
  std::vector<std::string> all;
  if (mapping) return all;
  for (const Refusal& refusal : mapping.error()) {
    EXPECT_EQ(refusal.code, RefusalCode::config);
    all.push_back(refusal.field + ": " + refusal.reason);
  }
  return all;
}

TEST(Mapping, ARightFileIsRead) {
  const auto mapping = parse(kRight);
  ASSERT_TRUE(mapping) << mapping.error().front().reason;
  ASSERT_EQ(mapping->sources.size(), 2U);
  const Source& source = mapping->sources[0];
  EXPECT_EQ(source.agency, "police");
  EXPECT_EQ(source.audience, Audience::conference());
  EXPECT_EQ(source.place.text(), "330800");
  EXPECT_EQ(source.datum, Datum::gcj02);
  EXPECT_THAT(source.map.at("case_reference").names, ElementsAre("XZQH", "JJDBH"));
  EXPECT_EQ(source.map.at("case_reference").join, "-");
  EXPECT_EQ(source.values.at("incident_class").at("03"), "accident");
  EXPECT_EQ(source.time.offset_minutes, 480);
  EXPECT_EQ(mapping->sources[1].audience, Audience::local());
}

TEST(Mapping, AFileGoesToTheFirstSourceWhosePatternFits) {
  const auto mapping = parse(kRight);
  ASSERT_TRUE(mapping);
  EXPECT_EQ(mapping->of_file("a.jsonl"), &mapping->sources[0]);
  EXPECT_EQ(mapping->of_file("a.xml"), &mapping->sources[1]);
  EXPECT_EQ(mapping->of_file("a.doc"), nullptr);
  EXPECT_EQ(mapping->named("warnings"), &mapping->sources[1]);
}

TEST(Mapping, AMistakeIsNamedWithFileLineFieldAndMend) {
  EXPECT_THAT(
      mistakes("occurred_at = ", "ocurred_at = "),
      ElementsAre(AllOf(HasSubstr("source[0].map.ocurred_at: police.toml:11: not a field of ours"), HasSubstr("occurred_at")),
                  HasSubstr("occurred_at is required")));
  EXPECT_THAT(mistakes("\"accident\"", "\"acident\""),
              ElementsAre(AllOf(HasSubstr("source[0].values.incident_class.03: police.toml:17"), HasSubstr("natural_disaster"))));
  EXPECT_THAT(mistakes("\"jsonl\"", "\"json\""), ElementsAre(AllOf(HasSubstr("source[0].format"), HasSubstr("resources"))));
  EXPECT_THAT(mistakes("datum = \"GCJ02\"", ""), ElementsAre(HasSubstr("source[0].datum: police.toml")));
  EXPECT_THAT(mistakes("\"GCJ02\"", "\"BD09\""), ElementsAre(HasSubstr("CGCS2000, WGS84, GCJ02"), HasSubstr("need their datum")));
  EXPECT_THAT(mistakes("lon = \"X\"", ""), ElementsAre(HasSubstr("lon and lat go together")));
  EXPECT_THAT(mistakes("offset = \"+08:00\"", ""), ElementsAre(HasSubstr("source[0].time.offset")));
  EXPECT_THAT(mistakes("%S\"", "%f\""), ElementsAre(HasSubstr("not %f")));
  EXPECT_THAT(mistakes("+08:00", "8"), ElementsAre(HasSubstr("source[0].time.offset")));
  EXPECT_THAT(mistakes("\"local\"", "\"All\""), ElementsAre(HasSubstr("source[1].audience: police.toml:27")));
  EXPECT_THAT(mistakes("name = \"warnings\"", "name = \"110\""), ElementsAre(HasSubstr("another source has this name")));
  EXPECT_THAT(mistakes("agency = ", "agancy = "), ElementsAre(HasSubstr("agancy: police.toml:1: not a field of a mapping")));
  EXPECT_THAT(mistakes("format = \"cap\"", "format = \"cap\"\ndrop = [\"x\"]"), ElementsAre(HasSubstr("source[1].drop")));
  EXPECT_THAT(mistakes("\"BJLB\"", "7"),
              ElementsAre(HasSubstr("write a text or a list of texts"), HasSubstr("name the agency's field")));
}

TEST(Mapping, WhatIsNotTomlIsRefusedWithItsLine) {
  EXPECT_THAT(mistakes("name = \"110\"", "name = 110x"), ElementsAre(HasSubstr("police.toml:4: not TOML")));
}

TEST(Mapping, AMappingNeedsASourceAndAFile) {
  EXPECT_FALSE(parse("agency = \"police\""));
  const auto gone = load_mapping("/nonexistent/mapping.toml", kContext);
  ASSERT_FALSE(gone);
  EXPECT_THAT(gone.error().front().reason, HasSubstr("/nonexistent/mapping.toml: cannot be read"));
}

TEST(Mapping, TheMappingsOfTheThreeAgenciesAreRight) {
  for (const char* agency : {"police", "fire", "emergency"}) {
    const auto mapping = load_mapping(test::source_tree("agents/adapter/") + agency + "/mapping.toml", kContext);
    ASSERT_TRUE(mapping) << mapping.error().front().field << ": " << mapping.error().front().reason;
    EXPECT_EQ(mapping->sources.front().agency, agency);
  }
}

}  // namespace
}  // namespace lianxi::formats
