#include "schemas/codec/mobilisation_io.h"

namespace lianxi::codec {
namespace {

using flatbuffers::Offset;

template <class E>
std::optional<std::uint8_t> number_of(const std::optional<E>& value) {
  return value ? std::optional(static_cast<std::uint8_t>(*value)) : std::nullopt;
}
template <class E>
std::optional<E> value_of(const std::optional<std::uint8_t>& number) {
  return number ? std::optional(static_cast<E>(*number)) : std::nullopt;
}

Offset<wire::Schedule> write(Builder& out, const Schedule& schedule) {
  const auto address = write_text(out, schedule.address);
  const PointWriter location(schedule.location);
  return wire::CreateSchedule(out, static_cast<std::uint8_t>(schedule.type), schedule.at, location.get(), address);
}

Offset<wire::MobilisationContact> write(Builder& out, const MobilisationContact& contact) {
  const auto name = write_text(out, contact.name);
  const auto agency = write_text(out, contact.agency);
  const auto phone = write_text(out, contact.phone);
  return wire::CreateMobilisationContact(out, static_cast<std::uint8_t>(contact.role), name, agency, phone);
}

Offset<wire::MobilisationItem> write(Builder& out, const MobilisationItem& item) {
  const auto id = write_required(out, item.id);
  const auto preceding = write_text(out, item.preceding);
  const auto reason_code = write_text(out, item.reason_code);
  const auto reason = write_text(out, item.reason);
  const auto resource = write_text(out, item.resource);
  const auto name = write_text(out, item.name);
  const auto capability = write_text(out, item.capability);
  const auto description = write_text(out, item.description);
  const auto unit = write_text(out, item.unit);
  const auto restrictions = write_text(out, item.restrictions);
  const auto anticipated_function = write_text(out, item.anticipated_function);
  const auto price_quote = write_text(out, item.price_quote);
  const auto order_id = write_text(out, item.order_id);
  const auto instructions = write_text(out, item.instructions);
  const auto schedule =
      write_list<Offset<wire::Schedule>>(out, item.schedule, [&](const Schedule& entry) { return write(out, entry); });
  return wire::CreateMobilisationItem(out, id, preceding, number_of(item.response), reason_code, reason, resource,
                                      number_of(item.type), name, capability, description, item.quantity_milli, unit,
                                      restrictions, anticipated_function, price_quote, order_id, instructions,
                                      static_cast<std::uint8_t>(item.deployment), schedule);
}

Schedule read(ValueReader& in, const wire::Schedule* from) {
  return {static_cast<ScheduleType>(from->type()), from->at(), read_point(from->location()), in.text(from->address())};
}

MobilisationContact read(ValueReader& in, const wire::MobilisationContact* from) {
  return {static_cast<ContactRole>(from->role()), in.text(from->name()), in.text(from->agency()), in.text(from->phone())};
}

MobilisationItem read(ValueReader& in, const wire::MobilisationItem* from) {
  MobilisationItem item;
  item.id = in.text(from->id());
  item.preceding = in.text(from->preceding());
  item.response = value_of<Response>(from->response());
  item.reason_code = in.text(from->reason_code());
  item.reason = in.text(from->reason());
  item.resource = in.text(from->resource());
  item.type = value_of<ResourceType>(from->type());
  item.name = in.text(from->name());
  item.capability = in.text(from->capability());
  item.description = in.text(from->description());
  item.quantity_milli = from->quantity_milli();
  item.unit = in.text(from->unit());
  item.restrictions = in.text(from->restrictions());
  item.anticipated_function = in.text(from->anticipated_function());
  item.price_quote = in.text(from->price_quote());
  item.order_id = in.text(from->order_id());
  item.instructions = in.text(from->instructions());
  item.deployment = static_cast<Deployment>(from->deployment());
  item.schedule = in.list<Schedule>(from->schedule(), [&](const wire::Schedule* entry) { return read(in, entry); });
  return item;
}

}  // namespace

Offset<wire::Mobilisation> write_mobilisation(Builder& out, const Mobilisation& mobilisation) {
  const auto message_id = write_required(out, mobilisation.message_id);
  const auto originating_id = write_required(out, mobilisation.originating_id);
  const auto preceding_id = write_text(out, mobilisation.preceding_id);
  const auto description = write_text(out, mobilisation.description);
  const auto recalled_id = write_text(out, mobilisation.recalled_id);
  const auto incident = write_text(out, mobilisation.incident);
  std::vector<std::uint32_t> regions;
  for (const RegionCode region : mobilisation.to) regions.push_back(region.value);
  const auto to = write_numbers<std::uint32_t>(out, regions);
  const auto funding = write_name_values(out, mobilisation.funding);
  const auto contacts = write_list<Offset<wire::MobilisationContact>>(
      out, mobilisation.contacts, [&](const MobilisationContact& contact) { return write(out, contact); });
  const auto items = write_list<Offset<wire::MobilisationItem>>(out, mobilisation.items,
                                                                [&](const MobilisationItem& item) { return write(out, item); });
  return wire::CreateMobilisation(out, static_cast<std::uint8_t>(mobilisation.message), message_id, originating_id, preceding_id,
                                  mobilisation.sent, description, number_of(mobilisation.recall), recalled_id, incident, to,
                                  mobilisation.answer_by, funding, contacts, items);
}

Mobilisation read_mobilisation(ValueReader& in, const wire::Mobilisation* from) {
  Mobilisation mobilisation;
  mobilisation.message = static_cast<ResourceMessage>(from->message());
  mobilisation.message_id = in.text(from->message_id());
  mobilisation.originating_id = in.text(from->originating_id());
  mobilisation.preceding_id = in.text(from->preceding_id());
  mobilisation.sent = from->sent();
  mobilisation.description = in.text(from->description());
  mobilisation.recall = value_of<Recall>(from->recall());
  mobilisation.recalled_id = in.text(from->recalled_id());
  mobilisation.incident = in.text(from->incident());
  mobilisation.to = in.list<RegionCode>(from->to(), [](std::uint32_t region) { return RegionCode(region); });
  mobilisation.answer_by = from->answer_by();
  mobilisation.funding = in.name_values(from->funding());
  mobilisation.contacts =
      in.list<MobilisationContact>(from->contacts(), [&](const wire::MobilisationContact* contact) { return read(in, contact); });
  mobilisation.items =
      in.list<MobilisationItem>(from->items(), [&](const wire::MobilisationItem* item) { return read(in, item); });
  return mobilisation;
}

}  // namespace lianxi::codec
