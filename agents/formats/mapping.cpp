#include "agents/formats/mapping.h"

#include <fnmatch.h>

#include <toml++/toml.h>
#include <algorithm>
#include <fstream>
#include <initializer_list>
#include <sstream>

#include "agents/formats/target_words.h"
#include "agents/formats/text.h"
#include "schemas/limits.h"
#include "schemas/vocabulary.h"

namespace lianxi::formats {
namespace {

constexpr std::string_view kOffsetForm = "an offset such as \"+08:00\"";

// One table of the file, its path, and the list that all mistakes go to.
class Table {
 public:
  Table(const toml::table& table, std::string path, const std::string& file, std::vector<Refusal>& refusals)
      : table_(table), path_(std::move(path)), file_(file), refusals_(refusals) {}

  void wrong(const std::string& key, const std::string& why) const {
    const toml::node* node = key.empty() ? nullptr : table_.get(key);
    const auto line = (node != nullptr ? node->source() : table_.source()).begin.line;
    const std::string field = path_.empty() || key.empty() ? path_ + key : path_ + "." + key;
    refusals_.push_back({RefusalCode::config, field, file_ + ":" + std::to_string(line) + ": " + why, 0});
  }
  void known(std::initializer_list<const char*> keys) const {
    for (const auto& [key, node] : table_) {
      const std::string name(key.str());
      const auto same = [&](const char* word) { return name == word; };
      if (std::none_of(keys.begin(), keys.end(), same)) {
        wrong(name, "not a field of a mapping here; known are " + listed({keys.begin(), keys.end()}));
      }
    }
  }
  [[nodiscard]] bool has(const std::string& key) const { return table_.contains(key); }
  [[nodiscard]] std::string text(const std::string& key, std::string otherwise = {}) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return otherwise;
    if (const auto value = node->value_exact<std::string>()) return *value;
    wrong(key, "write a text in quotes");
    return otherwise;
  }
  [[nodiscard]] std::vector<std::string> texts(const std::string& key) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return {};
    if (const auto value = node->value_exact<std::string>()) return {*value};
    std::vector<std::string> found;
    if (const toml::array* array = node->as_array()) {
      for (const toml::node& item : *array) {
        if (const auto value = item.value_exact<std::string>()) found.push_back(*value);
      }
      if (found.size() == array->size()) return found;
    }
    wrong(key, "write a text or a list of texts, each in quotes");
    return found;
  }
  [[nodiscard]] std::vector<Table> tables(const std::string& key) const {
    std::vector<Table> found;
    const toml::node* node = table_.get(key);
    const toml::array* array = node == nullptr ? nullptr : node->as_array();
    if (array == nullptr) return found;
    for (const toml::node& item : *array) {
      const toml::table* table = item.as_table();
      if (table != nullptr) found.emplace_back(*table, key + "[" + std::to_string(found.size()) + "]", file_, refusals_);
    }
    return found;
  }
  // An absent table reads as an empty one.
  [[nodiscard]] Table table(const std::string& key) const {
    static const toml::table kNone;
    const toml::node* node = table_.get(key);
    const toml::table* table = node == nullptr ? nullptr : node->as_table();
    if (node != nullptr && table == nullptr) wrong(key, "write a table: [" + key + "]");
    return {table == nullptr ? kNone : *table, path_.empty() ? key : path_ + "." + key, file_, refusals_};
  }
  [[nodiscard]] bool is_table(const std::string& key) const {
    const toml::node* node = table_.get(key);
    return node != nullptr && node->is_table();
  }
  [[nodiscard]] std::vector<std::string> keys() const {
    std::vector<std::string> found;
    for (const auto& [key, node] : table_) found.emplace_back(key.str());
    return found;
  }
  void rename(std::string path) { path_ = std::move(path); }

 private:
  const toml::table& table_;
  std::string path_;
  const std::string& file_;
  std::vector<Refusal>& refusals_;
};

template <class T>
T parsed(const Table& table, const std::string& key, Result<T> value, T otherwise) {
  if (value) return std::move(*value);
  table.wrong(key, value.error().reason);
  return otherwise;
}

void read_common(const Table& table, Source& source) {
  source.agency = table.text("agency", source.agency);
  if (table.has("audience"))
    source.audience = parsed(table, "audience", Audience::parse(table.text("audience")), source.audience);
  if (table.has("place")) source.place = parsed(table, "place", PlaceCode::parse(table.text("place")), source.place);
  if (table.has("status")) source.status = parsed(table, "status", parse_word<Status>(table.text("status")), source.status);
}

