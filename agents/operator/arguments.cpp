#include "agents/operator/arguments.h"

#include <algorithm>
#include <charconv>
#include <tuple>

#include "agents/operator/console.h"
#include "schemas/limits.h"
#include "schemas/vocabulary.h"

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

namespace {

Result<LonLat> parse_point(const char* option, const std::string& text, const Say& say) {
  const std::size_t comma = text.find(',');
  const auto lon = number_of<double>(std::string_view(text).substr(0, comma));
  const auto lat = comma == std::string::npos ? std::nullopt : number_of<double>(std::string_view(text).substr(comma + 1));
  if (!lon || !lat) {
    return wrong(option, text,
                 say("two numbers in degrees, LON,LAT, as in 118.958,28.973", "应为两个度数:经度,纬度,如 118.958,28.973"));
  }
  if (is_lon(*lon) && is_lat(*lat)) return LonLat{*lon, *lat};
  if (is_lon(*lat) && is_lat(*lon)) {
    return wrong(option, text,
                 say("latitude first? China lies at lon 73..135, lat 3..54; longitude comes first: LON,LAT",
                     "是不是先写了纬度?中国在经度 73..135、纬度 3..54;请先写经度:经度,纬度"));
  }
  return wrong(option, text,
               say("outside China, which lies at lon 73..135, lat 3..54", "不在中国范围内:经度 73..135,纬度 3..54"));
}

}  // namespace

Result<LonLat> parse_near(const std::string& text, const Say& say) {
  return parse_point("--near", text, say);
}

Result<Circle> parse_area(const std::string& text, const Say& say) {
  const std::size_t comma = text.rfind(',');
  std::string_view digits = comma == std::string::npos ? std::string_view() : std::string_view(text).substr(comma + 1);
  if (digits.ends_with("km")) digits.remove_suffix(2);
  const auto radius_km = number_of<double>(digits);
  if (!radius_km || text.find(',') == comma || !(*radius_km >= 0) || *radius_km * 1000 > kMaxAreaRadiusM) {
    return wrong("--area", text,
                 say("LON,LAT,RADIUS_KM, as in 118.958,28.973,5; at most 1000 km",
                     "应为 经度,纬度,半径(公里),如 118.958,28.973,5;最大 1000 公里"));
  }
  const auto centre = parse_point("--area", text.substr(0, comma), say);
  if (!centre) return tl::unexpected(centre.error());
  return Circle{*centre, *radius_km * 1000};
}

Result<std::vector<LonLat>> parse_polygon(const std::string& text, const Say& say) {
  constexpr std::size_t kMaxFileBytesHere = 64 * 1024;
  constexpr const char* kBlank = " \t\r\n;";
  std::string points = text;
  if (text.find_first_not_of("0123456789.,- \t\r\n;") != std::string::npos) {
    auto file = read_input(text, kMaxFileBytesHere);
    if (!file) return refuse(file.error().code, "--polygon", file.error().reason);
    points = std::move(*file);
  }
  std::vector<LonLat> ring;
  for (std::size_t at = points.find_first_not_of(kBlank); at != std::string::npos;) {
    const std::size_t end = std::min(points.find_first_of(kBlank, at), points.size());
    const auto point = parse_point("--polygon", points.substr(at, end - at), say);
    if (!point) return tl::unexpected(point.error());
    ring.push_back(*point);
    at = points.find_first_not_of(kBlank, end);
  }
  if (!ring.empty() && ring.front() != ring.back()) ring.push_back(ring.front());
  if (ring.size() < 4 || ring.size() > kMaxAreaPoints) {
    return wrong("--polygon", text,
                 say("a file, or points LON,LAT LON,LAT LON,LAT ...: 3 to 1023 of them, in order along the border",
                     "应为文件,或沿边界依次写出的 3 至 1023 个点:经度,纬度 经度,纬度 经度,纬度 …"));
  }
  return ring;
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

Result<AskExplain> parse_event(const std::string& text, const Say& say) {
  AskExplain ask;
  if (const auto offset = number_of<std::uint64_t>(text); offset && *offset > 0) {
    ask.offset = Offset(*offset);
    return ask;
  }
  if (text.find(':') != std::string::npos) {
    ask.entity = text;
    return ask;
  }
  std::vector<std::string> parts;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find('/', at), text.size());
    parts.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  if (parts.size() == 5) {
    const auto region = parse_region(parts[0]);
    const auto epoch = number_of<std::uint32_t>(parts[1]);
    const auto sequence = number_of<std::uint64_t>(parts[4]);
    const auto audience = Audience::parse(parts[3]);
    for (const Lane lane : {Lane::flash, Lane::normal, Lane::bulk}) {
      if (!region || !epoch || !audience || !sequence || *sequence == 0 || to_word(lane) != parts[2]) continue;
      ask.feed = FeedPosition{{*region, Epoch(*epoch), lane, *audience}, {Sequence(*sequence), Hash{}}};
      return ask;
    }
  }
  return wrong("EVENT", text,
               say("an entity as in 330800:incident:2026-07, an event as in 330800/1/normal/conference/12, or an offset",
                   "应为实体标识(如 330800:incident:2026-07)、事件(如 330800/1/normal/conference/12)或日志位置号"));
}

