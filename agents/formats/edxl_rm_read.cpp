#include <algorithm>
#include <tuple>

#include "agents/formats/edxl_rm.h"
#include "agents/formats/edxl_rm_item.h"
#include "agents/formats/edxl_rm_schema.h"
#include "agents/formats/edxl_rm_shape.h"
#include "agents/formats/text.h"
#include "schemas/codec/event_codec.h"
#include "schemas/limits.h"

namespace lianxi::formats {
namespace {

const XmlSchema& schema() {
  static const XmlSchema kSchema({{"edxl_rm_messages.xsd", kEdxlRmMessagesXsd}, {"edxl_rm_common.xsd", kEdxlRmCommonXsd}});
  return kSchema;
}

class Reader {
 public:
  Reader(const EdxlScope& root, MobilisationDocument& document)
      : root_(root), document_(document), message_(document.mobilisation) {}

  void read() {
    message_.message = root_.word<ResourceMessage>("MessageContentType").value_or(ResourceMessage::RequestResource);
    message_.message_id = root_.text("MessageID");
    message_.sent = root_.time("SentDateTime").value_or(0);
    message_.description = root_.text("MessageDescription");
    message_.originating_id = root_.text("OriginatingMessageID");
    message_.preceding_id = root_.text("PrecedingMessageID");
    incidents();
    if (const auto recall = root_.child("MessageRecall")) {
      message_.recall = recall->word<Recall>("RecallType");
      message_.recalled_id = recall->text("RecallMessageID") + recall->text("RecalledMessageID");
    }
    for (const EdxlScope& funding : root_.children("Funding")) {
      NameValue read{funding.text("FundCode"), funding.text("FundingInfo")};
      if (!read.name.empty() || !read.value.empty()) message_.funding.push_back(std::move(read));
    }
    notes();
    if (!no_contacts_) {
      for (const EdxlScope& contact : root_.children("ContactInformation")) read_contact(contact);
    }
    if (!no_items_) {
      for (const EdxlScope& item : root_.children("ResourceInformation")) {
        message_.items.push_back(read_item(item, message_.message));
        document_.item_lines.push_back(item.element().line);
      }
    }
  }

 private:
  void incidents() {
    for (const EdxlScope& incident : root_.children("IncidentInformation")) {
      const auto id = incident.child("IncidentID");
      if (id && message_.incident.empty()) {
        message_.incident = id->element().text;
      } else if (id) {
        id->keep(message_.description);
      }
      if (const auto told = incident.child("IncidentDescription")) told->keep(message_.description);
    }
  }

  void notes() {
    for (const XmlInstruction& instruction : root_.element().instructions) {
      if (instruction.target != kMessageNote && instruction.target != kFundingNote) continue;
      const auto pairs = read_note(instruction.text);
      if (!pairs) return bad_note(instruction, pairs.error().reason);
      if (instruction.target == kFundingNote) {
        NameValue funding;
        for (const NameValue& pair : *pairs) (pair.name == "code" ? funding.name : funding.value) = pair.value;
        message_.funding.push_back(std::move(funding));
        continue;
      }
      for (const NameValue& pair : *pairs) message_note(instruction, pair);
    }
  }

  void message_note(const XmlInstruction& instruction, const NameValue& pair) {
    const auto check = [&](const auto& value) {
      if (!value) bad_note(instruction, pair.name + ": " + value.error().reason);
      return value.has_value();
    };
    if (pair.name == "home") {
      if (const auto home = parse_region(pair.value); check(home)) document_.home = *home;
    } else if (pair.name == "status") {
      if (const auto status = parse_word<Status>(pair.value); check(status)) document_.status = *status;
    } else if (pair.name == "level") {
      if (const auto level = parse_word<Level>(pair.value); check(level)) document_.level = *level;
    } else if (pair.name == "by") {
      if (const auto by = parse_region(pair.value); check(by)) document_.by = *by;
    } else if (pair.name == "answer-by") {
      if (const auto time = parse_iso8601(pair.value); check(time)) message_.answer_by = *time;
    } else if (pair.name == "preceding") {
      message_.preceding_id = pair.value;
    } else if (pair.name == "items") {
      no_items_ = pair.value == "0";
    } else if (pair.name == "contacts") {
      no_contacts_ = pair.value == "0";
    } else if (pair.name == "to") {
      for (const std::string_view word : words(pair.value)) {
        if (const auto region = parse_region(word); check(region)) message_.to.push_back(*region);
      }
    } else {
      bad_note(instruction, "\"" + shortened(pair.name) + "\" is not known here");
    }
  }

