// The rows of the journal's tables `fence`, `quarantine` and `quarantined_segment`, under the connection of their file. Throws
// Broken or SQLite::Exception.
#pragma once

#include <optional>
#include <vector>

#include "broker/store/sqlite.h"
#include "schemas/journal_batch.h"

namespace lianxi::store {

class ForkTable {
 public:
  explicit ForkTable(SQLite::Database& db) : db_(db) {}  // borrowed
  // Empty of a file that was made before there were such tables.
  [[nodiscard]] std::optional<Fence> load_fence() const;
  [[nodiscard]] std::vector<Quarantined> load_quarantine() const;
  // Of this file alone, with what is known of each.
  [[nodiscard]] std::vector<QuarantinedSegment> load_segments() const;
  void write(const Fence& fence);
  void write(const Quarantined& row);
  void write(const QuarantinedSegment& segment);  // with its row

 private:
  SQLite::Database& db_;
};

}  // namespace lianxi::store
