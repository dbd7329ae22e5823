// Where the node stands, published by the broker's thread after each turn and read by queries and health checks.
#pragma once

#include <atomic>
#include <mutex>

#include "broker/core/broker_core.h"
#include "broker/net/context.h"
#include "schemas/queries.h"

namespace lianxi::app {

// Any thread.
class StatusBoard {
 public:
  // Region, epoch, incarnation, software, head, feeds and links; the reader fills in the view, counters and time.
  void publish(StatusReport report) {
    const std::lock_guard lock(mutex_);
    report_ = std::move(report);
  }
  [[nodiscard]] StatusReport report() const {
    const std::lock_guard lock(mutex_);
    return report_;
  }

  // What peers said that they hold.
  void publish_peers(std::vector<core::PeerSight> peers) {
    const std::lock_guard lock(mutex_);
    peers_ = std::move(peers);
  }
  [[nodiscard]] std::vector<core::PeerSight> peers() const {
    const std::lock_guard lock(mutex_);
    return peers_;
  }

  // All below is committed.
  std::atomic<std::uint64_t> head{0};
  // The view has applied all below.
  std::atomic<std::uint64_t> view_offset{0};
  // The furthest offset that a waiting question has named: up to it the view gathers nothing more, see view_thread.h.
  std::atomic<std::uint64_t> view_wanted{0};
  net::Wakeup view_call;  // wakes the view's thread; any thread may signal
  // Milliseconds of the steady clock when the broker's loop last came by.
  std::atomic<std::int64_t> last_loop_ms{0};
  std::atomic<bool> ready{false};
  std::atomic<bool> disk_low{false};
  // The view or live thread could not go on; the broker ends the process.
  std::atomic<bool> failed{false};

 private:
  mutable std::mutex mutex_;
  StatusReport report_;
  std::vector<core::PeerSight> peers_;
};

}  // namespace lianxi::app
