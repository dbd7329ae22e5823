// Small words about text that the readers of this floor share.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lianxi::formats {

inline constexpr std::string_view kBlanks = " \t\r\n";

[[nodiscard]] std::string_view trimmed(std::string_view text);
// Split at any run of blanks; no empty words.
[[nodiscard]] std::vector<std::string_view> words(std::string_view text);
// Split at every `separator`; "a,,b" has an empty word in the middle, "" is one empty word.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);
// Runs of blanks and line breaks made one space.
[[nodiscard]] std::string one_line(std::string_view text);
[[nodiscard]] bool all_digits(std::string_view text);
// "a, b, c", for reasons.
[[nodiscard]] std::string listed(const std::vector<std::string>& words);
// `text`, cut at a character's bound with "…" behind, for reasons.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t max_bytes = 80);

// An amount from 0 in thousandths: "12.5" is 12500, also as an XML double ("1.25E1"). Nothing for more than three decimals, a
// sign, thousands separators, or what is above 10^12.
[[nodiscard]] std::optional<std::int64_t> thousandths(std::string_view text);
[[nodiscard]] std::string thousandths_text(std::int64_t milli);

// The whole text as a number, a leading '+' allowed; nothing if anything is left over or it is not finite.
template <class Number>
[[nodiscard]] std::optional<Number> number(std::string_view text) {
  if (text.starts_with('+') && text.size() > 1 && text[1] != '-') text.remove_prefix(1);
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (!(value - value == Number{})) return std::nullopt;  // inf and nan
  return value;
}

}  // namespace lianxi::formats
