// One event on its way into the tables, with what every projection needs to know of it.
#pragma once

#include <optional>

#include "broker/store/digest.h"
#include "broker/store/sqlite.h"
#include "schemas/codec/segment.h"
#include "schemas/decision.h"
#include "schemas/event_rules.h"

namespace lianxi::store {

using Version = Decision;  // of a row, or of a group of its fields: the last event that states it

// A row of `audience`, as the open transaction leaves it.
struct AudienceRow {
  std::int64_t id = 0;
  std::string name;
  Digest digest;
  bool touched = false;
};

// What a region said in a lane to an audience: each row, or group of a row's fields, stems from one such source.
struct Source {
  RegionCode region;
  Lane lane{};
  std::int64_t audience = 0;  // row
  auto operator<=>(const Source&) const = default;
};

struct Applied {
  const FeedId& feed;
  const RecordView& record;
  const Envelope& envelope;
  RegionCode home;  // of the entity
  Version version = 0;
  Offset offset;          // in this node's journal: a number for new rows
  AudienceRow& audience;  // of the feed; outlives the rows that the projections hold

  // When the home node of the feed accepted it: the same on every node.
  [[nodiscard]] TimeMs received_at() const { return physical_ms(record.stamp.time); }
};

}  // namespace lianxi::store
