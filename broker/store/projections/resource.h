// Resources: one row each, in four groups of fields that change by themselves, and a removal that leaves a tombstone.
#pragma once

#include "broker/store/projections/applied.h"

namespace lianxi::store {

class ResourceProjection {
 public:
  explicit ResourceProjection(SQLite::Database& db);
  // False if the event is not the home region's: it then leaves no row.
  [[nodiscard]] bool apply(const Applied& applied);

 private:
  struct Row;
  [[nodiscard]] bool find(const Applied& applied, Row& row);
  void write(const Applied& applied, const Row& row);
  void index(const Row& before, const Row& after);

  SQLite::Database& db_;
  SQLite::Statement find_, write_, spot_, no_spot_, capability_, no_capability_;
};

// The row's text of capabilities, and back.
[[nodiscard]] std::string join_lines(const std::vector<std::string>& words);
[[nodiscard]] std::vector<std::string> split_lines(const std::string& text);

}  // namespace lianxi::store
