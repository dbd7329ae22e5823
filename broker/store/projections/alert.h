// Alerts: one row a message; what one says of another is a reference, and state is computed when asked (read_alerts.cpp).
#pragma once

#include "broker/store/projections/applied.h"

namespace lianxi::store {

class AlertProjection {
 public:
  explicit AlertProjection(SQLite::Database& db);
  // False if the event is not the home region's: it then leaves no row.
  [[nodiscard]] bool apply(const Applied& applied, const Alert& alert);

  // Nothing of the source at or before `cut` counts any more.
  void drop(const Source& source, Version cut, AudienceRow& audience);

 private:
  void write(const Applied& applied, const Alert& alert);

  SQLite::Database& db_;
  SQLite::Statement find_, delete_, insert_, reference_, no_references_;
};

// When the alert ends by itself: the latest end of its infos. An info without an end, or with one not after `sent` (real feeds
// set expires = sent and mean none), stays in force until an Update or Cancel ends it, and the alert with it.
[[nodiscard]] std::optional<TimeMs> expiry_of(const Alert& alert);

// The info that a Chinese reader is shown: the first in Chinese, else the first; nullptr if there is none.
[[nodiscard]] const AlertInfo* shown_info(const Alert& alert);

}  // namespace lianxi::store
