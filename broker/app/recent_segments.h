// A journal reader that answers from memory what was committed just now: live followers and links all want the same tail,
// and need not each ask the disk for it. Borrows nothing; one thread.
#pragma once

#include <deque>
#include <memory>

#include "broker/store/journal.h"

namespace lianxi::app {

inline constexpr std::size_t kRecentBytes = 2 * 1024 * 1024;

class RecentSegments final : public store::JournalReader {
 public:
  explicit RecentSegments(std::unique_ptr<store::JournalReader> disk) : disk_(std::move(disk)) {}

  // What a commit has just made durable, in offset order, without a gap behind what was remembered before. `end`: the
  // offset behind it.
  void remember(const store::JournalSegment& segment, Offset end);

  [[nodiscard]] store::StoreResult<std::vector<store::JournalSegment>> read(Offset from, std::size_t max_bytes) override;
  [[nodiscard]] store::StoreResult<Offset> first_beyond(const FeedVector& have) override { return disk_->first_beyond(have); }
  [[nodiscard]] store::StoreResult<Offset> next_offset() override { return disk_->next_offset(); }

 private:
  std::unique_ptr<store::JournalReader> disk_;
  std::deque<store::JournalSegment> recent_;
  std::size_t bytes_ = 0;
  Offset end_;
};

}  // namespace lianxi::app
