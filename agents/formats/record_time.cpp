#include <array>
#include <chrono>

#include "agents/formats/records.h"
#include "agents/formats/text.h"

namespace lianxi::formats {
namespace {

constexpr std::int64_t kMsPerSecond = 1000;

struct Digits {
  char letter;
  std::size_t count;
};
constexpr std::array<Digits, 6> kLetters = {{{'Y', 4}, {'m', 2}, {'d', 2}, {'H', 2}, {'M', 2}, {'S', 2}}};

std::optional<TimeMs> by_pattern(std::string_view text, std::string_view pattern, std::int32_t offset_minutes) {
  std::map<char, int> parts = {{'H', 0}, {'M', 0}, {'S', 0}};
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') {
      if (text.empty() || text.front() != pattern[i]) return std::nullopt;
      text.remove_prefix(1);
      continue;
    }
    if (++i == pattern.size()) return std::nullopt;
    for (const Digits& digits : kLetters) {
      if (digits.letter != pattern[i]) continue;
      const std::string_view part = text.substr(0, digits.count);
      if (part.size() != digits.count || !all_digits(part)) return std::nullopt;
      parts[digits.letter] = number<int>(part).value_or(0);
      text.remove_prefix(digits.count);
    }
  }
  using namespace std::chrono;
  const year_month_day day{year(parts['Y']), month(static_cast<unsigned>(parts['m'])),
                           std::chrono::day(static_cast<unsigned>(parts['d']))};
  if (!text.empty() || !day.ok() || parts['H'] > 23 || parts['M'] > 59 || parts['S'] > 59) return std::nullopt;
  const auto at = sys_days(day) + hours(parts['H']) + minutes(parts['M'] - offset_minutes) + seconds(parts['S']);
  return duration_cast<milliseconds>(at.time_since_epoch()).count();
}

std::string offset_text(std::int32_t minutes) {
  const auto two = [](std::int32_t n) { return std::string(n < 10 ? "0" : "") + std::to_string(n); };
  const std::int32_t size = minutes < 0 ? -minutes : minutes;
  return (minutes < 0 ? "-" : "+") + two(size / 60) + ":" + two(size % 60);
}

// 10 digits of seconds reach to the year 2286; more are milliseconds by mistake.
constexpr std::int64_t kMaxEpochSeconds = 9'999'999'999;

}  // namespace

Result<TimeMs> read_time(std::string_view text, const TimeRule& rule) {
  const auto wrong = [&] {
    return refuse(RefusalCode::invalid_field, "",
                  "\"" + shortened(text) + "\" is not a time of the form " + rule.format + " that the mapping names");
  };
  if (rule.format == "epoch_s" || rule.format == "epoch_ms") {
    const auto value = number<std::int64_t>(text);
    const bool in_seconds = rule.format == "epoch_s";
    if (!value || (in_seconds && (*value > kMaxEpochSeconds || *value < 0))) return wrong();
    return in_seconds ? *value * kMsPerSecond : *value;
  }
  if (rule.format == "iso8601") {
    if (auto time = parse_iso8601(text)) return *time;
    if (!rule.offset_minutes) return wrong();
    std::string whole(text);
    if (whole.size() > 10 && whole[10] == ' ') whole[10] = 'T';
    if (auto time = parse_iso8601(whole + offset_text(*rule.offset_minutes))) return *time;
    return wrong();
  }
  const auto time = by_pattern(text, rule.format, rule.offset_minutes.value_or(0));
  if (!time) return wrong();
  return *time;
}

}  // namespace lianxi::formats
