#include "agents/formats/text.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace lianxi::formats {

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> found;
  for (std::size_t at = text.find_first_not_of(kBlanks); at != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(kBlanks, at), text.size());
    found.push_back(text.substr(at, end - at));
    at = text.find_first_not_of(kBlanks, end);
  }
  return found;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string one_line(std::string_view text) {
  std::string line;
  for (const std::string_view word : words(text)) {
    if (!line.empty()) line += ' ';
    line += word;
  }
  return line;
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

std::string listed(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += ", ";
    text += word;
  }
  return text;
}

std::optional<std::int64_t> thousandths(std::string_view text) {
  constexpr std::int64_t kMost = 1'000'000'000'000'000;
  constexpr std::size_t kDecimals = 3;
  const std::size_t exponent = text.find_first_of("eE");
  if (exponent != std::string_view::npos) {
    const auto value = number<double>(text);
    if (!value || *value < 0 || *value * 1000 > static_cast<double>(kMost)) return std::nullopt;
    const double milli = std::round(*value * 1000);
    return std::abs(milli / 1000 - *value) <= *value * 1e-15 ? std::optional(static_cast<std::int64_t>(milli)) : std::nullopt;
  }
  const std::size_t dot = std::min(text.find('.'), text.size());
  const std::string_view whole = text.substr(0, dot);
  std::string_view fraction = dot < text.size() ? text.substr(dot + 1) : std::string_view{};
  if (!all_digits(whole) || (dot < text.size() && !all_digits(fraction))) return std::nullopt;
  while (fraction.size() > kDecimals && fraction.ends_with('0')) fraction.remove_suffix(1);
  if (fraction.size() > kDecimals) return std::nullopt;
  auto milli = number<std::int64_t>(whole);
  if (!milli || *milli > kMost / 1000) return std::nullopt;
  std::int64_t parts = 0;
  for (std::size_t i = 0; i < kDecimals; ++i) parts = parts * 10 + (i < fraction.size() ? fraction[i] - '0' : 0);
  const std::int64_t sum = *milli * 1000 + parts;
  return sum > kMost ? std::nullopt : std::optional(sum);
}

std::string thousandths_text(std::int64_t milli) {
  std::string text = std::to_string(milli / 1000);
  if (milli % 1000 == 0) return text;
  std::string fraction = std::to_string(1000 + milli % 1000).substr(1);
  while (fraction.ends_with('0')) fraction.pop_back();
  return text + "." + fraction;
}

std::string shortened(std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes) return std::string(text);
  std::size_t end = max_bytes;
  while (end > 0 && (static_cast<std::uint8_t>(text[end]) & 0xC0U) == 0x80U) --end;
  return std::string(text.substr(0, end)) + "…";
}

}  // namespace lianxi::formats
