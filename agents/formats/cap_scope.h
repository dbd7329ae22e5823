// Reading one element of a CAP document under the standard's rules: the first broken rule is kept and ends the reading, what is
// tolerated is noted. Inside cap*.cpp only.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/formats/text.h"
#include "agents/formats/xml_tree.h"
#include "schemas/event.h"
#include "schemas/vocabulary.h"

namespace lianxi::formats {

struct CapNotes {
  std::optional<Refusal> broken;
  std::vector<std::string> warnings;

  void refuse(std::string path, const std::string& rule) {
    if (!broken) broken = Refusal{RefusalCode::cap_rule, path, path + " " + rule, 0};
  }
  void warn(const std::string& path, const std::string& text) { warnings.push_back(path + " " + text); }
};

class CapScope {
 public:
  // Borrows both. `once` and `many` are all the names that the standard knows here.
  CapScope(const XmlElement& element, std::string path, CapNotes& notes)
      : element_(element), path_(std::move(path)), notes_(notes) {}

  // Names the standard does not know break it; elements of other namespaces (signatures) are noted and left out.
  void check_names(std::initializer_list<std::string_view> once, std::initializer_list<std::string_view> many) const;

  [[nodiscard]] std::string path(std::string_view name) const { return path_ + "." + std::string(name); }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] CapNotes& notes() const { return notes_; }

  // All children of this name that hold anything: an empty optional element counts as absent.
  [[nodiscard]] std::vector<const XmlElement*> all(std::string_view name) const;
  [[nodiscard]] std::string optional(std::string_view name) const;
  [[nodiscard]] std::string required(std::string_view name) const;
  [[nodiscard]] std::string line(std::string_view name) const;  // optional, line breaks and runs of blanks made one blank
  [[nodiscard]] std::vector<std::string> texts(std::string_view name) const;
  [[nodiscard]] std::vector<CapScope> scopes(std::string_view name) const;
  [[nodiscard]] std::optional<TimeMs> time(std::string_view name) const;
  [[nodiscard]] std::optional<double> decimal(std::string_view name) const;
  [[nodiscard]] std::vector<NameValue> name_values(std::string_view name) const;

  template <class E>
  [[nodiscard]] E word(std::string_view name) const {
    return read_word<E>(required(name), path(name));
  }
  template <class E>
  [[nodiscard]] std::vector<E> all_words(std::string_view name) const {
    std::vector<E> found;
    for (const std::string& text : texts(name)) found.push_back(read_word<E>(text, path(name)));
    return found;
  }

 private:
  template <class E>
  [[nodiscard]] E read_word(const std::string& text, const std::string& where) const {
    if (text.empty()) return E{};  // absent: noted already where it is required
    const Result<E> word = parse_word<E>(text);
    if (!word) notes_.refuse(where, "is not a word of CAP: " + word.error().reason);
    return word.value_or(E{});
  }
  [[nodiscard]] std::string text_of(const XmlElement& child) const;

  const XmlElement& element_;
  std::string path_;
  CapNotes& notes_;
};

[[nodiscard]] TimeMs cap_time(const std::string& text, const std::string& path, CapNotes& notes);
void read_area(const CapScope& scope, AlertArea& area);

}  // namespace lianxi::formats
