// RFC 4180: records of cells, quotes around cells with commas, quotes or line breaks. CRLF or LF, with or without BOM.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/result.h"

namespace lianxi::formats {

// Fills `into` with the next bytes of a file and says how many; 0 at its end.
using ReadBlock = std::function<std::size_t(char* into, std::size_t size)>;

// Borrowed until the next record is read.
struct CsvRecord {
  std::size_t row = 0;   // from 1, the heading included, as a spreadsheet counts
  std::size_t line = 0;  // where it begins; differs from `row` behind cells with line breaks
  std::vector<std::string_view> cells;
  std::string_view raw;      // as in the file, without the line's end
  std::uint64_t offset = 0;  // of `raw` in the file
};

// Records of a file of any size, in the memory of one. One thread.
class CsvStream {
 public:
  explicit CsvStream(ReadBlock read);
  // The next record; blank lines are left out. False at the end. Refusals, and the stream is over: csv_row with field "line N"
  // for quotes that do not close or stand in the wrong place, malformed for text that is not UTF-8, oversize for a record above
  // kMaxRecordBytes.
  [[nodiscard]] Result<bool> next(CsvRecord& record);

 private:
  enum class Taken : std::uint8_t { record, more };
  [[nodiscard]] Result<Taken> take(CsvRecord& record);
  [[nodiscard]] Result<Taken> take_quoted(std::string_view rest, std::size_t& at, CsvRecord& record);
  [[nodiscard]] bool fill();
  [[nodiscard]] tl::unexpected<Refusal> broken(const char* why) const;

  ReadBlock read_;
  std::string window_;  // [at_, window_.size()) is not yet read
  std::size_t at_ = 0;
  std::uint64_t passed_ = 0;  // bytes of the file before the window
  bool end_ = false, begun_ = false;
  std::size_t row_ = 0, line_ = 1;
  std::string unquoted_;  // cells that had marks inside
};

struct CsvRow {
  std::size_t row = 0, line = 0;
  std::vector<std::string> cells;
  std::string_view raw;  // borrows the text
};
// A whole text of records. Refusals as above.
[[nodiscard]] Result<std::vector<CsvRow>> read_csv(std::string_view text);

// A cell as it is written: in quotes where it must be.
void append_csv_cell(std::string& out, std::string_view cell);

}  // namespace lianxi::formats
