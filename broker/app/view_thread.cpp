#include "broker/app/view_thread.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "broker/app/clock.h"

namespace lianxi::app {

namespace {

// Linux's sched_attr, as sched_setattr(2) describes it; this libc has none.
struct SchedulingAttributes {
  std::uint32_t size = sizeof(SchedulingAttributes);
  std::uint32_t policy = SCHED_OTHER;
  std::uint64_t flags = 0;
  std::int32_t nice = 0;
  std::uint32_t priority = 0;
  std::uint64_t runtime_ns = 0, deadline_ns = 0, period_ns = 0;
};

// On Linux a priority is the thread's own, and so is how long it would run at a time (since 6.12): whoever wakes and wants less
// goes first. Where it is refused, all are equal.
void give_way() {
  constexpr std::uint64_t kSliceNs = 20'000'000;
  SchedulingAttributes attributes;
  attributes.nice = std::max(getpriority(PRIO_PROCESS, 0), kViewNice);
  attributes.runtime_ns = kSliceNs;
  if (syscall(SYS_sched_setattr, 0, &attributes, 0) != 0)
    (void)setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), attributes.nice);
}

}  // namespace

ViewThread::ViewThread(Parts parts, StatusBoard& board, Metrics& metrics, std::function<void()> applied,
                       std::function<void(const store::StoreFailure&)> failed)
    : parts_(std::move(parts)), board_(board), metrics_(metrics), applied_(std::move(applied)), failed_(std::move(failed)) {
  board_.view_offset = parts_.view->offset().value;
  (void)parts_.view->counts();  // those before the start were counted then
  thread_ = std::thread([this] { run(); });
}

ViewThread::~ViewThread() {
  stop_ = true;
  board_.view_call.signal();
  thread_.join();
}

void ViewThread::run() {
  give_way();
  while (!stop_) {
    wait_for_events();
    gather();
    if (stop_) return;
    const auto more = apply();
    if (!more) {
      failed_(more.error());
      return;
    }
    gather_until_ms_ = *more ? 0 : steady_ms() + parts_.gather_ms;
  }
}

void ViewThread::wait(std::int64_t at_most_ms) {
  std::array items = {net::WaitItem{nullptr, board_.view_call.fd()}};
  net::wait(items, std::chrono::milliseconds(at_most_ms));
  board_.view_call.drain();
}

void ViewThread::wait_for_events() {
  while (true) {
    idle_ = true;  // before looking: whoever commits after the look sees it
    if (stop_ || parts_.view->offset().value < board_.head) break;
    wait(-1);
  }
  idle_ = false;
}

void ViewThread::gather() {
  const auto is_asked_for = [this] {
    const std::uint64_t wanted = board_.view_wanted;
    return wanted > parts_.view->offset().value && wanted <= board_.head;
  };
  for (std::int64_t left = 0; !stop_ && !is_asked_for() && (left = gather_until_ms_ - steady_ms()) > 0;) wait(left);
}

store::StoreResult<bool> ViewThread::apply() {
  store::View& view = *parts_.view;
  const Offset before = view.offset();
  const std::int64_t until_ms = steady_ms() + kMaxApplyMs;
  std::size_t bytes = 0;
  bool bounded = false;
  while (!stop_ && !bounded && view.taken().value < board_.head) {
    const auto some = take_some();
    if (!some) return tl::unexpected(some.error());
    if (*some == 0) break;
    bytes += *some;
    bounded = bytes >= store::kViewTransactionBytes || steady_ms() >= until_ms;
  }
  if (auto done = view.commit(); !done) return tl::unexpected(done.error());
  // Looked at before the offset is told: whoever commits in answer to that commits what is new.
  const bool backlog = bounded && view.taken().value < board_.head;
  if (view.offset() != before) {
    count();
    for (const std::string& what : view.mismatches())
      if (parts_.mismatch) parts_.mismatch(what);
    if (auto retained = view.retained(); !retained.empty() && parts_.retained) parts_.retained(std::move(retained));
    board_.view_offset = view.offset().value;
    applied_();
  }
  return backlog;
}

// From memory what is there, else from the journal.
store::StoreResult<std::size_t> ViewThread::take_some() {
  std::size_t bytes = 0;
  std::vector<store::SegmentView> views;
  const auto add = [&](Offset first, const Bytes& segment) {
    views.push_back({first, segment});
    bytes += segment.size();
  };
  const auto fresh = fresh_.take(parts_.view->taken(), store::kTakeBytes);
  store::StoreResult<std::vector<store::JournalSegment>> read;
  if (fresh.empty()) {
    read = parts_.journal->read(parts_.view->taken(), store::kTakeBytes);
    if (!read) return tl::unexpected(read.error());
  }
  for (const FreshSegments::Held& held : fresh) add(held.first, *held.bytes);
  for (const store::JournalSegment& segment : *read) add(segment.first_offset, segment.bytes);
  if (auto taken = parts_.view->take(views); !taken) return tl::unexpected(taken.error());
  return bytes;
}

void ViewThread::count() {
  for (const store::View::Count& count : parts_.view->counts()) {
    if (count.region == parts_.region) {
      metrics_.accepted(count.lane, count.kind, count.events);
    } else {
      metrics_.received(count.region, count.lane, count.kind, count.events);
    }
  }
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
