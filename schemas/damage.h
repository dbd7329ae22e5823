// A stretch of a feed whose stored bytes do not verify, and the same stretch as another node gave it back.
#pragma once

#include <optional>

#include "schemas/journal_batch.h"

namespace lianxi {

struct DamagedRange {
  FeedId feed;
  Sequence first, last;
  Hash previous{};           // the chain's hash before `first`
  std::optional<Hash> hash;  // that of `last`; nothing if the seal there is damaged too
  bool seal_lost = false;    // the seal at `last` must come with the events
};

// Its chain goes from the range's `previous` to its `hash`. The seal is there if the other node had one exactly at `last`.
struct RepairedRange {
  StoredSegment segment;
};

}  // namespace lianxi
