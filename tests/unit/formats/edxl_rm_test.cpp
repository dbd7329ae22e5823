#include "agents/formats/edxl_rm.h"

#include <gmock/gmock.h>

#include "agents/formats/xml_tree.h"
#include "schemas/codec/event_codec.h"
#include "schemas/limits.h"
#include "schemas/mobilisation_rules.h"
#include "schemas/vocabulary.h"
#include "tests/unit/formats/edxl_rm_samples.h"

namespace lianxi::formats {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class EachMessage : public testing::TestWithParam<ResourceMessage> {};
std::string name_of(const testing::TestParamInfo<ResourceMessage>& message) {
  return std::string(to_word(message.param));
}
INSTANTIATE_TEST_SUITE_P(EdxlRm, EachMessage, testing::ValuesIn(all_messages()), name_of);

// Everything that a message can say, also what the standard has no place for.
TEST_P(EachMessage, AFullValueComesBackFromXml) {
  const Event event = mobilisation_of(full_message(GetParam()));
  ASSERT_TRUE(check_event(event)) << check_event(event).error().field << " " << check_event(event).error().reason;
  const std::string xml = write_edxl_rm(event);
  const auto document = read_edxl_rm(bytes(xml));
  ASSERT_TRUE(document) << document.error().field << " " << document.error().reason << "\n" << xml;
  EXPECT_TRUE(document->warnings.empty()) << document->warnings.front();
  const auto read = mobilisation_event(*document, edxl_context());
  ASSERT_TRUE(read) << read.error().field << read.error().reason;
  EXPECT_EQ(*read, event) << xml;
}

TEST_P(EachMessage, AsLittleAsTheRulesAskForComesBackFromXml) {
  const Event event = mobilisation_of(bare_message(GetParam()));
  ASSERT_TRUE(check_event(event)) << check_event(event).error().field << " " << check_event(event).error().reason;
  const std::string xml = write_edxl_rm(event);
  const auto document = read_edxl_rm(bytes(xml));
  ASSERT_TRUE(document) << document.error().field << " " << document.error().reason << "\n" << xml;
  EXPECT_EQ(document->mobilisation, std::get<Mobilisation>(event.body)) << xml;
}

TEST_P(EachMessage, ARecallWithoutItemsComesBackFromXml) {
  Mobilisation message = bare_message(GetParam());
  message.items.clear();
  message.recall = Recall::Cancel;
  message.recalled_id = "m-0";
  const Event event = mobilisation_of(message);
  ASSERT_TRUE(check_event(event));
  const auto document = read_edxl_rm(bytes(write_edxl_rm(event)));
  ASSERT_TRUE(document) << document.error().field << " " << document.error().reason;
  EXPECT_EQ(document->mobilisation, message);
}

// What a document says and nothing of how it is written: prefixes, comments, indentation, milliseconds that are 0.
std::string canonical(const XmlElement& element) {
  std::string text = "<{" + element.ns + "}" + element.name + ">" + element.text;
  for (const XmlInstruction& each : element.instructions) text += "<?" + each.target + " " + each.text + "?>";
  for (const XmlElement& child : element.children) text += canonical(child);
  replace(text, ".000+08:00", "+08:00");
  return text + "</>\n";
}

TEST_P(EachMessage, ASampleIsReadAndWrittenAsItWas) {
  const std::string xml = sample_of(GetParam());
  const auto document = read_edxl_rm(bytes(xml));
  ASSERT_TRUE(document) << document.error().field << " " << document.error().reason;
  EXPECT_TRUE(document->warnings.empty()) << document->warnings.front();
  EXPECT_EQ(document->mobilisation.message, GetParam());
  const auto event = mobilisation_event(*document, edxl_context());
  ASSERT_TRUE(event) << event.error().field << " " << event.error().reason;
  const std::string again = write_edxl_rm(*event);
  EXPECT_EQ(canonical(*read_xml(bytes(again), kMaxMobilisationXmlBytes)),
            canonical(*read_xml(bytes(xml), kMaxMobilisationXmlBytes)));
}

TEST_P(EachMessage, AnElementOutOfPlaceIsNamedWithItsLine) {
  std::string xml = sample_of(GetParam());
  const std::size_t at = xml.find("<rmsg:OriginatingMessageID>");
  xml.insert(at, "<rmsg:Weather>rain</rmsg:Weather>");
  const auto document = read_edxl_rm(bytes(xml));
  ASSERT_FALSE(document);
  const std::string root(to_word(GetParam()));
  EXPECT_THAT(document.error().field, AllOf(HasSubstr(root + "/Weather"), HasSubstr("(line ")));
  EXPECT_THAT(document.error().reason, HasSubstr("OriginatingMessageID"));
}

TEST(EdxlRm, TheSampleOfARequestSaysWhatItSays) {
  const auto document = read_edxl_rm(bytes(sample_of(ResourceMessage::RequestResource)));
  ASSERT_TRUE(document);
  const Mobilisation& request = document->mobilisation;
  EXPECT_EQ(request.message_id, "qz-20260702-01");
  EXPECT_EQ(to_iso8601(request.sent), "2026-07-02T09:30:00.000+08:00");
  EXPECT_EQ(request.incident, "330800:incident:20260702-jh");
  EXPECT_EQ(request.to, (std::vector<RegionCode>{RegionCode(361100), RegionCode(350700)}));
  EXPECT_EQ(to_iso8601(request.answer_by.value()), "2026-07-02T10:00:00.000+08:00");
  EXPECT_EQ(request.funding, (std::vector<NameValue>{{"330800-2026-防汛", "市级应急资金"}}));
  ASSERT_EQ(request.contacts.size(), 1U);
  EXPECT_EQ(request.contacts[0], (MobilisationContact{ContactRole::Sender, "陈晓东", "emergency", "0570-3023119"}));
  ASSERT_EQ(request.items.size(), 2U);
  EXPECT_EQ(request.items[0].type, ResourceType::team);
  EXPECT_EQ(request.items[0].capability, "hazmat");
  EXPECT_EQ(request.items[0].quantity_milli, 2000);
  EXPECT_EQ(request.items[0].unit, "支");
  ASSERT_EQ(request.items[0].schedule.size(), 1U);
  EXPECT_EQ(request.items[0].schedule[0].location, (LonLat{118.628, 28.735}));
  EXPECT_EQ(document->home, RegionCode(330800));
}

TEST(EdxlRm, ADrillStaysADrill) {
  const auto document = read_edxl_rm(bytes(sample_of(ResourceMessage::ResponseToRequestExtendedDeploymentDuration)));
  ASSERT_TRUE(document);
  EXPECT_EQ(mobilisation_event(*document, edxl_context())->envelope.status, Status::Exercise);
}

TEST(EdxlRm, WhoSaidItAndItsLevelComeBack) {
  Event event = mobilisation_of(bare_message(ResourceMessage::ReleaseResource));
  event.envelope.level = Level::orange;
  const auto document = read_edxl_rm(bytes(write_edxl_rm(event, RegionCode(361100))));
  ASSERT_TRUE(document) << document.error().field << document.error().reason;
  EXPECT_EQ(document->by, RegionCode(361100));
  EXPECT_EQ(mobilisation_event(*document, edxl_context()), event);
  EXPECT_FALSE(read_edxl_rm(bytes(write_edxl_rm(event)))->by);
}

TEST(EdxlRm, AFieldOfANodesRefusalIsNamedByItsElement) {
  const auto document = read_edxl_rm(bytes(sample_of(ResourceMessage::RequestResource)));
  ASSERT_TRUE(document);
  EXPECT_EQ(edxl_field("message_id", *document), "RequestResource/MessageID");
  EXPECT_THAT(edxl_field("items[1].resource", *document),
              HasSubstr("RequestResource/ResourceInformation[2]/Resource/ResourceID (line "));
  EXPECT_EQ(edxl_field("audience", *document), "audience") << "which no element says";
}

TEST(EdxlRm, WhatTheStandardHasAndWeHaveNotIsKeptAndTold) {
  std::string xml = sample_of(ResourceMessage::OfferUnsolicitedResource);
  replace(xml, "</rmsg:Name>",
          "</rmsg:Name><rmsg:TypeStructure><rm:ValueListURN>urn:x:nims</rm:ValueListURN><rm:Value>Type II</rm:Value>"
          "</rmsg:TypeStructure><rmsg:TypeInfo><Kind>Equipment</Kind></rmsg:TypeInfo>"
          "<rmsg:Keyword><rm:ValueListURN>urn:x:blade</rm:ValueListURN><rm:Value>6.0</rm:Value></rmsg:Keyword>"
          "<rmsg:Credentials>A1</rmsg:Credentials>"
          "<rmsg:OwnershipInformation><rm:Owner>上饶</rm:Owner></rmsg:OwnershipInformation>"
          "<rmsg:ResourceStatus><rmsg:Availability>白天</rmsg:Availability></rmsg:ResourceStatus>");
  const std::string ours = "<rmsg:TypeStructure>\n";
  const std::size_t begin = xml.find(ours), end = xml.find("</rmsg:TypeStructure>\n");
  ASSERT_NE(begin, std::string::npos);
  xml.erase(begin, end + ours.size() + 1 - begin);
  const auto document = read_edxl_rm(bytes(xml));
  ASSERT_TRUE(document) << document.error().field << document.error().reason;
  const std::string& kept = document->mobilisation.items.at(0).description;
  for (const char* each :
       {"Type II", "Equipment", "6.0", "Credentials: A1", "OwnershipInformation/Owner: 上饶", "Availability: 白天"}) {
    EXPECT_THAT(kept, HasSubstr(each));
  }
  EXPECT_EQ(document->warnings.size(), 6U);
  EXPECT_THAT(document->warnings[0], AllOf(HasSubstr("ResourceInformation/Resource/TypeStructure"), HasSubstr("kept")));
}

TEST(EdxlRm, AReasonOfAnotherListGoesThere) {
  std::string xml = sample_of(ResourceMessage::ResponseToRequestResource);
  replace(xml, "urn:lianxi:reason", "urn:x:reasons");
  const auto document = read_edxl_rm(bytes(xml));
  ASSERT_TRUE(document);
  EXPECT_EQ(document->mobilisation.items[0].reason_code, "urn:x:reasons awaiting-relief");
  EXPECT_THAT(write_edxl_rm(mobilisation_event(*document, edxl_context()).value()), HasSubstr("<r:ValueListURN>urn:x:reasons<"));
}

struct Broken {
  friend void PrintTo(const Broken& broken, std::ostream* out) { *out << broken.from << " -> " << broken.to; }

