// What CSV and GeoJSON files of resources do alike: rows one after another up to the bound of a file, ids that come twice, and
// how a file ends. For resource_*.cpp alone.
#pragma once

#include "agents/formats/resource_row.h"
#include "agents/formats/seen_ids.h"

namespace lianxi::formats {

class RowFile : public ResourceFile {
 public:
  explicit RowFile(std::string_view row) : row_(row) {}
  [[nodiscard]] bool next(Event& event) final;
  [[nodiscard]] Unsaid unsaid() const final { return unsaid_by(columns_); }

 protected:
  // To the next row. False: there is none, or end_with() said why nothing more can be read.
  [[nodiscard]] virtual bool to_row() = 0;
  // The row in hand; false if anything in it is wrong, which was told.
  [[nodiscard]] virtual bool read_row(Event& event) = 0;
  [[nodiscard]] virtual std::string where() const = 0;  // the row in hand

  bool end_with(Refusal refusal);  // always false
  [[nodiscard]] bool over() const { return over_; }
  void bad(std::string_view what, std::string reason);
  // False if another row had the id, which is told of `what`. `number`: of the row in hand.
  [[nodiscard]] bool is_new(std::string_view entity, std::size_t number, std::string_view what);

  Columns columns_;  // that a row has had

 private:
  std::string_view row_;  // what a row is called
  SeenIds seen_;
  bool over_ = false;
};

}  // namespace lianxi::formats
