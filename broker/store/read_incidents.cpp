// Incidents with the reports that the asking agent may see, of all audiences together; the incident's own fields are what
// those reports add up to, so that nothing of a withheld report shows.
#include <algorithm>
#include <tuple>

#include "broker/store/projections/incident.h"
#include "broker/store/read_tables.h"
#include "schemas/codec/event_codec.h"

namespace lianxi::store {

namespace {

const std::string kIncidents =
    "SELECT entity, max(region), max(updated_at) AS latest FROM incident WHERE status = 0 AND (place >= ?1 AND place < ?2"
    " OR place IN (substr(?3, 1, 2) || '0000', substr(?3, 1, 4) || '00', substr(?3, 1, 6), substr(?3, 1, 9)))"  // those above
    " GROUP BY entity ORDER BY latest DESC, entity";
const std::string kReports =
    "SELECT i.audience, p.region, p.version, p.publisher, p.received_at, p.event_bytes FROM incident i"
    " JOIN report p ON p.incident = i.id WHERE i.entity = ? AND i.status = 0";

// Nothing if no report of it may be seen.
std::optional<IncidentRow> read(ReadTables& tables, const std::string& entity, RegionCode home, const ReadView::Admits& admits) {
  IncidentRow row;
  IncidentFields fields;
  Run run(tables.statement(kReports));
  run.put(entity);
  while (run.next()) {
    auto event = decode_event(run.blob(5));
    if (!event || !std::holds_alternative<IncidentReport>(event->body) || !admits(event->envelope)) continue;
    const Envelope& envelope = event->envelope;
    auto& report = std::get<IncidentReport>(event->body);
    const RegionCode from(static_cast<std::uint32_t>(run.number(1)));
    const FieldSource source = source_of(run.number(2), from, home);
    fields.take(envelope, report, source, run.number(4));
    if (fields.head == source) row.audience = envelope.audience;
    report.case_reference.clear();
    row.reports.push_back({envelope.agency, run.text(3), std::move(report), envelope.level, envelope.place, envelope.occurred_at,
                           run.number(4), from});
  }
  if (row.reports.empty()) return std::nullopt;
  std::sort(row.reports.begin(), row.reports.end(), [](const ReportRow& a, const ReportRow& b) {
    return std::tie(a.received_at, a.region, a.publisher) < std::tie(b.received_at, b.region, b.publisher);
  });
  row.id = entity;
  row.region = home;
  row.incident_class = fields.incident_class;
  row.level = fields.level;
  row.state = fields.state;
  row.place = fields.place;
  row.title = fields.title;
  row.updated_at = fields.updated_at;
  return row;
}

}  // namespace

IncidentRows read_incidents(ReadTables& tables, const AskIncidents& ask, const ReadView::Admits& admits) {
  IncidentRows rows;
  const std::size_t limit = limit_of(ask.limit);
  const PlaceRange places = range_of(ask.place);
  Run run(tables.statement(kIncidents));
  run.put(places.low).put(places.high).put(ask.place ? ask.place->text() : std::string());
  while (rows.rows.size() <= limit && run.next()) {
    auto row = read(tables, run.text(0), RegionCode(static_cast<std::uint32_t>(run.number(1))), admits);
    if (row && concerns(ask.place, row->place)) rows.rows.push_back(std::move(*row));
  }
  rows.truncated = rows.rows.size() > limit;
  if (rows.truncated) rows.rows.resize(limit);
  return rows;
}

}  // namespace lianxi::store
