// Reading one element of an EDXL-RM document that the schema has admitted: the first fault is kept and ends the reading, what has
// no place of its own is kept as text. For edxl_rm*.cpp alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/formats/xml_tree.h"
#include "schemas/vocabulary.h"

namespace lianxi::formats {

struct EdxlNotes {
  std::optional<Refusal> fault;
  std::vector<std::string> warnings;
};

class EdxlScope {
 public:
  // Borrows both.
  EdxlScope(const XmlElement& element, std::string path, EdxlNotes& notes)
      : element_(element), path_(std::move(path)), notes_(notes) {}

  [[nodiscard]] const XmlElement& element() const { return element_; }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] EdxlNotes& notes() const { return notes_; }

  [[nodiscard]] std::optional<EdxlScope> child(std::string_view name) const;
  [[nodiscard]] std::vector<EdxlScope> children(std::string_view name) const;
  [[nodiscard]] std::string text(std::string_view name) const;  // of the child; empty if there is none
  [[nodiscard]] std::optional<TimeMs> time(std::string_view name) const;
  template <class E>
  [[nodiscard]] std::optional<E> word(std::string_view name) const {
    const auto found = child(name);
    if (!found) return std::nullopt;
    const Result<E> value = parse_word<E>(found->element_.text);
    if (!value) found->refuse(value.error().reason);
    return value ? std::optional<E>(*value) : std::nullopt;
  }
  // The value of a list: of ours as it is, of another as "urn value"; several values are refused.
  [[nodiscard]] std::string value_of(std::string_view own_urn) const;

  void refuse(std::string reason) const;
  // Appends "Name: text" of this element and all below to `into`, and warns.
  void keep(std::string& into) const;

 private:
  const XmlElement& element_;
  std::string path_;
  EdxlNotes& notes_;
};

}  // namespace lianxi::formats
