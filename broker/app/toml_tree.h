// A TOML file as plain values with line numbers, and a reader of its tables that turns every mistake into a finding. The
// TOML library stays in toml_tree.cpp.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/app/config.h"

namespace lianxi::app {

struct TomlNode {
  enum class Type : std::uint8_t { none, text, integer, real, boolean, array, table, other };
  Type type = Type::none;
  std::uint32_t line = 0;
  std::string text;
  std::int64_t integer = 0;
  std::vector<std::string> keys;  // of a table, beside `items`
  std::vector<TomlNode> items;    // of a table or an array
};

// Reads and parses; a missing, unreadable or broken file is one finding.
// `text`, if asked for, is what was parsed.
[[nodiscard]] std::optional<TomlNode> read_toml(const std::string& path, std::vector<ConfigFinding>& findings,
                                                std::string* text = nullptr);

// The word of `words` that `wrong` was probably meant to be; empty if none is near.
[[nodiscard]] std::string nearest_word(std::string_view wrong, std::span<const std::string_view> words);

// Reads one table. Borrows the node, the findings and the file's name. Call close() when all keys have been asked for: it
// reports those that nobody asked for.
class TableReader {
 public:
  TableReader(const TomlNode& table, std::string file, std::string prefix, std::vector<ConfigFinding>& findings)
      : table_(table), file_(std::move(file)), prefix_(std::move(prefix)), findings_(findings) {}

  struct Text {
    std::string value;
    std::uint32_t line = 0;
    std::string field;
  };
  enum class Need : bool { optional, required };
  // A text of at least one character; nothing if absent, of another type, or empty (with a finding where that is wrong).
  [[nodiscard]] std::optional<Text> text(std::string_view key, Need need = Need::required, std::string_view example = "");
  [[nodiscard]] std::vector<Text> texts(std::string_view key, Need need = Need::optional);
  [[nodiscard]] std::optional<std::int64_t> integer(std::string_view key, std::int64_t low, std::int64_t high);
  [[nodiscard]] std::optional<TableReader> table(std::string_view key, Need need = Need::optional);
  [[nodiscard]] std::vector<TableReader> tables(std::string_view key);
  void close();

  [[nodiscard]] std::uint32_t line() const { return table_.line; }
  void error(std::uint32_t line, std::string field, std::string what, std::string mend);
  void error(const Text& at, std::string what, std::string mend) { error(at.line, at.field, std::move(what), std::move(mend)); }
  void warn(std::uint32_t line, std::string field, std::string what, std::string mend);

 private:
  [[nodiscard]] const TomlNode* ask(std::string_view key);
  [[nodiscard]] std::string field_of(std::string_view key) const;
  void wrong_type(const TomlNode& node, std::string_view key, std::string_view wanted, std::string mend);

  const TomlNode& table_;
  std::string file_;
  std::string prefix_;
  std::vector<ConfigFinding>& findings_;
  std::vector<std::string> asked_;
};

}  // namespace lianxi::app
