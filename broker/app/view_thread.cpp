#include "broker/app/view_thread.h"

#include <array>

namespace lianxi::app {

namespace {
constexpr std::size_t kApplyBytes = 1024 * 1024;  // of segments in one transaction of the view
}

ViewThread::ViewThread(std::unique_ptr<store::View> view, std::unique_ptr<store::JournalReader> journal, StatusBoard& board,
                       std::function<void()> applied, std::function<void(const store::StoreFailure&)> failed)
    : view_(std::move(view)),
      journal_(std::move(journal)),
      board_(board),
      applied_(std::move(applied)),
      failed_(std::move(failed)) {
  board_.view_offset = view_->offset().value;
  thread_ = std::thread([this] { run(); });
}

ViewThread::~ViewThread() {
  stop_ = true;
  wakeup_.signal();
  thread_.join();
}

void ViewThread::run() {
  while (!stop_) {
    std::array items = {net::WaitItem{nullptr, wakeup_.fd()}};
    net::wait(items, std::chrono::milliseconds(-1));
    wakeup_.drain();
    if (const auto done = apply(); !done) {
      failed_(done.error());
      return;
    }
  }
}

store::StoreResult<void> ViewThread::apply() {
  while (!stop_ && view_->offset().value < board_.head) {
    const auto segments = journal_->read(view_->offset(), kApplyBytes);
    if (!segments) return tl::unexpected(segments.error());
    if (segments->empty()) return {};
    if (auto applied = view_->apply(*segments); !applied) return applied;
    board_.view_offset = view_->offset().value;
    applied_();
  }
  return {};
}

MaintenanceThread::MaintenanceThread(store::Journal& journal, std::function<void(const store::StoreFailure&)> failed)
    : journal_(journal), failed_(std::move(failed)), thread_([this] { run(); }) {}

MaintenanceThread::~MaintenanceThread() {
  stop_ = true;
  wakeup_.signal();
  thread_.join();
}

void MaintenanceThread::run() {
  while (!stop_) {
    std::array items = {net::WaitItem{nullptr, wakeup_.fd()}};
    net::wait(items, std::chrono::milliseconds(-1));
    wakeup_.drain();
    if (stop_) return;
    if (const auto done = journal_.maintain(); !done) failed_(done.error());
  }
}

}  // namespace lianxi::app
