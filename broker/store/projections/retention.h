// Retentions: what of a region, lane and audience counts no more. Rows are as if the events before the cut had never come: each
// row, or group of fields, stems from one source and is what its last event says, so dropping the last drops all before it.
// Events of a former epoch that arrive behind a cut do not count either.
#pragma once

#include <map>

#include "broker/store/projections/applied.h"

namespace lianxi::store {

class RetentionProjection {
 public:
  explicit RetentionProjection(SQLite::Database& db);
  // After a transaction that did not come about, too.
  void reload();

  // Whether an event of the source with this version counts.
  [[nodiscard]] bool counts(const Source& source, Version version) const {
    const auto held = held_.find(source);
    return held == held_.end() || version > held->second.cut;
  }
  // True if the event is of the feed and place that it stands in; else it means nothing.
  [[nodiscard]] static bool stands_in(const Applied& applied, const Retention& retention);
  // The cut that the event makes, for the caller to drop what lies there; 0: none that goes further than what holds. Nothing if
  // it is no retention of the feed that it stands in.
  [[nodiscard]] std::optional<Version> take(const Applied& applied, const Retention& retention);

 private:
  struct Held {
    Version cut = 0;
    Version version = 0;  // of the event
    Hash hash{};
  };
  SQLite::Statement all_, write_;
  std::map<Source, Held> held_;
};

// Sum of what the view keeps of a feed behind `cut`: the chain's hash of each alert and report, and a hash of each resource's
// groups that stem from it. What a retention's digest is.
[[nodiscard]] Hash kept_digest(SQLite::Database& db, const FeedId& feed, std::int64_t audience, Version cut);

}  // namespace lianxi::store
