// Proves the files that the journal leaves behind, while the node works: the lowest priority, and nine times as long at rest as
// at work, so that commits do not wait for it. It begins anew at each start, with the oldest file.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "broker/app/directory.h"
#include "broker/net/context.h"
#include "broker/store/journal_audit.h"

namespace lianxi::app {

class AuditThread {
 public:
  // `found` runs on this thread, once for each finding. Keys are those of the members at that moment.
  AuditThread(std::string folder, const Directory& directory, std::function<void(const std::string& finding)> found);
  ~AuditThread();
  AuditThread(const AuditThread&) = delete;
  AuditThread& operator=(const AuditThread&) = delete;

 private:
  void run();
  [[nodiscard]] std::chrono::milliseconds step(store::JournalAudit& audit);

  std::string folder_;
  const Directory& directory_;
  std::shared_ptr<const Rights> rights_;  // of the step at hand
  std::function<void(const std::string&)> found_;
  net::Wakeup wakeup_;
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace lianxi::app