SourceFormat read_format(const Table& table) {
  const std::string word = table.text("format");
  if (word == "jsonl") return SourceFormat::jsonl;
  if (word == "csv") return SourceFormat::csv;
  if (word == "lianxi") return SourceFormat::lianxi;
  if (word == "cap") return SourceFormat::cap;
  if (word == "resources") return SourceFormat::resources;
  table.wrong("format", "a source needs its format: one of jsonl, csv, lianxi, cap, resources");
  return SourceFormat::jsonl;
}

void read_time(const Table& table, TimeRule& rule) {
  table.known({"format", "offset"});
  rule.format = table.text("format", rule.format);
  const bool pattern = rule.format.find('%') != std::string::npos;
  if (!pattern && rule.format != "iso8601" && rule.format != "epoch_s" && rule.format != "epoch_ms") {
    table.wrong("format", "write iso8601, epoch_s, epoch_ms, or a pattern such as %Y%m%d%H%M%S");
  }
  for (std::size_t at = rule.format.find('%'); at != std::string::npos; at = rule.format.find('%', at + 2)) {
    const char letter = at + 1 < rule.format.size() ? rule.format[at + 1] : ' ';
    if (std::string_view("YmdHMS").find(letter) == std::string_view::npos) {
      table.wrong("format", "a pattern knows %Y %m %d %H %M %S, not %" + std::string(1, letter));
    }
  }
  if (pattern && (rule.format.find("%Y") == std::string::npos || rule.format.find("%m") == std::string::npos ||
                  rule.format.find("%d") == std::string::npos)) {
    table.wrong("format", "a pattern needs at least %Y, %m and %d");
  }
  const std::string offset = table.text("offset");
  if (offset.empty() && pattern) table.wrong("offset", "a pattern needs " + std::string(kOffsetForm));
  if (offset.empty()) return;
  const bool form = offset.size() == 6 && (offset[0] == '+' || offset[0] == '-') && offset[3] == ':';
  const auto hours = form ? number<int>(offset.substr(1, 2)) : std::nullopt;
  const auto minutes = form ? number<int>(offset.substr(4, 2)) : std::nullopt;
  if (!hours || !minutes || *hours < 0 || *hours > 14 || *minutes < 0 || *minutes > 59) {
    table.wrong("offset", "write " + std::string(kOffsetForm));
    return;
  }
  rule.offset_minutes = (offset[0] == '-' ? -1 : 1) * (*hours * 60 + *minutes);
}

bool check_target(const Table& table, const std::string& target) {
  const auto& targets = incident_targets();
  if (std::ranges::find(targets, target) != targets.end()) return true;
  table.wrong(target, "not a field of ours; known are " + listed(targets));
  return false;
}

void read_map(const Table& table, Source& source) {
  for (const std::string& target : table.keys()) {
    if (!check_target(table, target)) continue;
    FieldRule rule;
    if (table.is_table(target)) {
      const Table detail = table.table(target);
      detail.known({"from", "join"});
      rule.names = detail.texts("from");
      rule.join = detail.text("join", rule.join);
    } else {
      rule.names = table.texts(target);
    }
    if (rule.names.empty()) table.wrong(target, "name the agency's field that it comes from");
    source.map[target] = std::move(rule);
  }
}

void read_values(const Table& table, Source& source) {
  for (const std::string& target : table.keys()) {
    if (!check_target(table, target)) continue;
    const Table words = table.table(target);
    for (const std::string& theirs : words.keys()) {
      const std::string ours = words.text(theirs);
      if (const auto checked = check_target_word(target, ours); !checked) words.wrong(theirs, checked.error().reason);
      source.values[target][theirs] = ours;
    }
  }
}

void read_defaults(const Table& table, Source& source) {
  for (const std::string& target : table.keys()) {
    if (!check_target(table, target)) continue;
    const std::string ours = table.text(target);
    if (const auto checked = check_target_word(target, ours); !checked) table.wrong(target, checked.error().reason);
    source.defaults[target] = ours;
  }
}

