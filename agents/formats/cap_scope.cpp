#include "agents/formats/cap_scope.h"

#include <algorithm>

namespace lianxi::formats {
namespace {

bool contains(std::initializer_list<std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

bool holds_nothing(const XmlElement& element) {
  return element.text.empty() && element.children.empty();
}

}  // namespace

void CapScope::check_names(std::initializer_list<std::string_view> once, std::initializer_list<std::string_view> many) const {
  std::vector<std::string_view> seen;
  for (const XmlElement& child : element_.children) {
    if (child.ns != element_.ns) {
      notes_.warn(path(child.name), "is of the namespace " + shortened(child.ns) + " and was left out");
    } else if (contains(once, child.name)) {
      if (std::ranges::find(seen, child.name) != seen.end()) notes_.refuse(path(child.name), "may stand only once");
      seen.push_back(child.name);
    } else if (!contains(many, child.name)) {
      notes_.refuse(path(shortened(child.name)), "is not an element of CAP (line " + std::to_string(child.line) +
                                                     "): mend its name, or carry it as a <parameter>");
    }
  }
}

std::vector<const XmlElement*> CapScope::all(std::string_view name) const {
  std::vector<const XmlElement*> found;
  for (const XmlElement& child : element_.children) {
    if (child.ns == element_.ns && child.name == name && !holds_nothing(child)) found.push_back(&child);
  }
  return found;
}

std::string CapScope::text_of(const XmlElement& child) const {
  if (!child.children.empty()) {
    notes_.refuse(path(child.name), "holds text only, not the element " + shortened(child.children.front().name));
  }
  return child.text;
}

std::string CapScope::optional(std::string_view name) const {
  const auto found = all(name);
  return found.empty() ? std::string{} : text_of(*found.front());
}

std::string CapScope::required(std::string_view name) const {
  std::string text = optional(name);
  if (text.empty()) notes_.refuse(path(name), "is required: add <" + std::string(name) + "> with its text");
  return text;
}

std::string CapScope::line(std::string_view name) const {
  return one_line(optional(name));
}

std::vector<std::string> CapScope::texts(std::string_view name) const {
  std::vector<std::string> found;
  for (const XmlElement* child : all(name)) found.push_back(text_of(*child));
  return found;
}

std::vector<CapScope> CapScope::scopes(std::string_view name) const {
  std::vector<CapScope> found;
  for (const XmlElement* child : all(name)) {
    found.emplace_back(*child, path(name) + "[" + std::to_string(found.size()) + "]", notes_);
  }
  return found;
}

std::optional<TimeMs> CapScope::time(std::string_view name) const {
  const std::string text = optional(name);
  if (text.empty()) return std::nullopt;
  return cap_time(text, path(name), notes_);
}

std::optional<double> CapScope::decimal(std::string_view name) const {
  const std::string text = optional(name);
  if (text.empty()) return std::nullopt;
  const auto value = number<double>(text);
  if (!value) notes_.refuse(path(name), "is a number such as 1200, not \"" + shortened(text) + "\"");
  return value;
}

std::vector<NameValue> CapScope::name_values(std::string_view name) const {
  std::vector<NameValue> found;
  for (const CapScope& pair : scopes(name)) {
    pair.check_names({"valueName", "value"}, {});
    NameValue read{pair.line("valueName"), pair.optional("value")};
    if (read.name.empty() && read.value.empty()) continue;
    if (read.name.empty()) notes_.refuse(pair.path("valueName"), "is required: it says what the value is a code of");
    found.push_back(std::move(read));
  }
  return found;
}

TimeMs cap_time(const std::string& text, const std::string& path, CapNotes& notes) {
  const Result<TimeMs> time = parse_iso8601(text);
  if (!time) {
    notes.refuse(path, "is a time such as 2020-11-09T08:31:05+08:00, not \"" + shortened(text) + "\"");
    return 0;
  }
  if (text.ends_with('Z') || text.ends_with('z')) notes.warn(path, "ends in Z; CAP writes the offset, -00:00 for UTC");
  return *time;
}

}  // namespace lianxi::formats
