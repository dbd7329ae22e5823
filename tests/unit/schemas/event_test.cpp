#include "schemas/event.h"

#include <gtest/gtest.h>

#include "schemas/event_rules.h"
#include "schemas/limits.h"
#include "tests/support/sample_events.h"

namespace lianxi {
namespace {

TEST(ResourceGroups, AnUpsertStatesWhatItDoesNotKeepAndAChangeItsOwn) {
  Resource resource;
  resource.keeps.add(ResourceGroup::quantity);
  EXPECT_TRUE(states(resource, ResourceGroup::state));
  EXPECT_FALSE(states(resource, ResourceGroup::quantity));
  EXPECT_TRUE(states(resource, ResourceGroup::contact));
  for (const auto change : {ResourceChange::quantity, ResourceChange::remove}) {
    resource = {.change = change};
    EXPECT_EQ(states(resource, ResourceGroup::quantity), change == ResourceChange::quantity);
    EXPECT_FALSE(states(resource, ResourceGroup::state));
  }
}

TEST(LaneTable, FollowsTheKindAndTheResourceChange) {
  const std::vector<std::pair<Kind, Lane>> table{{Kind::alert, Lane::flash},        {Kind::mobilisation, Lane::flash},
                                                 {Kind::roll_call, Lane::flash},    {Kind::call_out, Lane::flash},
                                                 {Kind::incident, Lane::normal},    {Kind::conference, Lane::normal},
                                                 {Kind::duty, Lane::normal},        {Kind::response_level, Lane::normal},
                                                 {Kind::plan, Lane::normal},        {Kind::drill, Lane::normal},
                                                 {Kind::site_report, Lane::normal}, {Kind::retention, Lane::normal},
                                                 {Kind::redaction, Lane::normal},   {Kind::resource, Lane::bulk},
                                                 {Kind::attachment, Lane::bulk},    {static_cast<Kind>(999), Lane::normal}};
  for (const auto& [kind, lane] : table) {
    Event event;
    event.envelope.kind = kind;
    EXPECT_EQ(lane_of(event), lane) << static_cast<int>(kind);
  }
  Event event = test::full_resource();
  EXPECT_EQ(lane_of(event), Lane::bulk);
  std::get<Resource>(event.body).change = ResourceChange::state;
  EXPECT_EQ(lane_of(event), Lane::normal) << "who is free now must not wait behind an inventory";
  std::get<Resource>(event.body).change = ResourceChange::quantity;
  EXPECT_EQ(lane_of(event), Lane::bulk);
}

TEST(Entity, OfAnAlertIsItsTripleInUtc) {
  EXPECT_EQ(alert_entity(test::kQuzhou, "yjj@qz", "7", 1'604'881'865'000), "330800:alert:yjj@qz,7,2020-11-09T00:31:05Z");
  EXPECT_EQ(alert_entity(test::kQuzhou, "yjj@qz", "7", 1'604'881'865'007), "330800:alert:yjj@qz,7,2020-11-09T00:31:05.007Z");
}

TEST(Entity, NamesItsHomeRegion) {
  EXPECT_EQ(home_region(incident_entity(RegionCode(341000), "HS-1")).value(), RegionCode(341000));
  EXPECT_EQ(home_region(resource_entity(RegionCode(361100), "team:7")).value(), RegionCode(361100));
}

TEST(Entity, OfAnotherFormIsRefused) {
  for (const std::string& entity :
       {std::string(), std::string("330800"), std::string("330800:alert"), std::string("330800:alert:"),
        std::string("3308:alert:x"), std::string("330800:Alert:x"), std::string("330800::x"), std::string("330800:alert:a\nb"),
        std::string("330800:alert:\xff"), "330800:alert:" + std::string(kMaxEntityBytes, 'x')}) {
    const auto refused = home_region(entity);
    ASSERT_FALSE(refused) << entity;
    EXPECT_EQ(refused.error().field, "entity");
  }
}

}  // namespace
}  // namespace lianxi
