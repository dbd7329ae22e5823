// The SQLite tables that the journal adds up to. The writer: one object, one thread. Rows and the offset they stand at
// change in one transaction (WAL, synchronous=NORMAL); what is missing is replayed from the journal at start.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "broker/store/journal.h"
#include "schemas/protocol.h"

namespace lianxi::store {

inline constexpr std::uint32_t kViewVersion = 1;  // raised when a projection's outcome changes: the view is rebuilt

struct ViewOptions {
  std::string path;  // view.db
  std::string vfs;
};

class View {
 public:
  virtual ~View() = default;
  // All below is applied.
  [[nodiscard]] virtual Offset offset() const = 0;
  // Applies stored segments in offset order, in one transaction; those below offset() are skipped. Events that cannot be
  // read (unknown kind, redacted, damaged by their author) leave no row and are counted.
  [[nodiscard]] virtual StoreResult<void> apply(const std::vector<JournalSegment>& segments) = 0;
  // Own alerts for LoadedState: entity -> core::alert_content_hash is computed by the caller from the event's bytes.
  using AlertVisitor = std::function<void(const std::string& entity, BytesView event)>;
  [[nodiscard]] virtual StoreResult<void> each_alert(RegionCode region, const AlertVisitor& visit) const = 0;
};

// `incarnation` ties the view to its journal: a view of another journal, or of another version, is rebuilt from nothing.
[[nodiscard]] StoreResult<std::unique_ptr<View>> open_view(const ViewOptions& options, const JournalIdentity& journal);

// apply() until the view stands at the journal's head; `max_bytes` a transaction.
[[nodiscard]] StoreResult<void> catch_up(View& view, JournalReader& journal, std::size_t max_bytes);

}  // namespace lianxi::store
