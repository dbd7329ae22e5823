// Resources: one row each, in five groups of fields that change by themselves, and a removal that leaves a tombstone. What
// mobilisations hold stands beside them, outside the digest.
#pragma once

#include <map>

#include "broker/store/map_feed.h"
#include "broker/store/projections/resource_row.h"
#include "broker/store/projections/row_cache.h"

namespace lianxi::store {

class ResourceProjection {
 public:
  // `feed`: is told of each row that changes, before its transaction ends; may be null.
  ResourceProjection(SQLite::Database& db, std::shared_ptr<MapFeed> feed);
  // False if the event is not the home region's: it then leaves no row.
  [[nodiscard]] bool apply(const Applied& applied, const ResourceView& resource);

  // What mobilisations hold of an entity from now on, whether or not it has rows yet; `holding_sum` says the same by the time
  // of flush(), where rows take it over. `state`: the furthest phase of what is held; none: nothing is.
  void held(const std::string& entity, Status status, std::int64_t held_milli, std::optional<ResourceState> state);

  // Nothing of the source at or before `cut` counts any more. After flush().
  void drop(const Source& source, Version cut, AudienceRow& audience);
  // Writes the resources that were touched.
  void flush();
  // What has changed since this was last asked, for the feed.
  [[nodiscard]] std::vector<MapEntry> changes() { return std::exchange(changes_, {}); }
  // The transaction did not come about.
  void forget();

 private:
  using Row = ResourceRecord;
  void load(const RowKey& key, Row& row);
  void read_group_columns(const Run& run, Row& row);
  void write(const RowKey& key, Row& row);
  void write_holding(const RowKey& key, Row& row);
  void flush_holdings();
  void erase(const RowKey& key, Row& row);
  static void put_changes(Run& run, const Row& row);
  void index(const RowKey& key, std::int64_t id, const std::string& before, const std::string& after);
  void tell(const RowKey& key, const Row& row, bool gone = false);

  SQLite::Database& db_;
  std::shared_ptr<MapFeed> feed_;
  SQLite::Statement find_, insert_, update_, update_changes_, update_holding_, holding_, rows_of_, delete_, text_, no_text_;
  RowCache<Row> rows_;
  std::map<std::pair<std::string, Status>, Holdings> pending_;
  std::vector<MapEntry> changes_;
};

}  // namespace lianxi::store
