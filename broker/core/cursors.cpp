#include "broker/core/cursors.h"

#include <algorithm>
#include <utility>

#include "schemas/limits.h"

namespace lianxi::core {

Cursors::Cursors(const std::vector<CursorRow>& rows, Incarnation incarnation) : incarnation_(incarnation) {
  for (const CursorRow& row : rows) {
    if (row.incarnation == incarnation) {
      cursors_[row.key] = {row.offset, row.used_at};
    } else {
      gone_.push_back(row.key);
    }
  }
}

std::optional<Offset> Cursors::find(const CursorKey& key) const {
  const auto found = cursors_.find(key);
  if (found == cursors_.end()) return std::nullopt;
  return found->second.offset;
}

bool Cursors::begin(const CursorKey& key, Offset at, TimeMs now, const std::function<bool(const CursorKey&)>& in_use) {
  if (!cursors_.contains(key)) {
    std::size_t of_agent = 0;
    auto oldest = cursors_.end();
    for (auto it = cursors_.lower_bound({key.agent, {}}); it != cursors_.end() && it->first.agent == key.agent; ++it) {
      ++of_agent;
      const bool older = oldest == cursors_.end() || it->second.used_at < oldest->second.used_at;
      if (older && !in_use(it->first)) oldest = it;
    }
    if (of_agent >= kMaxCursorsPerAgent) {
      if (oldest == cursors_.end()) return false;
      moved_.erase(oldest->first);
      gone_.push_back(oldest->first);
      cursors_.erase(oldest);
    }
    // A row that goes and comes back in one turn stays.
    std::erase(gone_, key);
  }
  cursors_[key] = {at, now};
  moved_.insert(key);
  return true;
}

void Cursors::move(const CursorKey& key, Offset to, TimeMs now) {
  const auto found = cursors_.find(key);
  if (found == cursors_.end() || to <= found->second.offset) return;
  found->second = {to, std::max(now, found->second.used_at)};
  moved_.insert(key);
}

void Cursors::close_turn(JournalBatch& batch, TimeMs now) {
  const bool due = now >= written_at_ + kCursorFlushMs || now < written_at_;  // the wall clock may have been set back
  const bool hurried = std::exchange(hurried_, false);
  if ((moved_.empty() && gone_.empty()) || (batch.empty() && !due && !hurried)) return;
  for (const CursorKey& key : moved_) {
    const Cursor& cursor = cursors_.at(key);
    batch.cursors.push_back({key, incarnation_, cursor.offset, cursor.used_at});
  }
  batch.cursors_gone = std::move(gone_);
  moved_.clear();
  gone_.clear();
  written_at_ = now;
}

}  // namespace lianxi::core
