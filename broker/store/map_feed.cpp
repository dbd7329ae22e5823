#include "broker/store/map_feed.h"

#include <algorithm>

namespace lianxi::store {

// As they lie in memory, as near as can be said.
std::size_t MapFeed::bytes_of(const Batch& batch) {
  std::size_t bytes = 0;
  for (const MapEntry& entry : batch.entries) {
    bytes += sizeof entry + entry.entity.capacity() + entry.place.capacity() + entry.agency.capacity() + entry.card.bytes() +
             entry.area.capacity() * sizeof(LonLat) + entry.on_call.capacity() * sizeof(OnCall);
    for (const auto* words : {&entry.capabilities, &entry.languages})
      for (const std::string& word : *words) bytes += sizeof word + word.capacity();
  }
  return bytes;
}

void MapFeed::post(Offset offset, std::vector<MapEntry> entries) {
  if (entries.empty()) return;
  Batch batch{offset, std::move(entries)};
  const std::size_t bytes = bytes_of(batch);
  const std::lock_guard lock(mutex_);
  bytes_ += bytes;
  batches_.push_back(std::move(batch));
  if (bytes_ <= kMaxBytes) return;
  lost_ = batches_.back().offset;
  batches_.clear();
  bytes_ = 0;
}

void MapFeed::withdraw(Offset offset) {
  const std::lock_guard lock(mutex_);
  while (!batches_.empty() && batches_.back().offset > offset) {
    bytes_ -= bytes_of(batches_.back());
    batches_.pop_back();
  }
}

bool MapFeed::take(Offset from, Offset through, std::vector<Batch>& batches) {
  const std::lock_guard lock(mutex_);
  while (!batches_.empty() && batches_.front().offset <= through) {
    bytes_ -= bytes_of(batches_.front());
    if (batches_.front().offset > from) batches.push_back(std::move(batches_.front()));
    batches_.pop_front();
  }
  return lost_ <= from;
}

}  // namespace lianxi::store
