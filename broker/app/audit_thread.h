// Looks after the files that the journal leaves behind, while the node works: proves them, puts what other nodes gave in the
// place of what is damaged, and packs what is proven and far behind. The lowest priority, and nine times as long at rest as at
// work, so that commits do not wait for it.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "broker/app/directory.h"
#include "broker/net/context.h"
#include "broker/store/journal_audit.h"
#include "broker/store/journal_keep.h"

namespace lianxi::app {

class AuditThread {
 public:
  // What is told, each on this thread.
  struct Reports {
    std::function<void(const std::string& finding)> found;
    std::function<void(const std::vector<store::FoundDamage>& damage)> damaged;  // what other nodes may give back
    std::function<void(std::uint64_t file, std::size_t segments)> repaired;
    std::function<void(const store::ArchivedFile& file)> archived;
    std::function<void(const std::string& why)> failed;  // work that is tried again
  };
  // `archive_behind`: a file is packed once so many were begun after it; 0: none is. Keys are those of the members at that
  // moment.
  AuditThread(std::string folder, std::uint64_t archive_behind, const Directory& directory, Reports reports);
  ~AuditThread();
  AuditThread(const AuditThread&) = delete;
  AuditThread& operator=(const AuditThread&) = delete;

  // Any thread. Readers could not read at the offset: its file is proven soon.
  void suspect(Offset offset);
  // Any thread. What another node gave for damage that was told.
  void repair(RepairedRange range);

 private:
  void run();
  // How long to rest then.
  struct Rest {
    std::chrono::milliseconds time;
    bool owed;  // after work: nothing ends it sooner
  };
  [[nodiscard]] Rest step(store::JournalAudit& audit);
  void take_inbox(store::JournalAudit& audit);
  void sort(std::vector<RepairedRange> ranges);
  void mend(store::JournalAudit& audit);
  void tell(store::AuditedFile file);
  [[nodiscard]] bool archive(store::JournalAudit& audit);

  std::string folder_;
  std::uint64_t archive_behind_;
  const Directory& directory_;
  std::shared_ptr<const Rights> rights_;  // of the step at hand
  store::KeyOf key_of_;
  Reports reports_;
  std::map<std::pair<FeedId, Sequence>, std::uint64_t> damaged_;  // in which file a damaged stretch stands
  // What was given for a file: it is written anew once all of it is there, or nothing more has come for a while.
  struct Given {
    std::vector<RepairedRange> ranges;
    std::int64_t wait_until_ms = 0;
    std::uint32_t failed = 0;  // times since something came: not before that time again
  };
  std::map<std::uint64_t, Given> given_;
  std::int64_t archive_at_ms_ = 0;                    // while there is no room
  std::map<std::uint64_t, std::int64_t> unpackable_;  // until when a file that could not be packed waits
  std::mutex inbox_;
  std::vector<Offset> suspected_;         // under inbox_
  std::vector<RepairedRange> delivered_;  // under inbox_
  net::Wakeup wakeup_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace lianxi::app