  void bad_note(const XmlInstruction& instruction, const std::string& reason) {
    if (root_.notes().fault) return;
    root_.notes().fault =
        Refusal{RefusalCode::invalid_field,
                root_.path() + "/?" + instruction.target + " (line " + std::to_string(instruction.line) + ")", reason, 0};
  }

  void read_contact(const EdxlScope& scope) {
    MobilisationContact contact;
    if (scope.text("ContactRole") == "Owner") {
      contact.role = ContactRole::OwningOrg;
    } else {
      contact.role = scope.word<ContactRole>("ContactRole").value_or(ContactRole::Sender);
    }
    contact.agency = one_line(scope.text("ContactDescription"));
    for (const EdxlScope& radio : scope.children("Radio")) radio.keep(message_.description);
    if (const auto location = scope.child("ContactLocation")) location->keep(message_.description);
    if (const auto party = scope.child("AdditionalContactInformation")) read_party(*party, contact);
    message_.contacts.push_back(std::move(contact));
    document_.contact_lines.push_back(scope.element().line);
  }

  static void name_from(const EdxlScope& name, std::string& into) {
    for (const EdxlScope& part : name.children("NameElement")) {
      into += (into.empty() ? "" : " ") + one_line(part.element().text);
    }
  }

  void read_party(const EdxlScope& party, MobilisationContact& contact) {
    for (const XmlElement& child : party.element().children) {
      const EdxlScope part(child, party.path() + "/" + child.name, party.notes());
      if (child.name == "PartyName") {
        for (const EdxlScope& person : part.children("PersonName")) {
          contact.name.empty() ? name_from(person, contact.name) : person.keep(message_.description);
        }
        for (const EdxlScope& organisation : part.children("OrganisationName")) {
          contact.agency.empty() ? name_from(organisation, contact.agency) : organisation.keep(message_.description);
        }
        for (const EdxlScope& line : part.children("NameLine")) {
          contact.name.empty() ? void(contact.name = one_line(line.element().text)) : line.keep(message_.description);
        }
      } else if (child.name == "ContactNumbers") {
        for (const EdxlScope& number : part.children("ContactNumber")) {
          std::string digits;
          for (const EdxlScope& element : number.children("ContactNumberElement")) {
            digits += (digits.empty() ? "" : " ") + one_line(element.element().text);
          }
          contact.phone.empty() ? void(contact.phone = digits) : number.keep(message_.description);
        }
      } else {
        part.keep(message_.description);
      }
    }
  }

  static Result<RegionCode> parse_region(std::string_view word) {
    const auto code = number<std::uint32_t>(word);
    if (!code || word.size() != 6 || !all_digits(word))
      return refuse(RefusalCode::invalid_field, "", "\"" + shortened(word) + "\" is not a region of 6 digits such as 330800");
    return RegionCode(*code);
  }

