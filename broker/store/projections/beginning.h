// Where feeds may begin, and which of those held here do so and still wait for the retention that says why. What a retention lets
// go counts until it comes, so in between this view stands for less than its vector says, and its digest is no one's.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "broker/store/projections/applied.h"
#include "schemas/retained.h"

namespace lianxi::store {

class BeginningProjection {
 public:
  explicit BeginningProjection(SQLite::Database& db);
  // After a transaction that did not come about, too. Borrows nothing.
  void reload(const std::map<std::string, AudienceRow>& audiences);

  // A segment is next of its feed.
  void arrives(const SegmentInfo& info);
  // A retention has come, whether it counts or not.
  void note(const Applied& applied, const Retention& retention);
  // The last sequence of the feed that never comes, while the retention has not come that says so; 0: nothing is awaited.
  [[nodiscard]] Sequence awaits(const FeedId& feed) const;
  // Since the last time; at first, all.
  [[nodiscard]] std::vector<RetainedFeed> take_fresh();

 private:
  SQLite::Database& db_;
  SQLite::Statement write_;
  std::map<FeedId, RetainedFeed> retained_;
  std::set<FeedId> known_, fresh_;
  std::map<FeedId, Sequence> awaited_;
};

}  // namespace lianxi::store