void check_whole(const Table& table, const Source& source) {
  const bool lon = source.map.contains("lon");
  for (const char* needed : {"case_reference", "occurred_at"}) {
    if (!source.map.contains(needed)) table.wrong("map", std::string(needed) + " is required: name the agency's field for it");
  }
  if (lon != source.map.contains("lat")) table.wrong("map", "lon and lat go together: map both or neither");
  if (lon && !source.datum) table.wrong("datum", "lon and lat need their datum: write CGCS2000, WGS84 or GCJ02");
  for (const auto& [target, words] : source.values) {
    if (!source.map.contains(target)) table.wrong("values", target + " has words but is not in the map");
  }
}

Source read_source(const Table& table, const Source& common) {
  Source source = common;
  table.known({"name", "files", "format", "encoding", "agency", "audience", "place", "status", "map", "values", "defaults",
               "drop", "empty", "time", "datum"});
  source.name = table.text("name");
  if (source.name.empty()) table.wrong("name", "a source needs a name, for logs and --source");
  source.files = table.texts("files");
  source.format = read_format(table);
  source.encoding = table.text("encoding", source.encoding);
  if (source.encoding != "utf-8" && source.encoding != "gb18030") {
    table.wrong("encoding", "write utf-8, or gb18030 (which reads GBK and GB2312 too)");
  }
  read_common(table, source);
  if (table.has("datum")) {
    const auto datum = parse_datum(table.text("datum"));
    if (datum) source.datum = *datum;
    if (!datum) table.wrong("datum", datum.error().reason);
  }
  const bool fields = source.format == SourceFormat::jsonl || source.format == SourceFormat::csv;
  if (!fields) {
    for (const char* key : {"map", "values", "defaults", "drop", "empty", "time"}) {
      if (table.has(key)) table.wrong(key, "only the formats jsonl and csv have fields to map");
    }
    return source;
  }
  read_map(table.table("map"), source);
  read_values(table.table("values"), source);
  read_defaults(table.table("defaults"), source);
  for (const std::string& name : table.texts("drop")) source.drop.insert(name);
  for (const std::string& word : table.texts("empty")) source.empty.insert(word);
  read_time(table.table("time"), source.time);
  check_whole(table, source);
  return source;
}

}  // namespace

const Source* Mapping::of_file(const std::string& file_name) const {
  for (const Source& source : sources) {
    for (const std::string& pattern : source.files) {
      if (fnmatch(pattern.c_str(), file_name.c_str(), 0) == 0) return &source;
    }
  }
  return nullptr;
}

const Source* Mapping::named(const std::string& name) const {
  const auto found = std::ranges::find(sources, name, &Source::name);
  return found == sources.end() ? nullptr : &*found;
}

Result<Mapping, std::vector<Refusal>> parse_mapping(const std::string& toml, const std::string& path,
                                                    const MappingContext& context) {
  std::vector<Refusal> refusals;
  Mapping mapping;
  try {
    const toml::table file = toml::parse(toml, path);
    const Table root(file, "", path, refusals);
    root.known({"agency", "audience", "place", "status", "source"});
    Source common;
    common.agency = context.agency;
    common.audience = Audience::conference();
    common.place = PlaceCode::of(context.region);
    common.region = context.region;
    read_common(root, common);
    for (const Table& table : root.tables("source")) {
      Source source = read_source(table, common);
      if (mapping.named(source.name) != nullptr) table.wrong("name", "another source has this name");
      mapping.sources.push_back(std::move(source));
    }
    if (mapping.sources.empty()) root.wrong("source", "a mapping needs at least one [[source]]");
  } catch (const toml::parse_error& error) {
    refusals.push_back(
        {RefusalCode::config, "",
         path + ":" + std::to_string(error.source().begin.line) + ": not TOML: " + std::string(error.description()), 0});
  }
  if (!refusals.empty()) return tl::unexpected(std::move(refusals));
  return mapping;
}

Result<Mapping, std::vector<Refusal>> load_mapping(const std::string& path, const MappingContext& context) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  const auto one = [](std::string why) {
    return tl::unexpected(std::vector<Refusal>{Refusal{RefusalCode::config, "", std::move(why), 0}});
  };
  if (!file) return one(path + ": cannot be read: name a mapping file that exists and is readable");
  if (text.view().size() > kMaxMappingBytes) return one(path + ": larger than a mapping file may be (1 MiB)");
  return parse_mapping(text.str(), path, context);
}

}  // namespace lianxi::formats