  const EdxlScope& root_;
  MobilisationDocument& document_;
  Mobilisation& message_;
  bool no_items_ = false, no_contacts_ = false;
};

// Of a message or an item, where its fields stand in the document.
std::string_view element_of(std::string_view field) {
  constexpr std::pair<std::string_view, std::string_view> kElements[] = {
      {"message_id", "MessageID"},
      {"originating_id", "OriginatingMessageID"},
      {"preceding_id", "PrecedingMessageID"},
      {"sent", "SentDateTime"},
      {"description", "Resource/Description"},
      {"recall", "MessageRecall/RecallType"},
      {"recalled_id", "MessageRecall/RecallMessageID"},
      {"incident", "IncidentInformation/IncidentID"},
      {"funding", "Funding"},
      {"items", "ResourceInformation"},
      {"id", "ResourceInfoElementID"},
      {"preceding", "ResponseInformation/PrecedingResourceInfoElementID"},
      {"response", "ResponseInformation/ResponseType"},
      {"reason_code", "ResponseInformation/ReasonCode"},
      {"reason", "ResponseInformation/ResponseReason"},
      {"resource", "Resource/ResourceID"},
      {"type", "Resource/TypeStructure"},
      {"name", "Resource/Name"},
      {"capability", "Resource/Keyword"},
      {"quantity", "AssignmentInformation/Quantity"},
      {"unit", "AssignmentInformation/Quantity/MeasuredQuantity/UnitOfMeasure"},
      {"restrictions", "AssignmentInformation/Restrictions"},
      {"anticipated_function", "AssignmentInformation/AnticipatedFunction"},
      {"price_quote", "AssignmentInformation/PriceQuote"},
      {"order_id", "AssignmentInformation/OrderID"},
      {"instructions", "AssignmentInformation/AssignmentInstructions"},
      {"deployment", "Resource/ResourceStatus/DeploymentStatus"},
      {"schedule", "ScheduleInformation"},
  };
  for (const auto& [name, element] : kElements) {
    if (name == field) return element;
  }
  return {};
}

}  // namespace

// `items[2].response` as "ResponseToRequestResource/ResourceInformation[3]/ResponseInformation/ResponseType (line 31)".
std::string edxl_field(std::string_view field, const MobilisationDocument& document) {
  std::string path(to_word(document.mobilisation.message));
  long line = 0;
  for (const auto& [list, element, lines] :
       {std::tuple{std::string_view("items["), std::string_view("ResourceInformation"), &document.item_lines},
        std::tuple{std::string_view("contacts["), std::string_view("ContactInformation"), &document.contact_lines}}) {
    if (!field.starts_with(list)) continue;
    const std::size_t end = field.find(']');
    const auto index = number<std::size_t>(field.substr(list.size(), end - list.size()));
    if (!index || *index >= lines->size()) return std::string(field);
    line = (*lines)[*index];
    path += "/" + std::string(element) + "[" + std::to_string(*index + 1) + "]";
    field.remove_prefix(std::min(end + 2, field.size()));
    if (element == "ContactInformation") return path + " (line " + std::to_string(line) + ")";
  }
  std::string_view word = field.substr(0, field.find_first_of("[."));
  const bool of_message = line == 0 && word == "description";
  const std::string_view element = of_message ? "MessageDescription" : element_of(word);
  if (element.empty()) return std::string(field);
  path += "/" + std::string(element);
  if (word == "schedule" && field.size() > word.size() + 1) {
    const auto index = number<std::size_t>(field.substr(word.size() + 1, field.find(']') - word.size() - 1));
    if (index) path += "[" + std::to_string(*index + 1) + "]";
  }
  return line == 0 ? path : path + " (line " + std::to_string(line) + ")";
}

Result<MobilisationDocument> read_edxl_rm(BytesView xml) {
  auto root = read_xml(xml, kMaxMobilisationXmlBytes, &schema());
  if (!root) {
    Refusal refusal = std::move(root.error());
    if (refusal.reason.starts_with("No matching global")) {
      refusal.reason = "the root element is none of the 16 messages of EDXL-RM 1.0 in the namespace " +
                       std::string(kEdxlMessage) + "; a message inside EDXL-DE is taken out of it first";
    }
    return tl::unexpected(std::move(refusal));
  }
  EdxlNotes notes;
  MobilisationDocument document;
  const EdxlScope scope(*root, root->name, notes);
  Reader(scope, document).read();
  if (notes.fault) return tl::unexpected(std::move(*notes.fault));
  document.warnings = std::move(notes.warnings);
  return document;
}

Result<Event> mobilisation_event(const MobilisationDocument& document, const EdxlContext& context) {
  Event event;
  const Mobilisation& message = document.mobilisation;
  event.envelope = {Kind::mobilisation,
                    mobilisation_entity(document.home.value_or(context.home), message.originating_id),
                    document.status.value_or(context.status),
                    context.place,
                    context.agency,
                    document.level.value_or(Level::none),
                    context.audience,
                    message.sent};
  event.body = message;
  if (auto checked = check_event(event); !checked) {
    Refusal refusal = std::move(checked.error());
    refusal.field = edxl_field(refusal.field, document);
    return tl::unexpected(std::move(refusal));
  }
  return event;
}

}  // namespace lianxi::formats
