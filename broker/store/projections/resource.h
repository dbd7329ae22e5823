// Resources: one row each, in four groups of fields that change by themselves, and a removal that leaves a tombstone.
#pragma once

#include "broker/store/projections/row_cache.h"

namespace lianxi::store {

class ResourceProjection {
 public:
  explicit ResourceProjection(SQLite::Database& db);
  // False if the event is not the home region's: it then leaves no row.
  [[nodiscard]] bool apply(const Applied& applied, const ResourceView& resource);

  // Writes the resources that were touched.
  void flush();
  // The transaction did not come about.
  void forget() { rows_.forget(); }

 private:
  // What the tables of spots and capabilities follow.
  struct Seen {
    Version removed = 0;
    Version record = 0;
    Version place_version = 0;
    std::optional<double> lon, lat;
    std::string capabilities;
    [[nodiscard]] bool visible() const { return record > removed; }
  };
  // The columns of table `resource`.
  struct Row {
    std::int64_t id = 0;
    RegionCode region;
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
    Hash hash{};                 // as stored
    std::optional<Seen> stored;  // as stored; none: the table has no such row
    AudienceRow* audience = nullptr;

    [[nodiscard]] Seen seen() const { return {removed, record, place_version, lon, lat, capabilities}; }
    [[nodiscard]] Hash content_hash(const RowKey& key) const;
    void take(const Envelope& envelope, const ResourceView& resource, Version version);
  };
  void load(const RowKey& key, Row& row);
  void write(const RowKey& key, Row& row);
  static void put_changes(Run& run, const Row& row);
  void index(std::int64_t id, const Seen& before, const Seen& after);

  SQLite::Statement find_, insert_, update_, update_changes_, spot_, no_spot_, capability_, no_capability_;
  RowCache<Row> rows_;
};

// The row's text of capabilities, and back.
[[nodiscard]] std::string join_lines(std::span<const std::string_view> words);
[[nodiscard]] std::vector<std::string> split_lines(const std::string& text);

}  // namespace lianxi::store
