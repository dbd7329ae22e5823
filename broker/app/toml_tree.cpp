#include "broker/app/toml_tree.h"

#include <toml++/toml.h>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <sstream>

namespace lianxi::app {
namespace {

constexpr std::uintmax_t kMaxConfigBytes = 4 * 1024 * 1024;

std::string_view word_of(TomlNode::Type type) {
  switch (type) {
    case TomlNode::Type::text:
      return "a text";
    case TomlNode::Type::integer:
      return "a whole number";
    case TomlNode::Type::real:
      return "a number with a fraction";
    case TomlNode::Type::boolean:
      return "true or false";
    case TomlNode::Type::array:
      return "a list";
    case TomlNode::Type::table:
      return "a table";
    case TomlNode::Type::none:
    case TomlNode::Type::other:
      break;
  }
  return "a date or time";
}

TomlNode to_tree(const toml::node& node) {
  TomlNode out;
  out.line = static_cast<std::uint32_t>(node.source().begin.line);
  if (const auto* text = node.as_string()) {
    out.type = TomlNode::Type::text;
    out.text = text->get();
  } else if (const auto* integer = node.as_integer()) {
    out.type = TomlNode::Type::integer;
    out.integer = integer->get();
  } else if (node.is_floating_point()) {
    out.type = TomlNode::Type::real;
  } else if (node.is_boolean()) {
    out.type = TomlNode::Type::boolean;
  } else if (const auto* array = node.as_array()) {
    out.type = TomlNode::Type::array;
    for (const toml::node& item : *array) out.items.push_back(to_tree(item));
  } else if (const auto* table = node.as_table()) {
    out.type = TomlNode::Type::table;
    for (const auto& [key, value] : *table) {
      out.keys.emplace_back(key.str());
      out.items.push_back(to_tree(value));
    }
  } else {
    out.type = TomlNode::Type::other;
  }
  return out;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0U);
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t above = row[j + 1];
      row[j + 1] = std::min({above + 1, row[j] + 1, diagonal + (a[i] == b[j] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

// The field as a header spells it: "grant[0].publish" -> "grant.publish".
std::string header_of(std::string_view field) {
  std::string out;
  bool inside = false;
  for (char c : field) {
    inside = c == '[' || (inside && c != ']');
    if (!inside && c != ']') out += c;
  }
  return out;
}

}  // namespace

std::string nearest_word(std::string_view wrong, std::span<const std::string_view> words) {
  std::size_t best = std::max<std::size_t>(2, wrong.size() / 3) + 1;
  std::string out;
  for (std::string_view word : words) {
    const std::size_t distance = edit_distance(wrong, word);
    if (distance < best && distance < word.size()) {
      best = distance;
      out = word;
    }
  }
  return out;
}

std::optional<TomlNode> read_toml(const std::string& path, std::vector<ConfigFinding>& findings, std::string* text) {
  auto fail = [&](std::uint32_t line, std::string what, std::string mend) -> std::optional<TomlNode> {
    findings.push_back({false, path, line, "", std::move(what), std::move(mend)});
    return std::nullopt;
  };
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return fail(0, "no such file", "check the path, or make the file");
  if (!std::filesystem::is_regular_file(path, error)) return fail(0, "is not a file", "name a TOML file");
  if (std::filesystem::file_size(path, error) > kMaxConfigBytes) return fail(0, "is larger than 4 MB", "name a config file");
  std::ifstream in(path, std::ios::binary);
  std::ostringstream content;
  if (in) content << in.rdbuf();
  if (!in) return fail(0, "cannot be read", "give the node's user the right to read it");
  try {
    const std::string read = content.str();
    if (text != nullptr) *text = read;
    return to_tree(toml::parse(read, path));
  } catch (const toml::parse_error& broken) {
    return fail(static_cast<std::uint32_t>(broken.source().begin.line), std::string(broken.description()),
                "mend the TOML here; texts stand in double quotes");
  }
}

std::string TableReader::field_of(std::string_view key) const {
  return prefix_.empty() ? std::string(key) : prefix_ + "." + std::string(key);
}

const TomlNode* TableReader::ask(std::string_view key) {
  asked_.emplace_back(key);
  for (std::size_t i = 0; i < table_.keys.size(); ++i) {
    if (table_.keys[i] == key) return &table_.items[i];
  }
  return nullptr;
}

void TableReader::error(std::uint32_t line, std::string field, std::string what, std::string mend) {
  findings_.push_back({false, file_, line, std::move(field), std::move(what), std::move(mend)});
}

void TableReader::warn(std::uint32_t line, std::string field, std::string what, std::string mend) {
  findings_.push_back({true, file_, line, std::move(field), std::move(what), std::move(mend)});
}

void TableReader::wrong_type(const TomlNode& node, std::string_view key, std::string_view wanted, std::string mend) {
  error(node.line, field_of(key), "is " + std::string(word_of(node.type)) + ", not " + std::string(wanted), std::move(mend));
}

std::optional<TableReader::Text> TableReader::text(std::string_view key, Need need, std::string_view example) {
  const std::string line = std::string(key) + " = \"" + (example.empty() ? "…" : std::string(example)) + "\"";
  const TomlNode* node = ask(key);
  if (node == nullptr) {
    if (need == Need::required) error(table_.line, field_of(key), "is missing", "add " + line);
    return std::nullopt;
  }
  if (node->type == TomlNode::Type::integer) {
    wrong_type(*node, key, "a text", "put it in quotes: " + std::string(key) + " = \"" + std::to_string(node->integer) + "\"");
    return std::nullopt;
  }
  if (node->type != TomlNode::Type::text) {
    wrong_type(*node, key, "a text", "write " + line);
    return std::nullopt;
  }
  if (node->text.empty()) {
    error(node->line, field_of(key), "is empty", "write " + line);
    return std::nullopt;
  }
  return Text{node->text, node->line, field_of(key)};
}

std::vector<TableReader::Text> TableReader::texts(std::string_view key, Need need) {
  std::vector<Text> out;
  const TomlNode* node = ask(key);
  if (node == nullptr) {
    if (need == Need::required) error(table_.line, field_of(key), "is missing", "add " + std::string(key) + " = [\"…\"]");
    return out;
  }
  const std::string mend = "write " + std::string(key) + " = [\"…\", \"…\"]";
  if (node->type != TomlNode::Type::array) {
    wrong_type(*node, key, "a list of texts", mend);
    return out;
  }
  for (std::size_t i = 0; i < node->items.size(); ++i) {
    const TomlNode& item = node->items[i];
    const std::string name = std::string(key) + "[" + std::to_string(i) + "]";
    if (item.type == TomlNode::Type::text) {
      out.push_back({item.text, item.line, field_of(name)});
    } else {
      wrong_type(item, name, "a text", mend);
    }
  }
  return out;
}

std::optional<std::int64_t> TableReader::integer(std::string_view key, std::int64_t low, std::int64_t high) {
  const TomlNode* node = ask(key);
  if (node == nullptr) return std::nullopt;
  const std::string bounds = std::to_string(low) + " to " + std::to_string(high);
  if (node->type != TomlNode::Type::integer) {
    wrong_type(*node, key, "a whole number", "write a number from " + bounds + ", without quotes");
    return std::nullopt;
  }
  if (node->integer < low || node->integer > high) {
    error(node->line, field_of(key), std::to_string(node->integer) + " is out of bounds", "write a number from " + bounds);
    return std::nullopt;
  }
  return node->integer;
}

std::optional<TableReader> TableReader::table(std::string_view key, Need need) {
  const TomlNode* node = ask(key);
  if (node == nullptr) {
    if (need == Need::required) error(0, field_of(key), "is missing", "add a table [" + header_of(field_of(key)) + "]");
    return std::nullopt;
  }
  if (node->type != TomlNode::Type::table) {
    wrong_type(*node, key, "a table", "write [" + header_of(field_of(key)) + "] on a line of its own");
    return std::nullopt;
  }
  return TableReader(*node, file_, field_of(key), findings_);
}

std::vector<TableReader> TableReader::tables(std::string_view key) {
  std::vector<TableReader> out;
  const TomlNode* node = ask(key);
  if (node == nullptr) return out;
  const std::string mend = "write [[" + header_of(field_of(key)) + "]] on a line of its own before each";
  if (node->type != TomlNode::Type::array) {
    wrong_type(*node, key, "a list of tables", mend);
    return out;
  }
  for (std::size_t i = 0; i < node->items.size(); ++i) {
    const std::string name = std::string(key) + "[" + std::to_string(i) + "]";
    if (node->items[i].type == TomlNode::Type::table) {
      out.emplace_back(node->items[i], file_, field_of(name), findings_);
    } else {
      wrong_type(node->items[i], name, "a table", mend);
    }
  }
  return out;
}

void TableReader::close() {
  const std::vector<std::string_view> known(asked_.begin(), asked_.end());
  for (std::size_t i = 0; i < table_.keys.size(); ++i) {
    const std::string& key = table_.keys[i];
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    const std::string meant = nearest_word(key, known);
    std::string list;
    for (std::string_view word : known) list += (list.empty() ? "" : ", ") + std::string(word);
    error(table_.items[i].line, field_of(key), "no such key",
          meant.empty() ? "known here: " + list : "did you mean '" + meant + "'?");
  }
}

}  // namespace lianxi::app
