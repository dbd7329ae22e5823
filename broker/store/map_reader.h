// The map's part of the questions to a view: keeps the index in memory at the snapshot's offset, and shows the rows that it
// finds. One thread; throws Broken or SQLite::Exception.
#pragma once

#include "broker/store/map_index.h"
#include "broker/store/map_search.h"
#include "broker/store/map_text.h"
#include "broker/store/read_tables.h"

namespace lianxi::store {

class MapReader {
 public:
  explicit MapReader(std::shared_ptr<MapFeed> feed) : feed_(std::move(feed)) {}

  // Brings the index to where the tables stand: by what the feed tells, or from the tables. Within a snapshot, before all else.
  void follow(ReadTables& tables);
  // not_found: the alert is not here, or may not be seen.
  [[nodiscard]] ResourceRows rows(ReadTables& tables, const AskResources& ask, const MapContext& context,
                                  const ReadView::Admits& admits);
  [[nodiscard]] TotalRows totals(ReadTables& tables, const AskTotals& ask, const MapContext& context,
                                 const ReadView::Admits& admits);

 private:
  void make(ReadTables& tables);
  [[nodiscard]] MapArea area_of_alert(ReadTables& tables, const std::string& entity, const ReadView::Admits& admits) const;
  [[nodiscard]] std::vector<PlaceCode> known_places(const std::vector<PlaceCode>& places, const MapNames& names) const;
  [[nodiscard]] MapQuestion question_of(ReadTables& tables, const AskResources& ask, const MapContext& context,
                                        const ReadView::Admits& admits);
  void ask_text(ReadTables& tables, const MapNames& names, MapQuestion& question);
  [[nodiscard]] std::uint64_t rows_with(ReadTables& tables, const std::string& token);
  [[nodiscard]] ResourceRow shown(ReadTables& tables, MapSearch& search, const MapSearch::Found& found, bool measured) const;
  void overlay_contact(ReadTables& tables, MapSearch& search, MapIndex::Slot slot, ResourceRow& row) const;

  std::shared_ptr<MapFeed> feed_;
  MapIndex index_;
  std::optional<Offset> at_;                                   // where it stands; none: nowhere yet
  std::unordered_map<std::string, std::uint64_t> token_rows_;  // as they were when first asked: they only choose a way
  std::size_t token_size_ = 0;                                 // of the index then
};

}  // namespace lianxi::store
