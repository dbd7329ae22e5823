#include "agents/formats/resource_words.h"

#include <array>
#include <bit>
#include <charconv>

#include "agents/formats/text.h"

namespace lianxi::formats {
namespace {

constexpr std::uint16_t kDay = 24 * 60;
constexpr std::uint8_t kEveryDay = 0x7F;
constexpr TimeMs kDayMs = 24LL * 3'600'000;

struct DayWord {
  std::string_view word;
  std::uint8_t days;
};
constexpr std::array<DayWord, 39> kDays = {
    {{"mon", 1},           {"tue", 2},          {"wed", 4},          {"thu", 8},       {"fri", 16},     {"sat", 32},
     {"sun", 64},          {"monday", 1},       {"tuesday", 2},      {"wednesday", 4}, {"thursday", 8}, {"friday", 16},
     {"saturday", 32},     {"sunday", 64},      {"周一", 1},         {"周二", 2},      {"周三", 4},     {"周四", 8},
     {"周五", 16},         {"周六", 32},        {"周日", 64},        {"周天", 64},     {"星期一", 1},   {"星期二", 2},
     {"星期三", 4},        {"星期四", 8},       {"星期五", 16},      {"星期六", 32},   {"星期日", 64},  {"星期天", 64},
     {"daily", kEveryDay}, {"每天", kEveryDay}, {"每日", kEveryDay}, {"weekdays", 31}, {"工作日", 31},  {"weekends", 96},
     {"周末", 96},         {"双休日", 96},      {"weekend", 96}}};
constexpr std::array<std::string_view, 7> kShort = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

std::uint8_t day_of(std::string_view word) {
  for (const DayWord& day : kDays) {
    if (day.word == word) return day.days;
  }
  return 0;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

// Chinese signs as ASCII ones, lower case.
std::string plain(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  constexpr std::pair<std::string_view, std::string_view> kSigns[] = {{"；", ";"}, {"，", ","},    {"、", ","}, {"：", ":"},
                                                                      {"至", "-"}, {"到", "-"},    {"—", "-"},  {"–", "-"},
                                                                      {"～", "-"}, {"全天", "24h"}};
  for (const auto& [from, to] : kSigns) out = replaced(std::move(out), from, to);
  return out;
}

std::uint8_t days_of(std::string_view text) {
  std::uint8_t days = 0;
  for (const std::string_view part : split(text, ',')) {
    const std::size_t dash = part.find('-');
    const std::uint8_t first = day_of(trimmed(part.substr(0, dash)));
    if (first == 0) return 0;
    days |= first;
    if (dash == std::string_view::npos) continue;
    const std::uint8_t last = day_of(trimmed(part.substr(dash + 1)));
    if (std::popcount(first) != 1 || std::popcount(last) != 1) return 0;
    for (std::uint8_t day = first; day != last; day = day == 64 ? 1 : static_cast<std::uint8_t>(day << 1)) days |= day;
    days |= last;
  }
  return days;
}

std::optional<std::uint16_t> minute_of(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto hours = number<std::uint16_t>(text.substr(0, colon));
  const auto minutes = number<std::uint16_t>(text.substr(colon + 1));
  if (!hours || !minutes || text.size() - colon != 3 || *minutes > 59 || *hours * 60 + *minutes > kDay) return std::nullopt;
  return static_cast<std::uint16_t>(*hours * 60 + *minutes);
}

bool read_hours(std::string_view text, std::uint8_t days, std::vector<OnCall>& into) {
  if (text == "24h") {
    into.push_back({days, 0, kDay});
    return true;
  }
  const std::size_t dash = text.find('-');
  if (dash == std::string_view::npos) return false;
  const auto from = minute_of(trimmed(text.substr(0, dash)));
  const auto to = minute_of(trimmed(text.substr(dash + 1)));
  if (!from || !to || *from == *to || *from == kDay) return false;
  if (*from < *to) {
    into.push_back({days, *from, *to});
    return true;
  }
  into.push_back({days, *from, kDay});
  const auto next = static_cast<std::uint8_t>(((days << 1) | (days >> 6)) & kEveryDay);
  if (*to > 0) into.push_back({next, 0, *to});
  return true;
}

std::string clock_text(std::uint16_t minute) {
  std::string text = std::to_string(10'000 + minute / 60 * 100 + minute % 60).substr(1);
  text.insert(2, ":");
  return text;
}

std::string days_text(std::uint8_t days) {
  if (days == kEveryDay) return "daily";
  std::string text;
  for (std::size_t day = 0; day < kShort.size(); ++day) {
    if ((days >> day & 1) == 0) continue;
    std::size_t last = day;
    while (last + 1 < kShort.size() && (days >> (last + 1) & 1) != 0) ++last;
    text += (text.empty() ? "" : ",") + std::string(kShort.at(day));
    if (last > day) text += (last > day + 1 ? "-" : ",") + std::string(kShort.at(last));
    day = last;
  }
  return text;
}

}  // namespace

Result<std::vector<OnCall>> read_on_call(std::string_view text) {
  std::vector<OnCall> all;
  const std::string whole = plain(text);
  for (const std::string_view part : split(whole, ';')) {
    const std::string_view entry = trimmed(part);
    if (entry.empty()) continue;
    const std::size_t blank = entry.find_last_of(kBlanks);
    std::string_view hours = blank == std::string_view::npos ? entry : entry.substr(blank + 1);
    const bool has_hours = hours == "24h" || hours.find(':') != std::string_view::npos;
    std::string_view days = !has_hours                        ? entry
                            : blank == std::string_view::npos ? std::string_view{}
                                                              : trimmed(entry.substr(0, blank));
    if (!has_hours) hours = "24h";
    std::string joined;  // "mon, tue" has blanks of its own
    for (const std::string_view word : words(days)) joined += word;
    const std::uint8_t mask = joined.empty() ? kEveryDay : days_of(joined);
    if (mask == 0 || !read_hours(hours, mask, all)) {
      return refuse(RefusalCode::invalid_field, "",
                    "\"" + shortened(entry) + "\" is not days and hours such as mon-fri 08:00-18:00 or 周一至周五 08:00-18:00");
    }
  }
  return all;
}

std::string on_call_text(const std::vector<OnCall>& on_call) {
  std::string text;
  for (const OnCall& each : on_call) {
    text += (text.empty() ? "" : "; ") + days_text(each.days) + " ";
    text +=
        each.from_minute == 0 && each.to_minute == kDay ? "24h" : clock_text(each.from_minute) + "-" + clock_text(each.to_minute);
  }
  return text;
}

Result<std::vector<LonLat>> read_area(std::string_view text) {
  const auto bad = [&](const std::string& what) {
    return refuse(RefusalCode::invalid_field, "",
                  what + ": write POLYGON((118.8 28.9, 119.0 28.9, 119.0 29.1, 118.8 28.9)), or lon lat; lon lat; ...");
  };
  std::string_view rest = trimmed(text);
  char separator = ';';
  constexpr std::string_view kPolygon = "POLYGON";
  std::string head(rest.substr(0, kPolygon.size()));
  for (char& c : head) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  if (head == kPolygon) {
    separator = ',';
    rest = trimmed(rest.substr(kPolygon.size()));
    if (!rest.starts_with('(') || !rest.ends_with(')')) return bad("a POLYGON stands in ((...))");
    rest = trimmed(rest.substr(1, rest.size() - 2));
    if (!rest.starts_with('(') || !rest.ends_with(')') || rest.size() < 2) return bad("a POLYGON stands in ((...))");
    rest = rest.substr(1, rest.size() - 2);
    if (rest.find_first_of("()") != std::string_view::npos) return bad("an area has one ring and no holes");
  }
  std::vector<LonLat> ring;
  for (const std::string_view part : split(rest, separator)) {
    const auto pair = words(part);
    if (pair.empty() && separator == ';') continue;  // behind the last
    const auto lon = pair.size() == 2 ? number<double>(pair[0]) : std::nullopt;
    const auto lat = pair.size() == 2 ? number<double>(pair[1]) : std::nullopt;
    if (!lon || !lat) return bad("\"" + shortened(trimmed(part)) + "\" is not a longitude and a latitude");
    ring.push_back({*lon, *lat});
  }
  if (!ring.empty() && ring.front() != ring.back()) ring.push_back(ring.front());
  return ring;
}

std::string degrees_text(double degrees) {
  std::array<char, 32> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), degrees);
  return {buffer.data(), error == std::errc{} ? end : buffer.data()};
}

std::string area_text(const std::vector<LonLat>& area) {
  if (area.empty()) return {};
  std::string text = "POLYGON((";
  for (std::size_t i = 0; i < area.size(); ++i) {
    text += (i == 0 ? "" : ", ") + degrees_text(area[i].lon) + " " + degrees_text(area[i].lat);
  }
  return text + "))";
}

Result<std::vector<NameValue>> read_attributes(std::string_view text) {
  std::vector<NameValue> all;
  NameValue read;
  bool named = false;
  const auto end = [&] {
    if (!named && trimmed(read.name).empty()) return true;
    if (!named) return false;
    all.push_back({std::string(trimmed(read.name)), std::string(trimmed(read.value))});
    read = {};
    named = false;
    return true;
  };
  for (std::size_t at = 0; at <= text.size(); ++at) {
    if (at == text.size() || text[at] == ';') {
      if (!end()) {
        return refuse(RefusalCode::invalid_field, "",
                      "\"" + shortened(trimmed(read.name)) + "\" is not name=value; ';' parts them");
      }
    } else if (text[at] == '=' && !named) {
      named = true;
    } else {
      if (text[at] == '\\' && at + 1 < text.size()) ++at;
      (named ? read.value : read.name) += text[at];
    }
  }
  return all;
}

std::string attributes_text(const std::vector<NameValue>& attributes) {
  std::string text;
  const auto append = [&](std::string_view part) {
    for (const char c : part) {
      if (c == ';' || c == '=' || c == '\\') text += '\\';
      text += c;
    }
  };
  for (const NameValue& each : attributes) {
    if (!text.empty()) text += "; ";
    append(each.name);
    text += '=';
    append(each.value);
  }
  return text;
}

Result<TimeMs> read_day(std::string_view text, bool up_to_its_end) {
  constexpr std::size_t kDayChars = 10;
  if (text.size() > kDayChars) return parse_iso8601(text);
  const auto day = parse_iso8601(std::string(text) + "T00:00:00+08:00");
  if (!day)
    return refuse(RefusalCode::invalid_field, "",
                  "\"" + shortened(text) + "\" is not a day such as 2026-07-31, nor a time with its offset");
  return up_to_its_end ? *day + kDayMs : *day;
}

}  // namespace lianxi::formats
