// RFC 4180: records of cells, quotes around cells with commas, quotes or line breaks. CRLF or LF, with or without BOM.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "schemas/result.h"

namespace lianxi::formats {

struct CsvRow {
  std::size_t row = 0;   // from 1, the heading included, as a spreadsheet counts
  std::size_t line = 0;  // where it begins; differs from `row` behind cells with line breaks
  std::vector<std::string> cells;
  std::string_view raw;  // as in the file, without the line's end; borrows the text
};

// Blank lines are left out. Refusals: csv_row with field "line N" for quotes that do not close or stand in the wrong place,
// malformed for text that is not UTF-8.
[[nodiscard]] Result<std::vector<CsvRow>> read_csv(std::string_view text);

}  // namespace lianxi::formats
