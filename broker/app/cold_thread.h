// The thread that reads the journal for followers that are behind.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "broker/app/cold_reads.h"

namespace lianxi::app {

class ColdReadThread final : public ColdReads {
 public:
  // `done` runs on this thread when a result waits to be taken.
  ColdReadThread(std::unique_ptr<store::JournalReader> journal, std::function<void()> done);
  ~ColdReadThread() override;
  ColdReadThread(const ColdReadThread&) = delete;
  ColdReadThread& operator=(const ColdReadThread&) = delete;

  void ask(ColdJob job) override;
  [[nodiscard]] std::optional<ColdResult> take() override;
  [[nodiscard]] bool done() const override;

 private:
  void run();

  ColdSource source_;  // of the thread
  std::function<void()> done_;
  mutable std::mutex mutex_;
  std::condition_variable asked_;
  std::deque<ColdJob> jobs_;
  std::deque<ColdResult> results_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace lianxi::app
