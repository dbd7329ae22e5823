#include "broker/app/audit_thread.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <limits>

#include "broker/app/clock.h"

namespace lianxi::app {

namespace {

constexpr std::chrono::milliseconds kLook{10'000};  // for files left behind; also after a start, which has better things to do
constexpr std::int64_t kRestShare = 9;              // so many times as long as the work took
constexpr std::chrono::milliseconds kMinRest{100}, kMaxRest{60'000};
constexpr std::int64_t kGatherMs = 5'000;  // for what else is given for the same file
constexpr std::int64_t kArchiveRetryMs = 10 * 60'000;
constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
constexpr std::uint32_t kMostDoublings = 6;  // of the time until what was given is tried again: an hour
constexpr std::size_t kMaxGiven = 256;       // stretches of a file
constexpr std::size_t kMaxSuspected = 64;    // more come again while they cannot be read
constexpr std::size_t kMaxTold = 256;        // findings of a file

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
  const auto tidied = store::tidy_journal(folder_);
  if (!tidied) reports_.failed(tidied.error().detail);
  for (const std::string& kept : tidied.value_or(std::vector<std::string>{})) reports_.failed(kept);
  auto audit = store::open_audit(folder_, key_of_, true);
  if (!audit) return reports_.found(audit.error().detail);
  Rest rest{kLook, false};
  std::int64_t until = steady_ms() + rest.time.count();
  while (!stop_) {
    std::array items = {net::WaitItem{nullptr, wakeup_.fd()}};
    net::wait(items, std::chrono::milliseconds(std::max<std::int64_t>(until - steady_ms(), 0)));
    wakeup_.drain();
    if (stop_ || (rest.owed && steady_ms() < until)) continue;
    rest = step(**audit);
    until = steady_ms() + rest.time.count();
  }
}

AuditThread::Rest AuditThread::step(store::JournalAudit& audit) {
  rights_ = directory_.rights();
  const std::int64_t begun = steady_ms();
  take_inbox(audit);
  mend(audit);
  auto file = audit.next(wall_ms());
  if (!file) {
    const bool damaged = file.error().code == store::StoreError::corrupt;
    (damaged ? reports_.found : reports_.failed)(file.error().detail);
    return {kMaxRest, true};
  }
  if (*file) {
    tell(std::move(**file));
  } else if (!archive(audit)) {
    return {kLook, false};
  }
  return {std::clamp(std::chrono::milliseconds(kRestShare * (steady_ms() - begun)), kMinRest, kMaxRest), true};
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
    const auto same = std::find_if(given.ranges.begin(), given.ranges.end(), [&](const RepairedRange& other) {
      return other.segment.info.feed == info.feed && other.segment.info.first_sequence == info.first_sequence;
    });
    if (same != given.ranges.end()) {
      *same = std::move(range);
    } else if (given.ranges.size() < kMaxGiven) {
      given.ranges.push_back(std::move(range));
    }
    given.wait_until_ms = steady_ms() + kGatherMs;
    given.failed = 0;
  }
}

void AuditThread::tell(store::AuditedFile file) {
  if (!file.not_kept.empty()) reports_.failed(file.not_kept);
  // The core knows no more at once; of the others it hears when these are mended.
  if (file.damage.size() > kMaxTold) file.damage.resize(kMaxTold);
  if (file.findings.size() > kMaxTold) {
    const std::size_t more = file.findings.size() - kMaxTold;
    file.findings.resize(kMaxTold);
    file.findings.push_back("and " + std::to_string(more) + " more in file " + std::to_string(file.number));
  }
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
      const bool in_vain = repaired.error().code == store::StoreError::corrupt;
      // Only more of it helps then; without that, the file would be written in vain again and again.
      (in_vain ? reports_.found : reports_.failed)(repaired.error().detail);
      given.wait_until_ms = in_vain ? kNever : steady_ms() + (kMaxRest.count() << std::min(given.failed, kMostDoublings));
      ++given.failed;
      ++at;
      continue;
    }
    if (*repaired > 0) reports_.repaired(file, *repaired);
    audit.suspect(file);
    at = given_.erase(at);
  }
}

// False: there is none to pack, or no room for it.
bool AuditThread::archive(store::JournalAudit& audit) {
  if (archive_behind_ == 0 || steady_ms() < archive_at_ms_) return false;
  std::erase_if(unpackable_, [](const auto& entry) { return entry.second <= steady_ms(); });
  std::set<std::uint64_t> but;
  for (const auto& [file, until] : unpackable_) but.insert(file);
  const auto number = audit.to_archive(archive_behind_, but);
  if (!number) reports_.failed(number.error().detail);
  if (!number || !*number) return false;
  const auto done = store::archive_file(folder_, **number, key_of_);
  if (!done) {
    reports_.failed(done.error().detail);
    // Too little room is too little for the next one too; anything else is of this file alone.
    const bool full = done.error().code == store::StoreError::full;
    (full ? archive_at_ms_ : unpackable_[**number]) = steady_ms() + kArchiveRetryMs;
    if (done.error().code == store::StoreError::corrupt) audit.suspect(**number);  // damaged since it was proven
    return !full;
  }
  reports_.archived(*done);
  return true;
}

}  // namespace lianxi::app
