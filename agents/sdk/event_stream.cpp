#include "agents/sdk/event_stream.h"

#include <utility>

#include "agents/sdk/stream_state.h"
#include "schemas/codec/event_codec.h"

namespace lianxi::sdk {

void EventStream::State::attach(Client client) {
  const std::scoped_lock lock(mutex_);
  client_ = std::move(client);
}

void EventStream::State::started(const Followed& followed) {
  const std::scoped_lock lock(mutex_);
  if (!cursor_) cursor_ = Cursor{followed.node, followed.incarnation, followed.offset};
}

void EventStream::State::put(Chunk chunk) {
  {
    const std::scoped_lock lock(mutex_);
    if (over_) return;
    waiting_.push_back(std::move(chunk));
  }
  changed_.notify_one();
}

void EventStream::State::end(std::optional<Refusal> reason) {
  {
    const std::scoped_lock lock(mutex_);
    client_ = {};
    if (over_) return;
    over_ = true;
    reason_ = std::move(reason);
  }
  changed_.notify_all();
}

void EventStream::State::stop() {
  std::function<void()> unfollow;
  {
    const std::scoped_lock lock(mutex_);
    unfollow = std::exchange(client_, {}).unfollow;
    over_ = true;
    stopped_ = true;
    waiting_.clear();
    // Under the lock: a client ends its streams before it goes, and so waits here.
    if (unfollow) unfollow();
  }
  changed_.notify_all();
}

bool EventStream::State::over() const {
  const std::scoped_lock lock(mutex_);
  return over_ && waiting_.empty();
}

std::optional<Refusal> EventStream::State::reason() const {
  const std::scoped_lock lock(mutex_);
  return reason_;
}

std::optional<EventStream::Cursor> EventStream::State::cursor() const {
  const std::scoped_lock lock(mutex_);
  return cursor_;
}

std::optional<FollowedEvent> EventStream::State::next(std::optional<std::chrono::steady_clock::time_point> until) {
  while (true) {
    if (auto event = next_of_chunk()) return event;
    if (!wait_for_chunk(until)) return std::nullopt;
  }
}

std::optional<FollowedEvent> EventStream::State::next_of_chunk() {
  while (reading_ && segment_ < reading_->segments.segments().size()) {
    const SegmentScan::Run& run = reading_->segments.segments()[segment_];
    if (record_ == run.info.count) {
      ++segment_;
      record_ = 0;
      continue;
    }
    const Offset offset(run.info.first_offset.value + record_);
    const RecordView& record = reading_->segments.record(run, record_++);
    if (offset < reading_->from) continue;
    FollowedEvent seen{run.info.feed, offset, record.stamp, record.redacted, std::nullopt, {}};
    if (!record.redacted) {
      auto event = decode_event(record.body);
      if (event) {
        seen.event = std::move(*event);
      } else {
        seen.unreadable = std::move(event.error());
      }
    }
    const std::scoped_lock lock(mutex_);
    if (stopped_) return std::nullopt;
    if (cursor_) cursor_->offset = Offset(offset.value + 1);
    return seen;
  }
  return std::nullopt;
}

// Gives back what was read through, and takes the next.
bool EventStream::State::wait_for_chunk(std::optional<std::chrono::steady_clock::time_point> until) {
  std::unique_lock lock(mutex_);
  if (reading_) {
    if (cursor_ && cursor_->offset < reading_->next) cursor_->offset = reading_->next;
    if (client_.taken) client_.taken(*reading_);
    reading_.reset();
  }
  const auto ready = [this] { return over_ || !waiting_.empty(); };
  if (until) {
    if (!changed_.wait_until(lock, *until, ready)) return false;
  } else {
    changed_.wait(lock, ready);
  }
  if (waiting_.empty()) return false;
  reading_ = std::move(waiting_.front());
  waiting_.pop_front();
  segment_ = 0;
  record_ = 0;
  return true;
}

EventStream::EventStream(std::shared_ptr<State> state) : state_(std::move(state)) {}
EventStream::~EventStream() {
  if (state_) state_->stop();
}
EventStream::EventStream(EventStream&&) noexcept = default;
EventStream& EventStream::operator=(EventStream&& other) noexcept {
  if (this != &other && state_) state_->stop();
  state_ = std::move(other.state_);
  return *this;
}

std::optional<FollowedEvent> EventStream::next() {
  return state_->next(std::nullopt);
}
std::optional<FollowedEvent> EventStream::next(std::chrono::milliseconds timeout) {
  return state_->next(std::chrono::steady_clock::now() + timeout);
}
void EventStream::stop() {
  state_->stop();
}
bool EventStream::over() const {
  return state_->over();
}
std::optional<Refusal> EventStream::reason() const {
  return state_->reason();
}
std::optional<EventStream::Cursor> EventStream::cursor() const {
  return state_->cursor();
}

}  // namespace lianxi::sdk
