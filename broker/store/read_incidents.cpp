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
const std::string kRows = "SELECT last_report FROM incident WHERE entity = ? AND status = 0";  // of each audience
const std::string kReport = "SELECT previous, region, version, publisher, received_at, event_bytes FROM report WHERE id = ?";

struct Ordered {
  Version version = 0;
  ReportRow row;
};

// What the reports of one entity add up to, those that may be seen.
class Sum {
 public:
  Sum(RegionCode home, const ReadView::Admits& admits) : home_(home), admits_(admits) {}

  void take(const Run& run) {
    auto event = decode_event(run.blob(5));
    if (!event || !std::holds_alternative<IncidentReport>(event->body) || !admits_(event->envelope)) return;
    const Envelope& envelope = event->envelope;
    auto& report = std::get<IncidentReport>(event->body);
    const RegionCode from(static_cast<std::uint32_t>(run.number(1)));
    const FieldSource source = source_of(run.number(2), from, home_);
    fields_.take(envelope, report, source, run.number(4));
    if (fields_.head == source) audience_ = envelope.audience;
    report.case_reference.clear();
    reports_.push_back({run.number(2),
                        {envelope.agency, run.text(3), std::move(report), envelope.level, envelope.place, envelope.occurred_at,
                         run.number(4), from}});
  }

  // Nothing if no report of it may be seen.
  [[nodiscard]] std::optional<IncidentRow> row(const std::string& entity) && {
    if (reports_.empty()) return std::nullopt;
    std::sort(reports_.begin(), reports_.end(), [](const Ordered& a, const Ordered& b) {
      return std::tie(a.row.received_at, a.row.region, a.version) < std::tie(b.row.received_at, b.row.region, b.version);
    });
    IncidentRow row;
    for (Ordered& report : reports_) row.reports.push_back(std::move(report.row));
    row.audience = audience_;
    row.id = entity;
    row.region = home_;
    row.incident_class = fields_.incident_class;
    row.level = fields_.level;
    row.state = fields_.state;
    row.place = fields_.place;
    row.title = fields_.title;
    row.updated_at = fields_.updated_at;
    return row;
  }

 private:
  RegionCode home_;
  const ReadView::Admits& admits_;
  IncidentFields fields_;
  Audience audience_;
  std::vector<Ordered> reports_;
};

std::optional<IncidentRow> read(ReadTables& tables, const std::string& entity, RegionCode home, const ReadView::Admits& admits) {
  Sum sum(home, admits);
  Run rows(tables.statement(kRows));
  rows.put(entity);
  while (rows.next()) {
    for (std::int64_t id = rows.number(0); id != 0;) {
      Run report(tables.statement(kReport));
      if (!report.put(id).next()) fail(StoreError::corrupt, "a report of " + entity + " is missing");
      sum.take(report);
      const std::int64_t previous = report.number(0);
      if (previous >= id) fail(StoreError::corrupt, "the reports of " + entity + " go in a circle");
      id = previous;
    }
  }
  return std::move(sum).row(entity);
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
