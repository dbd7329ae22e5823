// A follow as a range: blocks until an event comes, ends when the follow does.
//
//   for (const sdk::FollowedEvent& seen : client->events({.from = FollowFrom::beginning})) { ... seen.event ... }
//
// What is not read yet is bounded by FollowOptions::buffer_bytes: the node gets credit for what was read, and without credit it
// sends nothing and forgets nothing. One thread reads; stop() may be called from any. May outlive its client: then it ends.
#pragma once

#include <chrono>
#include <iterator>
#include <memory>
#include <optional>

#include "schemas/codec/chain.h"
#include "schemas/event.h"

namespace lianxi::sdk {

struct FollowedEvent {
  FeedId feed;
  Offset offset;  // in the journal of the node that is followed
  Stamp stamp;
  bool redacted = false;              // its body was taken out by law; `event` is empty
  std::optional<Refusal> unreadable;  // why the bytes are no event to this version; `event` is empty
  Event event;
};

class EventStream {
 public:
  class State;  // shared with the client
  explicit EventStream(std::shared_ptr<State> state);
  ~EventStream();  // unfollows
  EventStream(EventStream&&) noexcept;
  EventStream& operator=(EventStream&&) noexcept;

  // Blocks until an event is there; nothing when the follow is over.
  [[nodiscard]] std::optional<FollowedEvent> next();
  // Nothing also when none came in time: then `over` says which.
  [[nodiscard]] std::optional<FollowedEvent> next(std::chrono::milliseconds timeout);
  // Ends the follow; a next() that waits returns nothing.
  void stop();
  [[nodiscard]] bool over() const;
  // Why it is over: the node's refusal, a broken chain, a client that was closed (busy). Nothing while it lives, or if stop()
  // ended it.
  [[nodiscard]] std::optional<Refusal> reason() const;
  // Behind the last event that next() gave: where a later follow goes on (FollowFrom::cursor). Nothing before the node
  // has said where the follow begins.
  struct Cursor {
    RegionCode node;
    Incarnation incarnation;
    Offset offset;
  };
  [[nodiscard]] std::optional<Cursor> cursor() const;

  class Iterator {
   public:
    using value_type = FollowedEvent;
    using difference_type = std::ptrdiff_t;
    Iterator() = default;
    explicit Iterator(EventStream& stream) : stream_(&stream), event_(stream.next()) {}
    const FollowedEvent& operator*() const { return *event_; }
    const FollowedEvent* operator->() const { return &*event_; }
    Iterator& operator++() {
      event_ = stream_->next();
      return *this;
    }
    void operator++(int) { ++*this; }
    bool operator==(std::default_sentinel_t) const { return !event_; }

   private:
    EventStream* stream_ = nullptr;
    std::optional<FollowedEvent> event_;
  };
  [[nodiscard]] Iterator begin() { return Iterator(*this); }
  [[nodiscard]] std::default_sentinel_t end() const { return {}; }

 private:
  std::shared_ptr<State> state_;
};

}  // namespace lianxi::sdk
