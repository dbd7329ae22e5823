#include "agents/formats/csv.h"

#include <algorithm>
#include <cstring>

#include "agents/formats/text.h"
#include "schemas/limits.h"
#include "schemas/text.h"

namespace lianxi::formats {
namespace {

constexpr std::string_view kBom = "\xEF\xBB\xBF";
constexpr std::size_t kBlock = 1024 * 1024;
static_assert(kMaxRecordBytes < kBlock);

// Where a plain cell ends: at a comma or line end; a quotation mark has no place in it.
std::size_t plain_end(std::string_view rest, std::size_t at) {
  while (at < rest.size() && rest[at] != ',' && rest[at] != '\n' && rest[at] != '"') ++at;
  return at;
}

}  // namespace

CsvStream::CsvStream(ReadBlock read) : read_(std::move(read)) {}

bool CsvStream::fill() {
  if (end_) return false;
  window_.erase(0, at_);
  passed_ += at_;
  at_ = 0;
  const std::size_t before = window_.size();
  window_.resize(before + kBlock);
  const std::size_t count = read_(window_.data() + before, kBlock);
  window_.resize(before + count);
  if (count == 0) end_ = true;
  return true;
}

tl::unexpected<Refusal> CsvStream::broken(const char* why) const {
  return refuse(RefusalCode::csv_row, "line " + std::to_string(line_), why);
}

Result<bool> CsvStream::next(CsvRecord& record) {
  if (!begun_) {
    while (window_.size() < kBom.size() && fill()) {
    }
    if (window_.starts_with(kBom)) at_ = kBom.size();
    begun_ = true;
  }
  for (;;) {
    while (at_ == window_.size()) {
      if (!fill()) return false;
    }
    const auto taken = take(record);
    if (!taken) return tl::unexpected(taken.error());
    const bool whole = *taken == Taken::record;
    if ((whole ? record.raw.size() : window_.size() - at_) > kMaxRecordBytes) {
      return refuse(RefusalCode::oversize, "line " + std::to_string(whole ? record.line : line_),
                    "the record has more than " + std::to_string(kMaxRecordBytes) + " bytes: is a quotation mark never closed?");
    }
    if (!whole) {
      if (!fill()) return broken("a quotation mark is never closed");
      continue;
    }
    const bool blank = record.cells.size() == 1 && trimmed(record.cells[0]).empty();
    if (blank) continue;
    if (!is_text(record.raw)) {
      return refuse(RefusalCode::malformed, "line " + std::to_string(record.line),
                    "the text is not UTF-8, or holds control characters: save it as \"CSV UTF-8\"");
    }
    return true;
  }
}

Result<CsvStream::Taken> CsvStream::take(CsvRecord& record) {
  const std::string_view rest = std::string_view(window_).substr(at_);
  record.cells.clear();
  unquoted_.clear();
  unquoted_.reserve(rest.size());  // views into it must hold
  std::size_t at = 0;
  for (;;) {
    if (at < rest.size() && rest[at] == '"') {
      const auto taken = take_quoted(rest, at, record);
      if (!taken || *taken == Taken::more) return taken;
    } else {
      const std::size_t end = plain_end(rest, at);
      if (end == rest.size() && !end_) return Taken::more;
      if (end < rest.size() && rest[end] == '"')
        return broken("a quotation mark inside a cell: put the whole cell in quotes and double it");
      std::size_t stop = end;
      if (end < rest.size() && rest[end] == '\n' && stop > at && rest[stop - 1] == '\r') --stop;
      record.cells.push_back(rest.substr(at, stop - at));
      at = end;
    }
    if (at >= rest.size() || rest[at] != ',') break;
    ++at;
    if (at == rest.size() && !end_) return Taken::more;
  }
  // At a line's end, or that of the file.
  std::size_t stop = at;
  if (at < rest.size() && rest[at] == '\r') ++at;
  if (stop > 0 && stop == at && rest[stop - 1] == '\r') --stop;
  record.raw = rest.substr(0, stop);
  record.row = ++row_;
  record.line = line_;
  record.offset = passed_ + at_;
  line_ += static_cast<std::size_t>(std::ranges::count(record.raw, '\n'));
  if (at < rest.size()) {
    ++at;
    ++line_;
  }
  at_ += at;
  return Taken::record;
}

Result<CsvStream::Taken> CsvStream::take_quoted(std::string_view rest, std::size_t& at, CsvRecord& record) {
  const std::size_t begin = at + 1;
  const std::size_t kept = unquoted_.size();
  bool marks = false;
  std::size_t part = begin;
  for (;;) {
    const std::size_t mark = rest.find('"', part);
    if (mark == std::string_view::npos || (mark + 1 == rest.size() && !end_)) {
      if (end_) return broken("a quotation mark is never closed");
      return Taken::more;
    }
    if (mark + 1 < rest.size() && rest[mark + 1] == '"') {
      unquoted_.append(rest.substr(part, mark + 1 - part));
      marks = true;
      part = mark + 2;
      continue;
    }
    if (marks) {
      unquoted_.append(rest.substr(part, mark - part));
      record.cells.push_back(std::string_view(unquoted_).substr(kept));
    } else {
      record.cells.push_back(rest.substr(begin, mark - begin));
    }
    at = mark + 1;
    break;
  }
  if (at < rest.size() && rest[at] == '\r' && at + 1 == rest.size() && !end_) return Taken::more;
  const bool line_end = at >= rest.size() || rest[at] == '\n' || rest.substr(at).starts_with("\r\n");
  if (line_end || rest[at] == ',') return Taken::record;
  line_ += static_cast<std::size_t>(std::ranges::count(rest.substr(0, at), '\n'));
  return broken("text behind a closing quotation mark: double the marks inside the cell");
}

Result<std::vector<CsvRow>> read_csv(std::string_view text) {
  if (!is_text(text.starts_with(kBom) ? text.substr(kBom.size()) : text)) {
    return refuse(RefusalCode::malformed, "", "the text is not UTF-8, or holds control characters: save it as \"CSV UTF-8\"");
  }
  std::size_t handed = 0;
  CsvStream stream([&](char* into, std::size_t size) {
    const std::size_t count = std::min(size, text.size() - handed);
    std::memcpy(into, text.data() + handed, count);
    handed += count;
    return count;
  });
  std::vector<CsvRow> rows;
  CsvRecord record;
  for (;;) {
    const auto more = stream.next(record);
    if (!more) return tl::unexpected(more.error());
    if (!*more) return rows;
    rows.push_back({record.row,
                    record.line,
                    {record.cells.begin(), record.cells.end()},
                    text.substr(static_cast<std::size_t>(record.offset), record.raw.size())});
  }
}

void append_csv_cell(std::string& out, std::string_view cell) {
  const bool blank_ends = !cell.empty() && trimmed(cell).size() != cell.size();
  if (!blank_ends && cell.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += cell;
    return;
  }
  out += '"';
  for (const char c : cell) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

}  // namespace lianxi::formats
