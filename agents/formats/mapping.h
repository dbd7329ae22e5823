// The mapping file of an agency: which of their fields and code words are which of ours. agents/adapter/README.md is its page.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "agents/formats/resource_csv.h"
#include "schemas/event.h"

namespace lianxi::formats {

enum class SourceFormat : std::uint8_t {
  jsonl,      // a JSON object a line, the agency's own names
  csv,        // a heading and records, the agency's own names
  lianxi,     // a JSON object a line in our own names (event_from_json)
  cap,        // one CAP document a file
  resources,  // resource CSV, whole or nothing
};

// Our field from one or more of theirs: the texts that are not empty, joined.
struct FieldRule {
  std::vector<std::string> names;
  std::string join = " ";
};

// "iso8601", "epoch_s", "epoch_ms", or a pattern of %Y %m %d %H %M %S and other characters. Texts without an offset need one.
struct TimeRule {
  std::string format = "iso8601";
  std::optional<std::int32_t> offset_minutes;
};

struct Source {
  std::string name;
  std::vector<std::string> files;  // patterns of file names, as a shell's
  SourceFormat format{};
  std::string encoding = "utf-8";
  std::string agency;
  Audience audience;
  PlaceCode place;  // where a record does not say it
  Status status = Status::Actual;
  RegionCode region;
  // For jsonl and csv; keys are our field names, see kTargets in mapping.cpp.
  std::map<std::string, FieldRule> map;
  std::map<std::string, std::map<std::string, std::string>> values;  // their word -> ours; "*" for any other
  std::map<std::string, std::string> defaults;
  std::set<std::string> drop;   // their fields that must not leave the agency
  std::set<std::string> empty;  // their words for nothing, besides ""
  TimeRule time;
  std::optional<Datum> datum;
};

struct Mapping {
  std::vector<Source> sources;
  // The first source whose patterns fit, nullptr if none does.
  [[nodiscard]] const Source* of_file(const std::string& file_name) const;
  [[nodiscard]] const Source* named(const std::string& name) const;
};

struct MappingContext {
  RegionCode region;   // of the node
  std::string agency;  // of the agent, where the mapping does not say it
};

// All mistakes of a file; code config, field "source.incidents.map.text", reason with file, line and how to mend.
[[nodiscard]] Result<Mapping, std::vector<Refusal>> load_mapping(const std::string& path, const MappingContext& context);
[[nodiscard]] Result<Mapping, std::vector<Refusal>> parse_mapping(const std::string& toml, const std::string& path,
                                                                  const MappingContext& context);

// Our field names that a record's field may become.
[[nodiscard]] const std::vector<std::string>& incident_targets();

}  // namespace lianxi::formats
