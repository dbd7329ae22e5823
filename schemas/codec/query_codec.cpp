// Questions to a node's view and their answers.
#include "schemas/codec/explain_io.h"
#include "schemas/codec/map_io.h"
#include "schemas/codec/mobilisation_query_io.h"
#include "schemas/codec/status_io.h"
#include "schemas/map_cursor.h"

namespace lianxi {
namespace {

using codec::Builder;
using codec::MessageReader;
using FbVoid = flatbuffers::Offset<void>;
template <class T>
using Written = flatbuffers::Offset<T>;

using codec::number;
using codec::read_limit;
using codec::read_place;

// --- writing ---

FbVoid write(Builder& out, const AskExplain& ask) {
  return codec::write_explain(out, ask);
}
FbVoid write(Builder& out, const ExplainReport& report) {
  return codec::write_explain(out, report);
}
FbVoid write(Builder& out, const AskMobilisations& ask) {
  return codec::write_mobilisations(out, ask);
}
FbVoid write(Builder& out, const MobilisationRows& rows) {
  return codec::write_mobilisations(out, rows);
}

FbVoid write(Builder& out, const AskResources& ask) {
  return codec::write_map(out, ask);
}
FbVoid write(Builder& out, const AskTotals& ask) {
  return codec::write_map(out, ask);
}
FbVoid write(Builder& out, const ResourceRows& rows) {
  return codec::write_map(out, rows);
}
FbVoid write(Builder& out, const TotalRows& rows) {
  return codec::write_map(out, rows);
}

FbVoid write(Builder& out, const AskAlerts& ask) {
  const auto place = codec::write_text(out, ask.place ? ask.place->text() : "");
  return wire::CreateAskAlerts(out, ask.all, place, ask.limit).Union();
}

FbVoid write(Builder& out, const AskIncidents& ask) {
  const auto place = codec::write_text(out, ask.place ? ask.place->text() : "");
  return wire::CreateAskIncidents(out, place, ask.limit).Union();
}

FbVoid write(Builder& out, const AskStatus& ask) {
  return wire::CreateAskStatus(out, ask.counters).Union();
}

FbVoid write(Builder& out, const AskRetention& ask) {
  return wire::CreateAskRetention(out, number(ask.lane), codec::write_text(out, ask.audience.text()), ask.before).Union();
}

Written<wire::AlertRow> write(Builder& out, const AlertRow& row) {
  const auto id = codec::write_required(out, row.id);
  const auto audience = codec::write_text(out, row.audience.text());
  const auto identifier = codec::write_text(out, row.identifier);
  const auto sender = codec::write_text(out, row.sender);
  const auto event = codec::write_text(out, row.event);
  const auto headline = codec::write_text(out, row.headline);
  const auto area = codec::write_text(out, row.area);
  const auto place = codec::write_text(out, row.place.text());
  return wire::CreateAlertRow(out, id, audience, identifier, sender, row.sent, number(row.status), row.state,
                              number(row.msg_type), number(row.level), event, headline, area, row.region.value, place,
                              row.expires);
}

Written<wire::ReportRow> write(Builder& out, const ReportRow& row) {
  const IncidentReport& report = row.report;
  const auto agency = codec::write_text(out, row.agency);
  const auto publisher = codec::write_text(out, row.publisher);
  const auto place = codec::write_text(out, row.place.text());
  const auto title = codec::write_text(out, report.title);
  const auto text = codec::write_text(out, report.text);
  const auto address = codec::write_text(out, report.address);
  const auto own_reference = codec::write_text(out, report.own_reference);
  const auto reporter = codec::write_text(out, report.reporter);
  const auto fields = codec::write_name_values(out, report.fields);
  const auto event_code = codec::write_text(out, report.event_code);
  const codec::PointWriter location(report.location);
  return wire::CreateReportRow(out, agency, publisher, number(report.report_type), number(report.incident_class),
                               number(report.state), number(row.level), place, row.occurred_at, row.received_at, title, text,
                               address, location.get(), report.deaths, report.missing, report.injured, report.trapped,
                               report.affected, own_reference, reporter, fields, row.region.value, event_code);
}

Written<wire::IncidentRow> write(Builder& out, const IncidentRow& row) {
  const auto id = codec::write_required(out, row.id);
  const auto audience = codec::write_text(out, row.audience.text());
  const auto place = codec::write_text(out, row.place.text());
  const auto title = codec::write_text(out, row.title);
  const auto reports =
      codec::write_list<Written<wire::ReportRow>>(out, row.reports, [&](const ReportRow& report) { return write(out, report); });
  return wire::CreateIncidentRow(out, id, audience, number(row.status), number(row.incident_class), number(row.level),
                                 number(row.state), row.region.value, place, title, row.updated_at, reports);
}

FbVoid write(Builder& out, const AlertRows& rows) {
  const auto list =
      codec::write_list<Written<wire::AlertRow>>(out, rows.rows, [&](const AlertRow& row) { return write(out, row); });
  return wire::CreateAlertRows(out, list, rows.truncated).Union();
}

FbVoid write(Builder& out, const IncidentRows& rows) {
  const auto list =
      codec::write_list<Written<wire::IncidentRow>>(out, rows.rows, [&](const IncidentRow& row) { return write(out, row); });
  return wire::CreateIncidentRows(out, list, rows.truncated).Union();
}

FbVoid write(Builder& out, const StatusReport& status) {
  return codec::write_status(out, status);
}

Written<wire::EventBytes> write_event(Builder& out, const Bytes& event) {
  return wire::CreateEventBytes(out, out.CreateVector(event.data(), event.size()));
}

FbVoid write(Builder& out, const RetentionPlan& plan) {
  const auto held_by = codec::write_texts(out, plan.held_by);
  const auto restate = codec::write_list<Written<wire::EventBytes>>(out, plan.restate,
                                                                    [&](const Bytes& event) { return write_event(out, event); });
  const auto retention = plan.retention.empty() ? Written<wire::EventBytes>() : write_event(out, plan.retention);
  return wire::CreateRetentionPlan(out, plan.through.value, plan.asked_through.value, plan.events, plan.alerts, plan.reports,
                                   plan.incidents, plan.oldest, plan.newest, held_by, plan.to_restate, restate, retention)
      .Union();
}

// --- reading ---

AskAlerts read(MessageReader& in, const wire::AskAlerts* from) {
  return AskAlerts{from->all(), read_place(in, from->place()), read_limit(in, from->limit())};
}

AskIncidents read(MessageReader& in, const wire::AskIncidents* from) {
  return AskIncidents{read_place(in, from->place()), read_limit(in, from->limit())};
}

AskStatus read(MessageReader& /*in*/, const wire::AskStatus* from) {
  return AskStatus{from->counters()};
}

AskRetention read(MessageReader& in, const wire::AskRetention* from) {
  AskRetention ask{in.known<Lane>("lane", from->lane()), in.audience("audience", from->audience()), from->before()};
  if (ask.audience.text().empty()) in.fail(RefusalCode::missing_field, "audience", "a feed has an audience");
  if (ask.before < kMinTimeMs || ask.before > kMaxTimeMs) in.invalid("before", "the time is outside the years 1 to 9999");
  return ask;
}

RetentionPlan read(MessageReader& in, const wire::RetentionPlan* from) {
  in.bounded("held_by", from->held_by(), kMaxRetentionHolders);
  in.bounded("restate", from->restate(), kMaxRestatements);
  RetentionPlan plan;
  if (in.failed()) return plan;
  plan.through = Sequence(from->through());
  plan.asked_through = Sequence(from->asked_through());
  plan.events = from->events();
  plan.alerts = from->alerts();
  plan.reports = from->reports();
  plan.incidents = from->incidents();
  plan.oldest = from->oldest();
  plan.newest = from->newest();
  plan.held_by = in.texts(from->held_by());
  plan.to_restate = from->to_restate();
  plan.restate = in.list<Bytes>(from->restate(), [&](const wire::EventBytes* item) { return in.bytes(item->bytes()); });
  if (from->retention() != nullptr) plan.retention = in.bytes(from->retention()->bytes());
  return plan;
}

AlertRow read(MessageReader& in, const wire::AlertRow* from) {
  AlertRow row;
  row.id = in.text(from->id());
  row.audience = in.audience("audience", from->audience());
  row.identifier = in.text(from->identifier());
  row.sender = in.text(from->sender());
  row.sent = from->sent();
  row.status = in.known<Status>("status", from->status());
  row.state = number(in.known<AlertState>("state", from->state()));
  row.msg_type = in.known<MsgType>("msg_type", from->msg_type());
  row.level = in.known<Level>("level", from->level());
  row.event = in.text(from->event());
  row.headline = in.text(from->headline());
  row.area = in.text(from->area());
  row.region = RegionCode(from->region());
  row.place = in.place("place", from->place());
  row.expires = from->expires();
  return row;
}

ReportRow read(MessageReader& in, const wire::ReportRow* from) {
  ReportRow row;
  row.agency = in.text(from->agency());
  row.publisher = in.text(from->publisher());
  IncidentReport& report = row.report;
  report.report_type = in.known<ReportType>("report_type", from->report_type());
  report.incident_class = in.known<IncidentClass>("incident_class", from->incident_class());
  report.state = in.known<IncidentState>("state", from->state());
  report.event_code = in.text(from->event_code());
  report.title = in.text(from->title());
  report.text = in.text(from->text());
  report.address = in.text(from->address());
  report.location = in.point("location", from->location());
  report.deaths = from->deaths();
  report.missing = from->missing();
  report.injured = from->injured();
  report.trapped = from->trapped();
  report.affected = from->affected();
  report.own_reference = in.text(from->own_reference());
  report.reporter = in.text(from->reporter());
  report.fields = in.name_values(from->fields());
  row.level = in.known<Level>("level", from->level());
  row.place = in.place("place", from->place());
  row.occurred_at = from->occurred_at();
  row.received_at = from->received_at();
  row.region = RegionCode(from->region());
  return row;
}

IncidentRow read(MessageReader& in, const wire::IncidentRow* from) {
  IncidentRow row;
  row.id = in.text(from->id());
  row.audience = in.audience("audience", from->audience());
  row.status = in.known<Status>("status", from->status());
  row.incident_class = in.known<IncidentClass>("incident_class", from->incident_class());
  row.level = in.known<Level>("level", from->level());
  row.state = in.known<IncidentState>("state", from->state());
  row.region = RegionCode(from->region());
  row.place = in.place("place", from->place());
  row.title = in.text(from->title());
  row.updated_at = from->updated_at();
  row.reports = in.list<ReportRow>(from->reports(), [&](const wire::ReportRow* item) { return read(in, item); });
  return row;
}

StatusReport read(MessageReader& in, const wire::StatusReport* from) {
  return codec::read_status(in, from);
}

template <class Rows, class Row, class Table>
Rows read_rows(MessageReader& in, const Table* from) {
  return Rows{in.list<Row>(from->rows(), [&](const auto* item) { return read(in, item); }), from->truncated()};
}

}  // namespace

namespace codec {

namespace {

// The union's number of a value: its place in ours.
template <class Union, class Variant>
Union number_in(const Variant& value) {
  return static_cast<Union>(value.index() + 1);
}
static_assert(static_cast<int>(wire::Ask::MAX) == 8 && static_cast<int>(wire::Rows::MAX) == 8);

}  // namespace

Bytes write_payload(const Query& query) {
  Builder out;
  const auto ask = std::visit([&](const auto& value) { return write(out, value); }, query.ask);
  const auto type = number_in<wire::Ask>(query.ask);
  out.Finish(wire::CreateQuery(out, query.after_offset.value, query.deadline_ms, type, ask));
  return finished(out);
}
static_assert(static_cast<int>(wire::Ask::AskResources) == 1 && static_cast<int>(wire::Ask::AskExplain) == 5);

namespace {

Bytes write_answer(const Answer& answer) {
  constexpr std::size_t kTenRows = 8 * 1024;  // what a list shows at once is written where it stands
  Builder out(kTenRows);
  const auto rows = std::visit([&](const auto& value) { return write(out, value); }, answer.rows);
  const auto type = number_in<wire::Rows>(answer.rows);
  out.Finish(wire::CreateAnswer(out, answer.offset.value, type, rows));
  return finished(out);
}

// The first rows, as many as fit: halved until they do, because an answer too large for its frame is rare.
template <class Rows>
Bytes write_fitting(const Answer& answer, const Rows& rows) {
  Bytes bytes;
  std::size_t count = rows.rows.size();
  do {
    count /= 2;
    const auto end = rows.rows.begin() + static_cast<std::ptrdiff_t>(count);
    Rows fewer{{rows.rows.begin(), end}, true};
    if constexpr (requires { fewer.next; }) fewer.next = next_behind(fewer);
    bytes = write_answer(Answer{answer.request, answer.offset, std::move(fewer)});
  } while (bytes.size() > kMaxAnswerBytes && count > 0);
  return bytes;
}

}  // namespace

Bytes write_payload(const Answer& answer) {
  Bytes bytes = write_answer(answer);
  if (bytes.size() <= kMaxAnswerBytes) return bytes;
  return std::visit(
      [&]<class Rows>(const Rows& rows) {
        if constexpr (requires { rows.rows; }) {
          return write_fitting(answer, rows);
        } else {
          return std::move(bytes);
        }
      },
      answer.rows);
}
static_assert(static_cast<int>(wire::Rows::ResourceRows) == 1 && static_cast<int>(wire::Rows::ExplainReport) == 5);

Result<Message> read_query(const FrameHeader& header, BytesView aligned) {
  const auto root = verified_root<wire::Query>(aligned, kMaxTables);
  if (!root) return tl::unexpected(root.error());
  const wire::Query* from = *root;
  MessageReader in(aligned.size());
  Query query{header.sequence, Offset(from->after_offset()), from->deadline_ms(), {}};
  switch (from->ask_type()) {
    case wire::Ask::AskResources:
      query.ask = read_map(in, from->ask_as_AskResources());
      break;
    case wire::Ask::AskAlerts:
      query.ask = read(in, from->ask_as_AskAlerts());
      break;
    case wire::Ask::AskIncidents:
      query.ask = read(in, from->ask_as_AskIncidents());
      break;
    case wire::Ask::AskStatus:
      query.ask = read(in, from->ask_as_AskStatus());
      break;
    case wire::Ask::AskExplain:
      query.ask = read_explain(in, from->ask_as_AskExplain());
      break;
    case wire::Ask::AskRetention:
      query.ask = read(in, from->ask_as_AskRetention());
      break;
    case wire::Ask::AskTotals:
      query.ask = read_map(in, from->ask_as_AskTotals());
      break;
    case wire::Ask::AskMobilisations:
      query.ask = read_mobilisations(in, from->ask_as_AskMobilisations());
      break;
    default:
      in.invalid("ask", fmt::format("question {} is not known here", static_cast<int>(from->ask_type())));
  }
  return in.result<Message>(std::move(query));
}

Result<Message> read_answer(const FrameHeader& header, BytesView aligned) {
  const auto root = verified_root<wire::Answer>(aligned, kMaxAnswerTables);
  if (!root) return tl::unexpected(root.error());
  const wire::Answer* from = *root;
  MessageReader in(aligned.size());
  Answer answer{header.sequence, Offset(from->offset()), {}};
  switch (from->rows_type()) {
    case wire::Rows::ResourceRows:
      answer.rows = read_map(in, from->rows_as_ResourceRows());
      break;
    case wire::Rows::AlertRows:
      answer.rows = read_rows<AlertRows, AlertRow>(in, from->rows_as_AlertRows());
      break;
    case wire::Rows::IncidentRows:
      answer.rows = read_rows<IncidentRows, IncidentRow>(in, from->rows_as_IncidentRows());
      break;
    case wire::Rows::StatusReport:
      answer.rows = read(in, from->rows_as_StatusReport());
      break;
    case wire::Rows::ExplainReport:
      answer.rows = read_explain(in, from->rows_as_ExplainReport());
      break;
    case wire::Rows::RetentionPlan:
      answer.rows = read(in, from->rows_as_RetentionPlan());
      break;
    case wire::Rows::TotalRows:
      answer.rows = read_map(in, from->rows_as_TotalRows());
      break;
    case wire::Rows::MobilisationRows:
      answer.rows = read_mobilisations(in, from->rows_as_MobilisationRows());
      break;
    default:
      in.invalid("rows", fmt::format("rows of type {} are not known here", static_cast<int>(from->rows_type())));
  }
  return in.result<Message>(std::move(answer));
}

}  // namespace codec
}  // namespace lianxi
