// What a follow puts in and an EventStream takes out. The follow's side is called on the client's I/O thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>

#include "agents/sdk/channel.h"
#include "agents/sdk/event_stream.h"
#include "schemas/codec/segment_scan.h"
#include "schemas/protocol.h"

namespace lianxi::sdk {

// One delivery, read and checked; the scan borrows from the payload.
struct Chunk {
  Payload payload;
  SegmentScan segments;
  Offset from;  // what is below has been handed over before
  Offset next;  // the cursor behind it
};

class EventStream::State {
 public:
  struct Client {
    std::function<void(const Chunk&)> taken;  // gives the node its credit back
    std::function<void()> unfollow;
  };

  // The follow's side.
  void attach(Client client);
  void started(const Followed& followed);
  void put(Chunk chunk);
  void end(std::optional<Refusal> reason);  // the client is not called any more

  // The reader's side.
  [[nodiscard]] std::optional<FollowedEvent> next(std::optional<std::chrono::steady_clock::time_point> until);
  void stop();
  [[nodiscard]] bool over() const;
  [[nodiscard]] std::optional<Refusal> reason() const;
  [[nodiscard]] std::optional<Cursor> cursor() const;

 private:
  [[nodiscard]] std::optional<FollowedEvent> next_of_chunk();
  [[nodiscard]] bool wait_for_chunk(std::optional<std::chrono::steady_clock::time_point> until);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Chunk> waiting_;
  bool over_ = false;
  bool stopped_ = false;
  std::optional<Refusal> reason_;
  std::optional<Cursor> cursor_;
  Client client_;

  // The reader's alone: the chunk that it reads, and its place there.
  std::optional<Chunk> reading_;
  std::size_t segment_ = 0;
  std::uint32_t record_ = 0;
};

}  // namespace lianxi::sdk
