#include "agents/operator/table.h"

#include <algorithm>
#include <array>
#include <ostream>

namespace lianxi::cli {
namespace {

constexpr char32_t kReplacement = 0xFFFD;
constexpr std::size_t kGap = 2;

struct Range {
  char32_t first, last;
};
// Unicode 15 East Asian Width W and F, in blocks.
constexpr std::array kWide{Range{0x1100, 0x115F},   Range{0x231A, 0x231B},   Range{0x2329, 0x232A},  Range{0x23E9, 0x23EC},
                           Range{0x2614, 0x2615},   Range{0x26A1, 0x26A1},   Range{0x2705, 0x2705},  Range{0x274C, 0x274C},
                           Range{0x2E80, 0x303E},   Range{0x3041, 0x33FF},   Range{0x3400, 0x4DBF},  Range{0x4E00, 0x9FFF},
                           Range{0xA000, 0xA4CF},   Range{0xA960, 0xA97F},   Range{0xAC00, 0xD7A3},  Range{0xF900, 0xFAFF},
                           Range{0xFE30, 0xFE6F},   Range{0xFF01, 0xFF60},   Range{0xFFE0, 0xFFE6},  Range{0x1F300, 0x1F64F},
                           Range{0x1F680, 0x1F6FF}, Range{0x1F900, 0x1F9FF}, Range{0x20000, 0x3FFFD}};
constexpr std::array kNoWidth{Range{0x0300, 0x036F}, Range{0x200B, 0x200F}, Range{0x202A, 0x202E}, Range{0x2060, 0x2069},
                              Range{0x20D0, 0x20FF}, Range{0xFE00, 0xFE0F}, Range{0xFEFF, 0xFEFF}};

template <std::size_t N>
bool within(const std::array<Range, N>& ranges, char32_t c) {
  return std::ranges::any_of(ranges, [c](const Range& range) { return c >= range.first && c <= range.last; });
}

std::size_t width_of(char32_t c) {
  if (within(kNoWidth, c)) return 0;
  return within(kWide, c) ? 2 : 1;
}

// The next character and its bytes; kReplacement for one bad byte.
struct Character {
  char32_t code = 0;
  std::size_t bytes = 1;
};
Character next_character(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead >= 0xF0 && lead < 0xF5 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC2 ? 2 : 0;
  if (length == 0 || lead >= 0xF5 || text.size() < length) return {kReplacement, 1};
  char32_t code = lead & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return {kReplacement, 1};
    code = (code << 6U) | (byte(i) & 0x3FU);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  if (overlong || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return {kReplacement, 1};
  return {code, length};
}

bool is_bidi_control(char32_t c) {
  return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

const char* code_of(Style style) {
  switch (style) {
    case Style::red:
      return "\033[1;31m";
    case Style::orange:
      return "\033[1;38;5;208m";
    case Style::yellow:
      return "\033[1;33m";
    case Style::blue:
      return "\033[1;34m";
    case Style::faint:
      return "\033[2m";
    case Style::loud:
      return "\033[1;7m";
    case Style::plain:
      break;
  }
  return "";
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const Character c = next_character(text);
    width += width_of(c.code);
    text.remove_prefix(c.bytes);
  }
  return width;
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Character c = next_character(text);
    if (c.code < 0x20 || (c.code >= 0x7F && c.code < 0xA0)) {
      out += ' ';
    } else if (c.code == kReplacement) {
      out += "\xEF\xBF\xBD";
    } else if (!is_bidi_control(c.code)) {
      out += text.substr(0, c.bytes);
    }
    text.remove_prefix(c.bytes);
  }
  return out;
}

std::string clipped(std::string_view text, std::size_t width) {
  if (display_width(text) <= width) return std::string(text);
  std::string out;
  std::size_t used = 0;
  while (!text.empty()) {
    const Character c = next_character(text);
    if (used + width_of(c.code) + 1 > width) break;
    used += width_of(c.code);
    out += text.substr(0, c.bytes);
    text.remove_prefix(c.bytes);
  }
  return out + "…";
}

Style style_of(Level level) {
  switch (level) {
    case Level::red:
      return Style::red;
    case Level::orange:
      return Style::orange;
    case Level::yellow:
      return Style::yellow;
    case Level::blue:
      return Style::blue;
    case Level::none:
      break;
  }
  return Style::plain;
}

std::string styled(std::string_view text, Style style, bool colour) {
  if (!colour || style == Style::plain || text.empty()) return std::string(text);
  return code_of(style) + std::string(text) + "\033[0m";
}

namespace {

// Takes from the widest columns that may be clipped until a line fits the terminal.
void fit(const std::vector<Column>& columns, std::vector<std::size_t>& widths, std::size_t width) {
  constexpr std::size_t kLeast = 10;
  std::size_t total = kGap * (widths.size() - 1);
  for (std::size_t one : widths) total += one;
  while (total > width) {
    std::size_t* widest = nullptr;
    for (std::size_t i = 0; i < widths.size(); ++i) {
      if (columns[i].max_width > 0 && widths[i] > kLeast && (widest == nullptr || widths[i] > *widest)) widest = &widths[i];
    }
    if (widest == nullptr) return;
    --*widest;
    --total;
  }
}

}  // namespace

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

void Table::add(std::vector<Cell> row) {
  row.resize(columns_.size());
  for (Cell& cell : row) cell.text = printable(cell.text);
  rows_.push_back(std::move(row));
}

void Table::print(std::ostream& out, bool colour, std::size_t width, std::string_view indent) const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t needed = display_width(columns_[i].heading);
    for (const auto& row : rows_) needed = std::max(needed, display_width(row[i].text));
    if (width > 0 && columns_[i].max_width > 0) needed = std::min(needed, columns_[i].max_width);
    widths.push_back(needed);
  }
  if (width > 0) fit(columns_, widths, width - std::min(width, display_width(indent)));
  auto line = [&](auto&& cell_at) {
    std::string text(indent);
    std::size_t owed = 0;  // blanks before the next cell; none are left at a line's end
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const Cell cell = cell_at(i);
      const std::string shown = width > 0 ? clipped(cell.text, widths[i]) : cell.text;
      const std::size_t blank = widths[i] - std::min(widths[i], display_width(shown));
      if (columns_[i].right) owed += blank;
      if (!shown.empty()) {
        text.append(owed, ' ');
        text += styled(shown, cell.style, colour);
        owed = 0;
      }
      owed += (columns_[i].right ? 0 : blank) + kGap;
    }
    out << text << '\n';
  };
  line([&](std::size_t i) { return Cell{columns_[i].heading, Style::faint}; });
  for (const auto& row : rows_) line([&](std::size_t i) { return row[i]; });
}

}  // namespace lianxi::cli
