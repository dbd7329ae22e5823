// The proof of a living journal, one file left behind after another: what verify_journal proves, in steps. Own connections; one
// thread. Files are proven once, the oldest first.
#pragma once

#include <optional>

#include "broker/store/sqlite_journal.h"

namespace lianxi::store {

struct AuditedFile {
  std::uint64_t number = 0, events = 0;
  std::vector<std::string> findings;  // one line each; none: proven
};

class JournalAudit {
 public:
  virtual ~JournalAudit() = default;
  // The next file that nobody writes any more; nothing if there is none yet.
  [[nodiscard]] virtual StoreResult<std::optional<AuditedFile>> next() = 0;
};

// Begins with the oldest file that is there, and believes its opening state.
[[nodiscard]] StoreResult<std::unique_ptr<JournalAudit>> open_audit(const std::string& folder, KeyOf key_of);

}  // namespace lianxi::store
