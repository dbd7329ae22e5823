// One measurement: so many publishers as fast as the window lets them, or one at an even pace, and so many followers that
// check every event; the same threads for every make.
#pragma once

#include <functional>

#include "tests/bench/peers/peer.h"

namespace lianxi::bench {

struct Load {
  PayloadKind kind = PayloadKind::light;
  std::size_t bytes = 256;
  std::size_t publishers = 8;
  std::size_t followers = 1;
  std::size_t window = 1'024;  // of each publisher: sent and not yet answered
  double seconds = 2;
  double rate = 0;              // a publisher's events a second, open loop; 0: as many as it can
  std::function<void()> after;  // before the clock stops, once all is answered
};

struct Figures {
  std::uint64_t events = 0;
  double acked_per_second = 0;
  double delivered_per_second = 0;  // over all followers, each of which has got every event; 0 without followers
  double follower_late_s = 0;       // behind the last answer, at the end
  double server_cpu_us = 0;         // of the broker's processes, for each event
  double client_cpu_us = 0;         // of the bench itself
  Histogram latency;                // from when an event was due to its answer; of paced loads
};

// Throws std::runtime_error if an event is refused, lost, doubled or out of order, or the broker is gone.
[[nodiscard]] Figures run_load(Peer& peer, const std::string& topic, const Load& load);

}  // namespace lianxi::bench
