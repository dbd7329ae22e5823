#include "broker/store/projections/incident.h"

namespace lianxi::store {

namespace {

constexpr unsigned kHomeBit = kVersionOrdinalBits + kVersionEpochBits;
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
    : find_(db,
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
              "INSERT INTO report (id, incident, previous, region, version, publisher, received_at, event_bytes)"
              " VALUES (?, ?, ?, ?, ?, ?, ?, ?)") {}

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
      .exec();
  row.last_report = to_stored(applied.offset.value);
  // A report is never replaced, and the chain's hash is of all that it says and of its place in its feed.
  applied.audience.digest.add(record.hash);
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
