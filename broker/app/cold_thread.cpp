#include "broker/app/cold_thread.h"

namespace lianxi::app {

ColdReadThread::ColdReadThread(std::unique_ptr<store::JournalReader> journal, std::function<void()> done)
    : source_(std::move(journal)), done_(std::move(done)), thread_([this] { run(); }) {}

ColdReadThread::~ColdReadThread() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  asked_.notify_one();
  thread_.join();
}

void ColdReadThread::ask(ColdJob job) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  asked_.notify_one();
}

std::optional<ColdResult> ColdReadThread::take() {
  const std::lock_guard lock(mutex_);
  if (results_.empty()) return std::nullopt;
  ColdResult result = std::move(results_.front());
  results_.pop_front();
  return result;
}

bool ColdReadThread::done() const {
  const std::lock_guard lock(mutex_);
  return !results_.empty();
}

void ColdReadThread::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    asked_.wait(lock, [this] { return stop_ || !jobs_.empty(); });
    if (stop_) return;
    const ColdJob job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    ColdResult result = source_.perform(job);
    lock.lock();
    results_.push_back(std::move(result));
    lock.unlock();
    done_();
    lock.lock();
  }
}

}  // namespace lianxi::app
