// Alerts: one row a message; what one says of another is a reference, and state is computed when asked (read_alerts.cpp).
#pragma once

#include "broker/store/projections/applied.h"

namespace lianxi::store {

class AlertProjection {
 public:
  explicit AlertProjection(SQLite::Database& db);
  // False if the event is not the home region's: it then leaves no row.
  [[nodiscard]] bool apply(const Applied& applied);

 private:
  void write_row(std::int64_t id, const Applied& applied, const Hash& row_hash);
  void write_info(std::int64_t id, std::int64_t number, const AlertInfo& info);
  void write_area(std::int64_t id, std::int64_t info, std::int64_t number, const AlertArea& area);

  SQLite::Database& db_;
  SQLite::Statement find_, delete_, insert_, info_, area_, shape_, geocode_, reference_;
};

// When the alert ends by itself: the latest end of its infos. An info without an end, or with one not after `sent` (real feeds
// set expires = sent and mean none), stays in force until an Update or Cancel ends it, and the alert with it.
[[nodiscard]] std::optional<TimeMs> expiry_of(const Alert& alert);

// The info that a Chinese reader is shown: the first in Chinese, else the first; nullptr if there is none.
[[nodiscard]] const AlertInfo* shown_info(const Alert& alert);

}  // namespace lianxi::store
