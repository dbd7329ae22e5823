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

// The last segment that begins at or below `from` holds it, for offsets are dense.
std::deque<SharedSegment>::const_iterator RecentSegments::at(Offset from) const {
  if (recent_.empty() || from >= recent_.back()->end()) return recent_.end();
  return std::prev(std::upper_bound(recent_.begin(), recent_.end(), from,
                                    [](Offset wanted, const SharedSegment& s) { return wanted < s->first(); }));
}

void RecentSegments::each(Offset from, const std::function<bool(const HeldSegment&)>& visit) const {
  for (auto next = at(from); next != recent_.end() && visit(**next);) ++next;
}

store::StoreResult<std::vector<SharedSegment>> RecentSegments::read(Offset from, std::size_t max_bytes) {
  std::vector<SharedSegment> out;
  std::size_t bytes = 0;
  for (auto next = at(from); next != recent_.end() && bytes <= max_bytes; ++next) {
    bytes += (*next)->bytes().size();
    out.push_back(*next);
  }
  return out;
}

}  // namespace lianxi::app
