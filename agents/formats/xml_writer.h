// XML as text, element by element, indented. Everything is escaped; names are the caller's own words.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace lianxi::formats {

class XmlWriter {
 public:
  void open_root(std::string_view name, const std::vector<std::pair<std::string_view, std::string_view>>& namespaces);
  void open(std::string_view name);
  void close();  // the innermost that is open
  void text(std::string_view name, std::string_view value);
  void instruction(std::string_view target, std::string_view text);  // the text must not hold "?>"
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  void begin_line();

  std::string out_;
  std::vector<std::string> open_;
};

}  // namespace lianxi::formats
