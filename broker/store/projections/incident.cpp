#include "broker/store/projections/incident.h"

#include <algorithm>

namespace lianxi::store {

namespace {

constexpr unsigned kHomeBit = kVersionOrdinalBits + kVersionEpochBits;
static_assert(kHomeBit < 63);

Hash hash_row(const Applied& applied, const IncidentFields& fields) {
  RowHasher row("incident");
  row.text(applied.event.envelope.entity)
      .text(applied.feed.audience.text())
      .number(static_cast<std::int64_t>(applied.event.envelope.status))
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

IncidentFields read_fields(const Run& row) {
  IncidentFields fields;
  fields.state = static_cast<IncidentState>(row.number(2));
  if (auto place = PlaceCode::parse(row.text(3))) fields.place = *place;
  fields.head = {row.number(4), row.number(5)};
  fields.incident_class = static_cast<IncidentClass>(row.number(6));
  fields.class_from = {row.number(7), row.number(8)};
  fields.level = static_cast<Level>(row.number(9));
  fields.level_from = {row.number(10), row.number(11)};
  fields.title = row.text(12);
  fields.title_from = {row.number(13), row.number(14)};
  fields.updated_at = row.number(15);
  return fields;
}

}  // namespace

FieldSource source_of(Version version, RegionCode from, RegionCode home) {
  const std::int64_t home_bit = from == home ? std::int64_t{1} << kHomeBit : 0;
  return {home_bit | version, from.value};
}

void IncidentFields::take(const Envelope& envelope, const IncidentReport& report, FieldSource source, TimeMs received_at) {
  if (source > head) {
    head = source;
    state = report.state;
    place = envelope.place;
  }
  if (report.incident_class != IncidentClass::unknown && source > class_from) {
    class_from = source;
    incident_class = report.incident_class;
  }
  if (envelope.level != Level::none && source > level_from) {
    level_from = source;
    level = envelope.level;
  }
  if (!report.title.empty() && source > title_from) {
    title_from = source;
    title = report.title;
  }
  updated_at = std::max(updated_at, received_at);
}

IncidentProjection::IncidentProjection(SQLite::Database& db)
    : db_(db),
      find_(db,
            "SELECT id, row_hash, state, place, head_key, head_region, incident_class, class_key, class_region, level, level_key,"
            " level_region, title, title_key, title_region, updated_at FROM incident"
            " WHERE entity = ? AND audience = ? AND status = ?"),
      write_(db,
             "INSERT OR REPLACE INTO incident (id, entity, audience, status, region, state, place, head_key, head_region,"
             " incident_class, class_key, class_region, level, level_key, level_region, title, title_key, title_region,"
             " updated_at, row_hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      report_(db,
              "INSERT INTO report (incident, region, epoch, lane, sequence, version, publisher, received_at, event_bytes,"
              " row_hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)") {}

void IncidentProjection::apply(const Applied& applied) {
  const Envelope& envelope = applied.event.envelope;
  std::int64_t id = 0;
  IncidentFields fields;
  {
    Run found(find_);
    found.put(envelope.entity).put(applied.audience).put(static_cast<int>(envelope.status));
    if (found.next()) {
      id = found.number(0);
      applied.digest.subtract(hash_of(found.blob(1), "incident"));
      fields = read_fields(found);
    }
  }
  if (id == 0) id = number_of(db_, "SELECT coalesce(max(id), 0) + 1 FROM incident");
  fields.take(envelope, std::get<IncidentReport>(applied.event.body),
              source_of(applied.version, applied.feed.region, applied.home), applied.received_at());
  const Hash row_hash = hash_row(applied, fields);
  applied.digest.add(row_hash);
  write(id, applied, fields, row_hash);

  const Stamp& stamp = applied.record.stamp;
  const Hash report_hash = RowHasher("report")
                               .number(applied.feed.region.value)
                               .number(applied.feed.epoch.value)
                               .number(static_cast<std::int64_t>(applied.feed.lane))
                               .text(applied.feed.audience.text())
                               .number(to_stored(stamp.sequence.value))
                               .number(applied.version)
                               .text(stamp.publisher.text())
                               .number(applied.received_at())
                               .bytes(applied.record.body)
                               .finish();
  applied.digest.add(report_hash);
  Run(report_)
      .put(id)
      .put(applied.feed.region.value)
      .put(applied.feed.epoch.value)
      .put(static_cast<int>(applied.feed.lane))
      .put(stamp.sequence.value)
      .put(applied.version)
      .put(stamp.publisher.text())
      .put(applied.received_at())
      .put(applied.record.body)
      .put(BytesView(report_hash))
      .exec();
}

void IncidentProjection::write(std::int64_t id, const Applied& applied, const IncidentFields& fields, const Hash& row_hash) {
  const Envelope& envelope = applied.event.envelope;
  Run(write_)
      .put(id)
      .put(envelope.entity)
      .put(applied.audience)
      .put(static_cast<int>(envelope.status))
      .put(applied.home.value)
      .put(static_cast<int>(fields.state))
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
      .put(BytesView(row_hash))
      .exec();
}

}  // namespace lianxi::store
