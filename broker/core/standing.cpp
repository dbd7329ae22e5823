#include "broker/core/standing.h"

#include "schemas/limits.h"

namespace lianxi::core {

void StandingAlarms::raise(Turn& turn, const std::string& what, const std::string& about, std::string reason) {
  const auto found = held_.find({what, about});
  if (found == held_.end() && held_.size() >= kMaxHeldFeeds) return;
  Held& held = found == held_.end() ? held_[{what, about}] : found->second;
  const bool fresh = found == held_.end();
  if (fresh) held.since = turn.now;
  held.reason = reason;
  // The wall clock may have been set back.
  if (!fresh && turn.now >= held.told_at && turn.now - held.told_at < kAlarmRepeatMs) return;
  held.told_at = turn.now;
  turn.alarm(what, std::move(reason));
}

void StandingAlarms::end(Turn& turn, const std::string& what, const std::string& about, std::string reason) {
  if (held_.erase({what, about}) != 0) turn.alarm(what + "_over", std::move(reason));
}

std::vector<AlarmRow> StandingAlarms::rows() const {
  std::vector<AlarmRow> rows;
  for (const auto& [key, held] : held_) rows.push_back({key.first, key.second, held.reason, held.since});
  return rows;
}

}  // namespace lianxi::core
