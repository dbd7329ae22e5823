// Applies what is committed to the view, right after the commit, in its own thread; and gives the journal its maintenance in
// another, since nobody may wait for a checkpoint.
#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "broker/app/log.h"
#include "broker/app/status_board.h"
#include "broker/net/context.h"
#include "broker/store/view.h"

namespace lianxi::app {

class ViewThread {
 public:
  // `applied` runs on this thread whenever the view has moved. A failure is final: `failed` runs once, then it stops.
  ViewThread(std::unique_ptr<store::View> view, std::unique_ptr<store::JournalReader> journal, StatusBoard& board,
             std::function<void()> applied, std::function<void(const store::StoreFailure&)> failed);
  ~ViewThread();
  ViewThread(const ViewThread&) = delete;
  ViewThread& operator=(const ViewThread&) = delete;
  void wake() const { wakeup_.signal(); }  // something was committed

 private:
  void run();
  [[nodiscard]] store::StoreResult<void> apply();

  std::unique_ptr<store::View> view_;
  std::unique_ptr<store::JournalReader> journal_;
  StatusBoard& board_;
  std::function<void()> applied_;
  std::function<void(const store::StoreFailure&)> failed_;
  net::Wakeup wakeup_;
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
