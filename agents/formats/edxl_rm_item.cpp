#include "agents/formats/edxl_rm_item.h"

#include <algorithm>

#include "agents/formats/edxl_rm_shape.h"
#include "agents/formats/text.h"
#include "schemas/mobilisation_rules.h"

namespace lianxi::formats {
namespace {

void read_answer(const EdxlScope& scope, ResourceMessage message, MobilisationItem& item) {
  item.preceding = scope.text("PrecedingResourceInfoElementID");
  item.response = scope.word<Response>("ResponseType");
  // Whoever commits or reports says Accept because the standard wants a word there.
  if (!is_response(message) && item.response == Response::Accept) item.response.reset();
  if (const auto code = scope.child("ReasonCode")) item.reason_code = code->value_of(kReasonUrn);
  item.reason = scope.text("ResponseReason");
}

void read_resource(const EdxlScope& scope, MobilisationItem& item) {
  item.resource = scope.text("ResourceID");
  item.name = one_line(scope.text("Name"));
  item.description = scope.text("Description");
  if (const auto type = scope.child("TypeStructure")) {
    if (type->text("ValueListURN") == kTypeUrn) {
      const auto word = parse_word<ResourceType>(type->value_of(kTypeUrn));
      if (!word) type->refuse(word.error().reason);
      if (word) item.type = *word;
    } else {
      if (item.name.empty()) item.name = one_line(type->text("Value"));
      type->keep(item.description);
    }
  }
  for (const EdxlScope& keyword : scope.children("Keyword")) {
    if (keyword.text("ValueListURN") == kCapabilityUrn && item.capability.empty()) {
      item.capability = keyword.value_of(kCapabilityUrn);
    } else {
      keyword.keep(item.description);
    }
  }
  for (const char* other :
       {"TypeInfo", "Credentials", "Certifications", "SpecialRequirements", "ResponsibleParty", "OwnershipInformation"}) {
    if (const auto found = scope.child(other)) found->keep(item.description);
  }
  const auto status = scope.child("ResourceStatus");
  if (!status) return;
  if (const auto deployment = status->child("DeploymentStatus")) {
    const auto word = parse_word<Deployment>(deployment->text("Value"));
    if (deployment->text("ValueListURN") != kDeploymentUrn) {
      deployment->keep(item.description);
    } else if (!word) {
      deployment->refuse(word.error().reason);
    } else {
      item.deployment = *word;
    }
  }
  for (const char* other : {"InventoryRefreshDateTime", "Availability"}) {
    if (const auto found = status->child(other)) found->keep(item.description);
  }
}

// "4", "500 respirators"
void read_quantity_text(const EdxlScope& scope, MobilisationItem& item) {
  const std::string& text = scope.element().text;
  const std::size_t end = std::min(text.find_first_not_of("0123456789."), text.size());
  const auto amount = thousandths(std::string_view(text).substr(0, end));
  if (!amount) {
    scope.refuse("\"" + shortened(text) + "\" does not begin with a number: write it as a MeasuredQuantity with Amount");
    return;
  }
  item.quantity_milli = *amount;
  item.unit = one_line(std::string_view(text).substr(end));
}

void read_quantity(const EdxlScope& scope, MobilisationItem& item) {
  const auto texts = scope.children("QuantityText");
  if (texts.size() > 1) texts[1].refuse("one quantity is read: take the others out, or give each its own ResourceInformation");
  if (!texts.empty()) read_quantity_text(texts.front(), item);
  const auto measured = scope.child("MeasuredQuantity");
  if (!measured) return;
  const auto amount = measured->child("Amount");
  const auto value = thousandths(amount->element().text);
  if (!value) {
    amount->refuse("\"" + shortened(amount->element().text) + "\" is not an amount from 0 with at most three decimals");
    return;
  }
  item.quantity_milli = *value;
  if (const auto unit = measured->child("UnitOfMeasure")) item.unit = unit->value_of(kUnitUrn);
}

std::string read_price(const EdxlScope& scope) {
  std::string price;
  for (const EdxlScope& text : scope.children("QuantityText"))
    price += (price.empty() ? "" : "; ") + one_line(text.element().text);
  if (const auto measured = scope.child("MeasuredQuantity")) {
    price = measured->text("Amount");
    if (const auto unit = measured->child("UnitOfMeasure")) price += " " + unit->text("Value");
  }
  return price;
}

void read_task(const EdxlScope& scope, MobilisationItem& item) {
  if (const auto quantity = scope.child("Quantity")) read_quantity(*quantity, item);
  item.restrictions = scope.text("Restrictions");
  item.anticipated_function = scope.text("AnticipatedFunction");
  if (const auto price = scope.child("PriceQuote")) item.price_quote = read_price(*price);
  item.order_id = scope.text("OrderID");
  const auto instructions = scope.child("AssignmentInstructions");
  if (!instructions) return;
  item.instructions = instructions->text("ReportingInstructions");
  for (const char* other : {"ModeOfTransportation", "NavigationInstructions"}) {
    if (const auto found = instructions->child(other)) found->keep(item.description);
  }
}

std::optional<LonLat> read_position(std::string_view text) {
  const auto parts = words(text);
  if (parts.size() != 2) return std::nullopt;
  const auto lat = number<double>(parts[0]);
  const auto lon = number<double>(parts[1]);
  if (!lat || !lon) return std::nullopt;
  return LonLat{*lon, *lat};
}

void read_place(const EdxlScope& scope, MobilisationItem& item, Schedule& schedule) {
  schedule.address = scope.text("LocationDescription");
  if (const auto address = scope.child("Address")) {
    const auto free = address->child("FreeTextAddress");
    if (free && schedule.address.empty() && address->element().children.size() == 1) {
      for (const EdxlScope& line : free->children("AddressLine")) {
        schedule.address += (schedule.address.empty() ? "" : "\n") + line.element().text;
      }
    } else {
      address->keep(item.description);
    }
  }
  const auto area = scope.child("TargetArea");
  if (!area) return;
  const XmlElement& shape = area->element().children.front();
  const EdxlScope inside(shape, area->path() + "/" + shape.name, area->notes());
  if (shape.name != "Point") {
    inside.refuse(
        "a schedule's place is a gml:Point with gml:pos (latitude, then longitude); name other shapes in LocationDescription");
    return;
  }
  schedule.location = read_position(inside.text("pos"));
  if (!schedule.location) inside.refuse("a gml:Point has a gml:pos with latitude and longitude in degrees, as in 28.945 118.873");
}

Schedule read_schedule(const EdxlScope& scope, MobilisationItem& item) {
  Schedule schedule;
  schedule.type = scope.word<ScheduleType>("ScheduleType").value_or(ScheduleType::RequestedArrival);
  schedule.at = scope.time("DateTime");
  if (const auto place = scope.child("Location")) read_place(*place, item, schedule);
  return schedule;
}

Result<void> item_note(const NameValue& pair, MobilisationItem& item) {
  const std::pair<std::string_view, std::string*> kTexts[] = {
      {"preceding", &item.preceding},     {"reason-code", &item.reason_code}, {"reason", &item.reason},
      {"price-quote", &item.price_quote}, {"order-id", &item.order_id},       {"instructions", &item.instructions}};
  for (const auto& [name, text] : kTexts) {
    if (name != pair.name) continue;
    *text = pair.value;
    return {};
  }
  if (pair.name != "deployment") return refuse(RefusalCode::invalid_field, "", "\"" + pair.name + "\" is not known here");
  const auto word = parse_word<Deployment>(pair.value);
  if (!word) return tl::unexpected(word.error());
  item.deployment = *word;
  return {};
}

Result<Schedule> schedule_note(const std::vector<NameValue>& pairs, std::size_t& index) {
  Schedule schedule;
  for (const NameValue& pair : pairs) {
    if (pair.name == "type") {
      const auto type = parse_word<ScheduleType>(pair.value);
      if (!type) return tl::unexpected(type.error());
      schedule.type = *type;
    } else if (pair.name == "index") {
      index = number<std::size_t>(pair.value).value_or(index);
    } else if (pair.name == "at") {
      const auto time = parse_iso8601(pair.value);
      if (!time) return tl::unexpected(time.error());
      schedule.at = *time;
    } else if (pair.name == "pos") {
      schedule.location = read_position(pair.value);
      if (!schedule.location) return refuse(RefusalCode::invalid_field, "", "pos is latitude and longitude in degrees");
    } else if (pair.name == "address") {
      schedule.address = pair.value;
    } else {
      return refuse(RefusalCode::invalid_field, "", "\"" + pair.name + "\" is not known here");
    }
  }
  return schedule;
}

Result<void> read_instruction(const XmlInstruction& instruction, MobilisationItem& item) {
  const auto pairs = read_note(instruction.text);
  if (!pairs) return tl::unexpected(pairs.error());
  if (instruction.target == kScheduleNote) {
    std::size_t index = item.schedule.size();
    auto schedule = schedule_note(*pairs, index);
    if (!schedule) return tl::unexpected(schedule.error());
    const auto at = static_cast<std::ptrdiff_t>(std::min(index, item.schedule.size()));
    item.schedule.insert(item.schedule.begin() + at, std::move(*schedule));
    return {};
  }
  for (const NameValue& pair : *pairs) {
    if (auto read = item_note(pair, item); !read) return read;
  }
  return {};
}

}  // namespace

MobilisationItem read_item(const EdxlScope& scope, ResourceMessage message) {
  MobilisationItem item;
  item.id = scope.text("ResourceInfoElementID");
  if (const auto answer = scope.child("ResponseInformation")) read_answer(*answer, message, item);
  if (const auto resource = scope.child("Resource")) read_resource(*resource, item);
  if (const auto task = scope.child("AssignmentInformation")) read_task(*task, item);
  for (const EdxlScope& schedule : scope.children("ScheduleInformation")) item.schedule.push_back(read_schedule(schedule, item));
  for (const XmlInstruction& instruction : scope.element().instructions) {
    if (instruction.target != kItemNote && instruction.target != kScheduleNote) continue;
    if (const auto read = read_instruction(instruction, item); !read) {
      scope.refuse("the instruction " + instruction.target + " (line " + std::to_string(instruction.line) +
                   "): " + read.error().reason);
    }
  }
  return item;
}

}  // namespace lianxi::formats
