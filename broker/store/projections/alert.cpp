#include "broker/store/projections/alert.h"

#include <algorithm>

namespace lianxi::store {

namespace {

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
      find_(db, "SELECT id, version, event_hash FROM alert WHERE entity = ? AND audience = ? AND status = ?"),
      delete_(db, "DELETE FROM alert WHERE id = ?"),
      insert_(db,
              "INSERT INTO alert (id, entity, audience, status, region, version, sender, identifier, sent, msg_type, level,"
              " place, agency, event, headline, area, expires, event_hash, event_bytes)"
              " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      reference_(db, "INSERT OR IGNORE INTO alert_reference (target, alert) VALUES (?, ?)"),
      no_references_(db, "DELETE FROM alert_reference WHERE alert = ?") {}

bool AlertProjection::apply(const Applied& applied, const Alert& alert) {
  if (applied.feed.region != applied.home) return false;
  const Envelope& envelope = applied.envelope;
  std::optional<std::int64_t> replaced;
  {
    Run found(find_);
    found.put(envelope.entity).put(applied.audience.id).put(static_cast<int>(envelope.status));
    if (found.next()) {
      if (found.number(1) >= applied.version) return true;
      replaced = found.number(0);
      applied.audience.digest.subtract(hash_of(found.blob(2), "alert"));
    }
  }
  if (replaced) {
    Run(delete_).put(*replaced).exec();
    Run(no_references_).put(*replaced).exec();
  }
  // The row is a function of this one event, and the chain's hash is of all that it says.
  applied.audience.digest.add(applied.record.hash);
  write(applied, alert);
  return true;
}

void AlertProjection::drop(const Source& source, Version cut, AudienceRow& audience) {
  SQLite::Statement gone(db_, "SELECT id, event_hash FROM alert WHERE region = ? AND audience = ? AND version <= ?");
  std::vector<std::int64_t> ids;
  Run run(gone);
  for (run.put(source.region.value).put(source.audience).put(cut); run.next();) {
    ids.push_back(run.number(0));
    audience.digest.subtract(hash_of(run.blob(1), "alert"));
  }
  for (const std::int64_t id : ids) {
    Run(delete_).put(id).exec();
    Run(no_references_).put(id).exec();
  }
}

void AlertProjection::write(const Applied& applied, const Alert& alert) {
  const Envelope& envelope = applied.envelope;
  const AlertInfo none;
  const AlertInfo* shown = shown_info(alert);
  const AlertInfo& info = shown == nullptr ? none : *shown;
  const std::string area = areas_of(info);
  Run(insert_)
      .put(applied.offset.value)
      .put(envelope.entity)
      .put(applied.audience.id)
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
      .put(BytesView(applied.record.hash))
      .put(applied.record.body)
      .exec();
  for (const AlertReference& reference : alert.references) {
    const std::string target = alert_entity(applied.home, reference.sender, reference.identifier, reference.sent);
    Run(reference_).put(target).put(applied.offset.value).exec();
  }
}

}  // namespace lianxi::store
