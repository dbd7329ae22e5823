// Rows of one table as the open transaction leaves them, and those touched lately: many events of one entity cost one read and
// one write. What is held is what the table says, or will say after flush().
#pragma once

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "broker/store/projections/applied.h"

namespace lianxi::store {

inline constexpr std::size_t kKeptRows = 8'192;  // of each table, between transactions; up to twice as many

// What keys a row: see schemas/sql/view.
struct RowKey {
  std::string entity;
  std::int64_t audience = 0;
  Status status{};
  auto operator<=>(const RowKey&) const = default;
};

// Row: a value with `bool stored`, false if the table does not have it yet.
template <class Row>
class RowCache {
 public:
  // The row of the event's entity, to be changed by the caller; written at the next flush. One that is not held is read by
  // `load(key, row)`. The reference holds until flush() or forget().
  template <class Load>
  Row& touch(const Applied& applied, Load load) {
    const Envelope& envelope = applied.event.envelope;
    Held& held = find({envelope.entity, applied.audience.id, envelope.status}, load);
    if (!held.second.dirty) {
      held.second.dirty = true;
      dirty_.push_back(&held);
    }
    return held.second.row;
  }

  // `write(key, row)` for each touched row, in the order of keys, so that neighbours in the table are written together.
  template <class Write>
  void flush(Write write) {
    std::sort(dirty_.begin(), dirty_.end(), [](const Held* a, const Held* b) { return a->first < b->first; });
    for (Held* held : dirty_) {
      write(held->first, held->second.row);
      held->second.dirty = false;
    }
    dirty_.clear();
    if (young_.size() < kKeptRows) return;
    old_ = std::move(young_);
    young_.clear();
  }

  // After a transaction that did not come about.
  void forget() {
    dirty_.clear();
    young_.clear();
    old_.clear();
  }

 private:
  struct Kept {
    Row row;
    bool dirty = false;
  };
  using Held = std::pair<const RowKey, Kept>;
  struct HashOf {
    std::size_t operator()(const RowKey& key) const {
      const auto rest = static_cast<std::size_t>(key.audience) * 8 + static_cast<std::size_t>(key.status);
      return std::hash<std::string>{}(key.entity) ^ rest * 0x9E3779B97F4A7C15U;
    }
  };
  using Map = std::unordered_map<RowKey, Kept, HashOf>;

  template <class Load>
  Held& find(RowKey key, Load load) {
    const auto found = young_.find(key);
    if (found != young_.end()) return *found;
    if (auto node = old_.extract(key)) return *young_.insert(std::move(node)).position;
    Kept kept;
    load(key, kept.row);
    return *young_.emplace(std::move(key), std::move(kept)).first;
  }

  Map young_, old_;  // rows move to `young_` when they are touched; dirty ones are always there
  std::vector<Held*> dirty_;
};

}  // namespace lianxi::store
