#include "broker/core/stock.h"

#include <algorithm>
#include <cstring>
#include <tuple>

#include "schemas/codec/event_codec.h"

namespace lianxi::core {
namespace {

int width_of(const Audience& audience) {
  if (audience.is_local()) return 0;
  return audience == Audience::conference() ? 2 : 1;
}

bool is_narrower(const StockRow& a, const StockRow& b) {
  return std::pair(width_of(a.audience), a.audience.text()) < std::pair(width_of(b.audience), b.audience.text());
}

std::optional<StockRow> counting(const std::vector<StockRow>& rows) {
  const StockRow* best = nullptr;
  for (const StockRow& row : rows)
    if (row.visible() && (best == nullptr || is_narrower(row, *best))) best = &row;
  return best == nullptr ? std::nullopt : std::optional(*best);
}

StockRow& row_of(std::vector<StockRow>& rows, const Audience& audience) {
  for (StockRow& row : rows)
    if (row.audience == audience) return row;
  rows.push_back({});
  rows.back().audience = audience;
  return rows.back();
}

}  // namespace

std::uint32_t unit_hash(std::string_view unit) {
  if (unit.empty()) return 0;
  std::uint32_t hash = 2'166'136'261U;
  for (const char c : unit) hash = (hash ^ static_cast<std::uint8_t>(c)) * 16'777'619U;
  return hash == 0 ? 1 : hash;
}

// As the view's row does it, so that a start finds what was remembered.
void StockRow::take(const ResourceView& resource, std::int64_t version) {
  if (resource.change == ResourceChange::state) {
    if (version <= state_at) return;
    state_at = version;
    changed_state = resource.state;
    return;
  }
  if (resource.change == ResourceChange::remove) removed = std::max(removed, version);
  if (resource.change == ResourceChange::upsert && version > record) {
    record = version;
    type = resource.type;
    unit = unit_hash(resource.unit);
    valid_from = resource.valid_from.value_or(0);
    valid_until = resource.valid_until.value_or(0);
  }
  if (states(resource, ResourceGroup::state) && version > record_state_at) {
    record_state_at = version;
    record_state = resource.state;
  }
  if (states(resource, ResourceGroup::quantity) && version > quantity_at) {
    quantity_at = version;
    quantity_milli = resource.quantity_milli;
  }
}

void StockRow::drop(Lane lane, std::int64_t cut) {
  if (lane == lane_of(Kind::resource, ResourceChange::state)) {
    if (state_at <= cut) state_at = 0, changed_state = {};
    return;
  }
  if (lane != lane_of(Kind::resource, ResourceChange::upsert)) return;
  if (removed <= cut) removed = 0;
  if (record <= cut) {
    record = 0;
    valid_from = valid_until = 0;
    unit = 0;
    type = {};
  }
  if (record_state_at <= cut) record_state_at = 0, record_state = {};
  if (quantity_at <= cut) quantity_at = quantity_milli = 0;
}

std::size_t Stock::KeyHash::operator()(const Key& key) const {
  std::size_t hash = 0;
  static_assert(sizeof(Key) >= sizeof hash);
  std::memcpy(&hash, key.data(), sizeof hash);
  return hash;
}

Stock::Key Stock::key_of(std::string_view entity, Status status) {
  Bytes bytes(entity.begin(), entity.end());
  bytes.push_back(static_cast<std::uint8_t>(status));
  return body_hash(bytes);
}

void Stock::remember(const Envelope& envelope, const ResourceView& resource, std::int64_t version) {
  StockRow& row = row_of(rows_[key_of(envelope.entity, envelope.status)], envelope.audience);
  cut(row);
  row.take(resource, version);
}

void Stock::load(std::string_view entity, Status status, StockRow row) {
  rows_[key_of(entity, status)].push_back(std::move(row));
}

void Stock::retain(Lane lane, const Audience& audience, std::int64_t cut) {
  std::int64_t& known = cuts_[{audience, lane}];
  known = std::max(known, cut);
}

void Stock::cut(StockRow& row) const {
  for (auto at = cuts_.lower_bound({row.audience, Lane{}}); at != cuts_.end() && at->first.first == row.audience; ++at)
    row.drop(at->first.second, at->second);
}

std::vector<StockRow> Stock::rows(std::string_view entity, Status status) const {
  const auto found = rows_.find(key_of(entity, status));
  if (found == rows_.end()) return {};
  std::vector<StockRow> rows = found->second;
  for (StockRow& row : rows) cut(row);
  return rows;
}

std::optional<StockRow> Stock::find(std::string_view entity, Status status) const {
  if (auto row = counting(rows(entity, status))) return row;
  return status == Status::Actual ? std::nullopt : counting(rows(entity, Status::Actual));
}

std::optional<StockRow> Stock::after(const Envelope& envelope, const ResourceView& resource) const {
  std::vector<StockRow> then = rows(envelope.entity, envelope.status);
  row_of(then, envelope.audience).take(resource, INT64_MAX);
  return counting(then);
}

}  // namespace lianxi::core
