// The proof of a living journal, one file left behind after another: what verify_journal proves, in steps. Own connections; one
// thread. First what readers stumbled over and what was damaged when the process ended, then files that were never proven, the
// oldest first, and then, once in kRoundMs, all of them again: disks forget.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "broker/store/journal_damage.h"
#include "broker/store/sqlite_journal.h"

namespace lianxi::store {

inline constexpr std::int64_t kRoundMs = 24LL * 3'600'000;
inline constexpr std::int64_t kSuspectAgainMs = 10 * 60'000;  // readers come again and again to what is damaged

struct AuditedFile {
  std::uint64_t number = 0, events = 0;
  std::vector<std::string> findings;  // one line each; none: proven
  std::vector<FoundDamage> damage;    // what of it another node may give back
  std::string not_kept;               // why it is not remembered over a restart, if it is not
};

class JournalAudit {
 public:
  virtual ~JournalAudit() = default;
  // The next file that nobody writes any more; nothing if there is none yet. `now_ms` is for the rounds.
  [[nodiscard]] virtual StoreResult<std::optional<AuditedFile>> next(std::int64_t now_ms) = 0;
  // Proves the file soon, in turn with those that were never proven: it was repaired.
  virtual void suspect(std::uint64_t number) = 0;
  // Likewise the one that holds the offset, where a reader could not read; if its damage is known, not sooner than
  // kSuspectAgainMs after it was proven last.
  [[nodiscard]] virtual StoreResult<void> suspect(Offset offset) = 0;
  // The oldest file that is proven, not archived, none of those, and has at least so many begun behind it; nothing if there is
  // none.
  [[nodiscard]] virtual StoreResult<std::optional<std::uint64_t>> to_archive(std::uint64_t behind,
                                                                             const std::set<std::uint64_t>& but) = 0;
};

// Begins with the oldest file that is there, and believes its opening state; `remembers`: goes on where the one before it in
// this folder ended (the file `audit` in it).
[[nodiscard]] StoreResult<std::unique_ptr<JournalAudit>> open_audit(const std::string& folder, KeyOf key_of,
                                                                    bool remembers = false);

}  // namespace lianxi::store
