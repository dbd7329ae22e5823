#include "agents/formats/resource_csv.h"

#include <gmock/gmock.h>

#include "schemas/codec/event_codec.h"

namespace lianxi::formats {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ResourceCsvContext context() {
  return {RegionCode(330800), "emergency", Audience::conference(), std::nullopt, Status::Actual, 1604881865000};
}

std::vector<Event> read(const std::string& text, const ResourceCsvContext& with = context()) {
  const auto events = read_resources_csv(text, with);
  if (!events) {
    for (const Refusal& refusal : events.error()) ADD_FAILURE() << refusal.field << ": " << refusal.reason;
    return {};
  }
  return *events;
}

// "field: reason" of each refusal.
std::vector<std::string> refused(const std::string& text) {
  const auto events = read_resources_csv(text, context());
  std::vector<std::string> all;
  if (events) return all;
  for (const Refusal& refusal : events.error()) {
    EXPECT_EQ(refusal.code, RefusalCode::csv_row);
    all.push_back(refusal.field + ": " + refusal.reason);
  }
  return all;
}

TEST(ResourceCsv, EveryColumnIsRead) {
  const auto events = read(
      "id,type,name,owner,place,address,lon,lat,datum,capabilities,state,quantity,unit,capacity,occupancy,supply_code,contact,"
      "phone,"
      "attr.note\n"
      "team-7,team,衢州危化救援队,巨化集团,330802,\"柯城区, 巨化\",118.9,28.9,CGCS2000,hazmat; "
      "rescue,reserved,12.5,人,40,3,2010101,王,"
      "0570-1,甲\n");
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].envelope.entity, "330800:resource:team-7");
  EXPECT_EQ(events[0].envelope.kind, Kind::resource);
  EXPECT_EQ(events[0].envelope.place.text(), "330802");
  EXPECT_EQ(events[0].envelope.occurred_at, 1604881865000);
  const auto& resource = std::get<Resource>(events[0].body);
  EXPECT_EQ(resource.change, ResourceChange::upsert);
  EXPECT_EQ(resource.name, "衢州危化救援队");
  EXPECT_EQ(resource.address, "柯城区, 巨化");
  EXPECT_EQ(resource.location, (LonLat{118.9, 28.9}));
  EXPECT_THAT(resource.capabilities, ElementsAre("hazmat", "rescue"));
  EXPECT_EQ(resource.state, ResourceState::reserved);
  EXPECT_EQ(resource.quantity_milli, 12500);
  EXPECT_EQ(resource.capacity, 40);
  EXPECT_EQ(resource.occupancy, 3);
  EXPECT_EQ(resource.supply_code, "2010101");
  EXPECT_THAT(resource.attributes, ElementsAre(NameValue{"note", "甲"}));
  const auto checked = check_event(events[0]);
  EXPECT_TRUE(checked) << checked.error().field << checked.error().reason;
}

TEST(ResourceCsv, WhatHasNoColumnIsKept) {
  const auto keeps = [](const std::string& text) { return std::get<Resource>(read(text).at(0).body).keeps; };
  EXPECT_EQ(keeps("id,type,name\na,team,b\n").bits, 0x0F);
  const ResourceGroups state{1 << static_cast<int>(ResourceGroup::state)};
  EXPECT_EQ(keeps("id,type,name,state,quantity,place,contact\na,team,b,,,,\n"), state)
      << "an empty cell is a word of its own for all but the state";
  EXPECT_EQ(keeps("id,type,name,state,capacity,lon,lat,datum,phone\na,team,b,deployed,,118,28,WGS84,\n").bits, 0);
}

