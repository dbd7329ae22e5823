#include "broker/store/projections/alert.h"

#include <algorithm>
#include <bit>

namespace lianxi::store {

namespace {

constexpr std::int64_t kPolygon = 0;
constexpr std::int64_t kCircle = 1;

void append_real(Bytes& bytes, double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value);
  for (unsigned shift = 0; shift < 64; shift += 8) bytes.push_back(static_cast<std::uint8_t>(bits >> shift));
}

std::string areas_of(const AlertInfo& info) {
  std::string text;
  for (const AlertArea& area : info.areas) {
    if (!text.empty()) text += "、";
    text += area.description;
  }
  return text;
}

}  // namespace

std::optional<TimeMs> expiry_of(const Alert& alert) {
  std::optional<TimeMs> latest;
  for (const AlertInfo& info : alert.infos) {
    if (!info.expires || *info.expires <= alert.sent) return std::nullopt;
    latest = std::max(latest.value_or(*info.expires), *info.expires);
  }
  return latest;
}

const AlertInfo* shown_info(const Alert& alert) {
  if (alert.infos.empty()) return nullptr;
  const auto chinese = std::find_if(alert.infos.begin(), alert.infos.end(), [](const AlertInfo& info) {
    return info.language.starts_with("zh") || info.language.starts_with("ZH");
  });
  return chinese == alert.infos.end() ? &alert.infos.front() : &*chinese;
}

AlertProjection::AlertProjection(SQLite::Database& db)
    : db_(db),
      find_(db, "SELECT id, version, row_hash FROM alert WHERE entity = ? AND audience = ? AND status = ?"),
      delete_(db, "DELETE FROM alert WHERE id = ?"),
      insert_(db,
              "INSERT INTO alert (id, entity, audience, status, region, version, sender, identifier, sent, msg_type, level,"
              " place, agency, event, headline, area, expires, event_bytes, row_hash)"
              " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      info_(db,
            "INSERT INTO alert_info (alert, info, language, event, urgency, severity, certainty, effective, onset, expires)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      area_(db, "INSERT INTO alert_area (alert, info, area, description, altitude_ft, ceiling_ft) VALUES (?, ?, ?, ?, ?, ?)"),
      shape_(db, "INSERT INTO alert_shape (alert, info, area, shape, kind, points) VALUES (?, ?, ?, ?, ?, ?)"),
      geocode_(db, "INSERT INTO alert_geocode (alert, info, area, geocode, name, value) VALUES (?, ?, ?, ?, ?, ?)"),
      reference_(db, "INSERT OR IGNORE INTO alert_reference (target, alert) VALUES (?, ?)") {}

bool AlertProjection::apply(const Applied& applied) {
  if (applied.feed.region != applied.home) return false;
  const Envelope& envelope = applied.event.envelope;
  std::int64_t id = 0;  // a new row
  Hash old_hash{};
  {
    Run found(find_);
    found.put(envelope.entity).put(applied.audience).put(static_cast<int>(envelope.status));
    if (found.next()) {
      if (found.number(1) >= applied.version) return true;
      id = found.number(0);
      old_hash = hash_of(found.blob(2), "alert");
    }
  }
  if (id == 0) {
    id = number_of(db_, "SELECT coalesce(max(id), 0) + 1 FROM alert");
  } else {
    applied.digest.subtract(old_hash);
    Run(delete_).put(id).exec();
    for (const char* table : {"alert_info", "alert_area", "alert_shape", "alert_geocode", "alert_reference"}) {
      db_.exec("DELETE FROM " + std::string(table) + " WHERE alert = " + std::to_string(id));
    }
  }
  const Hash row_hash = RowHasher("alert")
                            .text(envelope.entity)
                            .text(applied.feed.audience.text())
                            .number(static_cast<std::int64_t>(envelope.status))
                            .number(applied.version)
                            .bytes(applied.record.body)
                            .finish();
  applied.digest.add(row_hash);
  write_row(id, applied, row_hash);
  return true;
}

void AlertProjection::write_row(std::int64_t id, const Applied& applied, const Hash& row_hash) {
  const Envelope& envelope = applied.event.envelope;
  const auto& alert = std::get<Alert>(applied.event.body);
  const AlertInfo none;
  const AlertInfo* shown = shown_info(alert);
  const AlertInfo& info = shown == nullptr ? none : *shown;
  const std::string area = areas_of(info);
  Run(insert_)
      .put(id)
      .put(envelope.entity)
      .put(applied.audience)
      .put(static_cast<int>(envelope.status))
      .put(applied.home.value)
      .put(applied.version)
      .put(alert.sender)
      .put(alert.identifier)
      .put(alert.sent)
      .put(static_cast<int>(alert.msg_type))
      .put(static_cast<int>(envelope.level))
      .put(envelope.place.text())
      .put(envelope.agency)
      .put(info.event)
      .put(info.headline)
      .put(area)
      .put_optional(expiry_of(alert))
      .put(applied.record.body)
      .put(BytesView(row_hash))
      .exec();
  for (std::size_t i = 0; i < alert.infos.size(); ++i) write_info(id, static_cast<std::int64_t>(i), alert.infos[i]);
  for (const AlertReference& reference : alert.references) {
    const std::string target = alert_entity(applied.home, reference.sender, reference.identifier, reference.sent);
    Run(reference_).put(target).put(id).exec();
  }
}

void AlertProjection::write_info(std::int64_t id, std::int64_t number, const AlertInfo& info) {
  Run(info_)
      .put(id)
      .put(number)
      .put(info.language)
      .put(info.event)
      .put(static_cast<int>(info.urgency))
      .put(static_cast<int>(info.severity))
      .put(static_cast<int>(info.certainty))
      .put_optional(info.effective)
      .put_optional(info.onset)
      .put_optional(info.expires)
      .exec();
  for (std::size_t i = 0; i < info.areas.size(); ++i) write_area(id, number, static_cast<std::int64_t>(i), info.areas[i]);
}

void AlertProjection::write_area(std::int64_t id, std::int64_t info, std::int64_t number, const AlertArea& area) {
  Run(area_)
      .put(id)
      .put(info)
      .put(number)
      .put(area.description)
      .put_optional(area.altitude_ft)
      .put_optional(area.ceiling_ft)
      .exec();
  std::int64_t shape = 0;
  for (const auto& polygon : area.polygons) {
    Bytes points;
    for (const LonLat& corner : polygon) {
      append_real(points, corner.lon);
      append_real(points, corner.lat);
    }
    Run(shape_).put(id).put(info).put(number).put(shape++).put(kPolygon).put(BytesView(points)).exec();
  }
  for (const Circle& circle : area.circles) {
    Bytes points;
    append_real(points, circle.centre.lon);
    append_real(points, circle.centre.lat);
    append_real(points, circle.radius_m);
    Run(shape_).put(id).put(info).put(number).put(shape++).put(kCircle).put(BytesView(points)).exec();
  }
  std::int64_t geocode = 0;
  for (const NameValue& code : area.geocodes) {
    Run(geocode_).put(id).put(info).put(number).put(geocode++).put(code.name).put(code.value).exec();
  }
}

}  // namespace lianxi::store
