// Applies what is committed to the view in its own thread, and gives the journal its maintenance in another, since nobody may
// wait for a checkpoint.
//
// The first events after a rest are applied at once. While more come, a transaction gathers what arrives within kGatherMs: a
// transaction writes the same pages for one event as for a hundred. A question that waits for the view is not kept waiting:
// up to the offset it names nothing is gathered.
#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "broker/app/fresh_segments.h"
#include "broker/app/log.h"
#include "broker/app/metrics.h"
#include "broker/app/status_board.h"
#include "broker/net/context.h"
#include "broker/store/view.h"

namespace lianxi::app {

inline constexpr std::int64_t kGatherMs = 50;     // between transactions, while events come
inline constexpr std::int64_t kMaxApplyMs = 100;  // of one transaction's reading and applying, in a backlog
inline constexpr int kViewNice = 5;               // below the broker's thread: a receipt comes before a row

class ViewThread {
 public:
  struct Parts {
    std::unique_ptr<store::View> view;
    std::unique_ptr<store::JournalReader> journal;
    RegionCode region;  // this node's
    std::int64_t gather_ms = kGatherMs;
    std::function<void(const std::string&)> mismatch = {};         // a retention's digest is not that of what stands here
    std::function<void(std::vector<RetainedFeed>)> retained = {};  // where feeds may begin
  };
  // Events are counted as they are applied. `applied` runs on this thread whenever the view has moved. A failure is final:
  // `failed` runs once, then it stops.
  ViewThread(Parts parts, StatusBoard& board, Metrics& metrics, std::function<void()> applied,
             std::function<void(const store::StoreFailure&)> failed);
  ~ViewThread();
  ViewThread(const ViewThread&) = delete;
  ViewThread& operator=(const ViewThread&) = delete;
  // What a turn has committed, before board.head says so: what is not told here is read from the journal.
  void committed(std::span<const SharedSegment> segments) { fresh_.add(segments); }
  // Something was committed; costs nothing while the thread is at work.
  void wake() {
    if (idle_.exchange(false)) board_.view_call.signal();
  }

 private:
  void run();
  void wait_for_events();
  void gather();
  void wait(std::int64_t at_most_ms);
  [[nodiscard]] store::StoreResult<bool> apply();             // one transaction; true: a bound ended it, there is a backlog
  [[nodiscard]] store::StoreResult<std::size_t> take_some();  // how many bytes
  void count();

  Parts parts_;
  FreshSegments fresh_;
  StatusBoard& board_;
  Metrics& metrics_;
  std::function<void()> applied_;
  std::function<void(const store::StoreFailure&)> failed_;
  std::int64_t gather_until_ms_ = 0;
  std::atomic<bool> idle_{false};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

class MaintenanceThread {
 public:
  MaintenanceThread(store::Journal& journal, std::function<void(const store::StoreFailure&)> failed);
  ~MaintenanceThread();
  MaintenanceThread(const MaintenanceThread&) = delete;
  MaintenanceThread& operator=(const MaintenanceThread&) = delete;
  void wake() const { wakeup_.signal(); }

 private:
  void run();

  store::Journal& journal_;
  std::function<void(const store::StoreFailure&)> failed_;
  net::Wakeup wakeup_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace lianxi::app
