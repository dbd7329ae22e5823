// A file or line of an agency to events, by a source of its mapping.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agents/formats/mapping.h"

namespace lianxi::formats {

struct Record {
  std::size_t number = 0;  // from 1 in its file: the n-th event
  std::size_t line = 0;    // where it begins
  std::string raw;         // as in the file, in UTF-8
  Result<Event> event;
};

struct Records {
  bool whole = false;   // all of it or nothing: one bad record refuses the file
  std::string heading;  // of a CSV, to stand above its refused records
  std::vector<Record> records;
  std::vector<std::string> warnings;
};

// Refusals of the file as such: unreadable, a heading without what the mapping needs, a document or import that is whole or
// nothing.
[[nodiscard]] Result<Records, std::vector<Refusal>> read_records(const Source& source, std::string_view content, TimeMs now);

// One line of a jsonl or lianxi source.
[[nodiscard]] Result<Event> read_line(const Source& source, std::string_view line);

// The agency's fields of one record, in their order, to a report of an incident; what is not mapped is kept in `fields`.
[[nodiscard]] Result<Event> incident_event(const Source& source, const std::vector<NameValue>& fields);

// `encoding`: utf-8 or gb18030 (with it GBK and GB2312). A byte order mark is taken off.
[[nodiscard]] Result<std::string> to_utf8(std::string_view bytes, const std::string& encoding);

// By a rule of a mapping; the refusal says what was expected.
[[nodiscard]] Result<TimeMs> read_time(std::string_view text, const TimeRule& rule);

}  // namespace lianxi::formats
