// The journal's tail in memory: what live followers and links want, and need not ask the disk for. Borrows nothing; one thread.
#pragma once

#include <deque>
#include <functional>

#include "broker/app/held_segment.h"

namespace lianxi::app {

// At full load a tenth of a second: so long may a live follower lag before it is served from the disk.
inline constexpr std::size_t kRecentBytes = 32 * 1024 * 1024;

class RecentSegments final : public SegmentSource {
 public:
  // What a commit has just made durable, in offset order, without a gap behind what was remembered before.
  void remember(SharedSegment segment);
  // Whether read(from) can be answered from here.
  [[nodiscard]] bool holds(Offset from) const { return !recent_.empty() && from >= recent_.front()->first(); }
  // For offsets that are held.
  // From the one that holds `from` on, until `visit` gives false.
  void each(Offset from, const std::function<bool(const HeldSegment&)>& visit) const;
  [[nodiscard]] store::StoreResult<std::vector<SharedSegment>> read(Offset from, std::size_t max_bytes) override;

 private:
  [[nodiscard]] std::deque<SharedSegment>::const_iterator at(Offset from) const;

  std::deque<SharedSegment> recent_;
  std::size_t bytes_ = 0;
};

}  // namespace lianxi::app
