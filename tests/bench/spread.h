// Medians with their spread, and numbers as tables show them; for the bench's reports.
#pragma once

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

namespace lianxi::bench {

struct Spread {
  double median = 0, least = 0, most = 0;
};

[[nodiscard]] inline Spread spread_of(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return {values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2, values.front(), values.back()};
}

[[nodiscard]] inline std::string number_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, value < 10 ? "%.2f" : value < 1'000 ? "%.1f" : "%.0f", value);
  return text;
}
[[nodiscard]] inline std::string right(std::string text, std::size_t width) {
  if (text.size() < width) text.insert(0, width - text.size(), ' ');
  return text;
}
[[nodiscard]] inline std::string left(std::string text, std::size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text;
}

}  // namespace lianxi::bench
