#include <algorithm>
#include <array>
#include <charconv>

#include "agents/formats/edxl_rm.h"
#include "agents/formats/edxl_rm_shape.h"
#include "agents/formats/text.h"
#include "agents/formats/xml_writer.h"
#include "schemas/vocabulary.h"

namespace lianxi::formats {
namespace {

std::string degrees(double value) {
  std::array<char, 32> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return std::string(buffer.data(), error == std::errc{} ? end : buffer.data());
}

// A reason code or the like of another list reads "urn value".
bool is_foreign(std::string_view text) {
  const std::size_t blank = text.find(' ');
  return blank != std::string_view::npos && text.substr(0, blank).find(':') != std::string_view::npos;
}

class Writer {
 public:
  Writer(const Event& event, std::optional<RegionCode> by)
      : event_(event), by_(by), message_(std::get<Mobilisation>(event.body)), shape_(shape_of(message_.message)) {}

  std::string write() {
    const std::string root = "m:" + std::string(to_word(message_.message));
    out_.open_root(root, {{"m", kEdxlMessage},
                          {"r", kEdxlCommon},
                          {"xpil", "urn:oasis:names:tc:ciq:xpil:3"},
                          {"xnl", "urn:oasis:names:tc:ciq:xnl:3"},
                          {"gml", "http://www.opengis.net/gml"}});
    head();
    for (const NameValue& funding : message_.funding) write_funding(funding);
    if (message_.funding.empty() && shape_.funding == Need::must) out_.text("m:Funding", "");
    if (message_.contacts.empty()) contact({ContactRole::Sender, "", event_.envelope.agency, ""});
    for (const MobilisationContact& each : message_.contacts) contact(each);
    for (const MobilisationItem& each : message_.items) item(each);
    if (message_.items.empty() && shape_.items == Need::must) no_item();
    message_note();
    out_.close();
    return out_.take();
  }

 private:
  void head() {
    out_.text("m:MessageID", message_.message_id);
    out_.text("m:SentDateTime", to_iso8601(message_.sent));
    out_.text("m:MessageContentType", to_word(message_.message));
    if (!message_.description.empty() || message_.message == ResourceMessage::RequestInformation)
      out_.text("m:MessageDescription", message_.description);
    out_.text("m:OriginatingMessageID", message_.originating_id);
    if (shape_.preceding == Need::must || (shape_.preceding == Need::may && !message_.preceding_id.empty()))
      out_.text("m:PrecedingMessageID", message_.preceding_id);
    if (!message_.incident.empty()) {
      out_.open("m:IncidentInformation");
      out_.text("r:IncidentID", message_.incident);
      out_.close();
    }
    if (message_.recall) {
      out_.open("m:MessageRecall");
      out_.text("r:RecallMessageID", message_.recalled_id);
      out_.text("r:RecallType", to_word(*message_.recall));
      out_.close();
    }
  }

  void message_note() {
    std::vector<NameValue> note{{"home", event_.envelope.entity.substr(0, event_.envelope.entity.find(':'))}};
    if (by_) note.push_back({"by", to_text(*by_)});
    if (event_.envelope.status != Status::Actual) note.push_back({"status", std::string(to_word(event_.envelope.status))});
    if (event_.envelope.level != Level::none) note.push_back({"level", std::string(to_word(event_.envelope.level))});
    std::string to;
    for (const RegionCode region : message_.to) to += (to.empty() ? "" : " ") + to_text(region);
    if (!to.empty()) note.push_back({"to", to});
    if (message_.answer_by) note.push_back({"answer-by", to_iso8601(*message_.answer_by)});
    if (shape_.preceding == Need::no && !message_.preceding_id.empty()) note.push_back({"preceding", message_.preceding_id});
    if (message_.items.empty() && shape_.items == Need::must) note.push_back({"items", "0"});
    if (message_.contacts.empty()) note.push_back({"contacts", "0"});
    out_.instruction(kMessageNote, note_text(note));
  }

