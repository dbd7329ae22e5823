#include "broker/store/projections/resource.h"

#include <utility>

namespace lianxi::store {

namespace {

// Columns in the order of these lists: of the record, the place and the contact; then of what changes often.
const std::string kGroups =
    "removed_version, record_version, type, level, agency, name, owner, capabilities, unit, supply_code, attributes, answerable,"
    " answerable_phone, languages, on_call, valid_from, valid_until, place_version, place, address, lon, lat, area,"
    " contact_version, contact, phone, contact_place, contact_agency, contact_level";
const std::string kChanges =
    "record_state_version, record_state, state_version, changed_state, state_at, bulk_at, state, quantity_version,"
    " quantity_milli, capacity, occupancy, held_milli, held_state, free_milli, updated_at, row_hash";
constexpr int kGroupColumns = 29;
constexpr int kChangeColumns = 16;

std::string marks(int count) {
  std::string text = "?";
  for (int i = 1; i < count; ++i) text += ", ?";
  return text;
}

// "a, b" -> "a = ?, b = ?"
std::string settings(const std::string& columns) {
  std::string text;
  for (const char c : columns) {
    if (c == ',') text += " = ?";
    text += c;
  }
  return text + " = ?";
}

void put_groups(Run& run, const ResourceRecord& row) {
  run.put(row.removed).put(row.record).put(row.type).put(row.level);
  for (const std::string* text : {&row.agency, &row.name, &row.owner, &row.capabilities, &row.unit, &row.supply_code,
                                  &row.attributes, &row.answerable, &row.answerable_phone, &row.languages, &row.on_call})
    run.put(*text);
  run.put_optional(row.valid_from).put_optional(row.valid_until);
  run.put(row.place_version).put(row.place).put(row.address).put_optional(row.lon).put_optional(row.lat).put(row.area);
  run.put(row.contact_version).put(row.contact).put(row.phone).put(row.contact_place).put(row.contact_agency);
  run.put(row.contact_level);
}

std::optional<int> number_of_state(const std::optional<ResourceState>& state) {
  return state ? std::optional(static_cast<int>(*state)) : std::nullopt;
}

std::optional<ResourceState> state_in(const Run& run, int column) {
  const auto number = run.optional_number<int>(column);
  return number ? std::optional(static_cast<ResourceState>(*number)) : std::nullopt;
}

}  // namespace

ResourceProjection::ResourceProjection(SQLite::Database& db, std::shared_ptr<MapFeed> feed)
    : db_(db),
      feed_(std::move(feed)),
      find_(db, "SELECT " + kGroups + ", " + kChanges +
                    ", id, region FROM resource WHERE entity = ? AND audience = ? AND status = ?"),
      insert_(db, "INSERT INTO resource (" + kGroups + ", " + kChanges + ", id, entity, audience, status, region) VALUES (" +
                      marks(kGroupColumns + kChangeColumns + 5) + ")"),
      update_(db, "UPDATE resource SET " + settings(kGroups) + ", " + settings(kChanges) + " WHERE id = ?"),
      update_changes_(db, "UPDATE resource SET " + settings(kChanges) + " WHERE id = ?"),
      update_holding_(db, "UPDATE resource SET held_milli = ?, held_state = ?, state = ?, free_milli = ? WHERE id = ?"),
      holding_(db, "SELECT held_milli, state FROM holding_sum WHERE entity = ? AND status = ?"),
      rows_of_(db, "SELECT audience FROM resource WHERE entity = ? AND status = ?"),
      delete_(db, "DELETE FROM resource WHERE id = ?"),
      text_(db, "INSERT INTO resource_text (rowid, words) VALUES (?, ?)"),
      no_text_(db, "INSERT INTO resource_text (resource_text, rowid, words) VALUES ('delete', ?, ?)") {}

bool ResourceProjection::apply(const Applied& applied, const ResourceView& resource) {
  if (applied.feed.region != applied.home) return false;
  Row& row = rows_.touch(applied, [&](const RowKey& key, Row& fresh) {
    fresh.id = to_stored(applied.offset.value);
    fresh.region = applied.home;
    fresh.place = fresh.home_place();
    fresh.audience = &applied.audience;
    load(key, fresh);
  });
  row.take(applied.envelope, resource, applied.version, applied.received_at());
  return true;
}

void ResourceProjection::held(const std::string& entity, Status status, std::int64_t held_milli,
                              std::optional<ResourceState> state) {
  pending_[{entity, status}] = {held_milli, state};
}

void ResourceProjection::forget() {
  rows_.forget();
  pending_.clear();
  changes_.clear();
}

void ResourceProjection::load(const RowKey& key, Row& row) {
  Run run(find_);
  run.put(key.entity).put(key.audience).put(static_cast<int>(key.status));
  if (!run.next()) {
    Run held(holding_);
    if (held.put(key.entity).put(static_cast<int>(key.status)).next()) row.held = {held.number(0), state_in(held, 1)};
    return;
  }
  read_group_columns(run, row);
  int column = kGroupColumns;
  const auto number = [&] { return run.number(column++); };
  row.record_state_version = number();
  row.record_state = number();
  row.state_version = number();
  row.changed_state = number();
  row.state_at = number();
  row.bulk_at = number();
  ++column;  // the effective state
  row.quantity_version = number();
  row.quantity_milli = number();
  row.capacity = run.optional_number<std::int32_t>(column++);
  row.occupancy = run.optional_number<std::int32_t>(column++);
  row.held.milli = number();
  row.held.state = state_in(run, column++);
  column += 2;  // what is free, when it was changed
  row.hash = hash_of(run.blob(column++), "resource");
  row.id = number();
  row.region = RegionCode(static_cast<std::uint32_t>(number()));
  row.stored = row.seen(key.status == Status::Actual);
}

void ResourceProjection::read_group_columns(const Run& run, Row& row) {
  int column = 0;
  const auto number = [&] { return run.number(column++); };
  const auto text = [&](std::string& to) { to = run.text(column++); };
  row.removed = number();
  row.record = number();
  row.type = number();
  row.level = number();
  for (std::string* to : {&row.agency, &row.name, &row.owner, &row.capabilities, &row.unit, &row.supply_code, &row.attributes,
                          &row.answerable, &row.answerable_phone, &row.languages, &row.on_call})
    text(*to);
  row.valid_from = run.optional_number<TimeMs>(column++);
  row.valid_until = run.optional_number<TimeMs>(column++);
  row.place_version = number();
  text(row.place);
  text(row.address);
  const auto real = [&](int at) { return run.is_null(at) ? std::nullopt : std::optional(run.real(at)); };
  row.lon = real(column++);
  row.lat = real(column++);
  text(row.area);
  row.contact_version = number();
  for (std::string* to : {&row.contact, &row.phone, &row.contact_place, &row.contact_agency}) text(*to);
  row.contact_level = number();
}

void ResourceProjection::drop(const Source& source, Version cut, AudienceRow& audience) {
  std::vector<RowKey> keys;
  {
    SQLite::Statement touched(
        db_,
        "SELECT entity, status FROM resource WHERE region = ? AND audience = ? AND"
        " (removed_version BETWEEN 1 AND ?3 OR record_version BETWEEN 1 AND ?3 OR state_version BETWEEN 1 AND ?3"
        " OR record_state_version BETWEEN 1 AND ?3"
        " OR quantity_version BETWEEN 1 AND ?3 OR place_version BETWEEN 1 AND ?3 OR contact_version BETWEEN 1 AND ?3)");
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
      erase(key, row);
    } else {
      write(key, row);
    }
  }
  rows_.forget();
}