  ResourceMessage message;
  std::string from, to;       // replaced in the sample
  std::string field, reason;  // parts of the refusal
};
class BreaksTheRules : public testing::TestWithParam<Broken> {};

TEST_P(BreaksTheRules, AndIsNamed) {
  std::string xml = sample_of(GetParam().message);
  ASSERT_NE(xml.find(GetParam().from), std::string::npos);
  replace(xml, GetParam().from, GetParam().to);
  auto document = read_edxl_rm(bytes(xml));
  Refusal refusal;
  if (document) {
    const auto event = mobilisation_event(*document, edxl_context());
    ASSERT_FALSE(event) << xml;
    refusal = event.error();
  } else {
    refusal = document.error();
  }
  EXPECT_THAT(refusal.field, HasSubstr(GetParam().field)) << refusal.reason;
  EXPECT_THAT(refusal.reason, HasSubstr(GetParam().reason)) << refusal.field;
}

using R = ResourceMessage;
INSTANTIATE_TEST_SUITE_P(
    EdxlRm, BreaksTheRules,
    testing::Values(
        Broken{R::RequestResource, "<rmsg:MessageID>qz-20260702-01</rmsg:MessageID>", "", "RequestResource/SentDateTime (line",
               "Expected is ( MessageID )"},
        Broken{R::RequestResource, "T09:30:00+08:00", "T09:30:00", "SentDateTime (line", "does not say its offset"},
        Broken{R::RequestResource, "T09:30:00+08:00", "T9:30", "SentDateTime (line", "dateTime"},
        Broken{R::RequestResource, ">RequestResource</rmsg:MessageContentType>", ">CommitResource</rmsg:MessageContentType>",
               "MessageContentType (line", "RequestResource"},
        Broken{R::RequestResource, ">RequestedArrival<", ">ActualArrival<", "ScheduleInformation/ScheduleType (line",
               "RequestedArrival"},
        Broken{R::RequestResource, "<rm:Amount>2</rm:Amount>", "<rm:Amount>two</rm:Amount>", "MeasuredQuantity/Amount (line",
               "double"},
        Broken{R::RequestResource, "<rm:Amount>2</rm:Amount>", "<rm:Amount>2.0001</rm:Amount>", "MeasuredQuantity/Amount (line",
               "three decimals"},
        Broken{R::RequestResource, "<rm:Amount>2</rm:Amount>", "<rm:Amount>NaN</rm:Amount>", "MeasuredQuantity/Amount (line",
               "not an amount"},
        Broken{R::RequestResource, "<rm:Amount>2</rm:Amount>", "<rm:Amount>0</rm:Amount>",
               "RequestResource/ResourceInformation[1]/AssignmentInformation/Quantity (line", "how many"},
        Broken{R::RequestResource, "<rm:Value>team</rm:Value>", "<rm:Value>squad</rm:Value>", "Resource/TypeStructure (line",
               "squad"},
        Broken{R::RequestResource, "28.735 118.628", "28.735", "TargetArea/Point (line", "latitude and longitude"},
        Broken{R::RequestResource, "28.735 118.628", "128.735 118.628", "ScheduleInformation[1] (line", "latitude"},
        Broken{R::RequestResource, "gml:Point>", "gml:LineString>", "TargetArea/LineString (line", "gml:Point"},
        Broken{R::RequestResource, "to=\"361100 350700\"", "to=\"shangrao\"", "?lianxi-message (line", "6 digits"},
        Broken{R::RequestResource, "answer-by=", "answer=", "?lianxi-message (line", "not known"},
        Broken{R::ResponseToRequestResource, "<rm:ResponseType>Decline</rm:ResponseType>",
               "<rm:ResponseType>No</rm:ResponseType>", "ResponseInformation/ResponseType (line", "Decline"},
        Broken{R::ResponseToRequestResource, "<rm:ResponseReason>库存不足</rm:ResponseReason>", "",
               "ResourceInformation[2]/ResponseInformation/ResponseReason (line", "says why"},
        Broken{R::ResponseToRequestResource, "<rmsg:PrecedingMessageID>qz-20260702-01</rmsg:PrecedingMessageID>", "",
               "IncidentInformation (line", "Expected is ( PrecedingMessageID )"},
        Broken{R::ResponseToRequestResource, "350700:resource:hazmat-team-1", "TD48", "Resource/ResourceID (line", "330800"},
        Broken{R::CommitResource, "<rm:ResponseType>Accept</rm:ResponseType>", "<rm:ResponseType>Decline</rm:ResponseType>",
               "ResponseInformation/Response", "only an answer"},
        Broken{R::CommitResource, "<rmsg:ResourceInfoElementID>1</rmsg:ResourceInfoElementID>", "<rmsg:ResourceInfoElementID/>",
               "ResourceInformation[1]/ResourceInfoElementID (line", "required"},
        Broken{R::CommitResource, "rmsg:CommitResource", "rmsg:CommitHelp", "CommitHelp (line 3)", "none of the 16 messages"},
        Broken{R::ReportResourceDeploymentStatus, "<rm:Value>arrived</rm:Value>", "<rm:Value>there</rm:Value>",
               "ResourceStatus/DeploymentStatus (line", "arrived"},
        Broken{R::ResponseToRequestReturn, "<rmsg:Availability/>", "", "ResourceStatus (line", "Expected is ( Availability )"}),
    [](const testing::TestParamInfo<Broken>& broken) { return "Case" + std::to_string(broken.index); });

TEST(EdxlRm, EntitiesAndDoctypesAreRefused) {
  const std::string root = sample_of(ResourceMessage::RequestResource);
  const std::string body = root.substr(root.find("<rmsg:"));
  const std::string external = "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>" + body;
  const std::string bomb =
      "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]>" + body;
  for (const std::string& xml : {external, bomb}) {
    const auto document = read_edxl_rm(bytes(xml));
    ASSERT_FALSE(document);
    EXPECT_EQ(document.error().code, RefusalCode::malformed);
    EXPECT_EQ(document.error().field, "DOCTYPE");
  }
}

TEST(EdxlRm, WhatIsTooLargeOrNoXmlIsRefused) {
  EXPECT_EQ(read_edxl_rm(bytes(std::string(kMaxMobilisationXmlBytes + 1, ' '))).error().code, RefusalCode::oversize);
  EXPECT_EQ(read_edxl_rm(bytes("")).error().code, RefusalCode::malformed);
  EXPECT_EQ(read_edxl_rm(bytes("<a>")).error().code, RefusalCode::malformed);
}

TEST(EdxlRm, TextOfAnyKindSurvives) {
  Mobilisation message = full_message(ResourceMessage::RequestResource);
  message.description = "a < b && c > d \"e\" ]]> \t\r\n'结束'";
  message.items[0].order_id = "x?>\"&<y";
  message.items[0].instructions = "一\n二\t三";
  const Event event = mobilisation_of(message);
  const auto document = read_edxl_rm(bytes(write_edxl_rm(event)));
  ASSERT_TRUE(document) << document.error().field << document.error().reason;
  EXPECT_EQ(document->mobilisation, message);
}

}  // namespace
}  // namespace lianxi::formats
