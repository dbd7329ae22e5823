// What an alert waits for: alone, beside bulk at four fifths of what the node takes, and beside bulk at full speed.
#pragma once

#include <optional>

#include "tests/bench/peers/lianxi.h"

namespace lianxi::bench {

struct FlashPhase {
  Histogram receipt;    // from publish to receipt
  Histogram delivered;  // from publish to a follower's hand
  double bulk_per_second = 0;
};
struct FlashFigures {
  FlashPhase idle, loaded, saturated;
  // The broker's own counts: the most batches and bytes of others that passed an alert between its arrival and its sending.
  std::optional<double> overtaken_batches, overtaken_bytes;
};

inline constexpr double kAlertsPerSecond = 100;

[[nodiscard]] FlashFigures run_flash(LianxiPeer& peer, std::size_t publishers, std::size_t window, double seconds);

}  // namespace lianxi::bench
