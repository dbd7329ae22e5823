#include "broker/app/audit_thread.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "broker/app/clock.h"

namespace lianxi::app {

namespace {

constexpr std::chrono::milliseconds kLook{10'000};  // for files left behind; also after a start, which has better things to do
constexpr std::int64_t kRestShare = 9;              // so many times as long as the work took
constexpr std::chrono::milliseconds kMinRest{100}, kMaxRest{60'000};

// Linux gives each thread its own priorities. What is refused here only costs a little of the others' time.
void be_modest() {
  constexpr int kThisThread = 1, kIdleClass = 3, kClassShift = 13;
  (void)::setpriority(PRIO_PROCESS, 0, 19);
  (void)::syscall(SYS_ioprio_set, kThisThread, 0, kIdleClass << kClassShift);
}

}  // namespace

AuditThread::AuditThread(std::string folder, const Directory& directory, std::function<void(const std::string& finding)> found)
    : folder_(std::move(folder)), directory_(directory), found_(std::move(found)), thread_([this] { run(); }) {}

AuditThread::~AuditThread() {
  stop_ = true;
  wakeup_.signal();
  thread_.join();
}

void AuditThread::run() {
  be_modest();
  const auto key_of = [this](RegionCode region) -> const SealPublicKey* {
    const core::Member* member = rights_->members->find(region);
    return member == nullptr ? nullptr : &member->seal_key;
  };
  auto audit = store::open_audit(folder_, key_of);
  if (!audit) return found_(audit.error().detail);
  std::chrono::milliseconds rest = kLook;
  while (!stop_) {
    std::array items = {net::WaitItem{nullptr, wakeup_.fd()}};
    net::wait(items, rest);
    wakeup_.drain();
    if (!stop_) rest = step(**audit);
  }
}

std::chrono::milliseconds AuditThread::step(store::JournalAudit& audit) {
  rights_ = directory_.rights();
  const std::int64_t begun = steady_ms();
  const auto file = audit.next();
  if (!file) {
    found_(file.error().detail);
    return kMaxRest;
  }
  if (!*file) return kLook;
  for (const std::string& finding : (*file)->findings) found_(finding);
  return std::clamp(std::chrono::milliseconds(kRestShare * (steady_ms() - begun)), kMinRest, kMaxRest);
}

}  // namespace lianxi::app
