// Writes events into an outbox behind the back of whoever publishes: what comes while one commit runs shares the next.
// push() from any thread; the sinks are called on the queue's own thread. The destructor writes what still waits.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "agents/sdk/outbox.h"

namespace lianxi::sdk {

class StoreQueue {
 public:
  struct Sinks {
    std::function<void()> stored;  // the outbox has more to send
    std::function<void(Lane, Ticket, const Refusal&)> failed;
  };
  // `outbox` outlives the queue.
  StoreQueue(Outbox& outbox, std::size_t max_bytes, Sinks sinks);
  ~StoreQueue() { close(); }
  StoreQueue(const StoreQueue&) = delete;
  StoreQueue& operator=(const StoreQueue&) = delete;

  // Copies the events. Refuses all (busy) if more than `max_bytes` would wait for the disk.
  [[nodiscard]] Result<void> push(std::span<const NewEvent> events);
  // Writes what waits, and refuses all that comes after. Not from a sink.
  void close();

 private:
  struct Batch {
    Bytes bytes;
    std::vector<NewEvent> events;  // their bytes are set when the batch is written
    std::vector<std::size_t> ends;
  };
  void run();
  void write(Batch& batch);

  Outbox& outbox_;
  const std::size_t max_bytes_;
  Sinks sinks_;
  std::mutex mutex_;
  std::condition_variable changed_;
  Batch waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace lianxi::sdk
