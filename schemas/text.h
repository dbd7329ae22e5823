// What counts as text from outside.
#pragma once

#include <string_view>

namespace lianxi {

// Well-formed UTF-8 (no overlong forms, surrogates or numbers above U+10FFFF) without control characters other than tab,
// line feed and carriage return: what XML, JSON and a screen can all carry.
[[nodiscard]] bool is_text(std::string_view bytes);
// Text on one line.
[[nodiscard]] bool is_line(std::string_view bytes);

}  // namespace lianxi
