#include "broker/store/projections/resource.h"

#include <algorithm>

namespace lianxi::store {

namespace {

std::string attributes_text(std::span<const NameValueView> attributes) {
  std::string text;
  for (const NameValueView& attribute : attributes) {
    if (!text.empty()) text += '\n';
    text += attribute.name;
    text += '\t';
    text += attribute.value;
  }
  return text;
}

}  // namespace

std::string join_lines(std::span<const std::string_view> words) {
  std::string text;
  for (const std::string_view word : words) {
    if (!text.empty()) text += '\n';
    text += word;
  }
  return text;
}

std::vector<std::string> split_lines(const std::string& text) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

// Groups are kept apart by lane, and each is what its last event says: so what a retention takes out of one lane is the same
// whether or not the events before it ever came.
void ResourceProjection::Row::take(const Envelope& envelope, const ResourceView& resource, Version version, TimeMs received_at) {
  if (resource.change == ResourceChange::state) {
    if (version <= state_version) return;
    state_version = version;
    changed_state = static_cast<std::int64_t>(resource.state);
    state_at = received_at;
    return;
  }
  if (version > std::max({removed, record, quantity_version, place_version})) bulk_at = received_at;
  if (resource.change == ResourceChange::remove) {
    removed = std::max(removed, version);
    return;
  }
  take_bulk(envelope, resource, version);
}

void ResourceProjection::Row::take_bulk(const Envelope& envelope, const ResourceView& resource, Version version) {
  const bool whole = resource.change == ResourceChange::upsert;
  if (whole && version > record) {
    record = version;
    type = static_cast<std::int64_t>(resource.type);
    level = static_cast<std::int64_t>(envelope.level);
    agency = envelope.agency;
    name = resource.name;
    owner = resource.owner;
    capabilities = join_lines(resource.capabilities);
    unit = resource.unit;
    supply_code = resource.supply_code;
    contact = resource.contact;
    phone = resource.phone;
    attributes = attributes_text(resource.attributes);
    record_state = static_cast<std::int64_t>(resource.state);
  }
  if ((whole || resource.change == ResourceChange::quantity) && version > quantity_version) {
    quantity_version = version;
    quantity_milli = resource.quantity_milli;
    capacity = resource.capacity;
    occupancy = resource.occupancy;
  }
  if ((whole || resource.change == ResourceChange::place) && version > place_version) {
    place_version = version;
    place = envelope.place.text();
    address = resource.address;
    lon = resource.location ? std::optional(resource.location->lon) : std::nullopt;
    lat = resource.location ? std::optional(resource.location->lat) : std::nullopt;
  }
}

void ResourceProjection::Row::drop(Lane lane, Version cut) {
  if (lane == lane_of(Kind::resource, ResourceChange::state)) {
    if (state_version > cut) return;
    state_version = changed_state = state_at = 0;
    return;
  }
  if (removed <= cut) removed = 0;
  if (record <= cut) {
    record = type = level = record_state = 0;
    for (std::string* text : {&agency, &name, &owner, &capabilities, &unit, &supply_code, &contact, &phone, &attributes})
      text->clear();
  }
  if (quantity_version <= cut) {
    quantity_version = quantity_milli = 0;
    capacity = occupancy = std::nullopt;
  }
  if (place_version <= cut) {
    place_version = 0;
    place.clear();
    address.clear();
    lon = lat = std::nullopt;
  }
  if (std::max({removed, record, quantity_version, place_version}) == 0) bulk_at = 0;
}

Hash ResourceProjection::Row::content_hash(const RowKey& key) const {
  RowHasher row("resource");
  row.text(key.entity)
      .text(audience->name)
      .number(static_cast<std::int64_t>(key.status))
      .number(removed)
      .number(record)
      .number(type)
      .number(level);
  for (const std::string* text : {&agency, &name, &owner, &capabilities, &unit, &supply_code, &contact, &phone, &attributes}) {
    row.text(*text);
  }
  row.number(record_state).number(state_version).number(changed_state);
  row.number(quantity_version).number(quantity_milli).maybe(capacity).maybe(occupancy);
  row.number(place_version).text(place).text(address).real(lon).real(lat).number(updated_at());
  return row.finish();
}

ResourceProjection::ResourceProjection(SQLite::Database& db)
    : db_(db),
      find_(db,
            "SELECT id, row_hash, removed_version, record_version, type, level, agency, name, owner, capabilities, unit,"
            " supply_code, contact, phone, attributes, record_state, state_version, changed_state, state_at, bulk_at,"
            " quantity_version, quantity_milli, capacity, occupancy, place_version, place, address, lon, lat FROM resource"
            " WHERE entity = ? AND audience = ? AND status = ?"),
      insert_(
          db,
          "INSERT INTO resource (removed_version, record_version, type, level, agency, name, owner, capabilities, unit,"
          " supply_code, contact, phone, attributes, place_version, place, address, lon, lat, record_state, state_version,"
          " changed_state, state_at, bulk_at, state, quantity_version, quantity_milli, capacity, occupancy, updated_at, row_hash,"
          " id, entity, audience, status, region)"
          " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
      update_(
          db,
          "UPDATE resource SET removed_version = ?, record_version = ?, type = ?, level = ?, agency = ?, name = ?, owner = ?,"
          " capabilities = ?, unit = ?, supply_code = ?, contact = ?, phone = ?, attributes = ?, place_version = ?, place = ?,"
          " address = ?, lon = ?, lat = ?, record_state = ?, state_version = ?, changed_state = ?, state_at = ?, bulk_at = ?,"
          " state = ?, quantity_version = ?, quantity_milli = ?, capacity = ?, occupancy = ?, updated_at = ?, row_hash = ?"
          " WHERE id = ?"),
      update_changes_(db,
                      "UPDATE resource SET record_state = ?, state_version = ?, changed_state = ?, state_at = ?, bulk_at = ?,"
                      " state = ?, quantity_version = ?, quantity_milli = ?, capacity = ?, occupancy = ?, updated_at = ?,"
                      " row_hash = ? WHERE id = ?"),
      delete_(db, "DELETE FROM resource WHERE id = ?"),
      spot_(db, "INSERT OR REPLACE INTO resource_spot (id, west, east, south, north) VALUES (?, ?, ?, ?, ?)"),
      no_spot_(db, "DELETE FROM resource_spot WHERE id = ?"),
      capability_(db, "INSERT OR IGNORE INTO resource_capability (capability, resource) VALUES (?, ?)"),
      no_capability_(db, "DELETE FROM resource_capability WHERE capability = ? AND resource = ?") {}

bool ResourceProjection::apply(const Applied& applied, const ResourceView& resource) {
  if (applied.feed.region != applied.home) return false;
  Row& row = rows_.touch(applied, [&](const RowKey& key, Row& fresh) {
    fresh.id = to_stored(applied.offset.value);
    fresh.region = applied.home;
    fresh.audience = &applied.audience;
    load(key, fresh);
  });
  row.take(applied.envelope, resource, applied.version, applied.received_at());
  return true;
}

void ResourceProjection::load(const RowKey& key, Row& row) {
  Run run(find_);
  run.put(key.entity).put(key.audience).put(static_cast<int>(key.status));
  if (!run.next()) return;
  row.id = run.number(0);
  row.hash = hash_of(run.blob(1), "resource");
  row.removed = run.number(2);
  row.record = run.number(3);
  row.type = run.number(4);
  row.level = run.number(5);
  int column = 6;
  for (std::string* text : {&row.agency, &row.name, &row.owner, &row.capabilities, &row.unit, &row.supply_code, &row.contact,
                            &row.phone, &row.attributes}) {
    *text = run.text(column++);
  }
  row.record_state = run.number(15);
  row.state_version = run.number(16);
  row.changed_state = run.number(17);
  row.state_at = run.number(18);
  row.bulk_at = run.number(19);
  row.quantity_version = run.number(20);
  row.quantity_milli = run.number(21);
  row.capacity = run.optional_number<std::int32_t>(22);
  row.occupancy = run.optional_number<std::int32_t>(23);
  row.place_version = run.number(24);
  row.place = run.text(25);
  row.address = run.text(26);
  if (!run.is_null(27)) row.lon = run.real(27);
  if (!run.is_null(28)) row.lat = run.real(28);
  row.stored = row.seen();
}

void ResourceProjection::drop(const Source& source, Version cut, AudienceRow& audience) {
  std::vector<RowKey> keys;
  {
    SQLite::Statement touched(
        db_,
        "SELECT entity, status FROM resource WHERE region = ? AND audience = ? AND"
        " (removed_version BETWEEN 1 AND ?3 OR record_version BETWEEN 1 AND ?3 OR state_version BETWEEN 1 AND ?3"
        " OR quantity_version BETWEEN 1 AND ?3 OR place_version BETWEEN 1 AND ?3)");
    Run run(touched);
    for (run.put(source.region.value).put(source.audience).put(cut); run.next();)
      keys.push_back({run.text(0), source.audience, static_cast<Status>(run.number(1))});
  }
  for (const RowKey& key : keys) {
    Row row;
    row.audience = &audience;
    load(key, row);
    row.drop(source.lane, cut);
    if (row.empty()) {
      erase(row);
    } else {
      write(key, row);
    }
  }
  rows_.forget();
}

void ResourceProjection::erase(Row& row) {
  row.audience->digest.subtract(row.hash);
  index(row.id, row.stored.value_or(Seen{}), Seen{});
  Run(delete_).put(row.id).exec();
}

void ResourceProjection::flush() {
  rows_.flush([this](const RowKey& key, Row& row) { write(key, row); });
}

void ResourceProjection::write(const RowKey& key, Row& row) {
  const Hash hash = row.content_hash(key);
  row.audience->digest.add(hash);
  if (row.stored) row.audience->digest.subtract(row.hash);
  row.hash = hash;
  const Seen now = row.seen();
  const bool changes_alone = row.stored && row.stored->record == now.record && row.stored->removed == now.removed &&
                             row.stored->place_version == now.place_version;
  if (changes_alone) {
    Run run(update_changes_);
    put_changes(run, row);
    run.put(row.id).exec();
    return;
  }
  Run run(row.stored ? update_ : insert_);
  run.put(row.removed).put(row.record).put(row.type).put(row.level);
  for (const std::string* text : {&row.agency, &row.name, &row.owner, &row.capabilities, &row.unit, &row.supply_code,
                                  &row.contact, &row.phone, &row.attributes}) {
    run.put(*text);
  }
  run.put(row.place_version).put(row.place).put(row.address).put_optional(row.lon).put_optional(row.lat);
  put_changes(run, row);
  run.put(row.id);
  if (!row.stored) run.put(key.entity).put(key.audience).put(static_cast<int>(key.status)).put(row.region.value);
  run.exec();
  index(row.id, row.stored.value_or(Seen{}), now);
  row.stored = now;
}

void ResourceProjection::put_changes(Run& run, const Row& row) {
  run.put(row.record_state)
      .put(row.state_version)
      .put(row.changed_state)
      .put(row.state_at)
      .put(row.bulk_at)
      .put(row.state())
      .put(row.quantity_version)
      .put(row.quantity_milli)
      .put_optional(row.capacity)
      .put_optional(row.occupancy)
      .put(row.updated_at())
      .put(BytesView(row.hash));
}

// Keeps the tables of spots and capabilities to the visible rows.
void ResourceProjection::index(std::int64_t id, const Seen& before, const Seen& after) {
  const bool was_spot = before.visible() && before.lon && before.lat;
  const bool is_spot = after.visible() && after.lon && after.lat;
  if (is_spot && (!was_spot || before.lon != after.lon || before.lat != after.lat)) {
    Run(spot_).put(id).put(*after.lon).put(*after.lon).put(*after.lat).put(*after.lat).exec();
  } else if (was_spot && !is_spot) {
    Run(no_spot_).put(id).exec();
  }
  const std::string old_words = before.visible() ? before.capabilities : std::string();
  const std::string new_words = after.visible() ? after.capabilities : std::string();
  if (old_words == new_words) return;
  for (const std::string& word : split_lines(old_words)) Run(no_capability_).put(word).put(id).exec();
  for (const std::string& word : split_lines(new_words)) Run(capability_).put(word).put(id).exec();
}

}  // namespace lianxi::store
