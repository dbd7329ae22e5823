#include "broker/store/map_feed.h"

#include <algorithm>

namespace lianxi::store {

void MapFeed::post(Offset offset, std::vector<MapEntry> entries) {
  if (entries.empty()) return;
  const std::lock_guard lock(mutex_);
  entries_ += entries.size();
  batches_.push_back({offset, std::move(entries)});
  if (entries_ <= kMaxEntries) return;
  lost_ = batches_.back().offset;
  batches_.clear();
  entries_ = 0;
}

void MapFeed::withdraw(Offset offset) {
  const std::lock_guard lock(mutex_);
  while (!batches_.empty() && batches_.back().offset > offset) {
    entries_ -= batches_.back().entries.size();
    batches_.pop_back();
  }
}

bool MapFeed::take(Offset from, Offset through, std::vector<Batch>& batches) {
  const std::lock_guard lock(mutex_);
  while (!batches_.empty() && batches_.front().offset <= through) {
    entries_ -= batches_.front().entries.size();
    if (batches_.front().offset > from) batches.push_back(std::move(batches_.front()));
    batches_.pop_front();
  }
  return lost_ <= from;
}

}  // namespace lianxi::store
