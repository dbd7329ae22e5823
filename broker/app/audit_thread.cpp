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
constexpr std::int64_t kGatherMs = 5'000;  // for what else is given for the same file
constexpr std::int64_t kArchiveRetryMs = 10 * 60'000;
constexpr std::uint32_t kMostDoublings = 6;  // of the time until what was given is tried again: an hour
constexpr std::size_t kMaxGiven = 256;       // stretches of a file
constexpr std::size_t kMaxSuspected = 64;    // more come again while they cannot be read

// Linux gives each thread its own priorities. What is refused here only costs a little of the others' time.
void be_modest() {
  constexpr int kThisThread = 1, kIdleClass = 3, kClassShift = 13;
  (void)::setpriority(PRIO_PROCESS, 0, 19);
  (void)::syscall(SYS_ioprio_set, kThisThread, 0, kIdleClass << kClassShift);
}

}  // namespace

AuditThread::AuditThread(std::string folder, std::uint64_t archive_behind, const Directory& directory, Reports reports)
    : folder_(std::move(folder)),
      archive_behind_(archive_behind),
      directory_(directory),
      key_of_([this](RegionCode region) -> const SealPublicKey* {
        const core::Member* member = rights_->members->find(region);
        return member == nullptr ? nullptr : &member->seal_key;
      }),
      reports_(std::move(reports)),
      thread_([this] { run(); }) {}

AuditThread::~AuditThread() {
  stop_ = true;
  wakeup_.signal();
  thread_.join();
}

void AuditThread::suspect(Offset offset) {
  {
    const std::lock_guard lock(inbox_);
    if (suspected_.size() < kMaxSuspected) suspected_.push_back(offset);
  }
  wakeup_.signal();
}

void AuditThread::repair(RepairedRange range) {
  {
    const std::lock_guard lock(inbox_);
    delivered_.push_back(std::move(range));
  }
  wakeup_.signal();
}

void AuditThread::run() {
  be_modest();
  rights_ = directory_.rights();
  if (const auto tidied = store::tidy_journal(folder_); !tidied) reports_.failed(tidied.error().detail);
  auto audit = store::open_audit(folder_, key_of_, true);
  if (!audit) return reports_.found(audit.error().detail);
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
  take_inbox(audit);
  mend(audit);
  const auto file = audit.next(wall_ms());
  if (!file) {
    reports_.found(file.error().detail);
    return kMaxRest;
  }
  if (*file) {
    tell(**file);
  } else if (!archive(audit)) {
    return kLook;
  }
  return std::clamp(std::chrono::milliseconds(kRestShare * (steady_ms() - begun)), kMinRest, kMaxRest);
}

void AuditThread::take_inbox(store::JournalAudit& audit) {
  std::vector<Offset> suspected;
  std::vector<RepairedRange> delivered;
  {
    const std::lock_guard lock(inbox_);
    suspected.swap(suspected_);
    delivered.swap(delivered_);
  }
  for (const Offset offset : suspected)
    if (const auto done = audit.suspect(offset); !done) reports_.failed(done.error().detail);
  sort(std::move(delivered));
}

void AuditThread::sort(std::vector<RepairedRange> ranges) {
  for (RepairedRange& range : ranges) {
    const SegmentInfo& info = range.segment.info;
    const auto found = damaged_.find({info.feed, info.first_sequence});
    if (found == damaged_.end()) continue;
    Given& given = given_[found->second];
    if (given.ranges.size() >= kMaxGiven) continue;
    given.ranges.push_back(std::move(range));
    given.wait_until_ms = steady_ms() + kGatherMs;
    given.failed = 0;
  }
}

void AuditThread::tell(const store::AuditedFile& file) {
  std::erase_if(damaged_, [&](const auto& entry) { return entry.second == file.number; });
  for (const std::string& finding : file.findings) reports_.found(finding);
  for (const store::FoundDamage& damage : file.damage) damaged_[{damage.range.feed, damage.range.first}] = file.number;
  if (!file.damage.empty()) reports_.damaged(file.damage);
}

// Each file is written once for all that was given for it, and proven again.
void AuditThread::mend(store::JournalAudit& audit) {
  for (auto at = given_.begin(); at != given_.end();) {
    auto& [file, given] = *at;
    const auto wanted = std::count_if(damaged_.begin(), damaged_.end(), [&](const auto& entry) { return entry.second == file; });
    const bool complete = given.ranges.size() >= static_cast<std::size_t>(wanted) && given.failed == 0;
    if (!complete && steady_ms() < given.wait_until_ms) {
      ++at;
      continue;
    }
    const auto repaired = store::repair_file(folder_, file, key_of_, given.ranges);
    if (!repaired) {  // kept: it may lack what is still to come, or room on the disk
      reports_.failed(repaired.error().detail);
      given.wait_until_ms = steady_ms() + (kMaxRest.count() << std::min(given.failed++, kMostDoublings));
      ++at;
      continue;
    }
    if (*repaired > 0) reports_.repaired(file, *repaired);
    audit.suspect(file);
    at = given_.erase(at);
  }
}

// False: there is none to pack, or no room.
bool AuditThread::archive(store::JournalAudit& audit) {
  if (archive_behind_ == 0 || steady_ms() < archive_at_ms_) return false;
  const auto number = audit.to_archive(archive_behind_);
  if (!number) reports_.failed(number.error().detail);
  if (!number || !*number) return false;
  const auto done = store::archive_file(folder_, **number);
  if (!done) {
    reports_.failed(done.error().detail);
    archive_at_ms_ = steady_ms() + kArchiveRetryMs;
    if (done.error().code == store::StoreError::corrupt) audit.suspect(**number);  // damaged since it was proven
    return false;
  }
  reports_.archived(*done);
  return true;
}

}  // namespace lianxi::app
