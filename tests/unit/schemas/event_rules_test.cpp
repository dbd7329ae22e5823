// What a publisher may not write: each rule broken alone, through the bytes, so that the reader is what refuses.
#include "schemas/event_rules.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "schemas/codec/event_codec.h"
#include "schemas/limits.h"
#include "tests/support/sample_events.h"

namespace lianxi {
namespace {

using test::full_alert;
using test::full_report;
using test::full_resource;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Broken {
  std::string field;
  RefusalCode code;
  std::function<void(Event&)> with;
};

void expect_refusals(const Event& good, const std::vector<Broken>& cases) {
  ASSERT_TRUE(decode_event(encode_event(good)));
  for (const Broken& broken : cases) {
    Event event = good;
    broken.with(event);
    const auto read = decode_event(encode_event(event));
    ASSERT_FALSE(read) << broken.field;
    EXPECT_EQ(read.error().field, broken.field) << read.error().reason;
    EXPECT_EQ(read.error().code, broken.code) << broken.field;
    EXPECT_FALSE(read.error().reason.empty());
    EXPECT_FALSE(check_event(event)) << broken.field << ": what is refused when read is refused before it is written";
  }
}

constexpr RefusalCode kInvalid = RefusalCode::invalid_field;
constexpr RefusalCode kMissing = RefusalCode::missing_field;

Broken alert_case(std::string field, RefusalCode code, std::function<void(Alert&)> with) {
  return {std::move(field), code, [with](Event& event) { with(std::get<Alert>(event.body)); }};
}
Broken info_case(std::string field, RefusalCode code, std::function<void(AlertInfo&)> with) {
  return alert_case("infos[0]." + field, code, [with](Alert& alert) { with(alert.infos[0]); });
}
Broken area_case(std::string field, RefusalCode code, std::function<void(AlertArea&)> with) {
  return info_case("areas[0]." + field, code, [with](AlertInfo& info) { with(info.areas[0]); });
}

TEST(EnvelopeRules, EachIsNamed) {
  const std::vector<Broken> cases{{"kind", kMissing, [](Event& e) { e.envelope.kind = Kind::unknown; }},
                                  {"entity", kInvalid, [](Event& e) { e.envelope.entity = ""; }},
                                  {"entity", kInvalid, [](Event& e) { e.envelope.entity = "330800:alert:x"; }},
                                  {"entity", kInvalid, [](Event& e) { e.envelope.entity = "330800:incidents:x"; }},
                                  {"entity", kInvalid, [](Event& e) { e.envelope.entity = "330800:incident:another case"; }},
                                  {"status", kInvalid, [](Event& e) { e.envelope.status = static_cast<Status>(5); }},
                                  {"place", kInvalid, [](Event& e) { e.envelope.place = PlaceCode(); }},
                                  {"agency", kInvalid, [](Event& e) { e.envelope.agency = ""; }},
                                  {"agency", kInvalid, [](Event& e) { e.envelope.agency = "Police"; }},
                                  {"agency", kInvalid, [](Event& e) { e.envelope.agency.assign(kMaxAgencyBytes + 1, 'a'); }},
                                  {"level", kInvalid, [](Event& e) { e.envelope.level = static_cast<Level>(5); }},
                                  {"audience", kInvalid, [](Event& e) { e.envelope.audience = Audience(); }},
                                  {"occurred_at", kInvalid, [](Event& e) { e.envelope.occurred_at = INT64_MAX; }},
                                  {"occurred_at", kInvalid, [](Event& e) { e.envelope.occurred_at = INT64_MIN; }}};
  expect_refusals(full_report(), cases);
  for (const Broken& broken : cases) {
    Event event = full_report();
    broken.with(event);
    if (event.envelope.entity == "330800:incident:another case") continue;  // only the body tells
    EXPECT_FALSE(decode_envelope(encode_event(event))) << broken.field << ": the envelope alone is held to the same rules";
  }
}

TEST(BodyRules, KindAndBodyBelongTogether) {
  Event event = full_report();
  event.body = std::monostate{};
  EXPECT_EQ(decode_event(encode_event(event)).error().code, kMissing);
  EXPECT_EQ(decode_envelope(encode_event(event)).error().field, "body");
  event = full_report();
  event.body = full_resource().body;
  EXPECT_EQ(decode_event(encode_event(event)).error().field, "body");
  event = full_report();
  event.envelope.kind = Kind::duty;
  event.envelope.entity = "330800:duty:x";
  EXPECT_EQ(decode_event(encode_event(event)).error().field, "body");
}

TEST(AlertRules, OfTheMessage) {
  expect_refusals(full_alert(), {alert_case("identifier", kMissing, [](Alert& a) { a.identifier = ""; }),
                                 alert_case("identifier", kInvalid, [](Alert& a) { a.identifier = "a b"; }),
                                 alert_case("identifier", kInvalid, [](Alert& a) { a.identifier = "a,b"; }),
                                 alert_case("sender", kInvalid, [](Alert& a) { a.sender = "a<b"; }),
                                 alert_case("sender", kInvalid, [](Alert& a) { a.sender = "a&b"; }),
                                 alert_case("sender", kInvalid, [](Alert& a) { a.sender = "a\xff"; }),
                                 alert_case("sent", kInvalid, [](Alert& a) { a.sent = INT64_MAX; }),
                                 alert_case("msg_type", kInvalid, [](Alert& a) { a.msg_type = static_cast<MsgType>(5); }),
                                 alert_case("scope", kInvalid, [](Alert& a) { a.scope = static_cast<Scope>(3); }),
                                 alert_case("restriction", kInvalid, [](Alert& a) { a.scope = Scope::Public; }),
                                 alert_case("addresses", kMissing,
                                            [](Alert& a) {
                                              a.scope = Scope::Private;
                                              a.restriction.clear();
                                              a.addresses.clear();
                                            }),
                                 alert_case("references", kMissing, [](Alert& a) { a.references.clear(); }),
                                 alert_case("references[0].sender", kInvalid, [](Alert& a) { a.references[0].sender = "a b"; }),
                                 alert_case("references[0].sent", kInvalid, [](Alert& a) { a.references[0].sent = INT64_MIN; }),
                                 alert_case("note", kInvalid, [](Alert& a) { a.note = std::string("a\0b", 3); }),
                                 alert_case("codes", kInvalid, [](Alert& a) { a.codes[1] = "two\nlines"; }),
                                 alert_case("entity", kInvalid, [](Alert& a) { a.sent += 1'000; })});
}

TEST(AlertRules, ReferencesAreForEveryTypeButAlert) {
  for (const MsgType type : {MsgType::Update, MsgType::Cancel, MsgType::Ack, MsgType::Error}) {
    Event event = full_alert();
    std::get<Alert>(event.body).msg_type = type;
    EXPECT_TRUE(check_event(event));
    std::get<Alert>(event.body).references.clear();
    EXPECT_EQ(check_event(event).error().field, "references");
  }
  Event event = full_alert();
  std::get<Alert>(event.body).msg_type = MsgType::Alert;
  std::get<Alert>(event.body).references.clear();
  EXPECT_TRUE(check_event(event));
}

TEST(AlertRules, OfAnInfo) {
  expect_refusals(
      full_alert(),
      {info_case("language", kInvalid, [](AlertInfo& i) { i.language = "zh\n"; }),
       info_case("categories", kMissing, [](AlertInfo& i) { i.categories.clear(); }),
       info_case("categories", kInvalid, [](AlertInfo& i) { i.categories[1] = static_cast<Category>(12); }),
       info_case("event", kMissing, [](AlertInfo& i) { i.event = ""; }),
       info_case("response_types", kInvalid, [](AlertInfo& i) { i.response_types[0] = static_cast<ResponseType>(9); }),
       info_case("urgency", kInvalid, [](AlertInfo& i) { i.urgency = static_cast<Urgency>(5); }),
       info_case("severity", kInvalid, [](AlertInfo& i) { i.severity = static_cast<Severity>(5); }),
       info_case("certainty", kInvalid, [](AlertInfo& i) { i.certainty = static_cast<Certainty>(5); }),
       info_case("expires", kInvalid, [](AlertInfo& i) { i.expires = INT64_MAX; }),
       info_case("headline", kInvalid, [](AlertInfo& i) { i.headline = "\xed\xa0\x80"; }),
       info_case("parameters", kInvalid, [](AlertInfo& i) { i.parameters[0].name = "\x01"; }),
       info_case("resources[0].description", kMissing, [](AlertInfo& i) { i.resources[0].description = ""; }),
       info_case("resources[0].size_bytes", kInvalid, [](AlertInfo& i) { i.resources[0].size_bytes = -1; })});
}

TEST(AlertRules, OfAnArea) {
  expect_refusals(full_alert(),
                  {area_case("description", kMissing, [](AlertArea& a) { a.description = ""; }),
                   area_case("polygons[0].points", kInvalid, [](AlertArea& a) { a.polygons[0].resize(3); }),
                   area_case("polygons[0].points", kInvalid, [](AlertArea& a) { a.polygons[0].clear(); }),
                   area_case("polygons[0].points", kInvalid, [](AlertArea& a) { a.polygons[0].back().lon += 0.001; }),
                   area_case("polygons[0].points", kInvalid, [](AlertArea& a) { a.polygons[0][1].lat = kNan; }),
                   area_case("polygons[0].points", kInvalid, [](AlertArea& a) { a.polygons[0][1].lon = 180.001; }),
                   area_case("circles[0].centre", kInvalid, [](AlertArea& a) { a.circles[0].centre.lat = -90.5; }),
                   area_case("circles[0].radius_m", kInvalid, [](AlertArea& a) { a.circles[0].radius_m = -1; }),
                   area_case("circles[0].radius_m", kInvalid, [](AlertArea& a) { a.circles[0].radius_m = kInfinity; }),
                   area_case("circles[0].radius_m", kInvalid, [](AlertArea& a) { a.circles[0].radius_m = kNan; }),
                   area_case("altitude_ft", kInvalid, [](AlertArea& a) { a.altitude_ft = kNan; }),
                   area_case("ceiling_ft", kInvalid, [](AlertArea& a) { a.altitude_ft.reset(); }),
                   area_case("ceiling_ft", kInvalid, [](AlertArea& a) { a.ceiling_ft = -kInfinity; })});
}

TEST(ReportRules, EachIsNamed) {
  const auto with = [](std::string field, RefusalCode code, std::function<void(IncidentReport&)> change) {
    return Broken{std::move(field), code, [change](Event& event) { change(std::get<IncidentReport>(event.body)); }};
  };
  expect_refusals(full_report(),
                  {with("case_reference", kMissing, [](IncidentReport& r) { r.case_reference = ""; }),
                   with("report_type", kInvalid, [](IncidentReport& r) { r.report_type = static_cast<ReportType>(3); }),
                   with("incident_class", kInvalid, [](IncidentReport& r) { r.incident_class = static_cast<IncidentClass>(5); }),
                   with("state", kInvalid, [](IncidentReport& r) { r.state = static_cast<IncidentState>(5); }),
                   with("location", kInvalid, [](IncidentReport& r) { r.location->lon = kInfinity; }),
                   with("deaths", kInvalid, [](IncidentReport& r) { r.deaths = -1; }),
                   with("affected", kInvalid, [](IncidentReport& r) { r.affected = -1; }),
                   with("title", kInvalid, [](IncidentReport& r) { r.title = "a\nb"; }),
                   with("fields", kInvalid, [](IncidentReport& r) { r.fields[0].value = "\x7f"; })});
}

TEST(ResourceRules, EachIsNamed) {
  const auto with = [](std::string field, RefusalCode code, std::function<void(Resource&)> change) {
    return Broken{std::move(field), code, [change](Event& event) { change(std::get<Resource>(event.body)); }};
  };
  expect_refusals(full_resource(), {with("change", kInvalid, [](Resource& r) { r.change = static_cast<ResourceChange>(6); }),
                                    with("type", kInvalid, [](Resource& r) { r.type = static_cast<ResourceType>(6); }),
                                    with("name", kMissing, [](Resource& r) { r.name = ""; }),
                                    with("location", kInvalid, [](Resource& r) { r.location->lat = kNan; }),
                                    with("capabilities", kInvalid, [](Resource& r) { r.capabilities[1] = "Hazmat"; }),
                                    with("capabilities", kInvalid, [](Resource& r) { r.capabilities[1] = ""; }),
                                    with("state", kInvalid, [](Resource& r) { r.state = static_cast<ResourceState>(6); }),
                                    with("quantity", kInvalid, [](Resource& r) { r.quantity_milli = -1; }),
                                    with("capacity", kInvalid, [](Resource& r) { r.capacity = -1; }),
                                    with("occupancy", kInvalid, [](Resource& r) { r.occupancy = -1; }),
                                    with("supply_code", kInvalid, [](Resource& r) { r.supply_code = "12345678"; }),
                                    with("supply_code", kInvalid, [](Resource& r) { r.supply_code = "12a"; })});
}

TEST(ResourceRules, WhatIsKeptIsNotSaidAsWell) {
  const auto with = [](std::function<void(Resource&)> change) {
    return Broken{"keeps", kInvalid, [change](Event& event) { change(std::get<Resource>(event.body)); }};
  };
  const auto keeping = [&](ResourceGroup group) { return with([group](Resource& r) { r.keeps.add(group); }); };
  Event event = full_resource();
  std::get<Resource>(event.body).state = ResourceState::deployed;
  expect_refusals(event, {keeping(ResourceGroup::state), keeping(ResourceGroup::quantity), keeping(ResourceGroup::place),
                          keeping(ResourceGroup::contact), with([](Resource& r) { r.keeps.bits = 1 << kResourceGroups; })});
  event.body = Resource{.name = "a", .keeps = {0x0F}};
  EXPECT_TRUE(check_event(event));
  std::get<Resource>(event.body).change = ResourceChange::state;
  EXPECT_EQ(check_event(event).error().field, "keeps");
}

TEST(ResourceRules, OfASiteAndAnExpertEachIsNamed) {
  const auto with = [](std::string field, RefusalCode code, std::function<void(Resource&)> change) {
    return Broken{std::move(field), code, [change](Event& event) { change(std::get<Resource>(event.body)); }};
  };
  expect_refusals(test::full_site(),
                  {with("answerable", kInvalid, [](Resource& r) { r.answerable = "a\nb"; }),
                   with("valid_until", kInvalid, [](Resource& r) { r.valid_until = r.valid_from; }),
                   with("area", kInvalid, [](Resource& r) { r.area.back().lon = 120; }),
                   with("area", kInvalid, [](Resource& r) { r.area.resize(2); }),
                   with("area", kInvalid,
                        [](Resource& r) {
                          r.area.assign(kMaxAreaPoints + 1, {118, 28});
                        }),
                   with("languages", kInvalid, [](Resource& r) { r.languages = {"中文"}; }),
                   with("on_call", kInvalid, [](Resource& r) { r.on_call[0].days = 0; }),
                   with("on_call", kInvalid, [](Resource& r) { r.on_call[0].days = 0x80; }),
                   with("on_call", kInvalid, [](Resource& r) { r.on_call[0].to_minute = r.on_call[0].from_minute; }),
                   with("on_call", kInvalid, [](Resource& r) { r.on_call[0].to_minute = 1441; })});
}

TEST(MobilisationRules, EachIsNamed) {
  const auto with = [](std::string field, RefusalCode code, std::function<void(Mobilisation&)> change) {
    return Broken{std::move(field), code, [change](Event& event) { change(std::get<Mobilisation>(event.body)); }};
  };
  expect_refusals(
      test::full_mobilisation(),
      {with("message", kInvalid, [](Mobilisation& m) { m.message = static_cast<ResourceMessage>(16); }),
       with("message_id", kMissing, [](Mobilisation& m) { m.message_id = ""; }),
       with("entity", kInvalid, [](Mobilisation& m) { m.originating_id = "another"; }),
       with("preceding_id", kMissing, [](Mobilisation& m) { m.preceding_id = ""; }),
       with("recalled_id", kMissing, [](Mobilisation& m) { m.recalled_id = ""; }),
       with("originating_id", kInvalid, [](Mobilisation& m) { m.message_id = m.originating_id; }),
       with("items", kMissing, [](Mobilisation& m) { m.items.clear(); }),
       with("items", kInvalid, [](Mobilisation& m) { m.items.resize(kMaxMobilisationItems + 1, m.items[0]); }),
       with("items[1].id", kInvalid, [](Mobilisation& m) { m.items.push_back(m.items[0]); }),
       with("items[0].response", kMissing, [](Mobilisation& m) { m.items[0].response.reset(); }),
       with("items[0].reason", kMissing,
            [](Mobilisation& m) {
              m.items[0].response = Response::Decline;
              m.items[0].reason = m.items[0].reason_code = "";
            }),
       with("items[0].resource", kMissing, [](Mobilisation& m) { m.items[0].resource = ""; }),
       with("items[0].resource", kInvalid, [](Mobilisation& m) { m.items[0].resource = "361100:incident:x"; }),
       with("items[0].quantity", kMissing, [](Mobilisation& m) { m.items[0].quantity_milli = 0; }),
       with("items[0].deployment", kInvalid, [](Mobilisation& m) { m.items[0].deployment = static_cast<Deployment>(5); }),
       with("items[0].schedule[0].type", kInvalid,
            [](Mobilisation& m) { m.items[0].schedule[0].type = static_cast<ScheduleType>(18); }),
       with("items[0].schedule[0].at", kMissing, [](Mobilisation& m) { m.items[0].schedule[0] = {}; })});
}

TEST(MobilisationRules, ARequestNamesWhatItWantsAndAReportWhatWasDone) {
  Event event = test::full_mobilisation();
  auto& message = std::get<Mobilisation>(event.body);
  message = {.message = ResourceMessage::RequestResource,
             .message_id = "330800-20201109-0007",
             .originating_id = "330800-20201109-0007",
             .items = {{.id = "1", .capability = "hazmat", .quantity_milli = 2'000}}};
  EXPECT_TRUE(check_event(event));
  message.items[0].capability = "";
  EXPECT_EQ(check_event(event).error().field, "items[0].type");
  message.message = ResourceMessage::ReportResourceDeploymentStatus;
  message.message_id = "2";
  message.items[0] = {.id = "1", .resource = "361100:resource:team-3"};
  EXPECT_EQ(check_event(event).error().field, "items[0].deployment");
  message.items[0].deployment = Deployment::arrived;
  EXPECT_TRUE(check_event(event));
}

TEST(ResourceRules, AChangeOfStateNeedsNoName) {
  Event event = full_resource();
  event.body = Resource{.change = ResourceChange::state, .state = ResourceState::deployed};
  EXPECT_EQ(decode_event(encode_event(event)).value(), event);
}

}  // namespace
}  // namespace lianxi
