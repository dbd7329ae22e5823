// One event of a feed, found in the journal by its stamp: a feed's stamps rise, so a search by halves does.
#pragma once

#include <functional>

#include "broker/store/journal.h"

namespace lianxi::store {

struct FoundEvent {
  Stamp stamp;
  Hash hash{};
};
// The event of the feed at this sequence. `heads`: of all feeds, as they stood when the journal held it.
[[nodiscard]] StoreResult<FoundEvent> event_at(JournalReader& journal, const FeedVector& heads, const FeedId& feed,
                                               Sequence sequence);
// The last event for which `holds`, which is true for the feed's events up to some one; nothing if there is none.
[[nodiscard]] StoreResult<std::optional<FoundEvent>> last_where(JournalReader& journal, const FeedVector& heads,
                                                                const FeedId& feed,
                                                                const std::function<bool(const Stamp&)>& holds);

}  // namespace lianxi::store