void ResourceProjection::erase(const RowKey& key, Row& row) {
  row.audience->digest.subtract(row.hash);
  index(key, row.id, row.stored ? row.stored->text : std::string(), {});
  Run(delete_).put(row.id).exec();
  tell(key, row, true);
}

void ResourceProjection::flush() {
  rows_.flush([this](const RowKey& key, Row& row) { write(key, row); });
  flush_holdings();
}

// Each row of the entity, to whatever audience.
void ResourceProjection::flush_holdings() {
  for (const auto& [of, holdings] : pending_) {
    std::vector<std::int64_t> audiences;
    {
      Run run(rows_of_);
      for (run.put(of.first).put(static_cast<int>(of.second)); run.next();) audiences.push_back(run.number(0));
    }
    for (const std::int64_t audience : audiences) {
      const RowKey key{of.first, audience, of.second};
      Row fresh;
      Row* row = rows_.peek(key);
      if (row == nullptr) load(key, *(row = &fresh));
      row->held = holdings;
      write_holding(key, *row);
    }
  }
  pending_.clear();
}

void ResourceProjection::write_holding(const RowKey& key, Row& row) {
  Run(update_holding_)
      .put(row.held.milli)
      .put_optional(number_of_state(row.held.state))
      .put(row.state())
      .put(row.free())
      .put(row.id)
      .exec();
  tell(key, row);
}

void ResourceProjection::write(const RowKey& key, Row& row) {
  const Hash hash = row.content_hash(key);
  row.audience->digest.add(hash);
  if (row.stored) row.audience->digest.subtract(row.hash);
  row.hash = hash;
  tell(key, row);
  const bool actual = key.status == Status::Actual;
  if (row.stored && row.stored->same_but_changes(row.seen(false))) {
    Run run(update_changes_);
    put_changes(run, row);
    run.put(row.id).exec();
    return;
  }
  {
    Run run(row.stored ? update_ : insert_);
    put_groups(run, row);
    put_changes(run, row);
    run.put(row.id);
    if (!row.stored) run.put(key.entity).put(key.audience).put(static_cast<int>(key.status)).put(row.region.value);
    run.exec();
  }
  Row::Seen now = row.seen(actual);
  index(key, row.id, row.stored ? row.stored->text : std::string(), now.text);
  row.stored = std::move(now);
}

void ResourceProjection::put_changes(Run& run, const Row& row) {
  run.put(row.record_state_version)
      .put(row.record_state)
      .put(row.state_version)
      .put(row.changed_state)
      .put(row.state_at)
      .put(row.bulk_at)
      .put(row.state())
      .put(row.quantity_version)
      .put(row.quantity_milli)
      .put_optional(row.capacity)
      .put_optional(row.occupancy)
      .put(row.held.milli)
      .put_optional(number_of_state(row.held.state))
      .put(row.free())
      .put(row.updated_at())
      .put(BytesView(row.hash));
}

// Keeps the text index to the visible, actual rows. What it has of a row is taken out by the words that went in.
void ResourceProjection::index(const RowKey& key, std::int64_t id, const std::string& before, const std::string& after) {
  if (key.status != Status::Actual || before == after) return;
  if (!before.empty()) Run(no_text_).put(id).put(before).exec();
  if (!after.empty()) Run(text_).put(id).put(after).exec();
}

void ResourceProjection::tell(const RowKey& key, const Row& row, bool gone) {
  if (!feed_ || key.status != Status::Actual) return;
  changes_.push_back(row.entry(key));
  if (gone) changes_.back().visible = changes_.back().contact = false;
}

}  // namespace lianxi::store
