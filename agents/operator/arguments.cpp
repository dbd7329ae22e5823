#include "agents/operator/arguments.h"

#include <charconv>

namespace lianxi::cli {
namespace {

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// China and its seas; a point elsewhere is a slip of the hand.
bool is_lon(double value) {
  return value >= 73 && value <= 135.1;
}
bool is_lat(double value) {
  return value >= 3 && value <= 54;
}

tl::unexpected<Refusal> wrong(const char* field, const std::string& text, const char* how) {
  return refuse(RefusalCode::invalid_field, field, "\"" + text + "\": " + how);
}

}  // namespace

Result<LonLat> parse_near(const std::string& text, const Say& say) {
  const std::size_t comma = text.find(',');
  const auto lon = number_of<double>(std::string_view(text).substr(0, comma));
  const auto lat = comma == std::string::npos ? std::nullopt : number_of<double>(std::string_view(text).substr(comma + 1));
  if (!lon || !lat) {
    return wrong("--near", text,
                 say("two numbers in degrees, LON,LAT, as in 118.958,28.973", "应为两个度数:经度,纬度,如 118.958,28.973"));
  }
  if (is_lon(*lon) && is_lat(*lat)) return LonLat{*lon, *lat};
  if (is_lon(*lat) && is_lat(*lon)) {
    return wrong("--near", text,
                 say("latitude first? China lies at lon 73..135, lat 3..54; longitude comes first: LON,LAT",
                     "是不是先写了纬度?中国在经度 73..135、纬度 3..54;请先写经度:经度,纬度"));
  }
  return wrong("--near", text,
               say("outside China, which lies at lon 73..135, lat 3..54", "不在中国范围内:经度 73..135,纬度 3..54"));
}

Result<double> parse_within(const std::string& text, const Say& say) {
  std::string_view digits = text;
  double unit = 0;
  if (digits.ends_with("km")) {
    unit = 1000;
    digits.remove_suffix(2);
  } else if (digits.ends_with("m")) {
    unit = 1;
    digits.remove_suffix(1);
  }
  const auto value = number_of<double>(digits);
  if (unit == 0 || !value || !(*value > 0) || *value * unit > 20'100'000) {
    return wrong("--within", text, say("a distance with its unit, as in 50km or 800m", "应为带单位的距离,如 50km 或 800m"));
  }
  return *value * unit;
}

Result<std::chrono::milliseconds> parse_timeout(const std::string& text, const Say& say) {
  std::string_view digits = text;
  double unit = 1000;
  if (digits.ends_with("ms")) {
    unit = 1;
    digits.remove_suffix(2);
  } else if (digits.ends_with("s")) {
    digits.remove_suffix(1);
  }
  const auto value = number_of<double>(digits);
  if (!value || !(*value * unit >= 1) || *value > 86'400) {
    return wrong("--timeout", text, say("a time, as in 5s or 500ms", "应为时间,如 5s 或 500ms"));
  }
  return std::chrono::milliseconds(static_cast<std::int64_t>(*value * unit));
}

Result<void> parse_from(const std::string& text, const Say& say, FollowCommand& follow) {
  if (text == "beginning" || text == "now") {
    follow.from = text == "now" ? FollowFrom::now : FollowFrom::beginning;
    return {};
  }
  const std::size_t first = text.find(':');
  const std::size_t second = first == std::string::npos ? first : text.find(':', first + 1);
  if (second != std::string::npos) {
    const auto region = parse_region(std::string_view(text).substr(0, first));
    const auto incarnation = number_of<std::uint64_t>(std::string_view(text).substr(first + 1, second - first - 1));
    const auto offset = number_of<std::uint64_t>(std::string_view(text).substr(second + 1));
    if (region && incarnation && offset) {
      follow.from = FollowFrom::cursor;
      follow.node = *region;
      follow.incarnation = Incarnation(*incarnation);
      follow.offset = Offset(*offset);
      return {};
    }
  }
  return wrong("--from", text,
               say("beginning, now, or a cursor region:incarnation:offset as `lianxi status` prints it",
                   "应为 beginning、now,或 `lianxi status` 所示的游标 region:incarnation:offset"));
}

std::string cursor_text(RegionCode node, Incarnation incarnation, Offset offset) {
  return to_text(node) + ":" + std::to_string(incarnation.value) + ":" + std::to_string(offset.value);
}

}  // namespace lianxi::cli
