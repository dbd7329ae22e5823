#include "agents/formats/cap.h"

#include <gmock/gmock.h>

#include "schemas/limits.h"
#include "tests/unit/formats/cap_samples.h"

namespace lianxi::formats {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// The path that the refusal names; "" and a failure if the document was read.
std::string broken_at(const std::string& xml, RefusalCode code = RefusalCode::cap_rule) {
  const auto document = read(xml);
  if (document) {
    ADD_FAILURE() << "was read:\n" << xml;
    return {};
  }
  EXPECT_EQ(document.error().code, code) << document.error().reason;
  EXPECT_FALSE(document.error().reason.empty());
  return document.error().field;
}

TEST(Cap, EveryFieldOfARightDocumentIsRead) {
  const auto document = read(kRight);
  ASSERT_TRUE(document) << document.error().reason;
  const Alert& alert = document->alert;
  EXPECT_EQ(alert.identifier, "33080341600000_20201109083105");
  EXPECT_EQ(alert.sender, "quzhou@12379.cn");
  EXPECT_EQ(alert.sent, 1604881865000);
  ASSERT_EQ(alert.infos.size(), 1U);
  const AlertInfo& info = alert.infos[0];
  EXPECT_EQ(info.language, "zh-CN");
  EXPECT_THAT(info.categories, ElementsAre(Category::Fire));
  EXPECT_EQ(info.severity, Severity::Severe);
  ASSERT_EQ(info.areas.size(), 1U);
  EXPECT_THAT(info.areas[0].polygons,
              ElementsAre(ElementsAre(LonLat{118.9, 28.9}, LonLat{118.9, 29.0}, LonLat{119.0, 29.0}, LonLat{118.9, 28.9})));
  EXPECT_THAT(info.areas[0].circles, ElementsAre(Circle{{118.958, 28.973}, 2500}));
  EXPECT_THAT(info.areas[0].geocodes, ElementsAre(NameValue{"GB/T 2260", "330803"}));
  EXPECT_THAT(document->warnings, IsEmpty());
}

TEST(Cap, TheCanadianUpdateWithEmptyOptionalElementsIsRead) {
  const auto document = read(sample("canada.cap"));
  ASSERT_TRUE(document) << document.error().reason;
  EXPECT_EQ(document->alert.msg_type, MsgType::Update);
  EXPECT_THAT(document->alert.addresses, IsEmpty());
  EXPECT_EQ(document->alert.restriction, "");
  ASSERT_EQ(document->alert.references.size(), 2U);
  EXPECT_EQ(document->alert.references[0].identifier, "2.49.0.1.124.a3f342a4.2012");
  EXPECT_EQ(document->alert.references[0].sent, 1335995105000);
  ASSERT_EQ(document->alert.infos.size(), 2U);
  EXPECT_EQ(document->alert.infos[1].headline, "veille d'orages violents");
  EXPECT_EQ(document->alert.infos[0].areas[0].polygons[0].front(), (LonLat{-82.9314, 42.3481}));
}

TEST(Cap, ThePrefixedAustralianDocumentIsRead) {
  const auto document = read(sample("australia.cap"));
  ASSERT_TRUE(document) << document.error().reason;
  EXPECT_THAT(document->alert.infos[0].categories, ElementsAre(Category::Fire, Category::Met));
  EXPECT_THAT(document->alert.infos[0].parameters, Contains(NameValue{"AllocatedResources", ""}));
  EXPECT_THAT(document->alert.infos[0].description, HasSubstr("<br />LOCATION: 12 Cox Street"));
  EXPECT_EQ(document->alert.infos[0].areas[0].circles[0].radius_m, 25000);
}

TEST(Cap, WeatherOfCap11IsRead) {
  const auto document = read(sample("weather.cap"));
  ASSERT_TRUE(document) << document.error().reason;
  EXPECT_EQ(document->alert.infos[0].language, "en-US");
  EXPECT_EQ(document->alert.infos[0].expires, 1283191200000);
  EXPECT_THAT(document->alert.infos[0].areas[0].geocodes, ElementsAre(NameValue{"FIPS6", "030049"}, NameValue{"UGC", "MTZ014"}));
}

TEST(Cap, EarthquakeOfCap11WithAPointAsCircleIsRead) {
  const auto document = read(sample("earthquake.cap"));
  ASSERT_TRUE(document) << document.error().reason;
  EXPECT_THAT(document->alert.infos[0].areas[0].circles, ElementsAre(Circle{{-173.274, -16.053}, 0}));
}

TEST(Cap, Latin1IsReadByItsDeclarationAndASignatureIsNoted) {
  const auto document = read(sample("earthquake-iso8859-1.cap"));
  ASSERT_TRUE(document) << document.error().reason;
  EXPECT_THAT(document->alert.infos[0].headline, HasSubstr("Usulután, Usulután, El Salvador"));
  EXPECT_THAT(document->warnings, Contains(HasSubstr("alert.Signature")));
}

// CAP 1.1 and 1.2 both allow an alert without <info>, so this file breaks no rule.
TEST(Cap, NoOptionalFieldsIsLegal) {
  const auto document = read(sample("no_optional_fields.cap"));
  ASSERT_TRUE(document) << document.error().reason;
  EXPECT_THAT(document->alert.infos, IsEmpty());
}

TEST(Cap, GbkIsReadByItsDeclaration) {
  const auto document = read(
      "<?xml version=\"1.0\" encoding=\"GBK\"?>\n<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\">"
      "<identifier>1</identifier><sender>a</sender><sent>2020-11-09T08:31:05+08:00</sent>"
      "<status>Test</status><msgType>Alert</msgType><scope>Public</scope><note>\xBB\xF0\xD4\xD6</note></alert>");
  ASSERT_TRUE(document) << document.error().reason;
  EXPECT_EQ(document->alert.note, "火灾");
  EXPECT_EQ(document->status, Status::Test);
}

TEST(Cap, InvalidNamesTheMissingScope) {
  EXPECT_EQ(broken_at(sample("invalid.cap")), "alert.scope");
  EXPECT_THAT(read(sample("invalid.cap")).error().reason, HasSubstr("alert.scope is required"));
}

TEST(Cap, ADoctypeIsRefusedBeforeAnyEntityIsRead) {
  EXPECT_EQ(broken_at(sample("xee.cap")), "DOCTYPE");
  EXPECT_EQ(broken_at("<!DOCTYPE a [<!ENTITY b \"" + std::string(100000, 'b') + "\">]><a>&b;&b;</a>"), "DOCTYPE");
}

TEST(Cap, AnIndexOfAlertsIsNotAnAlert) {
  EXPECT_EQ(broken_at(sample("weather_index.atom")), "alert");
}

TEST(Cap, EveryRequiredElementIsMissed) {
  for (const char* name : {"identifier", "sender", "sent", "status", "msgType", "scope"}) {
    std::string xml = kRight;
    const std::size_t begin = xml.find("<" + std::string(name) + ">");
    const std::size_t end = xml.find("</" + std::string(name) + ">") + std::string(name).size() + 3;
    xml.erase(begin, end - begin);
    EXPECT_EQ(broken_at(xml), "alert." + std::string(name));
  }
  EXPECT_EQ(broken_at(with("<category>Fire</category>", "")), "alert.info[0].category");
  EXPECT_EQ(broken_at(with("<event>有机氟硅厂火灾</event>", "<event/>")), "alert.info[0].event");
  EXPECT_EQ(broken_at(with("<urgency>Immediate</urgency>", "")), "alert.info[0].urgency");
  EXPECT_EQ(broken_at(with("<areaDesc>衢江区</areaDesc>", "")), "alert.info[0].area[0].areaDesc");
  EXPECT_EQ(broken_at(with("<area>", "<resource><resourceDesc>图</resourceDesc></resource><area>")),
            "alert.info[0].resource[0].mimeType");
}

TEST(Cap, AWrongWordIsRefusedWithTheRightOnes) {
  EXPECT_EQ(broken_at(with("Severe<", "severe<")), "alert.info[0].severity");
  EXPECT_THAT(read(with("Severe<", "severe<")).error().reason, HasSubstr("Moderate"));
  EXPECT_EQ(broken_at(with(">Actual<", ">Real<")), "alert.status");
  EXPECT_EQ(broken_at(with("<category>Fire", "<category>Feuer")), "alert.info[0].category");
}

TEST(Cap, TheOldWordVeryLikelyIsReadAsLikely) {
  const auto document = read(with("Observed", "Very Likely"));
  ASSERT_TRUE(document) << document.error().reason;
  EXPECT_EQ(document->alert.infos[0].certainty, Certainty::Likely);
  EXPECT_THAT(document->warnings, ElementsAre(HasSubstr("Very Likely")));
}

TEST(Cap, AnUnknownElementIsRefusedNotLost) {
  EXPECT_EQ(broken_at(with("<headline>", "<headlin>x</headlin><headline>")), "alert.info[0].headlin");
}

TEST(Cap, AnElementThatMayStandOnceStandsOnce) {
  EXPECT_EQ(broken_at(with("<status>", "<status>Test</status><status>")), "alert.status");
}

TEST(Cap, TimesNeedAnOffset) {
  EXPECT_EQ(broken_at(with("08:31:05+08:00", "08:31:05")), "alert.sent");
  EXPECT_EQ(broken_at(with("2020-11-09", "2020-11-31")), "alert.sent");
  const auto zulu = read(with("2020-11-09T08:31:05+08:00", "2020-11-09T00:31:05Z"));
  ASSERT_TRUE(zulu) << zulu.error().reason;
  EXPECT_EQ(zulu->alert.sent, 1604881865000);
  EXPECT_THAT(zulu->warnings, ElementsAre(HasSubstr("ends in Z")));
}

TEST(Cap, AnAlertThatExpiresWhenSentIsReadWithAWarning) {
  const auto document = read(with("<headline>", "<expires>2020-11-09T08:31:05+08:00</expires><headline>"));
  ASSERT_TRUE(document) << document.error().reason;
  EXPECT_THAT(document->warnings, ElementsAre(HasSubstr("alert.info[0].expires")));
}

TEST(Cap, NamesHoldNothingThatPartsReferences) {
  EXPECT_EQ(broken_at(with("quzhou@12379.cn", "quzhou 12379")), "alert.sender");
  EXPECT_EQ(broken_at(with("quzhou@12379.cn", "quzhou,12379")), "alert.sender");
  EXPECT_EQ(broken_at(with("33080341600000_", "a&amp;b_")), "alert.identifier");
}

std::string update(const std::string& references) {
  std::string xml = with("<msgType>Alert", "<msgType>Update");
  return xml.replace(xml.find("<info>"), 0, "<references>" + references + "</references>");
}

TEST(Cap, UpdateCancelAckAndErrorNeedReferences) {
  for (const char* type : {"Update", "Cancel", "Ack", "Error"}) {
    EXPECT_EQ(broken_at(with("<msgType>Alert", "<msgType>" + std::string(type))), "alert.references");
  }
}

TEST(Cap, ReferencesAreTriples) {
  const auto document = read(update("a,1,2020-11-09T00:00:00+08:00\n  b,2,2020-11-08T16:00:00-00:00"));
  ASSERT_TRUE(document) << document.error().reason;
  EXPECT_THAT(document->alert.references,
              ElementsAre(AlertReference{"a", "1", 1604851200000}, AlertReference{"b", "2", 1604851200000}));
  EXPECT_EQ(broken_at(update("a,1")), "alert.references[0]");
  EXPECT_EQ(broken_at(update("a,,2020-11-09T00:00:00+08:00")), "alert.references[0]");
  EXPECT_EQ(broken_at(update("a,1,yesterday")), "alert.references[0]");
}

TEST(Cap, ASelfReferenceIsAnErrorAndAPostDatedOneAWarning) {
  EXPECT_EQ(broken_at(update("quzhou@12379.cn,33080341600000_20201109083105,2020-11-09T00:31:05+00:00")), "alert.references[0]");
  const auto later = read(update("a,1,2021-01-01T00:00:00+08:00"));
  ASSERT_TRUE(later) << later.error().reason;
  EXPECT_THAT(later->warnings, ElementsAre(HasSubstr("alert.references[0] was sent after")));
}

TEST(Cap, ScopeGoesWithItsRestrictionAndAddresses) {
  EXPECT_EQ(broken_at(with(">Public<", ">Restricted<")), "alert.restriction");
  EXPECT_EQ(broken_at(with(">Public<", ">Private<")), "alert.addresses");
  EXPECT_EQ(broken_at(with("</scope>", "</scope><restriction>内部</restriction>")), "alert.restriction");
  const auto addressed = read(with("Public</scope>", "Private</scope><addresses>\"duty officer\" a@b.cn</addresses>"));
  ASSERT_TRUE(addressed) << addressed.error().reason;
  EXPECT_THAT(addressed->alert.addresses, ElementsAre("duty officer", "a@b.cn"));
}

TEST(Cap, PolygonsAreClosedAndOnTheEarth) {
  const std::string polygon = "28.9,118.9 29.0,118.9 29.0,119.0 28.9,118.9";
  const std::string path = "alert.info[0].area[0].polygon[0]";
  EXPECT_EQ(broken_at(with(polygon, "28.9,118.9 29.0,118.9 28.9,118.9")), path);
  EXPECT_EQ(broken_at(with(polygon, "28.9,118.9 29.0,118.9 29.0,119.0 28.9,118.8")), path);
  EXPECT_EQ(broken_at(with(polygon, "28.9,118.9 29.0,118.9 x,119.0 28.9,118.9")), path);
  EXPECT_EQ(broken_at(with(polygon, "nan,118.9 29.0,118.9 29,119.0 nan,118.9")), path);
  const std::string swapped = with(polygon, "118.9,28.9 118.9,29.0 119.0,29.0 118.9,28.9");
  EXPECT_EQ(broken_at(swapped), path);
  EXPECT_THAT(read(swapped).error().reason, HasSubstr("latitude first"));
}

TEST(Cap, APolygonThatMeetsItselfIsRefused) {
  const std::string polygon = "28.9,118.9 29.0,118.9 29.0,119.0 28.9,118.9";
  const std::string path = "alert.info[0].area[0].polygon[0]";
  const std::string bow_tie = with(polygon, "28,118 29,119 29,118 28,119 28,118");
  EXPECT_EQ(broken_at(bow_tie), path);
  EXPECT_THAT(read(bow_tie).error().reason, HasSubstr("order its points along the border"));
  for (const char* broken : {
           "28,118 28,120 28,119 29,119 28,118",                                  // a side runs back along the one before
           "28,118 29,119 28,120 28,118.5 28,119 28,118",                         // runs back and forth on one line
           "28,118 28,121 29,121 29,120 28,120 28,119 29,119 28,118",             // two sides apart lie on each other
           "28,118 30,118 30,120 29,119 28,120 28,119 29,119 28.5,118.5 28,118",  // touches its own corner
           "28,118 28,120 28,120 28,118",                                         // there and back
           "28,119 29,119 29,118 28,118 28,120 28,119",                           // the last side runs back along the one before
       })
    EXPECT_EQ(broken_at(with(polygon, broken)), path) << broken;
}

TEST(Cap, AConcavePolygonWithRepeatedPointsAndStraightSidesIsRead) {
  const std::string polygon = "28.9,118.9 29.0,118.9 29.0,119.0 28.9,118.9";
  for (const char* right : {
           "28,118 28,122 30,122 29,120 30,118 28,118",
           "28,118 28,118 28,120 28,122 30,122 30,122 29,120 30,118 29,118 28,118 28,118",
           "28,118 28,119 29,119 28,118",
       }) {
    const auto document = read(with(polygon, right));
    EXPECT_TRUE(document) << right;
  }
}

TEST(Cap, APolygonOfVeryManyPointsIsReadWithAWarning) {
  std::string points;
  for (int i = 0; i < 3000; ++i) points += "28," + std::to_string(100 + i * 0.001) + " ";
  const auto document = read(with("28.9,118.9 29.0,118.9 29.0,119.0 28.9,118.9", points + "29,101 28,100"));
  ASSERT_TRUE(document) << document.error().reason;
  EXPECT_THAT(document->warnings, ElementsAre(HasSubstr("too many to see whether it crosses itself")));
}

TEST(Cap, ACircleHasARadius) {
  EXPECT_EQ(broken_at(with("28.973,118.958 2.5", "28.973,118.958")), "alert.info[0].area[0].circle[0]");
  EXPECT_EQ(broken_at(with("28.973,118.958 2.5", "28.973,118.958 -1")), "alert.info[0].area[0].circle[0]");
}

TEST(Cap, ACeilingNeedsAnAltitude) {
  EXPECT_EQ(broken_at(with("</area>", "<ceiling>3000</ceiling></area>")), "alert.info[0].area[0].ceiling");
}

TEST(Cap, TooLargeADocumentIsRefusedUnread) {
  EXPECT_EQ(broken_at(std::string(kMaxCapBytes + 1, 'x'), RefusalCode::oversize), "");
}

TEST(Cap, BytesThatAreNotOfTheirEncodingAreRefusedInSilence) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(broken_at("<?xml version=\"1.0\" encoding=\"GBK\"?>\n<alert>\n\xFF\xFF</alert>", RefusalCode::malformed), "line 3");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST(Cap, BrokenXmlIsRefusedWithItsLine) {
  EXPECT_EQ(broken_at("<?xml version=\"1.0\"?>\n<alert>\n<info></alert>", RefusalCode::malformed), "line 3");
  EXPECT_EQ(broken_at("", RefusalCode::malformed), "");
}

}  // namespace
}  // namespace lianxi::formats
