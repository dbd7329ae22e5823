// Whether clocks can be believed: this node's against what it stamped and saw before, and each peer's against this node's.
// Nothing here changes a time: stamps stay monotonic (clock.h), and what is too far ahead is not merged.
#pragma once

#include <map>

#include "broker/core/clock.h"
#include "broker/core/standing.h"

namespace lianxi::core {

class ClockWatch {
 public:
  // This node's own clock, at each tick: `clock_behind` while it stands more than kMaxClockSkewMs behind the latest time that it
  // showed, or that this node's own events bear.
  void tick(StandingAlarms& standing, Turn& turn, Hlc last_stamp);
  // What a peer's clock shows, by its heartbeat, and what its node stamped: `clock_ahead` while either is more than
  // kMaxClockSkewMs ahead.
  void heard(StandingAlarms& standing, Turn& turn, RegionCode peer, TimeMs time);
  void stamped(StandingAlarms& standing, Turn& turn, RegionCode peer, Hlc latest);
  // Of who has gone nothing is known any more.
  template <class IsMember>
  void keep_members(StandingAlarms& standing, Turn& turn, const IsMember& is_member) {
    std::erase_if(peers_, [&](const auto& entry) {
      if (is_member(entry.first)) return false;
      standing.end(turn, "clock_ahead", to_text(entry.first), to_text(entry.first) + " is no member any more");
      return true;
    });
  }

 private:
  struct Peer {
    TimeMs ahead_ms = 0;      // of its clock, when it was last heard
    TimeMs latest_stamp = 0;  // of those that were ahead
  };
  static void judge(StandingAlarms& standing, Turn& turn, RegionCode peer, const Peer& seen);

  TimeMs latest_ = 0;                 // that this node's clock showed
  std::map<RegionCode, Peer> peers_;  // members only: who delivers
};

}  // namespace lianxi::core