namespace {

// "2支", "1.5 吨", "500": a number above 0 with at most three decimals, then its unit.
std::optional<std::pair<std::int64_t, std::string>> quantity_of(std::string_view text) {
  const std::size_t end = std::min(text.find_first_not_of("0123456789."), text.size());
  const std::string_view digits = text.substr(0, end);
  const std::size_t dot = std::min(digits.find('.'), digits.size());
  const std::string_view fraction = dot < digits.size() ? digits.substr(dot + 1) : std::string_view();
  const auto whole = number_of<std::int64_t>(digits.substr(0, dot));
  constexpr std::int64_t kMost = 1'000'000'000;
  if (!whole || *whole > kMost || fraction.size() > 3 || (dot < digits.size() && fraction.empty())) return std::nullopt;
  const auto milli = number_of<std::int64_t>(std::to_string(*whole) + (std::string(fraction) + "000").substr(0, 3));
  if (!milli || *milli <= 0) return std::nullopt;
  std::string_view unit = text.substr(end);
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  return std::pair{*milli, std::string(unit)};
}

}  // namespace

Result<Need> parse_need(const std::string& text, const Say& say) {
  const std::size_t equals = text.rfind('=');
  const auto quantity = equals == std::string::npos ? std::nullopt : quantity_of(std::string_view(text).substr(equals + 1));
  std::string what = text.substr(0, equals);
  Need need;
  if (const std::size_t colon = what.find(':'); colon != std::string::npos) {
    const auto type = parse_word<ResourceType>(what.substr(0, colon));
    if (!type) return wrong("--need", text, type.error().reason.c_str());
    need.type = *type;
    what.erase(0, colon + 1);
  }
  if (!quantity || what.empty())
    return wrong("--need", text,
                 say("what, and how many, as in team:hazmat=2 or supply:respirator=500",
                     "应为 内容=数量,如 team:hazmat=2支 或 supply:呼吸器=500只"));
  need.what = std::move(what);
  need.quantity_milli = quantity->first;
  need.unit = quantity->second;
  return need;
}

Result<Picked> parse_picked(const std::string& text, const Say& say) {
  const std::size_t equals = text.rfind('=');
  Picked picked{text.substr(0, equals), 0, {}};
  const auto quantity = equals == std::string::npos ? std::nullopt : quantity_of(std::string_view(text).substr(equals + 1));
  if (picked.resource.find(":resource:") == std::string::npos || (equals != std::string::npos && !quantity))
    return wrong("--resource", text,
                 say("a resource's entity and how many, as in 361100:resource:team-3=1; `lianxi resources` shows them",
                     "应为 资源实体=数量,如 361100:resource:team-3=1支,见 `lianxi resources`"));
  if (quantity) std::tie(picked.quantity_milli, picked.unit) = *quantity;
  return picked;
}

Result<When> parse_when(const std::string& text, const Say& say) {
  if (const auto instant = parse_iso8601(text)) return When{*instant, {}};
  std::string_view digits = text;
  std::int64_t unit_ms = 0;
  for (const auto& [suffix, ms] : {std::pair{'m', std::int64_t{60'000}}, std::pair{'h', std::int64_t{3'600'000}},
                                   std::pair{'d', std::int64_t{86'400'000}}}) {
    if (text.ends_with(suffix)) unit_ms = ms;
  }
  if (unit_ms != 0) digits.remove_suffix(1);
  const auto number = number_of<double>(digits);
  constexpr double kMostDays = 366;
  if (unit_ms == 0 || !number || !(*number > 0) || *number * static_cast<double>(unit_ms) > kMostDays * 86'400'000)
    return wrong("", text,
                 say("so long from now, as in 30m, 2h or 2d, or a time as in 2026-11-09T08:31:05+08:00",
                     "应为从现在起的时长(如 30m、2h、2d)或时刻(如 2026-11-09T08:31:05+08:00)"));
  return When{std::nullopt, std::chrono::milliseconds(static_cast<std::int64_t>(*number * static_cast<double>(unit_ms)))};
}

Result<LonLatBox> parse_box(const std::string& text, const Say& say) {
  const std::size_t half = text.find(',', text.find(',') + 1);
  const char* how =
      say("WEST,SOUTH,EAST,NORTH in degrees, as in 118.8,28.9,119.0,29.1", "应为 西,南,东,北(度),如 118.8,28.9,119.0,29.1");
  if (text.find(',') == std::string::npos || half == std::string::npos) return wrong("--box", text, how);
  const auto low = parse_point("--box", text.substr(0, half), say);
  const auto high = parse_point("--box", text.substr(half + 1), say);
  if (!low) return tl::unexpected(low.error());
  if (!high) return tl::unexpected(high.error());
  if (!(low->lon <= high->lon && low->lat <= high->lat)) return wrong("--box", text, how);
  return LonLatBox{low->lon, low->lat, high->lon, high->lat};
}

Result<std::int64_t> parse_at_least(const std::string& text, const Say& say) {
  const auto quantity = quantity_of(text);
  if (!quantity || !quantity->second.empty())
    return wrong("--at-least", text, say("a number above 0, as in 500", "应为大于 0 的数,如 500"));
  return quantity->first;
}

std::string cursor_text(RegionCode node, Incarnation incarnation, Offset offset) {
  return to_text(node) + ":" + std::to_string(incarnation.value) + ":" + std::to_string(offset.value);
}

}  // namespace lianxi::cli