TEST(ResourceCsv, ChineseHeadingsAndWordsAreReadAsWell) {
  const auto events =
      read("\xEF\xBB\xBF名称,编号,类型,能力,经度,纬度,坐标系\r\n王工,expert-1,专家,hazmat；fire,118.873,28.945,GCJ-02\r\n");
  ASSERT_EQ(events.size(), 1U);
  const auto& resource = std::get<Resource>(events[0].body);
  EXPECT_EQ(resource.type, ResourceType::expert);
  EXPECT_THAT(resource.capabilities, ElementsAre("hazmat", "fire"));
  EXPECT_EQ(resource.location, from_gcj02({118.873, 28.945}));
  EXPECT_EQ(events[0].envelope.place.text(), "330800");
}

TEST(ResourceCsv, ADatumIsNeverGuessed) {
  const std::string text = "id,type,name,lon,lat\na,team,b,118.9,28.9\n";
  EXPECT_THAT(refused(text), ElementsAre(HasSubstr("row 2, column datum")));
  ResourceCsvContext given = context();
  given.default_datum = Datum::gcj02;
  EXPECT_EQ(std::get<Resource>(read(text, given)[0].body).location, from_gcj02({118.9, 28.9}));
}

TEST(ResourceCsv, EveryBadCellIsNamedAndNothingIsImported) {
  EXPECT_THAT(
      refused("id,type,name,lon,lat,datum,quantity,capacity,state\n"
              "a,team,right,118.9,28.9,WGS84,1,2,available\n"
              "b,troop,x,,,,,,\n"
              "c,team,x,118.9,298,WGS84,,,\n"
              "d,team,x,118.9,,WGS84,,,\n"
              "e,team,x,,,,1.2345,,\n"
              "f,team,x,,,,-1,,\n"
              "g,team,x,,,,\"1,000\",,\n"
              "h,team,x,,,,,-4,\n"
              "i,team,x,,,,,,busy\n"
              "a,team,x,,,,,,\n"
              ",team,,,,,,,\n"
              "k,team\n"),
      ElementsAre(HasSubstr("row 3, column type"), HasSubstr("row 4, column lat"), HasSubstr("row 5, column lat"),
                  HasSubstr("row 6, column quantity"), HasSubstr("row 7, column quantity"), HasSubstr("row 8, column quantity"),
                  HasSubstr("row 9, column capacity"), HasSubstr("row 10, column state"), HasSubstr("row 2 has the same id"),
                  HasSubstr("row 12, column name"), HasSubstr("row 12, column id"), HasSubstr("row 13: it has 2 cells")));
}

TEST(ResourceCsv, HeadingsAreKnownOnceAndComplete) {
  EXPECT_THAT(refused("id,type,name,colour\n"), ElementsAre(HasSubstr("row 1, column colour")));
  EXPECT_THAT(refused("id,编号,type,name\n"), ElementsAre(HasSubstr("stands twice")));
  EXPECT_THAT(refused("id,type\n"), ElementsAre(HasSubstr("row 1, column name")));
  EXPECT_THAT(refused(""), ElementsAre(HasSubstr("no heading row")));
}

TEST(ResourceCsv, AResourceOfAnotherRegionIsRefused) {
  EXPECT_THAT(refused("id,type,name\n361100:resource:a,team,x\n"),
              ElementsAre(HasSubstr("row 2, column id: the resource belongs")));
  EXPECT_EQ(read("id,type,name\n330800:resource:a,team,x\n")[0].envelope.entity, "330800:resource:a");
}

TEST(ResourceCsv, CapabilitiesAreLowerCaseWords) {
  EXPECT_THAT(refused("id,type,name,capabilities\na,team,x,Hazmat\n"), ElementsAre(HasSubstr("column capabilities")));
  EXPECT_THAT(refused("id,type,name,capabilities\na,team,x,\"hazmat,fire\"\n"), ElementsAre(HasSubstr("part them with ';'")));
}

TEST(ResourceCsv, AHeadingWithoutRowsIsAnEmptyImport) {
  EXPECT_TRUE(read("id,type,name\n").empty());
}

}  // namespace
}  // namespace lianxi::formats
