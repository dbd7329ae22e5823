// What this region has of each resource of its own, as the events that this node accepted say it: what a promise is held against.
// A resource is one thing, whoever may see it: of its rows for several audiences the narrowest that is visible counts, as it does
// for whoever is shown them all. A drill's resource without a row of its own is the actual one, with holdings of the drill's own.
// One thread; bounded by the region's own inventory, some 190 bytes a resource.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "schemas/event_rules.h"

namespace lianxi::core {

// A resource's row of one audience: each group of fields as the last event that states it left it; 0: none yet.
struct StockRow {
  Audience audience;
  std::int64_t record = 0, removed = 0;
  std::int64_t state_at = 0;  // of the last change of state alone
  std::int64_t quantity_at = 0;
  std::int64_t quantity_milli = 0;
  TimeMs valid_from = 0, valid_until = 0;  // 0: unbounded
  std::uint32_t unit = 0;                  // its hash; 0: none is said
  ResourceType type{};
  ResourceState record_state{}, changed_state{};
  std::int64_t record_state_at = 0;  // of the last record that says its state

  [[nodiscard]] bool visible() const { return record > removed; }
  [[nodiscard]] ResourceState state() const { return state_at > record_state_at ? changed_state : record_state; }
  // One that goes whole or not at all: a team, an expert, a shelter, a machine that nobody counts.
  [[nodiscard]] bool whole() const {
    return type != ResourceType::supply && (type != ResourceType::equipment || (quantity_milli == 0 && unit == 0));
  }
  void take(const ResourceView& resource, std::int64_t version);
  // A retention of the lane: what events up to `cut` left counts no more.
  void drop(Lane lane, std::int64_t cut);
};

class Stock {
 public:
  void remember(const Envelope& envelope, const ResourceView& resource, std::int64_t version);
  void load(std::string_view entity, Status status, StockRow row);
  // The region has let go of what this lane and audience said up to `cut`. Rows lose it when they are next looked at.
  void retain(Lane lane, const Audience& audience, std::int64_t cut);
  // What counts; none: no such resource is visible.
  [[nodiscard]] std::optional<StockRow> find(std::string_view entity, Status status) const;
  // What would count if the event were accepted.
  [[nodiscard]] std::optional<StockRow> after(const Envelope& envelope, const ResourceView& resource) const;

 private:
  using Key = BodyHash;
  struct KeyHash {
    std::size_t operator()(const Key& key) const;
  };
  [[nodiscard]] static Key key_of(std::string_view entity, Status status);
  [[nodiscard]] std::vector<StockRow> rows(std::string_view entity, Status status) const;
  void cut(StockRow& row) const;
  std::unordered_map<Key, std::vector<StockRow>, KeyHash> rows_;
  std::map<std::pair<Audience, Lane>, std::int64_t> cuts_;
};

[[nodiscard]] std::uint32_t unit_hash(std::string_view unit);

}  // namespace lianxi::core
