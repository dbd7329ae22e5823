#include "broker/store/projections/resource.h"

#include <sqlite3.h>

#include <algorithm>

namespace lianxi::store {

// The columns of table `resource`.
struct ResourceProjection::Row {
  std::int64_t id = 0;
  Version removed = 0;
  Version record = 0;
  std::int64_t type = 0;
  std::int64_t level = 0;
  std::string agency, name, owner, capabilities, unit, supply_code, contact, phone, attributes;
  Version state_version = 0;
  std::int64_t state = 0;
  Version quantity_version = 0;
  std::int64_t quantity_milli = 0;
  std::optional<std::int32_t> capacity, occupancy;
  Version place_version = 0;
  std::string place, address;
  std::optional<double> lon, lat;
  TimeMs updated_at = 0;

  [[nodiscard]] bool visible() const { return record > removed; }
  void take(const Envelope& envelope, const Resource& resource, Version version);
  [[nodiscard]] Hash hash(const Applied& applied) const;
};

namespace {

std::string attributes_text(const std::vector<NameValue>& attributes) {
  std::string text;
  for (const NameValue& attribute : attributes) {
    if (!text.empty()) text += '\n';
    text += attribute.name + '\t' + attribute.value;
  }
  return text;
}

}  // namespace

std::string join_lines(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
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

void ResourceProjection::Row::take(const Envelope& envelope, const Resource& resource, Version version) {
  const ResourceChange change = resource.change;
  if (change == ResourceChange::remove) {
    removed = std::max(removed, version);
    return;
  }
  const bool whole = change == ResourceChange::upsert;
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
  }
  if ((whole || change == ResourceChange::state) && version > state_version) {
    state_version = version;
    state = static_cast<std::int64_t>(resource.state);
  }
  if ((whole || change == ResourceChange::quantity) && version > quantity_version) {
    quantity_version = version;
    quantity_milli = resource.quantity_milli;
    capacity = resource.capacity;
    occupancy = resource.occupancy;
  }
  if ((whole || change == ResourceChange::place) && version > place_version) {
    place_version = version;
    place = envelope.place.text();
    address = resource.address;
    lon = resource.location ? std::optional(resource.location->lon) : std::nullopt;
    lat = resource.location ? std::optional(resource.location->lat) : std::nullopt;
  }
}

Hash ResourceProjection::Row::hash(const Applied& applied) const {
  RowHasher row("resource");
  row.text(applied.event.envelope.entity)
      .text(applied.feed.audience.text())
      .number(static_cast<std::int64_t>(applied.event.envelope.status))
      .number(removed)
      .number(record)
      .number(type)
      .number(level);
  for (const std::string* text : {&agency, &name, &owner, &capabilities, &unit, &supply_code, &contact, &phone, &attributes}) {
    row.text(*text);
  }
  row.number(state_version).number(state).number(quantity_version).number(quantity_milli).maybe(capacity).maybe(occupancy);
  row.number(place_version).text(place).text(address).real(lon).real(lat).number(updated_at);
  return row.finish();
}

ResourceProjection::ResourceProjection(SQLite::Database& db)
    : db_(db),
      find_(db,
            "SELECT id, row_hash, removed_version, record_version, type, level, agency, name, owner, capabilities, unit,"
            " supply_code, contact, phone, attributes, state_version, state, quantity_version, quantity_milli, capacity,"
            " occupancy, place_version, place, address, lon, lat, updated_at FROM resource"
            " WHERE entity = ? AND audience = ? AND status = ?"),
      write_(db,
             "INSERT INTO resource (id, entity, audience, status, region, removed_version, record_version, type, level, agency,"
             " name, owner, capabilities, unit, supply_code, contact, phone, attributes, state_version, state,"
             " quantity_version, quantity_milli, capacity, occupancy, place_version, place, address, lon, lat, updated_at,"
             " row_hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
             " ON CONFLICT (entity, audience, status) DO UPDATE SET removed_version = excluded.removed_version,"
             " record_version = excluded.record_version, type = excluded.type, level = excluded.level,"
             " agency = excluded.agency, name = excluded.name, owner = excluded.owner, capabilities = excluded.capabilities,"
             " unit = excluded.unit, supply_code = excluded.supply_code, contact = excluded.contact, phone = excluded.phone,"
             " attributes = excluded.attributes, state_version = excluded.state_version, state = excluded.state,"
             " quantity_version = excluded.quantity_version, quantity_milli = excluded.quantity_milli,"
             " capacity = excluded.capacity, occupancy = excluded.occupancy, place_version = excluded.place_version,"
             " place = excluded.place, address = excluded.address, lon = excluded.lon, lat = excluded.lat,"
             " updated_at = excluded.updated_at, row_hash = excluded.row_hash"),
      spot_(db, "INSERT OR REPLACE INTO resource_spot (id, west, east, south, north) VALUES (?, ?, ?, ?, ?)"),
      no_spot_(db, "DELETE FROM resource_spot WHERE id = ?"),
      capability_(db, "INSERT OR IGNORE INTO resource_capability (capability, resource) VALUES (?, ?)"),
      no_capability_(db, "DELETE FROM resource_capability WHERE capability = ? AND resource = ?") {}

bool ResourceProjection::find(const Applied& applied, Row& row) {
  const Envelope& envelope = applied.event.envelope;
  Run run(find_);
  run.put(envelope.entity).put(applied.audience).put(static_cast<int>(envelope.status));
  if (!run.next()) return false;
  row.id = run.number(0);
  applied.digest.subtract(hash_of(run.blob(1), "resource"));
  row.removed = run.number(2);
  row.record = run.number(3);
  row.type = run.number(4);
  row.level = run.number(5);
  int column = 6;
  for (std::string* text : {&row.agency, &row.name, &row.owner, &row.capabilities, &row.unit, &row.supply_code, &row.contact,
                            &row.phone, &row.attributes}) {
    *text = run.text(column++);
  }
  row.state_version = run.number(15);
  row.state = run.number(16);
  row.quantity_version = run.number(17);
  row.quantity_milli = run.number(18);
  row.capacity = run.optional_number<std::int32_t>(19);
  row.occupancy = run.optional_number<std::int32_t>(20);
  row.place_version = run.number(21);
  row.place = run.text(22);
  row.address = run.text(23);
  if (!run.is_null(24)) row.lon = run.real(24);
  if (!run.is_null(25)) row.lat = run.real(25);
  row.updated_at = run.number(26);
  return true;
}

bool ResourceProjection::apply(const Applied& applied) {
  if (applied.feed.region != applied.home) return false;
  Row row;
  const bool known = find(applied, row);
  const Row before = known ? row : Row{};
  row.take(applied.event.envelope, std::get<Resource>(applied.event.body), applied.version);
  row.updated_at = std::max(row.updated_at, applied.received_at());
  write(applied, row);
  if (!known) row.id = sqlite3_last_insert_rowid(db_.getHandle());
  index(before, row);
  return true;
}

void ResourceProjection::write(const Applied& applied, const Row& row) {
  const Envelope& envelope = applied.event.envelope;
  const Hash row_hash = row.hash(applied);
  applied.digest.add(row_hash);
  Run run(write_);
  if (row.id == 0) {
    run.put_null();
  } else {
    run.put(row.id);
  }
  run.put(envelope.entity)
      .put(applied.audience)
      .put(static_cast<int>(envelope.status))
      .put(applied.home.value)
      .put(row.removed)
      .put(row.record)
      .put(row.type)
      .put(row.level);
  for (const std::string* text : {&row.agency, &row.name, &row.owner, &row.capabilities, &row.unit, &row.supply_code,
                                  &row.contact, &row.phone, &row.attributes}) {
    run.put(*text);
  }
  run.put(row.state_version)
      .put(row.state)
      .put(row.quantity_version)
      .put(row.quantity_milli)
      .put_optional(row.capacity)
      .put_optional(row.occupancy)
      .put(row.place_version)
      .put(row.place)
      .put(row.address)
      .put_optional(row.lon)
      .put_optional(row.lat)
      .put(row.updated_at)
      .put(BytesView(row_hash))
      .exec();
}

// Keeps the tables of spots and capabilities to the visible rows.
void ResourceProjection::index(const Row& before, const Row& after) {
  const bool was_spot = before.visible() && before.lon && before.lat;
  const bool is_spot = after.visible() && after.lon && after.lat;
  if (is_spot && (!was_spot || before.lon != after.lon || before.lat != after.lat)) {
    Run(spot_).put(after.id).put(*after.lon).put(*after.lon).put(*after.lat).put(*after.lat).exec();
  } else if (was_spot && !is_spot) {
    Run(no_spot_).put(after.id).exec();
  }
  const std::string old_words = before.visible() ? before.capabilities : std::string();
  const std::string new_words = after.visible() ? after.capabilities : std::string();
  if (old_words == new_words) return;
  for (const std::string& word : split_lines(old_words)) Run(no_capability_).put(word).put(after.id).exec();
  for (const std::string& word : split_lines(new_words)) Run(capability_).put(word).put(after.id).exec();
}

}  // namespace lianxi::store