  void write_funding(const NameValue& funding) {
    if (shape_.funding == Need::no) {
      out_.instruction(kFundingNote, note_text({{"code", funding.name}, {"info", funding.value}}));
      return;
    }
    // The standard's schema has these two of a RequestResource, and of no other, in the namespace of the message.
    const std::string prefix = message_.message == ResourceMessage::RequestResource ? "m:" : "r:";
    out_.open("m:Funding");
    out_.text(prefix + "FundCode", funding.name);
    if (!funding.value.empty()) out_.text(prefix + "FundingInfo", funding.value);
    out_.close();
  }

  void contact(const MobilisationContact& contact) {
    out_.open("m:ContactInformation");
    if (!contact.agency.empty()) out_.text("r:ContactDescription", contact.agency);
    out_.text("r:ContactRole", contact.role == ContactRole::OwningOrg ? "Owner" : to_word(contact.role));
    if (!contact.name.empty() || !contact.phone.empty()) {
      out_.open("r:AdditionalContactInformation");
      if (!contact.name.empty()) {
        out_.open("xpil:PartyName");
        out_.open("xnl:PersonName");
        out_.text("xnl:NameElement", contact.name);
        out_.close();
        out_.close();
      }
      if (!contact.phone.empty()) {
        out_.open("xpil:ContactNumbers");
        out_.open("xpil:ContactNumber");
        out_.text("xpil:ContactNumberElement", contact.phone);
        out_.close();
        out_.close();
      }
      out_.close();
    }
    out_.close();
  }

  void values(std::string_view name, std::string_view urn, std::string_view value) {
    out_.open(name);
    out_.text("r:ValueListURN", urn);
    out_.text("r:Value", value);
    out_.close();
  }

  void item(const MobilisationItem& item) {
    note_.clear();
    out_.open("m:ResourceInformation");
    out_.text("m:ResourceInfoElementID", item.id);
    answer(item);
    resource(item);
    task(item);
    for (const Schedule& each : item.schedule) {
      if (has_schedule(shape_, each.type)) schedule(each);
    }
    for (std::size_t i = 0; i < item.schedule.size(); ++i) {
      if (!has_schedule(shape_, item.schedule[i].type)) schedule_note(item.schedule[i], i);
    }
    if (!note_.empty()) out_.instruction(kItemNote, note_text(note_));
    out_.close();
  }

  // Where the schema wants an item and the message has none.
  void no_item() {
    out_.open("m:ResourceInformation");
    out_.text("m:ResourceInfoElementID", "");
    if (shape_.answer == Need::must) answer({});
    if (shape_.resource == Need::must) out_.text("m:Resource", "");
    if (shape_.task == Need::must) task({});
    out_.close();
  }

  void answer(const MobilisationItem& item) {
    const bool said = item.response || !item.reason.empty() || !item.reason_code.empty() || !item.preceding.empty();
    if (shape_.answer == Need::no) {
      keep("preceding", item.preceding);
      keep("reason-code", item.reason_code);
      keep("reason", item.reason);
      return;
    }
    if (shape_.answer == Need::may && !said) return;
    out_.open("m:ResponseInformation");
    out_.text("r:PrecedingResourceInfoElementID", item.preceding);
    out_.text("r:ResponseType", to_word(item.response.value_or(Response::Accept)));
    if (is_foreign(item.reason_code)) {
      const std::size_t blank = item.reason_code.find(' ');
      values("r:ReasonCode", item.reason_code.substr(0, blank), item.reason_code.substr(blank + 1));
    } else if (!item.reason_code.empty()) {
      values("r:ReasonCode", kReasonUrn, item.reason_code);
    }
    if (!item.reason.empty()) out_.text("r:ResponseReason", item.reason);
    out_.close();
  }

