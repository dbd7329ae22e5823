#include "agents/formats/row_file.h"

#include <fmt/format.h>

#include "schemas/limits.h"

namespace lianxi::formats {

bool RowFile::next(Event& event) {
  while (!over_ && to_row()) {
    if (++rows_ > kMaxImportRows)
      return end_with(
          {RefusalCode::oversize, where(), fmt::format("the file has more than {} {}s: part it", kMaxImportRows, row_), 0});
    if (read_row(event)) return true;
    ++problems_.rows;
  }
  over_ = true;
  return false;
}

bool RowFile::end_with(Refusal refusal) {
  problems_.add(std::move(refusal));
  over_ = true;
  return false;
}

void RowFile::bad(std::string_view what, std::string reason) {
  problems_.add({RefusalCode::csv_row, where() + ", " + std::string(what), std::move(reason), 0});
}

bool RowFile::is_new(std::string_view entity, std::size_t number, std::string_view what) {
  const auto first = seen_.add(entity, number);
  if (first) bad(what, fmt::format("{} {} has the same id", row_, *first));
  return !first;
}

}  // namespace lianxi::formats
