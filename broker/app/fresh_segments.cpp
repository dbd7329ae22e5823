#include "broker/app/fresh_segments.h"

namespace lianxi::app {

void FreshSegments::drop_front() {
  bytes_ -= held_.front().bytes->size();
  held_.pop_front();
}

void FreshSegments::add(std::span<const SharedSegment> committed) {
  const std::lock_guard lock(mutex_);
  for (const SharedSegment& segment : committed) {
    held_.push_back({segment->first(), segment->end(), segment->shared_bytes()});
    bytes_ += segment->bytes().size();
  }
  while (bytes_ > max_bytes_) drop_front();
}

std::vector<FreshSegments::Held> FreshSegments::take(Offset from, std::size_t max_bytes) {
  std::vector<Held> taken;
  const std::lock_guard lock(mutex_);
  while (!held_.empty() && held_.front().end <= from) drop_front();
  if (held_.empty() || held_.front().first > from) return taken;
  for (std::size_t bytes = 0; !held_.empty() && bytes <= max_bytes;) {
    bytes += held_.front().bytes->size();
    taken.push_back(held_.front());
    drop_front();
  }
  return taken;
}

}  // namespace lianxi::app
