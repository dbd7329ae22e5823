#include "schemas/codec/mobilisation_io.h"
#include "schemas/codec/mobilisation_query_io.h"

namespace lianxi::codec {
namespace {

template <class T>
using Written = flatbuffers::Offset<T>;

template <class E>
std::uint8_t number(E value) {
  return static_cast<std::uint8_t>(value);
}

Written<wire::MobilisationRow> write(Builder& out, const MobilisationRow& row);
MobilisationRow read(MessageReader& in, const wire::MobilisationRow* from);

// --- writing ---

Written<wire::NeedRow> write(Builder& out, const NeedRow& row) {
  const auto id = write_required(out, row.id);
  const auto capability = write_text(out, row.capability);
  const auto name = write_text(out, row.name);
  const auto unit = write_text(out, row.unit);
  const auto type = row.type ? std::optional(number(*row.type)) : std::nullopt;
  return wire::CreateNeedRow(out, id, type, capability, name, row.quantity_milli, unit, row.offered_milli, row.provisional_milli,
                             row.committed_milli, row.deployed_milli, row.returned_milli);
}

Written<wire::AddresseeRow> write(Builder& out, const AddresseeRow& row) {
  return wire::CreateAddresseeRow(out, row.region.value, number(row.state), row.since, write_text(out, row.reason));
}

Written<wire::HoldingRow> write(Builder& out, const HoldingRow& row) {
  const auto resource = write_text(out, row.resource);
  const auto name = write_text(out, row.name);
  const auto item = write_text(out, row.item);
  const auto unit = write_text(out, row.unit);
  const auto reason = write_text(out, row.reason);
  return wire::CreateHoldingRow(out, row.region.value, resource, name, item, number(row.state), row.held, row.quantity_milli,
                                unit, row.eta, row.until, row.updated_at, reason);
}

Written<wire::ThreadMessageRow> write(Builder& out, const ThreadMessageRow& row) {
  const auto publisher = write_text(out, row.publisher);
  const auto message = write_mobilisation(out, row.message);
  return wire::CreateThreadMessageRow(out, row.region.value, publisher, row.received_at, row.ordinal.value, message);
}

template <class Table, class Row>
auto write_rows(Builder& out, const std::vector<Row>& rows) {
  return write_list<Written<Table>>(out, rows, [&](const Row& row) { return write(out, row); });
}

Written<wire::MobilisationRow> write(Builder& out, const MobilisationRow& row) {
  const auto id = write_required(out, row.id);
  const auto audience = write_text(out, row.audience.text());
  const auto place = write_text(out, row.place.text());
  const auto agency = write_text(out, row.agency);
  const auto incident = write_text(out, row.incident);
  const auto description = write_text(out, row.description);
  const auto needs = write_rows<wire::NeedRow>(out, row.needs);
  const auto members = write_rows<wire::AddresseeRow>(out, row.members);
  const auto holdings = write_rows<wire::HoldingRow>(out, row.holdings);
  const auto messages = write_rows<wire::ThreadMessageRow>(out, row.messages);
  return wire::CreateMobilisationRow(out, id, audience, number(row.status), row.region.value, place, agency, number(row.level),
                                     incident, description, row.sent, row.answer_by, number(row.state), row.open, row.updated_at,
                                     needs, members, holdings, messages);
}

// --- reading ---

NeedRow read(MessageReader& in, const wire::NeedRow* from) {
  NeedRow row;
  row.id = in.text(from->id());
  if (from->type()) row.type = in.known<ResourceType>("type", *from->type());
  row.capability = in.text(from->capability());
  row.name = in.text(from->name());
  row.quantity_milli = from->quantity_milli();
  row.unit = in.text(from->unit());
  row.offered_milli = from->offered_milli();
  row.provisional_milli = from->provisional_milli();
  row.committed_milli = from->committed_milli();
  row.deployed_milli = from->deployed_milli();
  row.returned_milli = from->returned_milli();
  return row;
}

AddresseeRow read(MessageReader& in, const wire::AddresseeRow* from) {
  return {RegionCode(from->region()), in.known<Answering>("state", from->state()), from->since(), in.text(from->reason())};
}

HoldingRow read(MessageReader& in, const wire::HoldingRow* from) {
  HoldingRow row;
  row.region = RegionCode(from->region());
  row.resource = in.text(from->resource());
  row.name = in.text(from->name());
  row.item = in.text(from->item());
  row.state = in.known<MobilisationState>("state", from->state());
  row.held = from->held();
  row.quantity_milli = from->quantity_milli();
  row.unit = in.text(from->unit());
  row.eta = from->eta();
  row.until = from->until();
  row.updated_at = from->updated_at();
  row.reason = in.text(from->reason());
  return row;
}

ThreadMessageRow read(MessageReader& in, const wire::ThreadMessageRow* from) {
  ThreadMessageRow row{RegionCode(from->region()), in.text(from->publisher()), from->received_at(), Ordinal(from->ordinal()),
                       read_mobilisation(in, from->message())};
  (void)in.known<ResourceMessage>("message", static_cast<std::uint64_t>(row.message.message));
  return row;
}

template <class Row, class Table>
std::vector<Row> read_list(MessageReader& in, const flatbuffers::Vector<Written<Table>>* from) {
  return in.list<Row>(from, [&](const Table* item) { return read(in, item); });
}

MobilisationRow read(MessageReader& in, const wire::MobilisationRow* from) {
  MobilisationRow row;
  row.id = in.text(from->id());
  row.audience = in.audience("audience", from->audience());
  row.status = in.known<Status>("status", from->status());
  row.region = RegionCode(from->region());
  row.place = in.place("place", from->place());
  row.agency = in.text(from->agency());
  row.level = in.known<Level>("level", from->level());
  row.incident = in.text(from->incident());
  row.description = in.text(from->description());
  row.sent = from->sent();
  row.answer_by = from->answer_by();
  row.state = in.known<MobilisationState>("state", from->state());
  row.open = from->open();
  row.updated_at = from->updated_at();
  row.needs = read_list<NeedRow>(in, from->needs());
  row.members = read_list<AddresseeRow>(in, from->members());
  row.holdings = read_list<HoldingRow>(in, from->holdings());
  row.messages = read_list<ThreadMessageRow>(in, from->messages());
  return row;
}

}  // namespace

flatbuffers::Offset<void> write_mobilisations(Builder& out, const AskMobilisations& ask) {
  const auto entity = write_text(out, ask.entity);
  const auto incident = write_text(out, ask.incident);
  const auto place = write_text(out, ask.place ? ask.place->text() : "");
  const auto after = write_text(out, ask.after);
  return wire::CreateAskMobilisations(out, entity, ask.open, incident, ask.region ? ask.region->value : 0, place, ask.drills,
                                      ask.limit, after)
      .Union();
}

flatbuffers::Offset<void> write_mobilisations(Builder& out, const MobilisationRows& rows) {
  return wire::CreateMobilisationRows(out, write_rows<wire::MobilisationRow>(out, rows.rows), rows.truncated).Union();
}

AskMobilisations read_mobilisations(MessageReader& in, const wire::AskMobilisations* from) {
  AskMobilisations ask;
  ask.entity = in.line("entity", from->entity());
  ask.open = from->open();
  ask.incident = in.line("incident", from->incident());
  if (from->region() != 0) ask.region = RegionCode(from->region());
  if (PlaceCode place = in.place("place", from->place()); !place.text().empty()) ask.place = place;
  ask.drills = from->drills();
  ask.limit = from->limit();
  if (ask.limit > kMaxQueryLimit) in.invalid("limit", fmt::format("{} rows; at most {} are answered", ask.limit, kMaxQueryLimit));
  ask.after = in.line("after", from->after());
  if (ask.after.empty()) return ask;
  if (const auto cursor = parse_mobilisation_cursor(ask.after); !cursor) in.invalid("after", cursor.error().reason);
  return ask;
}

MobilisationRows read_mobilisations(MessageReader& in, const wire::MobilisationRows* from) {
  return {read_list<MobilisationRow>(in, from->rows()), from->truncated()};
}

}  // namespace lianxi::codec
