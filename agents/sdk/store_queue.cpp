#include "agents/sdk/store_queue.h"

#include <utility>

namespace lianxi::sdk {

StoreQueue::StoreQueue(Outbox& outbox, std::size_t max_bytes, Sinks sinks)
    : outbox_(outbox), max_bytes_(max_bytes), sinks_(std::move(sinks)), thread_([this] { run(); }) {}

void StoreQueue::close() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Result<void> StoreQueue::push(std::span<const NewEvent> events) {
  std::size_t bytes = 0;
  for (const NewEvent& event : events) bytes += event.bytes.size();
  bool first = false;
  {
    const std::scoped_lock lock(mutex_);
    if (stopping_) return tl::unexpected(Refusal{RefusalCode::busy, "", "the client is being closed", kRetryAfterMs});
    if (waiting_.bytes.size() + bytes > max_bytes_ && !waiting_.events.empty()) {
      return tl::unexpected(Refusal{RefusalCode::busy, "outbox",
                                    std::to_string(waiting_.bytes.size()) + " bytes wait for the disk; publish again later",
                                    kRetryAfterMs});
    }
    first = waiting_.events.empty();
    for (const NewEvent& event : events) {
      waiting_.bytes.insert(waiting_.bytes.end(), event.bytes.begin(), event.bytes.end());
      waiting_.events.push_back({event.ticket, event.lane, {}});
      waiting_.ends.push_back(waiting_.bytes.size());
    }
  }
  if (first) changed_.notify_one();
  return {};
}

void StoreQueue::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stopping_ || !waiting_.events.empty(); });
    if (waiting_.events.empty()) return;
    Batch batch = std::exchange(waiting_, {});
    lock.unlock();
    write(batch);
    lock.lock();
  }
}

void StoreQueue::write(Batch& batch) {
  for (std::size_t i = 0, begin = 0; i < batch.events.size(); begin = batch.ends[i++]) {
    batch.events[i].bytes = BytesView(batch.bytes).subspan(begin, batch.ends[i] - begin);
  }
  if (const auto appended = outbox_.append(batch.events); !appended) {
    for (const NewEvent& event : batch.events) sinks_.failed(event.lane, event.ticket, appended.error());
    return;
  }
  sinks_.stored();
}

}  // namespace lianxi::sdk
