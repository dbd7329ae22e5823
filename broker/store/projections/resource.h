// Resources: one row each, in four groups of fields that change by themselves, and a removal that leaves a tombstone.
#pragma once

#include "broker/store/projections/row_cache.h"

namespace lianxi::store {

class ResourceProjection {
 public:
  explicit ResourceProjection(SQLite::Database& db);
  // False if the event is not the home region's: it then leaves no row.
  [[nodiscard]] bool apply(const Applied& applied, const ResourceView& resource);

  // Nothing of the source at or before `cut` counts any more. After flush().
  void drop(const Source& source, Version cut, AudienceRow& audience);
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
    std::int64_t record_state = 0;
    Version state_version = 0;  // of the last change of state alone, in a lane of its own
    std::int64_t changed_state = 0;
    TimeMs state_at = 0;
    Version quantity_version = 0;
    std::int64_t quantity_milli = 0;
    std::optional<std::int32_t> capacity, occupancy;
    Version place_version = 0;
    std::string place, address;
    std::optional<double> lon, lat;
    TimeMs bulk_at = 0;          // when the last event of any other group was accepted
    Hash hash{};                 // as stored
    std::optional<Seen> stored;  // as stored; none: the table has no such row
    AudienceRow* audience = nullptr;

    [[nodiscard]] Seen seen() const { return {removed, record, place_version, lon, lat, capabilities}; }
    [[nodiscard]] Hash content_hash(const RowKey& key) const;
    [[nodiscard]] std::int64_t state() const { return state_version > record ? changed_state : record_state; }
    [[nodiscard]] TimeMs updated_at() const { return std::max(bulk_at, state_at); }
    [[nodiscard]] bool empty() const {
      return removed == 0 && record == 0 && state_version == 0 && quantity_version == 0 && place_version == 0;
    }
    void take(const Envelope& envelope, const ResourceView& resource, Version version, TimeMs received_at);
    void drop(Lane lane, Version cut);

   private:
    void take_bulk(const Envelope& envelope, const ResourceView& resource, Version version);
  };
  void load(const RowKey& key, Row& row);
  void write(const RowKey& key, Row& row);
  void erase(Row& row);
  static void put_changes(Run& run, const Row& row);
  void index(std::int64_t id, const Seen& before, const Seen& after);

  SQLite::Database& db_;
  SQLite::Statement find_, insert_, update_, update_changes_, delete_, spot_, no_spot_, capability_, no_capability_;
  RowCache<Row> rows_;
};

// The row's text of capabilities, and back.
[[nodiscard]] std::string join_lines(std::span<const std::string_view> words);
[[nodiscard]] std::vector<std::string> split_lines(const std::string& text);

}  // namespace lianxi::store
