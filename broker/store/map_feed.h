// What the view's thread tells whoever keeps an index of the map in memory: the rows that each transaction changes, before it
// commits. So whoever reads the view at an offset finds all that led there. A value's queue; any thread.
#pragma once

#include <deque>
#include <mutex>
#include <string>
#include <vector>

#include "broker/store/map_card.h"
#include "schemas/event.h"

namespace lianxi::store {

// An actual row of a resource: what questions judge, and what answers show.
struct MapEntry {
  std::int64_t id = 0;  // of the row
  std::string entity;
  std::int64_t audience = 0;  // row
  bool visible = false;       // else it is here no more, or has a contact alone
  bool contact = false;       // it states one
  ResourceType type{};
  ResourceState state{};  // effective
  Level level{};
  std::string place, agency;
  std::vector<std::string> capabilities;
  std::optional<LonLat> location;
  std::vector<LonLat> area;
  std::int64_t free_milli = 0;
  std::optional<std::int32_t> capacity, occupancy;
  std::optional<TimeMs> valid_from, valid_until;
  std::vector<std::string> languages;
  std::vector<OnCall> on_call;
  MapCard card;
};

class MapFeed {
 public:
  struct Batch {
    Offset offset;  // where the view stands with it
    std::vector<MapEntry> entries;
  };
  void post(Offset offset, std::vector<MapEntry> entries);
  // The transaction did not come about: nothing behind `offset` was posted.
  void withdraw(Offset offset);
  // Takes out what leads to `through`. False if something of it was let go, because nobody had asked for long: then the index
  // must be made anew from the tables.
  [[nodiscard]] bool take(Offset from, Offset through, std::vector<Batch>& batches);

 private:
  static constexpr std::size_t kMaxBytes = 64 * 1024 * 1024;  // some 100,000 changes
  static std::size_t bytes_of(const Batch& batch);
  std::mutex mutex_;
  std::deque<Batch> batches_;
  std::size_t bytes_ = 0;
  Offset lost_;  // all up to here was let go
};

}  // namespace lianxi::store
