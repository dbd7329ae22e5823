// Answers a question from the index in memory: which rows, in which order. No tables; whether a text stands in a row is asked of
// the caller. A value's work; one thread.
#pragma once

#include <functional>

#include "broker/store/map_area.h"
#include "broker/store/map_index.h"
#include "schemas/map_cursor.h"
#include "schemas/queries.h"

namespace lianxi::store {

struct MapQuestion {
  const AskResources& ask;
  std::size_t limit = 0;  // so many rows at most
  TimeMs valid_at = 0;
  std::vector<PlaceCode> places;                       // empty: any
  std::optional<std::vector<std::uint32_t>> words;     // one of them; none: any
  std::vector<MapArea> areas;                          // all of them
  std::optional<std::vector<MapIndex::Slot>> matches;  // of the text, as far as its index says; none: any
  std::optional<MapCursor> after;
  // Whether rows of such a class may be seen; asked once a class.
  std::function<bool(const MapIndex::RowClass&)> admits;
  // Whether the text is in the row indeed; null: the index is enough.
  std::function<bool(MapIndex::Slot)> has_text;
  // Total order of audiences' rows, the narrowest first.
  std::function<bool(std::int64_t, std::int64_t)> narrower;
};

// Whether somebody on call at these times is reachable; week for week in Beijing time.
[[nodiscard]] bool on_call_at(std::span<const OnCall> times, TimeMs at);
[[nodiscard]] bool speaks_any(const std::vector<std::string>& spoken, const std::vector<std::string>& asked);

class MapSearch {
 public:
  struct Found {
    MapIndex::Slot slot = 0;
    double distance_m = 0;  // with `near`
  };
  MapSearch(const MapIndex& index, const MapQuestion& question);

  [[nodiscard]] std::vector<Found> run();
  // Every row that counts, in no order, once each.
  void each(const std::function<void(MapIndex::Slot)>& visit);
  // Whether a row's class may be seen, whatever was asked.
  [[nodiscard]] bool may_see(std::uint32_t row_class);

 private:
  struct Candidate;
  [[nodiscard]] bool keeps(MapIndex::Slot slot, const TreePoint& bits);
  [[nodiscard]] bool keeps_class(std::uint32_t row_class);
  [[nodiscard]] bool keeps_rare(MapIndex::Slot slot, std::uint16_t marks) const;
  [[nodiscard]] bool lies_in(MapIndex::Slot slot, const TreePoint& bits);
  [[nodiscard]] bool is_hidden(MapIndex::Slot slot);
  [[nodiscard]] std::vector<Found> nearest();
  [[nodiscard]] std::vector<Found> by_id();
  [[nodiscard]] std::vector<Found> walk();
  [[nodiscard]] bool is_selective();
  void each_matching(const std::function<void(MapIndex::Slot)>& visit);
  void each_with_area(const std::function<void(MapIndex::Slot)>& visit) const;
  [[nodiscard]] TreeNeed need() const;
  [[nodiscard]] std::uint64_t counties_of(const std::vector<PlaceCode>& places) const;

  const MapIndex& index_;
  const MapQuestion& question_;
  TreeNeed need_;
  bool shapes_ = false;
  std::vector<std::uint8_t> seen_, asked_;            // by class: 0 not judged, 1 no, 2 yes
  std::vector<std::vector<std::uint8_t>> in_places_;  // by area and class: likewise
  std::vector<std::uint8_t> matched_;                 // by slot, if the text's matches are too many to go through
};

}  // namespace lianxi::store
