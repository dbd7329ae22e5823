#include "schemas/mobilisation_rules.h"

#include <set>

#include "schemas/rule_checker.h"

namespace lianxi {
namespace {

bool names_resources(ResourceMessage message) {
  switch (message) {
    case ResourceMessage::CommitResource:
    case ResourceMessage::OfferUnsolicitedResource:
    case ResourceMessage::ReleaseResource:
    case ResourceMessage::RequestReturn:
    case ResourceMessage::ResponseToRequestReturn:
    case ResourceMessage::ReportResourceDeploymentStatus:
    case ResourceMessage::RequestExtendedDeploymentDuration:
    case ResourceMessage::ResponseToRequestExtendedDeploymentDuration:
      return true;
    default:
      return false;
  }
}

// Whoever accepts, even provisionally, or commits says what it is and how much of it.
bool promises(ResourceMessage message, const MobilisationItem& item) {
  if (message == ResourceMessage::CommitResource || message == ResourceMessage::OfferUnsolicitedResource) return true;
  return message == ResourceMessage::ResponseToRequestResource && item.response && *item.response != Response::Decline;
}

void check_schedule(Checker& check, const Schedule& schedule) {
  check.known("type", schedule.type);
  check.time("at", schedule.at);
  if (schedule.location) check.point("location", *schedule.location);
  check.text("address", schedule.address);
  if (!schedule.at && !schedule.location && schedule.address.empty())
    check.fail(RefusalCode::missing_field, "at", "a schedule says when, where, or both");
}

void check_contact(Checker& check, const MobilisationContact& contact) {
  check.known("role", contact.role);
  check.line("name", contact.name);
  check.line("agency", contact.agency);
  check.line("phone", contact.phone);
}

void check_texts(Checker& check, const MobilisationItem& item) {
  check.line("preceding", item.preceding);
  check.line("reason_code", item.reason_code);
  check.text("reason", item.reason);
  check.line("name", item.name);
  check.line("capability", item.capability);
  check.text("description", item.description);
  check.line("unit", item.unit);
  check.text("restrictions", item.restrictions);
  check.text("anticipated_function", item.anticipated_function);
  check.line("price_quote", item.price_quote);
  check.line("order_id", item.order_id);
  check.text("instructions", item.instructions);
}

void check_response(Checker& check, ResourceMessage message, const MobilisationItem& item) {
  if (is_response(message) && !item.response)
    check.fail(RefusalCode::missing_field, "response", "an answer says Accept, Decline or Provisional for each item");
  if (!is_response(message) && item.response) check.invalid("response", "only an answer (ResponseTo...) has one");
  if (!item.response) return;
  check.known("response", *item.response);
  if (*item.response == Response::Decline && item.reason.empty() && item.reason_code.empty())
    check.fail(RefusalCode::missing_field, "reason", "whoever declines says why");
}

void check_named(Checker& check, ResourceMessage message, const MobilisationItem& item) {
  if (!item.resource.empty()) {
    if (const auto home = home_region(item.resource); !home) {
      check.invalid("resource", home.error().reason);
    } else if (item.resource.substr(6, 10) != ":resource:") {
      check.invalid("resource", "it must be the entity of a resource, e.g. 330800:resource:team-17");
    }
  }
  const bool needed = promises(message, item) || (names_resources(message) && item.response != Response::Decline);
  if (needed && item.resource.empty())
    check.fail(RefusalCode::missing_field, "resource", fmt::format("a {} names the resource that it is about", to_word(message)));
}

void check_wanted(Checker& check, ResourceMessage message, const MobilisationItem& item) {
  if (item.type) check.known("type", *item.type);
  if (item.quantity_milli < 0) check.invalid("quantity", "it must not be negative");
  const bool asks = message == ResourceMessage::RequestResource || message == ResourceMessage::RequestQuote;
  if (asks && !item.type && item.capability.empty() && item.name.empty() && item.resource.empty())
    check.fail(RefusalCode::missing_field, "type", "what is asked for has a type, a capability, a name, or is a resource");
  if ((asks || promises(message, item)) && item.quantity_milli <= 0)
    check.fail(RefusalCode::missing_field, "quantity", "it says how many, more than 0");
  check.known("deployment", item.deployment);
  if (message == ResourceMessage::ReportResourceDeploymentStatus && item.deployment == Deployment::none && item.schedule.empty())
    check.fail(RefusalCode::missing_field, "deployment", "a report of deployment says departed, arrived, returning or returned");
}

void check_items(Checker& check, const Mobilisation& mobilisation) {
  const auto& items = mobilisation.items;
  if (items.size() > kMaxMobilisationItems)
    check.invalid("items", fmt::format("{} items; a message has at most {}", items.size(), kMaxMobilisationItems));
  const ResourceMessage message = mobilisation.message;
  const bool may_be_empty = mobilisation.recall == Recall::Cancel || message == ResourceMessage::RequestInformation ||
                            message == ResourceMessage::ResponseToRequestInformation ||
                            message == ResourceMessage::RequestResourceDeploymentStatus;
  if (items.empty() && !may_be_empty)
    check.fail(RefusalCode::missing_field, "items", fmt::format("a {} has at least one item", to_word(message)));
  std::set<std::string_view> ids;
  each(check, "items", items, [&](Checker& c, const MobilisationItem& item) {
    c.required_line("id", item.id);
    if (!ids.insert(item.id).second) c.invalid("id", "another item of the message has the same id");
    check_response(c, message, item);
    check_named(c, message, item);
    check_wanted(c, message, item);
    check_texts(c, item);
    if (item.schedule.size() > kMaxSchedules)
      c.invalid("schedule", fmt::format("{} entries; an item has at most {}", item.schedule.size(), kMaxSchedules));
    each(c, "schedule", item.schedule, check_schedule);
  });
}

}  // namespace

bool is_response(ResourceMessage message) {
  switch (message) {
    case ResourceMessage::ResponseToRequestResource:
    case ResourceMessage::ResponseToRequestInformation:
    case ResourceMessage::ResponseToRequestReturn:
    case ResourceMessage::ResponseToRequestQuote:
    case ResourceMessage::ResponseToRequestExtendedDeploymentDuration:
      return true;
    default:
      return false;
  }
}

bool can_begin(ResourceMessage message) {
  switch (message) {
    case ResourceMessage::RequestResource:
    case ResourceMessage::RequestInformation:
    case ResourceMessage::OfferUnsolicitedResource:
    case ResourceMessage::RequestQuote:
      return true;
    default:
      return false;
  }
}

Result<void> check_mobilisation(const Mobilisation& mobilisation) {
  Checker check;
  check.known("message", mobilisation.message);
  check.required_line("message_id", mobilisation.message_id);
  check.required_line("originating_id", mobilisation.originating_id);
  check.line("preceding_id", mobilisation.preceding_id);
  check.time("sent", mobilisation.sent);
  check.text("description", mobilisation.description);
  const bool begins = mobilisation.message_id == mobilisation.originating_id;
  if (begins && !can_begin(mobilisation.message))
    check.invalid("originating_id", fmt::format("a {} begins no thread: it names the first message of the one that it belongs to",
                                                to_word(mobilisation.message)));
  if (begins && !mobilisation.preceding_id.empty()) check.invalid("preceding_id", "the first message of a thread answers none");
  const bool answers = is_response(mobilisation.message) || mobilisation.message == ResourceMessage::CommitResource;
  if (answers && mobilisation.preceding_id.empty())
    check.fail(RefusalCode::missing_field, "preceding_id", "it names the message that it answers");
  if (mobilisation.recall) check.known("recall", *mobilisation.recall);
  if (mobilisation.recall.has_value() != !mobilisation.recalled_id.empty())
    check.fail(RefusalCode::missing_field, "recalled_id", "a recall says Update or Cancel, and of which message");
  check.line("recalled_id", mobilisation.recalled_id);
  check.line("incident", mobilisation.incident);
  if (mobilisation.to.size() > kMaxFilterItems) check.invalid("to", "too many regions");
  check.time("answer_by", mobilisation.answer_by);
  check.name_values("funding", mobilisation.funding);
  each(check, "contacts", mobilisation.contacts, check_contact);
  check_items(check, mobilisation);
  return std::move(check).result();
}

}  // namespace lianxi
