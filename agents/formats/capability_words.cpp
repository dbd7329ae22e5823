#include "agents/formats/capability_words.h"

#include <toml++/toml.h>
#include <fstream>
#include <sstream>
#include <vector>

#include "agents/formats/text.h"
#include "schemas/limits.h"

namespace lianxi::formats {
namespace {

std::string folded(std::string_view text) {
  std::string lower(trimmed(text));
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

void texts_in(const toml::node& node, std::vector<std::string>& found) {
  if (const auto* text = node.as_string()) found.push_back(text->get());
  if (const auto* list = node.as_array()) {
    for (const toml::node& each : *list) texts_in(each, found);
  }
  if (const auto* table = node.as_table()) {
    for (const auto& [key, value] : *table) texts_in(value, found);
  }
}

}  // namespace

Result<CapabilityWords> CapabilityWords::load(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return refuse(RefusalCode::config, "capabilities", path + " cannot be read");
  return parse(text.str(), path);
}

Result<CapabilityWords> CapabilityWords::parse(std::string_view text, const std::string& path) {
  if (text.size() > kMaxMappingBytes) return refuse(RefusalCode::config, "capabilities", path + " is too large");
  toml::table root;
  try {
    root = toml::parse(text);
  } catch (const toml::parse_error& error) {
    return refuse(RefusalCode::config, "capabilities",
                  path + ", line " + std::to_string(error.source().begin.line) + ": " + std::string(error.description()));
  }
  const toml::table* own = root["capabilities"].as_table();
  if (own == nullptr) return refuse(RefusalCode::config, "capabilities", path + " has no table [capabilities]");
  CapabilityWords all;
  for (const auto& [title, node] : root) {
    const toml::table* table = node.as_table();
    if (table == nullptr) continue;
    for (const auto& [key, named] : *table) {
      const std::string word(key.str());
      if (!own->contains(word)) {
        return refuse(RefusalCode::config, "capabilities",
                      path + ": [" + std::string(title.str()) + "] names " + word + ", which is not in [capabilities]");
      }
      std::vector<std::string> names{word};
      texts_in(named, names);
      for (const std::string& name : names) {
        const auto [found, fresh] = all.words_.emplace(folded(name), word);
        if (!fresh && found->second != word) {
          return refuse(RefusalCode::config, "capabilities",
                        path + ": \"" + name + "\" names both " + found->second + " and " + word);
        }
      }
    }
  }
  return all;
}

std::optional<std::string_view> CapabilityWords::word_of(std::string_view name) const {
  const auto found = words_.find(folded(name));
  return found == words_.end() ? std::nullopt : std::optional<std::string_view>(found->second);
}

}  // namespace lianxi::formats
