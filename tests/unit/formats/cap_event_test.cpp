#include <gmock/gmock.h>

#include "agents/formats/cap.h"
#include "schemas/codec/event_codec.h"
#include "tests/unit/formats/cap_samples.h"

namespace lianxi::formats {
namespace {

CapContext context() {
  return {RegionCode(330800), "emergency", Audience::conference(), PlaceCode::of(RegionCode(330800))};
}

Event event_of(const std::string& xml) {
  const auto document = read(xml);
  EXPECT_TRUE(document) << document.error().reason;
  return document ? alert_event(*document, context()) : Event{};
}

std::string place_of(const std::string& geocodes) {
  return event_of(with("<geocode><valueName>GB/T 2260</valueName><value>330803</value></geocode>", geocodes))
      .envelope.place.text();
}

std::string code(const std::string& value, const std::string& name = "x") {
  return "<geocode><valueName>" + name + "</valueName><value>" + value + "</value></geocode>";
}

TEST(CapEvent, TheEnvelopeSpeaksForTheAlert) {
  const Event event = event_of(kRight);
  EXPECT_EQ(event.envelope.kind, Kind::alert);
  EXPECT_EQ(event.envelope.entity, "330800:alert:quzhou@12379.cn,33080341600000_20201109083105,2020-11-09T00:31:05Z");
  EXPECT_EQ(event.envelope.status, Status::Actual);
  EXPECT_EQ(event.envelope.place.text(), "330803");
  EXPECT_EQ(event.envelope.agency, "emergency");
  EXPECT_EQ(event.envelope.level, Level::orange);
  EXPECT_EQ(event.envelope.audience, Audience::conference());
  EXPECT_EQ(event.envelope.occurred_at, 1604881865000);
}

TEST(CapEvent, EverySampleBecomesAnEventThatTheHouseAdmits) {
  for (const char* name :
       {"canada.cap", "australia.cap", "weather.cap", "earthquake.cap", "earthquake-iso8859-1.cap", "no_optional_fields.cap"}) {
    const Event event = event_of(sample(name));
    const auto checked = check_event(event);
    EXPECT_TRUE(checked) << name << ": " << checked.error().field << " " << checked.error().reason;
    const auto back = decode_event(encode_event(event));
    ASSERT_TRUE(back) << name << ": " << back.error().reason;
    EXPECT_EQ(*back, event) << name;
    EXPECT_EQ(event.envelope.place.text(), "330800") << name << " has no Chinese code";
  }
}

TEST(CapEvent, ThePlaceIsWhatAllCodesShare) {
  EXPECT_EQ(place_of(code("330803")), "330803");
  EXPECT_EQ(place_of(code("330803") + code("330802")), "330800");
  EXPECT_EQ(place_of(code("330803") + code("330102")), "330000");
  EXPECT_EQ(place_of(code("330803001001") + code("330803001000")), "330803001");
  EXPECT_EQ(place_of(code("330803000000")), "330803");
  EXPECT_EQ(place_of(code("330800000000")), "330800");
  EXPECT_EQ(place_of(code("330802 330803", "LIST")), "330800");
}

TEST(CapEvent, CodesOfNoChinesePlaceAreLeftOut) {
  EXPECT_EQ(place_of(code("041420") + code("330803") + code("3537001")), "330803");
  EXPECT_EQ(place_of(code("990803") + code("33080x") + code("330802")), "330802");
}

TEST(CapEvent, WithoutACodeThe12379IdentifierOrTheNodeSaysThePlace) {
  EXPECT_EQ(place_of(""), "330803");
  EXPECT_EQ(place_of(code("33080241600000_20201109083105_1")), "330802");
  EXPECT_EQ(event_of(sample("weather.cap")).envelope.place.text(), "330800");
}

TEST(CapEvent, NothingSharedFallsBackToTheNode) {
  EXPECT_EQ(place_of(code("330803") + code("361102")), "330800");
}

TEST(CapEvent, TheGravestSeverityIsTheLevel) {
  EXPECT_EQ(event_of(with("</info>",
                          "</info><info><category>Fire</category><event>x</event><urgency>Past</urgency>"
                          "<severity>Extreme</severity><certainty>Likely</certainty></info>"))
                .envelope.level,
            Level::red);
  EXPECT_EQ(event_of(with(">Severe<", ">Unknown<")).envelope.level, Level::none);
}

TEST(CapEvent, ARestrictedOrPrivateAlertStaysInItsRegion) {
  EXPECT_EQ(event_of(with("Public</scope>", "Restricted</scope><restriction>内部</restriction>")).envelope.audience,
            Audience::local());
  EXPECT_EQ(event_of(with("Public</scope>", "Private</scope><addresses>a@b.cn</addresses>")).envelope.audience,
            Audience::local());
}

TEST(CapEvent, ADrillIsADrill) {
  EXPECT_EQ(event_of(with(">Actual<", ">Exercise<")).envelope.status, Status::Exercise);
}

}  // namespace
}  // namespace lianxi::formats
