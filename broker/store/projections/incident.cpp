#include "broker/store/projections/incident.h"

#include <utility>

#include "schemas/codec/event_codec.h"

namespace lianxi::store {

namespace {

constexpr unsigned kHomeBit = kDecisionOrdinalBits + kDecisionEpochBits;
static_assert(kHomeBit < 63);

Hash hash_row(const RowKey& key, const std::string& audience, const IncidentFields& fields) {
  RowHasher row("incident");
  row.text(key.entity)
      .text(audience)
      .number(static_cast<std::int64_t>(key.status))
      .number(static_cast<std::int64_t>(fields.state))
      .text(fields.place.text())
      .number(static_cast<std::int64_t>(fields.incident_class))
      .number(static_cast<std::int64_t>(fields.level))
      .text(fields.title)
      .number(fields.updated_at);
  for (const FieldSource& source : {fields.head, fields.class_from, fields.level_from, fields.title_from}) {
    row.number(source.key).number(source.region);
  }
  return row.finish();
}

// From column 3 on.
IncidentFields read_fields(const Run& row) {
  IncidentFields fields;
  fields.state = static_cast<IncidentState>(row.number(3));
  if (auto place = PlaceCode::parse(row.text(4))) fields.place = *place;
  fields.head = {row.number(5), row.number(6)};
  fields.incident_class = static_cast<IncidentClass>(row.number(7));
  fields.class_from = {row.number(8), row.number(9)};
  fields.level = static_cast<Level>(row.number(10));
  fields.level_from = {row.number(11), row.number(12)};
  fields.title = row.text(13);
  fields.title_from = {row.number(14), row.number(15)};
  fields.updated_at = row.number(16);
  return fields;
}

// The columns that reports change, in the order of the statements below.
void put_fields(Run& run, const IncidentFields& fields, std::int64_t last_report, const Hash& row_hash) {
  run.put(static_cast<int>(fields.state))
      .put(fields.place.text())
      .put(fields.head.key)
      .put(fields.head.region)
      .put(static_cast<int>(fields.incident_class))
      .put(fields.class_from.key)
      .put(fields.class_from.region)
      .put(static_cast<int>(fields.level))
      .put(fields.level_from.key)
      .put(fields.level_from.region)
      .put(fields.title)
      .put(fields.title_from.key)
      .put(fields.title_from.region)
      .put(fields.updated_at)
      .put(last_report)
      .put(BytesView(row_hash));
}

}  // namespace

FieldSource source_of(Version version, RegionCode from, RegionCode home) {
  const std::int64_t home_bit = from == home ? std::int64_t{1} << kHomeBit : 0;
  return {home_bit | version, from.value};
}

IncidentProjection::IncidentProjection(SQLite::Database& db)
    : db_(db),
      find_(db,
            "SELECT id, last_report, row_hash, state, place, head_key, head_region, incident_class, class_key, class_region,"
            " level, level_key, level_region, title, title_key, title_region, updated_at FROM incident"
            " WHERE entity = ? AND audience = ? AND status = ?"),
      insert_(db,
              "INSERT INTO incident (id, entity, audience, status, region, state, place, head_key, head_region, incident_class,"
              " class_key, class_region, level, level_key, level_region, title, title_key, title_region, updated_at, last_report,"
              " row_hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      update_(db,
              "UPDATE incident SET state = ?, place = ?, head_key = ?, head_region = ?, incident_class = ?, class_key = ?,"
              " class_region = ?, level = ?, level_key = ?, level_region = ?, title = ?, title_key = ?, title_region = ?,"
              " updated_at = ?, last_report = ?, row_hash = ? WHERE id = ?"),
      report_(db,
              "INSERT INTO report (id, incident, previous, region, version, publisher, received_at, event_bytes, event_hash)"
              " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)") {}

void IncidentProjection::apply(const Applied& applied, const ReportView& report) {
  Row& row = rows_.touch(applied, [&](const RowKey& key, Row& fresh) {
    fresh.id = to_stored(applied.offset.value);
    fresh.region = applied.home;
    fresh.audience = &applied.audience;
    load(key, fresh);
  });
  const RecordView& record = applied.record;
  row.fields.take(applied.envelope, report, source_of(applied.version, applied.feed.region, applied.home), applied.received_at());
  Run(report_)
      .put(applied.offset.value)
      .put(row.id)
      .put(row.last_report)
      .put(applied.feed.region.value)
      .put(applied.version)
      .put(record.stamp.publisher.text())
      .put(applied.received_at())
      .put(record.body)
      .put(BytesView(record.hash))
      .exec();
  row.last_report = to_stored(applied.offset.value);
  // A report is never replaced, and the chain's hash is of all that it says and of its place in its feed.
  applied.audience.digest.add(record.hash);
}

// The statements and the reader of one drop.
struct IncidentProjection::Reports {
  explicit Reports(SQLite::Database& db, AudienceRow& of)
      : row(db, "SELECT entity, status, region, last_report, row_hash FROM incident WHERE id = ?"),
        report(db, "SELECT previous, region, version, received_at, event_bytes, event_hash FROM report WHERE id = ?"),
        link(db, "UPDATE report SET previous = ? WHERE id = ?"),
        drop_report(db, "DELETE FROM report WHERE id = ?"),
        drop_row(db, "DELETE FROM incident WHERE id = ?"),
        audience(of) {}
  SQLite::Statement row, report, link, drop_report, drop_row;
  AudienceRow& audience;
  EventReader reader;
};

void IncidentProjection::drop(const Source& source, Version cut, AudienceRow& audience) {
  std::vector<std::int64_t> incidents;
  {
    SQLite::Statement touched(db_,
                              "SELECT DISTINCT r.incident FROM report r JOIN incident i ON i.id = r.incident"
                              " WHERE r.region = ? AND r.version <= ? AND i.audience = ?");
    Run run(touched);
    for (run.put(source.region.value).put(cut).put(source.audience); run.next();) incidents.push_back(run.number(0));
  }
  if (incidents.empty()) return;
  Reports reports(db_, audience);
  for (const std::int64_t incident : incidents) drop_of(incident, source, cut, reports);
  rows_.forget();
}

void IncidentProjection::drop_of(std::int64_t incident, const Source& source, Version cut, Reports& reports) {
  RowKey key;
  Row row;
  std::int64_t at = 0;
  {
    Run found(reports.row);
    if (!found.put(incident).next()) fail(StoreError::corrupt, "a report is of no incident");
    key = {found.text(0), source.audience, static_cast<Status>(found.number(1))};
    row.region = RegionCode(static_cast<std::uint32_t>(found.number(2)));
    at = found.number(3);
    row.hash = hash_of(found.blob(4), "incident");
  }
  row.id = incident;
  row.stored = true;
  row.audience = &reports.audience;
  std::vector<std::int64_t> gone;
  std::int64_t last_kept = 0;  // the report behind this one, as the chain goes from the last to the first
  bool skipped = false;
  const auto keep = [&](std::int64_t report) {
    if (last_kept == 0) row.last_report = report;
    if (last_kept != 0 && skipped) Run(reports.link).put(report).put(last_kept).exec();
    last_kept = report;
    skipped = false;
  };
  while (at != 0) {
    Run run(reports.report);
    if (!run.put(at).next()) fail(StoreError::corrupt, "an incident's report is not there");
    const std::int64_t report = std::exchange(at, run.number(0));
    const RegionCode from(static_cast<std::uint32_t>(run.number(1)));
    if (from == source.region && run.number(2) <= cut) {
      reports.audience.digest.subtract(hash_of(run.blob(5), "report"));
      gone.push_back(report);
      skipped = true;
      continue;
    }
    if (!reports.reader.read(run.blob(4)) || reports.reader.report() == nullptr)
      fail(StoreError::corrupt, "a stored report cannot be read");
    row.fields.take(reports.reader.envelope(), *reports.reader.report(), source_of(run.number(2), from, row.region),
                    run.number(3));
    keep(report);
  }
  if (last_kept != 0 && skipped) Run(reports.link).put(0).put(last_kept).exec();
  for (const std::int64_t report : gone) Run(reports.drop_report).put(report).exec();
  if (last_kept != 0) return write(key, row);
  reports.audience.digest.subtract(row.hash);
  Run(reports.drop_row).put(incident).exec();
}

void IncidentProjection::load(const RowKey& key, Row& row) {
  Run found(find_);
  found.put(key.entity).put(key.audience).put(static_cast<int>(key.status));
  if (!found.next()) return;
  row.id = found.number(0);
  row.last_report = found.number(1);
  row.hash = hash_of(found.blob(2), "incident");
  row.fields = read_fields(found);
  row.stored = true;
}

void IncidentProjection::flush() {
  rows_.flush([this](const RowKey& key, Row& row) { write(key, row); });
}

void IncidentProjection::write(const RowKey& key, Row& row) {
  const Hash hash = hash_row(key, row.audience->name, row.fields);
  row.audience->digest.add(hash);
  if (row.stored) {
    row.audience->digest.subtract(row.hash);
    Run run(update_);
    put_fields(run, row.fields, row.last_report, hash);
    run.put(row.id).exec();
  } else {
    Run run(insert_);
    run.put(row.id).put(key.entity).put(key.audience).put(static_cast<int>(key.status)).put(row.region.value);
    put_fields(run, row.fields, row.last_report, hash);
    run.exec();
  }
  row.hash = hash;
  row.stored = true;
}

}  // namespace lianxi::store
