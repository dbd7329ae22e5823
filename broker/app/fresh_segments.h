// What was committed and the view has not taken yet: it need not be read back from the journal. The broker's thread adds, the
// view's takes; the bytes are shared with whoever else holds the segment.
#pragma once

#include <deque>
#include <mutex>
#include <span>

#include "broker/app/recent_segments.h"

namespace lianxi::app {

class FreshSegments {
 public:
  struct Held {
    Offset first, end;
    std::shared_ptr<const Bytes> bytes;
  };
  // In offset order. What exceeds `max_bytes` goes, the oldest first: it stands in the journal.
  explicit FreshSegments(std::size_t max_bytes = kRecentBytes) : max_bytes_(max_bytes) {}
  void add(std::span<const SharedSegment> committed);
  // Segments holding offsets >= from, without a gap, until `max_bytes` are exceeded; they are no longer held here. Nothing if
  // `from` itself is not held: the journal has it.
  [[nodiscard]] std::vector<Held> take(Offset from, std::size_t max_bytes);

 private:
  void drop_front();

  const std::size_t max_bytes_;
  std::mutex mutex_;
  std::deque<Held> held_;
  std::size_t bytes_ = 0;
};

}  // namespace lianxi::app
