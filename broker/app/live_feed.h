// Publishes committed events on `live`, from the journal, in its own thread: rendering JSON must not delay a receipt. Begins at
// the journal's head when somebody subscribes; while nobody does, it is neither woken nor reads.
#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "broker/app/directory.h"
#include "broker/app/metrics.h"
#include "broker/app/status_board.h"
#include "broker/net/live_socket.h"
#include "broker/store/journal.h"

namespace lianxi::app {

// The topics of an event: its own, and for a place above member cities one for each member below it, so that "alert/3308"
// hears a warning for the whole province.
[[nodiscard]] std::vector<std::string> live_topics(const Envelope& envelope, const core::Members& members);

class LiveFeed {
 public:
  struct Parts {
    std::unique_ptr<net::LiveSocket> socket;  // used by this thread alone from now on
    std::unique_ptr<store::JournalReader> journal;
  };
  // `skipped`: what stands in the journal from there to its head could not be read, and subscribers miss it. On the feed's
  // thread.
  LiveFeed(Parts parts, Offset from, const Directory& directory, StatusBoard& board, Metrics& metrics,
           std::function<void(const store::StoreFailure&)> skipped);
  ~LiveFeed();
  LiveFeed(const LiveFeed&) = delete;
  LiveFeed& operator=(const LiveFeed&) = delete;
  // Something was committed.
  void wake() const {
    if (heard_) wakeup_.signal();
  }
  // Rights were changed: every subscriber is cut, and judged anew when it comes back.
  void rights_changed();

 private:
  void run();
  void listen();
  [[nodiscard]] store::StoreResult<bool> publish_some();  // true: there is more
  void publish(const Segment& segment, Offset first, const Rights& rights);

  Parts parts_;
  Offset next_;
  const Directory& directory_;
  StatusBoard& board_;
  Metrics& metrics_;
  std::function<void(const store::StoreFailure&)> skipped_;
  net::Wakeup wakeup_;
  std::atomic<bool> heard_{false};  // somebody subscribes
  std::atomic<bool> stop_{false};
  std::atomic<bool> cut_all_{false};
  std::thread thread_;
};

}  // namespace lianxi::app
