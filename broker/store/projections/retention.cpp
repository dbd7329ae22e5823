#include "broker/store/projections/retention.h"

#include <algorithm>

namespace lianxi::store {

namespace {

Source read_source(const Run& run) {
  return {RegionCode(static_cast<std::uint32_t>(run.number(0))), static_cast<Lane>(run.number(1)), run.number(2)};
}

constexpr Version first_of(Epoch epoch) {
  return static_cast<Version>(std::uint64_t{epoch.value} << kDecisionOrdinalBits);
}

void add_hashes(SQLite::Database& db, const char* sql, const FeedId& feed, std::int64_t audience, Version cut, Digest& sum) {
  SQLite::Statement select(db, sql);
  Run run(select);
  run.put(feed.region.value).put(audience).put(cut).put(first_of(Epoch(feed.epoch.value + 1)));
  while (run.next()) sum.add(hash_of(run.blob(0), "event"));
}

// What the row has of the groups of one lane that are not cut; each with its version, and nothing of the others.
void add_resources(SQLite::Database& db, const FeedId& feed, std::int64_t audience, Version cut, Digest& sum) {
  const bool state = feed.lane == lane_of(Kind::resource, ResourceChange::state);
  SQLite::Statement select(
      db,
      "SELECT entity, status, state_version, changed_state, removed_version, record_version, type, level, agency, name, owner,"
      " capabilities, unit, supply_code, attributes, answerable, answerable_phone, languages, on_call, record_state, valid_from,"
      " valid_until, quantity_version, quantity_milli, capacity, occupancy, place_version, place, address, area, lon, lat,"
      " contact_version, contact, phone, contact_place, contact_agency, contact_level, record_state_version FROM resource"
      " WHERE region = ? AND audience = ?");
  Run run(select);
  run.put(feed.region.value).put(audience);
  const auto kept = [&](int column) {
    return run.number(column) > cut && run.number(column) < first_of(Epoch(feed.epoch.value + 1));
  };
  while (run.next()) {
    RowHasher row("kept");
    row.text(run.text(0)).number(run.number(1));
    bool any = false;
    const auto group = [&](int version, int first_text, int last_text, std::initializer_list<int> numbers) {
      if (!kept(version)) return;
      any = true;
      row.number(version).number(run.number(version));
      for (const int column : numbers) row.number(run.is_null(column) ? -1 : run.number(column));
      for (int column = first_text; column <= last_text; ++column) row.text(run.text(column));
    };
    if (state) {
      group(2, 0, -1, {3});
    } else {
      group(4, 0, -1, {});
      group(5, 8, 18, {6, 7, 20, 21});
      group(38, 0, -1, {19});
      group(22, 0, -1, {23, 24, 25});
      group(26, 27, 29, {});
      if (kept(26)) {
        const auto real = [&](int column) { return run.is_null(column) ? std::nullopt : std::optional(run.real(column)); };
        row.real(real(30)).real(real(31));
      }
      group(32, 33, 36, {37});
    }
    if (any) sum.add(row.finish());
  }
}

}  // namespace

RetentionProjection::RetentionProjection(SQLite::Database& db)
    : all_(db, "SELECT region, lane, audience, cut, version, event_hash FROM retention"),
      write_(db,
             "INSERT OR REPLACE INTO retention (region, lane, audience, cut, version, event_hash) VALUES (?, ?, ?, ?, ?, ?)") {
  reload();
}

bool RetentionProjection::stands_in(const Applied& applied, const Retention& retention) {
  const FeedId& feed = applied.feed;
  return applied.envelope.status == Status::Actual && applied.home == feed.region && retention.epoch == feed.epoch &&
         retention.lane == feed.lane && retention.position.value + 1 == applied.record.stamp.sequence.value;
}

void RetentionProjection::reload() {
  held_.clear();
  for (Run run(all_); run.next();) held_[read_source(run)] = {run.number(3), run.number(4), hash_of(run.blob(5), "retention")};
}

std::optional<Version> RetentionProjection::take(const Applied& applied, const Retention& retention) {
  const auto cut = decision_of(retention.epoch, retention.ordinal);
  if (!stands_in(applied, retention) || !cut || *cut >= applied.version) return std::nullopt;
  Held& held = held_[{applied.feed.region, applied.feed.lane, applied.audience.id}];
  // The one that goes furthest holds; of equal ones the last: whatever the order of arrival.
  if (std::pair(*cut, applied.version) <= std::pair(held.cut, held.version)) return 0;
  if (held.version != 0) applied.audience.digest.subtract(held.hash);
  held = {*cut, applied.version, applied.record.hash};
  applied.audience.digest.add(held.hash);
  Run(write_)
      .put(applied.feed.region.value)
      .put(static_cast<int>(applied.feed.lane))
      .put(applied.audience.id)
      .put(held.cut)
      .put(held.version)
      .put(BytesView(held.hash))
      .exec();
  return *cut;
}

Hash kept_digest(SQLite::Database& db, const FeedId& feed, std::int64_t audience, Version cut) {
  Digest sum;
  cut = std::max(cut, first_of(feed.epoch));
  switch (feed.lane) {
    case Lane::flash:
      add_hashes(db, "SELECT event_hash FROM alert WHERE region = ? AND audience = ? AND version > ? AND version < ?", feed,
                 audience, cut, sum);
      add_hashes(db,
                 "SELECT m.event_hash FROM mobilisation_message m JOIN mobilisation t ON t.id = m.mobilisation"
                 " WHERE m.region = ? AND t.audience = ? AND m.version > ? AND m.version < ?",
                 feed, audience, cut, sum);
      break;
    case Lane::normal:
      add_hashes(db,
                 "SELECT r.event_hash FROM report r JOIN incident i ON i.id = r.incident"
                 " WHERE r.region = ? AND i.audience = ? AND r.version > ? AND r.version < ?",
                 feed, audience, cut, sum);
      [[fallthrough]];
    case Lane::bulk:
      add_resources(db, feed, audience, cut, sum);
      break;
  }
  return sum.sum();
}

}  // namespace lianxi::store
