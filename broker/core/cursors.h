// Named cursors of agents: where each stands in this node's journal, kept over restarts. A cursor is a place in the journal
// of one incarnation: after a restore it is gone.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "schemas/journal_batch.h"

namespace lianxi::core {

// A moved cursor is on disk with the next commit; if none comes, with one of its own after so long at the latest.
inline constexpr TimeMs kCursorFlushMs = 250;

class Cursors {
 public:
  Cursors(const std::vector<CursorRow>& rows, Incarnation incarnation);

  [[nodiscard]] std::optional<Offset> find(const CursorKey& key) const;
  // The cursor begins here, or goes on from elsewhere by wish. If the agent has as many as it may, the one goes that was
  // used least lately of those that are not in use; false if all are.
  [[nodiscard]] bool begin(const CursorKey& key, Offset at, TimeMs now, const std::function<bool(const CursorKey&)>& in_use);
  void move(const CursorKey& key, Offset to, TimeMs now);  // only forward
  // What has moved is written with this turn: its follow has ended, and the next one may come at once.
  void hurry() { hurried_ = true; }
  void close_turn(JournalBatch& batch, TimeMs now);

 private:
  struct Cursor {
    Offset offset;
    TimeMs used_at = 0;
  };
  Incarnation incarnation_;
  std::map<CursorKey, Cursor> cursors_;
  std::set<CursorKey> moved_;
  std::vector<CursorKey> gone_;
  TimeMs written_at_ = 0;
  bool hurried_ = false;
};

}  // namespace lianxi::core
