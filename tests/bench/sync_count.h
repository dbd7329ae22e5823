// Evidence of what an answer is worth: how often a broker asks the kernel to sync while it answers events one at a time.
#pragma once

#include <optional>

#include "tests/bench/peers/peer.h"

namespace lianxi::bench {

struct SyncCount {
  std::uint64_t answers = 0;
  std::uint64_t syncs = 0;  // calls of fsync, fdatasync, sync_file_range, msync, by strace
};
// Nothing where strace is not installed or may not watch.
[[nodiscard]] std::optional<SyncCount> count_syncs(Peer& peer, const std::string& topic);

// The disk alone: appends of 4 KiB to a growing file, each with its fdatasync, at an even pace.
[[nodiscard]] Histogram paced_fdatasync(double seconds, double rate);

}  // namespace lianxi::bench
