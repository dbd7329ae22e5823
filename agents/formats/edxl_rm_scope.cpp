#include "agents/formats/edxl_rm_scope.h"

#include "agents/formats/text.h"

namespace lianxi::formats {
namespace {

void flatten(const XmlElement& element, const std::string& path, std::string& out) {
  if (!element.text.empty()) out += (out.empty() ? "" : "; ") + path + ": " + element.text;
  for (const XmlElement& child : element.children) flatten(child, path + "/" + child.name, out);
}

}  // namespace

std::vector<EdxlScope> EdxlScope::children(std::string_view name) const {
  std::vector<EdxlScope> found;
  std::size_t all = 0;
  for (const XmlElement& child : element_.children) all += child.name == name ? 1U : 0U;
  for (const XmlElement& child : element_.children) {
    if (child.name != name) continue;
    std::string path = path_ + "/" + std::string(name);
    if (all > 1) path += "[" + std::to_string(found.size() + 1) + "]";
    found.emplace_back(child, std::move(path), notes_);
  }
  return found;
}

std::optional<EdxlScope> EdxlScope::child(std::string_view name) const {
  for (const XmlElement& child : element_.children) {
    if (child.name == name) return EdxlScope(child, path_ + "/" + std::string(name), notes_);
  }
  return std::nullopt;
}

std::string EdxlScope::text(std::string_view name) const {
  const auto found = child(name);
  return found ? found->element_.text : std::string{};
}

std::optional<TimeMs> EdxlScope::time(std::string_view name) const {
  const auto found = child(name);
  if (!found) return std::nullopt;
  const Result<TimeMs> time = parse_iso8601(found->element_.text);
  if (!time) {
    found->refuse("\"" + shortened(found->element_.text) +
                  "\" does not say its offset, or no time that can be read: write it as 2020-11-09T08:31:05+08:00");
    return std::nullopt;
  }
  return *time;
}

std::string EdxlScope::value_of(std::string_view own_urn) const {
  const std::string urn = text("ValueListURN");
  const auto values = children("Value");
  if (values.size() > 1) values[1].refuse("one value is read here: take the others out, or give each its own element");
  const std::string value = values.empty() ? std::string{} : values.front().element().text;
  return urn == own_urn || urn.empty() ? value : urn + " " + value;
}

void EdxlScope::refuse(std::string reason) const {
  if (notes_.fault) return;
  notes_.fault =
      Refusal{RefusalCode::invalid_field, path_ + " (line " + std::to_string(element_.line) + ")", std::move(reason), 0};
}

void EdxlScope::keep(std::string& into) const {
  std::string text;
  flatten(element_, element_.name, text);
  if (text.empty()) return;
  into += (into.empty() ? "" : "\n") + text;
  notes_.warnings.push_back(path_ + " (line " + std::to_string(element_.line) +
                            ") has no field of its own here and is kept in the description");
}

}  // namespace lianxi::formats
