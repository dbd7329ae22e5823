// Tables for a terminal: aligned by what a character takes on the screen (Chinese takes two cells), coloured only when asked.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/event.h"

namespace lianxi::cli {

// Cells that UTF-8 text takes on a terminal; East Asian wide and fullwidth characters take two, combining ones none.
[[nodiscard]] std::size_t display_width(std::string_view text);
// Without control characters and broken UTF-8: what agencies write must not steer an operator's terminal.
[[nodiscard]] std::string printable(std::string_view text);
// At most `width` cells, the last one "…" if something was cut.
[[nodiscard]] std::string clipped(std::string_view text, std::size_t width);

enum class Style : std::uint8_t { plain, red, orange, yellow, blue, faint, loud };
[[nodiscard]] Style style_of(Level level);
// `text` in its style if `colour`, else as it is.
[[nodiscard]] std::string styled(std::string_view text, Style style, bool colour);

struct Cell {
  std::string text;
  Style style = Style::plain;
};
struct Column {
  std::string heading;
  bool right = false;
  std::size_t max_width = 0;  // 0: as wide as it needs
};

class Table {
 public:
  explicit Table(std::vector<Column> columns);
  void add(std::vector<Cell> row);
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  // `width`: cells of the terminal, 0 if it is not one; then no cell is clipped.
  void print(std::ostream& out, bool colour, std::size_t width, std::string_view indent = "") const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace lianxi::cli
