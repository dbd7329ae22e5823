#include "broker/app/recent_segments.h"

#include <algorithm>

namespace lianxi::app {

void RecentSegments::remember(SharedSegment segment) {
  bytes_ += segment->bytes().size();
  recent_.push_back(std::move(segment));
  while (bytes_ > kRecentBytes && recent_.size() > 1) {
    bytes_ -= recent_.front()->bytes().size();
    recent_.pop_front();
  }
}

store::StoreResult<std::vector<SharedSegment>> RecentSegments::read(Offset from, std::size_t max_bytes) {
  std::vector<SharedSegment> out;
  if (recent_.empty() || from >= recent_.back()->end()) return out;
  // The last segment that begins at or below `from` holds it, for offsets are dense.
  auto at = std::upper_bound(recent_.begin(), recent_.end(), from,
                             [](Offset wanted, const SharedSegment& s) { return wanted < s->first(); });
  std::size_t bytes = 0;
  for (--at; at != recent_.end() && bytes <= max_bytes; ++at) {
    bytes += (*at)->bytes().size();
    out.push_back(*at);
  }
  return out;
}

}  // namespace lianxi::app