  void resource(const MobilisationItem& item) {
    const bool status = shape_.status != Need::no && item.deployment != Deployment::none;
    if (shape_.status == Need::no && item.deployment != Deployment::none)
      keep("deployment", std::string(to_word(item.deployment)));
    const bool said = !item.resource.empty() || !item.name.empty() || item.type || !item.capability.empty() ||
                      !item.description.empty() || status;
    if (!said && shape_.resource != Need::must) return;
    out_.open("m:Resource");
    if (!item.resource.empty()) out_.text("m:ResourceID", item.resource);
    if (!item.name.empty()) out_.text("m:Name", item.name);
    if (item.type) values("m:TypeStructure", kTypeUrn, to_word(*item.type));
    if (!item.capability.empty()) values("m:Keyword", kCapabilityUrn, item.capability);
    if (!item.description.empty()) out_.text("m:Description", item.description);
    if (status || shape_.status == Need::must) {
      out_.open("m:ResourceStatus");
      values("m:DeploymentStatus", kDeploymentUrn, to_word(item.deployment));
      if (shape_.status == Need::must) out_.text("m:Availability", "");
      out_.close();
    }
    out_.close();
  }

  void task(const MobilisationItem& item) {
    const bool priced = shape_.price != Need::no && !item.price_quote.empty();
    const bool ordered = shape_.order != Need::no && !item.order_id.empty();
    const bool instructed = shape_.instructions != Need::no && !item.instructions.empty();
    if (!priced) keep("price-quote", item.price_quote);
    if (!ordered) keep("order-id", item.order_id);
    if (!instructed) keep("instructions", item.instructions);
    const bool measured = item.quantity_milli != 0 || !item.unit.empty();
    const bool said =
        measured || !item.restrictions.empty() || !item.anticipated_function.empty() || priced || ordered || instructed;
    if (!said && shape_.task != Need::must) return;
    out_.open("m:AssignmentInformation");
    if (measured || shape_.quantity == Need::must) {
      out_.open("m:Quantity");
      out_.open("r:MeasuredQuantity");
      out_.text("r:Amount", thousandths_text(item.quantity_milli));
      if (!item.unit.empty()) values("r:UnitOfMeasure", kUnitUrn, item.unit);
      out_.close();
      out_.close();
    }
    if (!item.restrictions.empty()) out_.text("m:Restrictions", item.restrictions);
    if (!item.anticipated_function.empty()) out_.text("m:AnticipatedFunction", item.anticipated_function);
    if (priced || shape_.price == Need::must) {
      out_.open("m:PriceQuote");
      out_.text("r:QuantityText", item.price_quote);
      out_.close();
    }
    if (ordered) out_.text("m:OrderID", item.order_id);
    if (instructed) {
      out_.open("m:AssignmentInstructions");
      out_.text("r:ReportingInstructions", item.instructions);
      out_.close();
    }
    out_.close();
  }

  void schedule(const Schedule& schedule) {
    out_.open("m:ScheduleInformation");
    out_.text("m:ScheduleType", to_word(schedule.type));
    if (schedule.at) out_.text("m:DateTime", to_iso8601(*schedule.at));
    if (schedule.location || !schedule.address.empty()) {
      out_.open("m:Location");
      if (!schedule.address.empty()) out_.text("r:LocationDescription", schedule.address);
      if (schedule.location) {
        out_.open("r:TargetArea");
        out_.open("gml:Point");
        out_.text("gml:pos", degrees(schedule.location->lat) + " " + degrees(schedule.location->lon));
        out_.close();
        out_.close();
      }
      out_.close();
    }
    out_.close();
  }

  // `index`: its place among all schedules of the item.
  void schedule_note(const Schedule& schedule, std::size_t index) {
    std::vector<NameValue> note{{"index", std::to_string(index)}, {"type", std::string(to_word(schedule.type))}};
    if (schedule.at) note.push_back({"at", to_iso8601(*schedule.at)});
    if (schedule.location) note.push_back({"pos", degrees(schedule.location->lat) + " " + degrees(schedule.location->lon)});
    if (!schedule.address.empty()) note.push_back({"address", schedule.address});
    out_.instruction(kScheduleNote, note_text(note));
  }

  void keep(std::string name, const std::string& value) {
    if (!value.empty()) note_.push_back({std::move(name), value});
  }

  const Event& event_;
  std::optional<RegionCode> by_;
  const Mobilisation& message_;
  const MessageShape& shape_;
  XmlWriter out_;
  std::vector<NameValue> note_;  // of the item in hand
};

}  // namespace

std::string write_edxl_rm(const Event& event, std::optional<RegionCode> by) {
  return Writer(event, by).write();
}

}  // namespace lianxi::formats
