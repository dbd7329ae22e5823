// How the texts of options become values. For *_options.cpp alone.
#pragma once

#include "agents/operator/settings.h"
#include "schemas/vocabulary.h"

namespace lianxi::cli {

// Reads the texts of the options one after another; keeps the first fault, with its option.
class Reading {
 public:
  explicit Reading(const Say& say) : say_(say) {}

  template <class T>
  void with(const char* option, const std::string& text, std::optional<T>& into,
            Result<T> (*parse)(const std::string&, const Say&)) {
    if (text.empty()) return;
    auto value = parse(text, say_);
    if (!value) return keep(refuse(value.error().code, option, value.error().reason));
    into = std::move(*value);
  }
  template <class T, class Parse>
  void each(const char* option, const std::vector<std::string>& texts, std::vector<T>& into, Parse parse) {
    for (const std::string& text : texts) {
      auto value = parse(text);
      if (!value) return keep(refuse(value.error().code, option, value.error().reason));
      into.push_back(std::move(*value));
    }
  }
  template <class T, class Parse>
  void one(const char* option, const std::string& text, T& into, Parse parse) {
    if (text.empty()) return;
    auto value = parse(text);
    if (!value) return keep(refuse(value.error().code, option, value.error().reason));
    into = std::move(*value);
  }
  template <class T>
  [[nodiscard]] Result<Command> done(T command) {
    if (fault_) return tl::unexpected(std::move(*fault_));
    return Command(std::move(command));
  }

 private:
  void keep(Result<void> read) {
    if (!read && !fault_) fault_ = std::move(read.error());
  }
  Say say_;
  std::optional<Refusal> fault_;
};

inline const auto kPlace = [](const std::string& text) { return PlaceCode::parse(text); };
inline const auto kRegion = [](const std::string& text) { return parse_region(text); };
inline const auto kType = [](const std::string& text) { return parse_word<ResourceType>(text); };

}  // namespace lianxi::cli
