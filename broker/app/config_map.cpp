// The [map] files: former codes of places, and the names of capabilities.
#include "broker/app/config_words.h"

namespace lianxi::app {
namespace {

using Type = TomlNode::Type;

// Each key of a table with its text, or its list of texts; what is of another type is a finding.
template <class Take>
void each_list(const TomlNode& root, std::string_view table, const std::string& path, std::vector<ConfigFinding>& findings,
               Take take) {
  for (std::size_t i = 0; i < root.keys.size(); ++i) {
    if (root.keys[i] != table || root.items[i].type != Type::table) continue;
    const TomlNode& of = root.items[i];
    for (std::size_t k = 0; k < of.keys.size(); ++k) {
      const TomlNode& item = of.items[k];
      std::vector<std::string> texts;
      if (item.type == Type::text) texts.push_back(item.text);
      if (item.type == Type::array)
        for (const TomlNode& one : item.items)
          if (one.type == Type::text) texts.push_back(one.text);
      if (texts.empty() || (item.type == Type::array && texts.size() != item.items.size())) {
        findings.push_back({false, path, item.line, std::string(table) + "." + of.keys[k], "holds something that is no text",
                            "write a text, or a list of texts"});
        continue;
      }
      take(of.keys[k], texts, item.line);
    }
  }
}

void read_places(const std::string& path, MapNames& names, std::vector<ConfigFinding>& findings) {
  const auto tree = read_toml(path, findings);
  if (!tree) return;
  each_list(*tree, "aliases", path, findings,
            [&](const std::string& former, const std::vector<std::string>& now, std::uint32_t line) {
              const auto wrong = [&](const std::string& code, const Refusal& why) {
                findings.push_back({false, path, line, "aliases." + former, "'" + code + "' is no code of a place", why.reason});
              };
              if (const auto code = PlaceCode::parse(former); !code) return wrong(former, code.error());
              for (const std::string& text : now) {
                auto code = PlaceCode::parse(text);
                if (!code) return wrong(text, code.error());
                names.aliases[former].push_back(*code);
              }
            });
}

void read_capabilities(const std::string& path, MapNames& names, std::vector<ConfigFinding>& findings) {
  const auto tree = read_toml(path, findings);
  if (!tree) return;
  for (const char* table : {"capabilities", "english", "synonyms"})
    each_list(*tree, table, path, findings, [&](const std::string& word, const std::vector<std::string>& called, std::uint32_t) {
      auto& list = names.capabilities[word];
      list.insert(list.end(), called.begin(), called.end());
    });
}

}  // namespace

MapNames read_map_names(const NodeFile& file, std::vector<ConfigFinding>& findings) {
  MapNames names;
  if (!file.map_places.empty()) read_places(file.map_places, names, findings);
  if (!file.map_capabilities.empty()) read_capabilities(file.map_capabilities, names, findings);
  return names;
}

}  // namespace lianxi::app
