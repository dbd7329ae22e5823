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
template <class Text>
struct BasicRowKey {
  Text entity;
  std::int64_t audience = 0;
  Status status{};
  auto operator<=>(const BasicRowKey&) const = default;
};
using RowKey = BasicRowKey<std::string>;

// Row: a value with `bool stored`, false if the table does not have it yet.
template <class Row>
class RowCache {
 public:
  // The row of the event's entity, to be changed by the caller; written at the next flush. One that is not held is read by
  // `load(key, row)`. The reference holds until flush() or forget().
  template <class Load>
  Row& touch(const Applied& applied, Load load) {
    const Envelope& envelope = applied.envelope;
    Held& held = find(KeyView{envelope.entity, applied.audience.id, envelope.status}, load);
    if (!held.second.dirty) {
      held.second.dirty = true;
      dirty_.push_back(&held);
    }
    return held.second.row;
  }

  // The row if it is held; else nullptr.
  [[nodiscard]] Row* peek(const RowKey& key) {
    if (const auto found = young_.find(key); found != young_.end()) return &found->second.row;
    const auto kept = old_.find(key);
    return kept == old_.end() ? nullptr : &kept->second.row;
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
    std::swap(young_, old_);
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
  using KeyView = BasicRowKey<std::string_view>;
  static KeyView view_of(const RowKey& key) { return {key.entity, key.audience, key.status}; }
  struct HashOf {
    using is_transparent = void;
    std::size_t operator()(const KeyView& key) const {
      const auto rest = static_cast<std::size_t>(key.audience) * 8 + static_cast<std::size_t>(key.status);
      return std::hash<std::string_view>{}(key.entity) ^ rest * 0x9E3779B97F4A7C15U;
    }
    std::size_t operator()(const RowKey& key) const { return (*this)(view_of(key)); }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const RowKey& a, const RowKey& b) const { return a == b; }
    bool operator()(const KeyView& a, const RowKey& b) const { return a == view_of(b); }
    bool operator()(const RowKey& a, const KeyView& b) const { return view_of(a) == b; }
  };
  using Map = std::unordered_map<RowKey, Kept, HashOf, Equal>;

  template <class Load>
  Held& find(const KeyView& key, Load load) {
    const auto found = young_.find(key);
    if (found != young_.end()) return *found;
    if (const auto kept = old_.find(key); kept != old_.end()) return *young_.insert(old_.extract(kept)).position;
    Held& fresh = *young_.emplace(RowKey{std::string(key.entity), key.audience, key.status}, Kept{}).first;
    load(fresh.first, fresh.second.row);
    return fresh;
  }

  Map young_, old_;  // rows move to `young_` when they are touched; dirty ones are always there
  std::vector<Held*> dirty_;
};

}  // namespace lianxi::store
