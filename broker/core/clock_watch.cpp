#include "broker/core/clock_watch.h"

#include <algorithm>

#include "schemas/limits.h"

namespace lianxi::core {

void ClockWatch::tick(StandingAlarms& standing, Turn& turn, Hlc last_stamp) {
  latest_ = std::max(latest_, turn.now);
  const TimeMs behind_ms = std::max(latest_, physical_ms(last_stamp)) - turn.now;
  const char* what = "clock_behind";
  if (behind_ms <= kMaxClockSkewMs)
    return standing.end(turn, what, "", "this node's clock is no longer behind what it showed and stamped before");
  standing.raise(
      turn, what, "",
      "this node's clock is " + std::to_string(behind_ms / 1000) +
          " s behind what it showed or stamped before; stamps go on from there, but what depends on the present (expired "
          "alerts) is judged by the clock: set it right");
}

void ClockWatch::heard(StandingAlarms& standing, Turn& turn, RegionCode peer, TimeMs time) {
  Peer& seen = peers_[peer];
  seen.ahead_ms = std::clamp(time, kMinTimeMs, kMaxTimeMs) - turn.now;
  judge(standing, turn, peer, seen);
}

// Old events say nothing of a clock that was set right since.
void ClockWatch::stamped(StandingAlarms& standing, Turn& turn, RegionCode peer, Hlc latest) {
  const TimeMs time = physical_ms(latest);
  if (time - turn.now <= kMaxClockSkewMs) return;
  Peer& seen = peers_[peer];
  seen.latest_stamp = std::max(seen.latest_stamp, time);
  judge(standing, turn, peer, seen);
}

void ClockWatch::judge(StandingAlarms& standing, Turn& turn, RegionCode peer, const Peer& seen) {
  const TimeMs stamps_ahead_ms = seen.latest_stamp == 0 ? 0 : seen.latest_stamp - turn.now;
  const TimeMs ahead_ms = std::max(seen.ahead_ms, stamps_ahead_ms);
  const char* what = "clock_ahead";
  if (ahead_ms <= kMaxClockSkewMs)
    return standing.end(turn, what, to_text(peer), "the clock of " + to_text(peer) + " is no longer ahead");
  standing.raise(turn, what, to_text(peer),
                 "the clock of " + to_text(peer) + " is " + std::to_string(ahead_ms / 1000) +
                     " s ahead; its times are kept but not followed");
}

}  // namespace lianxi::core
