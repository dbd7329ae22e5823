#include "agents/formats/records.h"

#include <nlohmann/json.hpp>

#include "agents/formats/cap.h"
#include "agents/formats/csv.h"
#include "agents/formats/text.h"
#include "schemas/codec/json.h"
#include "schemas/limits.h"
#include "schemas/text.h"

namespace lianxi::formats {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kMaxJsonDepth = 16;

// Brackets outside of strings: a line of nothing else must not exhaust the stack.
bool is_deep(std::string_view line) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted && c == '\\') ++i;
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (depth > kMaxJsonDepth) return true;
  }
  return false;
}

std::string text_of(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null()) return {};
  return value.dump();
}

// Nested objects as dotted names; lists stay JSON.
void flatten(const Json& object, const std::string& prefix, std::vector<NameValue>& fields) {
  for (const auto& [name, value] : object.items()) {
    const std::string whole = prefix.empty() ? name : prefix + "." + name;
    if (value.is_object()) {
      flatten(value, whole, fields);
    } else {
      fields.push_back({whole, text_of(value)});
    }
  }
}

Result<std::vector<NameValue>> fields_of(std::string_view line) {
  if (is_deep(line)) {
    return refuse(RefusalCode::malformed, "", "the line nests more than " + std::to_string(kMaxJsonDepth) + " objects or lists");
  }
  const Json json = Json::parse(line, nullptr, false);
  if (json.is_discarded()) return refuse(RefusalCode::malformed, "", "the line is not JSON: \"" + shortened(line) + "\"");
  if (!json.is_object()) return refuse(RefusalCode::malformed, "", "the line is not a JSON object of fields");
  std::vector<NameValue> fields;
  flatten(json, "", fields);
  return fields;
}

std::vector<Refusal> one(Refusal refusal) {
  std::vector<Refusal> all;
  all.push_back(std::move(refusal));
  return all;
}

Records read_lines(const Source& source, std::string_view content) {
  Records records;
  std::size_t line = 0;
  while (!content.empty()) {
    const std::size_t end = std::min(content.find('\n'), content.size());
    const std::string_view raw = trimmed(content.substr(0, end));
    content.remove_prefix(std::min(end + 1, content.size()));
    ++line;
    if (raw.empty()) continue;
    records.records.push_back({records.records.size() + 1, line, std::string(raw), read_line(source, raw)});
  }
  return records;
}

Result<Event> row_event(const Source& source, const std::vector<std::string>& names, const CsvRow& row) {
  if (row.cells.size() != names.size()) {
    return refuse(RefusalCode::csv_row, "row " + std::to_string(row.row),
                  "it has " + std::to_string(row.cells.size()) + " cells where the heading has " + std::to_string(names.size()) +
                      ": a comma inside a cell needs quotation marks");
  }
  if (row.raw.size() > kMaxRecordBytes)
    return refuse(RefusalCode::oversize, "row " + std::to_string(row.row), "the row is too long");
  std::vector<NameValue> fields;
  for (std::size_t i = 0; i < names.size(); ++i) fields.push_back({names[i], row.cells[i]});
  return incident_event(source, fields);
}

Result<Records, std::vector<Refusal>> read_rows(const Source& source, std::string_view content) {
  const auto rows = read_csv(content);
  if (!rows) return tl::unexpected(one(rows.error()));
  if (rows->empty()) return tl::unexpected(one({RefusalCode::csv_row, "row 1", "the file has no heading row", 0}));
  Records records;
  records.heading = rows->front().raw;
  std::vector<std::string> names;
  for (const std::string& cell : rows->front().cells) names.emplace_back(trimmed(cell));
  std::vector<Refusal> missing;
  for (const auto& [target, rule] : source.map) {
    for (const std::string& name : rule.names) {
      if (std::ranges::count(names, name) == 1) continue;
      missing.push_back({RefusalCode::csv_row, "row 1, column " + name,
                         "the mapping takes " + target + " from this column, and the heading does not have it once", 0});
    }
  }
  if (!missing.empty()) return tl::unexpected(std::move(missing));
  for (std::size_t i = 1; i < rows->size(); ++i) {
    const CsvRow& row = (*rows)[i];
    records.records.push_back({i, row.line, std::string(row.raw), row_event(source, names, row)});
  }
  return records;
}

Result<Records, std::vector<Refusal>> read_document(const Source& source, std::string_view content) {
  const BytesView bytes(reinterpret_cast<const std::uint8_t*>(content.data()), content.size());
  const auto document = read_cap(bytes);
  if (!document) return tl::unexpected(one(document.error()));
  Records records;
  records.whole = true;
  records.warnings = document->warnings;
  records.records.push_back({1, 1, {}, alert_event(*document, {source.region, source.agency, source.audience, source.place})});
  return records;
}

Result<Records, std::vector<Refusal>> read_import(const Source& source, std::string_view content, TimeMs now) {
  auto events = read_resources_csv(content, {source.region, source.agency, source.audience, source.datum, source.status, now});
  if (!events) return tl::unexpected(std::move(events.error()));
  Records records;
  records.whole = true;
  for (Event& event : *events) records.records.push_back({records.records.size() + 1, 0, {}, std::move(event)});
  return records;
}

}  // namespace

Result<Event> read_line(const Source& source, std::string_view line) {
  if (line.size() > kMaxRecordBytes) {
    return refuse(
        RefusalCode::oversize, "",
        "the line has " + std::to_string(line.size()) + " bytes; a record has at most " + std::to_string(kMaxRecordBytes));
  }
  if (!is_text(line)) return refuse(RefusalCode::malformed, "", "the line is not UTF-8, or holds control characters");
  if (source.format == SourceFormat::lianxi) return event_from_json(line);
  const auto fields = fields_of(line);
  if (!fields) return tl::unexpected(fields.error());
  return incident_event(source, *fields);
}

Result<Records, std::vector<Refusal>> read_records(const Source& source, std::string_view content, TimeMs now) {
  if (content.size() > kMaxFileBytes) {
    return tl::unexpected(
        one({RefusalCode::oversize, "", "the file has more than " + std::to_string(kMaxFileBytes) + " bytes: part it", 0}));
  }
  if (source.format == SourceFormat::cap) return read_document(source, content);  // XML says its encoding itself
  const auto text = to_utf8(content, source.encoding);
  if (!text) return tl::unexpected(one(text.error()));
  switch (source.format) {
    case SourceFormat::csv:
      return read_rows(source, *text);
    case SourceFormat::resources:
      return read_import(source, *text, now);
    case SourceFormat::jsonl:
    case SourceFormat::lianxi:
    case SourceFormat::cap:
      break;
  }
  return read_lines(source, *text);
}

}  // namespace lianxi::formats
