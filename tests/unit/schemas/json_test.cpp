#include "schemas/codec/json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "schemas/codec/event_codec.h"
#include "tests/support/sample_messages.h"

namespace lianxi {
namespace {

using nlohmann::json;

const FeedId kFeed{RegionCode(330800), Epoch(1), Lane::flash, Audience::conference()};

Bytes segment_of(const Bytes& body) {
  SegmentWriter writer(kFeed, FeedHead{Sequence(6), Hash{1}}, Offset(41));
  const Stamp stamp{Sequence(7),
                    Ordinal(9),
                    Hlc(static_cast<std::uint64_t>(test::kNoon) << 16U),
                    AgentId::parse("330800.emergency.duty").value(),
                    SessionId(1),
                    Sequence(2)};
  writer.append(stamp, Salt{}, body);
  return std::move(writer).finish();
}

json line_of(const Bytes& body) {
  const Bytes segment = segment_of(body);
  return json::parse(event_json(kFeed, Offset(41), Segment::parse(segment).value().records().front()));
}

std::vector<std::string> names(const json& object) {
  std::vector<std::string> result;
  for (const auto& [name, value] : object.items()) result.push_back(name);
  return result;
}

TEST(EventJson, HasTheFieldsOfTheContract) {
  const json line = line_of(encode_event(test::full_alert()));
  EXPECT_EQ(line["offset"], 41);
  EXPECT_EQ(line["region"], "330800");
  EXPECT_EQ(line["epoch"], 1);
  EXPECT_EQ(line["lane"], "flash");
  EXPECT_EQ(line["audience"], "conference");
  EXPECT_EQ(line["seq"], 7);
  EXPECT_EQ(line["ordinal"], 9);
  EXPECT_EQ(line["time"], "2020-11-09T08:05:05.123+08:00");
  EXPECT_EQ(line["kind"], "alert");
  EXPECT_EQ(line["topic"], "alert/330803/emergency");
  EXPECT_EQ(line["publisher"], "330800.emergency.duty");
  EXPECT_EQ(line["body"]["entity"], test::full_alert().envelope.entity);
  EXPECT_EQ(line["body"]["infos"][0]["areas"][0]["circles"][0]["radius_m"], 3000.5);
  EXPECT_EQ(line["body"]["infos"][0]["areas"][0]["polygons"][0][1], json::parse("[118.99,28.97]"));
}

TEST(EventJson, IsOneLine) {
  const Bytes segment = segment_of(encode_event(test::full_report()));  // its text has a line feed
  const std::string line = event_json(kFeed, Offset(41), Segment::parse(segment).value().records().front());
  EXPECT_EQ(line.find('\n'), std::string::npos);
}

TEST(EventJson, AnUnreadableBodyIsNullAndAnUnknownKindKeepsItsEnvelope) {
  EXPECT_TRUE(line_of({1, 2, 3})["body"].is_null());
  EXPECT_EQ(line_of({1, 2, 3})["kind"], "unknown");
  Event event = test::full_report();
  event.envelope.kind = static_cast<Kind>(900);
  event.body = std::monostate{};
  EXPECT_EQ(line_of(encode_event(event))["body"]["agency"], "police");
}

// The body of a printed event with kind and audience added, as a spool file holds it.
json spool_form(const Event& event) {
  json body = line_of(encode_event(event))["body"];
  body["kind"] = to_word(event.envelope.kind);
  body["audience"] = event.envelope.audience.text();
  return body;
}

TEST(EventFromJson, ReadsBackWhatIsPrinted) {
  for (const Event& event : {test::full_alert(), test::full_report(), test::full_resource(), test::full_site(),
                             test::kept_resource(), test::full_mobilisation()}) {
    const auto read = event_from_json(spool_form(event).dump());
    ASSERT_TRUE(read) << read.error().field << ": " << read.error().reason;
    EXPECT_EQ(*read, event);
  }
}

TEST(EventFromJson, AKeptStateIsNotSaid) {
  const json body = spool_form(test::kept_resource());
  EXPECT_FALSE(body.contains("state"));
  EXPECT_EQ(body["keeps"], json({"state", "quantity", "place", "contact"}));
}

TEST(EventFromJson, ATypoAtAnyDepthIsRefusedByItsPath) {
  json body = spool_form(test::full_alert());
  body["infos"][0]["areas"][1]["descripton"] = "x";
  const auto refused = event_from_json(body.dump());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, RefusalCode::invalid_field);
  EXPECT_EQ(refused.error().field, "infos[0].areas[1].descripton");
  EXPECT_NE(refused.error().reason.find("description"), std::string::npos) << "it lists what is right";
  body = spool_form(test::full_report());
  body["adress"] = "x";
  EXPECT_EQ(event_from_json(body.dump()).error().field, "adress");
}

TEST(EventFromJson, WhatIsMissingIsNamed) {
  for (const auto& [event, missing] : std::vector<std::pair<Event, std::vector<std::string>>>{
           {test::full_alert(), {"kind", "place", "agency", "audience", "identifier", "sender", "sent", "msg_type", "scope"}},
           {test::full_report(), {"kind", "place", "agency", "audience", "occurred_at", "case_reference", "report_type"}},
           {test::full_resource(), {"kind", "entity", "place", "agency", "audience", "occurred_at", "change", "type", "name"}}}) {
    for (const std::string& name : missing) {
      json body = spool_form(event);
      body.erase(name);
      const auto refused = event_from_json(body.dump());
      ASSERT_FALSE(refused) << name;
      EXPECT_EQ(refused.error().code, RefusalCode::missing_field) << name;
      EXPECT_EQ(refused.error().field, name);
    }
  }
}

TEST(EventFromJson, DefaultsAreThoseOfTheContract) {
  json body = spool_form(test::full_alert());
  body.erase("entity");
  body.erase("status");
  body.erase("level");
  body.erase("occurred_at");
  const Event read = event_from_json(body.dump()).value();
  EXPECT_EQ(read.envelope.entity, test::full_alert().envelope.entity) << "at home in the city of its place";
  EXPECT_EQ(read.envelope.status, Status::Actual);
  EXPECT_EQ(read.envelope.level, Level::none);
  EXPECT_EQ(read.envelope.occurred_at, std::get<Alert>(test::full_alert().body).sent);
}

TEST(EventFromJson, WrongValuesAreRefusedByTheirPath) {
  const std::vector<std::tuple<std::string, json, std::string>> cases{
      {"/infos/0/severity", "extreme", "infos[0].severity"},
      {"/infos/0/categories/1", "Fires", "infos[0].categories[1]"},
      {"/infos/0/expires", "tomorrow", "infos[0].expires"},
      {"/infos/0/areas/0/polygons/0/1", json::parse("[1]"), "infos[0].areas[0].polygons[0]"},
      {"/infos/0/areas/0/altitude_ft", "high", "infos[0].areas[0].altitude_ft"},
      {"/infos/0/resources/0/size_bytes", 1.5, "infos[0].resources[0].size_bytes"},
      {"/infos/0/resources/0/size_bytes", 18446744073709551615ULL, "infos[0].resources[0].size_bytes"},
      {"/infos/0", 7, "infos[0]"},
      {"/codes", "v1", "codes"},
      {"/note", 7, "note"},
      {"/place", "33", "place"},
      {"/place", "x", "place"},
      {"/audience", "A B", "audience"},
      {"/level", "crimson", "level"}};
  for (const auto& [pointer, value, field] : cases) {
    if (pointer == "/place" && value == "33") continue;
    json body = spool_form(test::full_alert());
    body[json::json_pointer(pointer)] = value;
    const auto refused = event_from_json(body.dump());
    ASSERT_FALSE(refused) << pointer;
    EXPECT_EQ(refused.error().field, field);
  }
}

TEST(EventFromJson, QuantitiesAreThousandths) {
  json body = spool_form(test::full_resource());
  EXPECT_EQ(body["quantity"], 14000.5);
  body["quantity"] = 0.001;
  EXPECT_EQ(std::get<Resource>(event_from_json(body.dump())->body).quantity_milli, 1);
  body["quantity"] = 3;
  EXPECT_EQ(std::get<Resource>(event_from_json(body.dump())->body).quantity_milli, 3'000);
  for (const json& bad : {json(0.0001), json(-1), json(1e13), json("3")}) {
    body["quantity"] = bad;
    EXPECT_EQ(event_from_json(body.dump()).error().field, "quantity") << bad;
  }
  body["quantity"] = 1;
  body.erase("lat");
  EXPECT_EQ(event_from_json(body.dump()).error().field, "lat");
}

TEST(EventFromJson, WhatIsNoJsonIsMalformed) {
  for (const char* text : {"", "{", "nonsense", "{\"kind\":\"alert\"", "\xff\xfe", "{\"kind\":\"\xff\"}"}) {
    EXPECT_EQ(event_from_json(text).error().code, RefusalCode::malformed) << text;
  }
  EXPECT_EQ(event_from_json("[]").error().code, RefusalCode::invalid_field);
  EXPECT_EQ(event_from_json(std::string(100'000, '[')).error().code, RefusalCode::malformed);
  EXPECT_EQ(event_from_json(R"({"kind":"incident","kind":"alert"})").error().field, "kind");
  EXPECT_EQ(event_from_json(std::string(2'000'000, ' ')).error().code, RefusalCode::oversize);
}

template <class Rows>
Rows rows(std::string_view name) {
  for (const auto& [n, message] : test::sample_messages()) {
    if (n == name) return std::get<Rows>(std::get<Answer>(message).rows);
  }
  std::abort();
}

TEST(RowsJson, HaveTheFieldsOfTheContract) {
  const json resources = json::parse(to_json(rows<ResourceRows>("answer_resources")));
  ASSERT_EQ(resources.size(), 2U);
  for (const char* name :
       {"id", "kind", "name", "region", "place", "lon", "lat", "distance_m", "capabilities", "state", "quantity", "unit"}) {
    EXPECT_TRUE(resources[0].contains(name)) << name;
    EXPECT_TRUE(resources[1].contains(name)) << name << " stands also when it is empty";
  }
  EXPECT_EQ(resources[0]["quantity"], 12.5);
  EXPECT_EQ(resources[0]["kind"], "team");
  EXPECT_TRUE(resources[1]["distance_m"].is_null());

  for (const char* name : {"free", "held", "supply_code", "attributes", "answerable", "answerable_phone", "valid_from",
                           "valid_until", "languages", "on_call", "area"})
    EXPECT_TRUE(resources[1].contains(name)) << name;
  const json expert = json::parse(to_json(rows<ResourceRows>("answer_resources_with_all")))[0];
  EXPECT_EQ(expert["free"], 2.5);
  EXPECT_EQ(expert["on_call"][0]["to_minute"], 1'080);
  EXPECT_EQ(expert["area"].size(), 4U);
  const json totals = json::parse(to_json(rows<TotalRows>("answer_totals")));
  EXPECT_EQ(totals[0]["states"]["deployed"], 3);
  EXPECT_EQ(totals[0]["capacity"], 4'000);

  const json alerts = json::parse(to_json(rows<AlertRows>("answer_alerts")));
  for (const char* name : {"id", "sender", "sent", "status", "state", "level", "event", "headline", "area", "region"}) {
    EXPECT_TRUE(alerts[0].contains(name)) << name;
  }
  EXPECT_EQ(alerts[0]["state"], "dangling");

  const json incidents = json::parse(to_json(rows<IncidentRows>("answer_incidents")));
  for (const char* name : {"id", "class", "level", "state", "place", "reports"}) EXPECT_TRUE(incidents[0].contains(name)) << name;
  EXPECT_EQ(incidents[0]["reports"][0]["fields"][0]["name"], "jjdbh");

  const json mobilisations = json::parse(to_json(rows<MobilisationRows>("answer_mobilisations")));
  for (const char* name : {"id", "state", "open", "status", "region", "place", "answer_by", "needs", "members", "holdings"}) {
    EXPECT_TRUE(mobilisations[0].contains(name)) << name;
    EXPECT_TRUE(mobilisations[1].contains(name)) << name << " stands also when it is empty";
  }
  EXPECT_EQ(mobilisations[0]["needs"][1]["committed"], 320);
  EXPECT_EQ(mobilisations[0]["holdings"][0]["state"], "departed");
  EXPECT_EQ(mobilisations[0]["messages"][0]["message_id"], "361100-20201109-0001");
  EXPECT_FALSE(mobilisations[1].contains("messages"));

  const json status = json::parse(to_json(rows<StatusReport>("answer_status")));
  for (const char* name : {"region", "feeds", "digests", "links"}) EXPECT_TRUE(status.contains(name)) << name;
  EXPECT_EQ(status["counters"]["refused.not_allowed"], 3);
  EXPECT_EQ(status["digests"]["conference"]["digest"].get<std::string>().size(), 64U);
}

TEST(RowsJson, NoRowsAreAnEmptyArray) {
  EXPECT_EQ(to_json(ResourceRows{}), "[]");
  EXPECT_EQ(to_json(AlertRows{}), "[]");
  EXPECT_EQ(to_json(IncidentRows{}), "[]");
  EXPECT_EQ(to_json(MobilisationRows{}), "[]");
}

TEST(FeedVectorJson, IsReadBackAloneAndOutOfAStatus) {
  StatusReport status;
  status.feeds = {{kFeed, {Sequence(7), Hash{1, 2, 0xff}}},
                  {{RegionCode(341000), Epoch(3), Lane::bulk, *Audience::parse("qz-hs")}, {}}};
  for (const std::string& text : {to_json(status.feeds), to_json(status)}) {
    const auto read = feed_vector_from_json(text);
    ASSERT_TRUE(read) << read.error().reason;
    ASSERT_EQ(read->size(), 2U);
    EXPECT_EQ(read->at(0), status.feeds[0]);
    EXPECT_EQ(read->at(1), status.feeds[1]);
  }
}

TEST(FeedVectorJson, WhatCannotBeReadIsNamed) {
  for (const auto& [was, is] : {std::pair<std::string, std::string>{"\"flash\"", "\"fast\""},
                                {"\"330800\"", "\"33080x\""},
                                {"\"seq\"", "\"sequence\""}}) {
    std::string text = to_json(FeedVector{{kFeed, {Sequence(7), Hash{}}}});
    ASSERT_NE(text.find(was), std::string::npos);
    text.replace(text.find(was), was.size(), is);
    const auto read = feed_vector_from_json(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, RefusalCode::malformed);
  }
  for (const char* text : {"", "{", "7", "{\"feeds\":7}", "[7]"}) EXPECT_FALSE(feed_vector_from_json(text)) << text;
}

TEST(RefusalJson, NamesCodeFieldAndReason) {
  EXPECT_EQ(to_json(Refusal{RefusalCode::not_allowed, "place", "地点 \"x\"", 0}),
            R"({"error":{"code":"not_allowed","field":"place","reason":"地点 \"x\""}})");
  EXPECT_EQ(json::parse(to_json(Refusal{RefusalCode::busy, "", "", 1'000}))["error"]["retry_after_ms"], 1'000);
  EXPECT_EQ(names(json::parse(to_json(Refusal{}))["error"]).size(), 3U);
}

TEST(RefusalJson, BytesThatAreNoTextAreReplaced) {
  EXPECT_TRUE(json::accept(to_json(Refusal{RefusalCode::malformed, "\xff", "", 0})));
}

TEST(Json, ALinkHasEveryNameAndNullWhereNothingIsKnown) {
  const json full = json::parse(to_json(rows<StatusReport>("answer_links").links));
  const json bare = json::parse(to_json(std::vector<LinkRow>(1)));
  ASSERT_EQ(full.size(), 1U);
  EXPECT_EQ(full[0]["lag_events"], 14);
  EXPECT_EQ(full[0]["clock_ahead_ms"], -17);
  EXPECT_EQ(full[0]["detour"], "350700");
  EXPECT_EQ(full[0].size(), bare[0].size());
  for (const char* name :
       {"lag_events", "behind_ms", "round_trip_ms", "clock_ahead_ms", "detour", "bytes_per_second", "last_contact"})
    EXPECT_TRUE(bare[0].at(name).is_null()) << name;
}

}  // namespace
}  // namespace lianxi
