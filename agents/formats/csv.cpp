#include "agents/formats/csv.h"

#include "agents/formats/text.h"
#include "schemas/text.h"

namespace lianxi::formats {
namespace {

constexpr std::string_view kBom = "\xEF\xBB\xBF";

class CsvReader {
 public:
  explicit CsvReader(std::string_view text) : text_(text) {}

  Result<std::vector<CsvRow>> read() {
    std::vector<CsvRow> rows;
    while (at_ < text_.size()) {
      CsvRow row;
      row.row = ++row_;
      row.line = line_;
      const std::size_t begin = at_;
      if (auto cells = read_row(); cells) {
        row.cells = std::move(*cells);
      } else {
        return tl::unexpected(cells.error());
      }
      row.raw = text_.substr(begin, end_ - begin);
      const bool blank = row.cells.size() == 1 && trimmed(row.cells[0]).empty();
      if (!blank) rows.push_back(std::move(row));
    }
    return rows;
  }

 private:
  [[nodiscard]] bool at_line_end() const {
    return at_ >= text_.size() || text_[at_] == '\n' || (text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n');
  }

  Result<std::vector<std::string>> read_row() {
    std::vector<std::string> cells;
    for (;;) {
      auto cell = at_ < text_.size() && text_[at_] == '"' ? quoted() : plain();
      if (!cell) return tl::unexpected(cell.error());
      cells.push_back(std::move(*cell));
      if (at_line_end()) break;
      ++at_;  // the comma
    }
    end_ = at_;
    if (at_ < text_.size() && text_[at_] == '\r') ++at_;
    if (at_ < text_.size()) {
      ++at_;
      ++line_;
    }
    return cells;
  }

  Result<std::string> plain() {
    const std::size_t begin = at_;
    while (!at_line_end() && text_[at_] != ',') {
      if (text_[at_] == '"') return broken("a quotation mark inside a cell: put the whole cell in quotes and double it");
      ++at_;
    }
    return std::string(text_.substr(begin, at_ - begin));
  }

  Result<std::string> quoted() {
    std::string cell;
    const std::size_t opened = line_;
    for (++at_; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '\n') ++line_;
      if (c != '"') {
        cell += c;
      } else if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
        cell += c;
        ++at_;
      } else {
        ++at_;
        if (at_line_end() || text_[at_] == ',') return cell;
        return broken("text behind a closing quotation mark: double the marks inside the cell");
      }
    }
    line_ = opened;
    return broken("a quotation mark is never closed");
  }

  [[nodiscard]] tl::unexpected<Refusal> broken(const char* why) const {
    return refuse(RefusalCode::csv_row, "line " + std::to_string(line_), why);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t end_ = 0;
  std::size_t row_ = 0;
  std::size_t line_ = 1;
};

}  // namespace

Result<std::vector<CsvRow>> read_csv(std::string_view text) {
  if (text.starts_with(kBom)) text.remove_prefix(kBom.size());
  if (!is_text(text)) {
    return refuse(RefusalCode::malformed, "", "the text is not UTF-8, or holds control characters: save it as \"CSV UTF-8\"");
  }
  return CsvReader(text).read();
}

}  // namespace lianxi::formats
