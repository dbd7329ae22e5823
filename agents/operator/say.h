// The operator's two languages. Every text that a person reads stands beside its translation.
#pragma once

#include <cstdint>

namespace lianxi::cli {

enum class Language : std::uint8_t { english, chinese };

struct Say {
  Language language = Language::english;
  [[nodiscard]] bool chinese() const { return language == Language::chinese; }
  [[nodiscard]] const char* operator()(const char* english, const char* chinese) const {
    return language == Language::chinese ? chinese : english;
  }
};

// From LC_ALL, LC_MESSAGES or LANG, as the C library would choose.
[[nodiscard]] Language language_of_environment();

}  // namespace lianxi::cli
