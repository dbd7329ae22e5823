#include "schemas/ids.h"

#include <fmt/format.h>
#include <algorithm>
#include <charconv>
#include <chrono>

#include "schemas/limits.h"

namespace lianxi {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '-'; });
}

bool is_code(std::string_view digits) {
  return !digits.empty() && digits.front() != '0' && std::ranges::all_of(digits, is_digit);
}

std::uint32_t number_of(std::string_view digits) {
  std::uint32_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value);
  return value;
}

std::string quoted(std::string_view text) {
  constexpr std::size_t kShown = 80;
  return fmt::format("'{}{}'", text.substr(0, kShown), text.size() > kShown ? "…" : "");
}

}  // namespace

Result<AgentId> AgentId::parse(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return refuse(
        RefusalCode::invalid_field, "agent",
        fmt::format("{} is not an agent id: {}; write <region>.<agency>.<name>, e.g. 330800.police.dispatch", quoted(text), why));
  };
  if (text.size() > kMaxAgentIdBytes) return wrong(fmt::format("longer than {} bytes", kMaxAgentIdBytes));
  const std::size_t first = text.find('.');
  const std::size_t second = first == std::string_view::npos ? first : text.find('.', first + 1);
  if (second == std::string_view::npos) return wrong("it needs three parts");
  if (first != 6 || !is_code(text.substr(0, first))) return wrong("the region is a code of 6 digits");
  if (!is_name(text.substr(first + 1, second - first - 1)) || !is_name(text.substr(second + 1))) {
    return wrong("agency and name are lower case letters, digits and '-'");
  }
  AgentId id;
  id.text_ = text;
  return id;
}

RegionCode AgentId::region() const {
  return RegionCode(number_of(std::string_view(text_).substr(0, std::min<std::size_t>(6, text_.size()))));
}

std::string_view AgentId::agency() const {
  const std::string_view text = text_;
  if (text.size() < 7) return {};
  return text.substr(7, text.find('.', 7) - 7);
}

Result<Audience> Audience::parse(std::string_view text) {
  if (!is_name(text) || text.size() > kMaxAudienceBytes) {
    return refuse(
        RefusalCode::invalid_field, "audience",
        fmt::format("{} is not an audience: write local, conference, or a group's name of lower case letters, digits and "
                    "'-', at most {} bytes",
                    quoted(text), kMaxAudienceBytes));
  }
  Audience audience;
  audience.text_ = text;
  return audience;
}

Audience Audience::local() {
  Audience audience;
  audience.text_ = "local";
  return audience;
}

Audience Audience::conference() {
  Audience audience;
  audience.text_ = "conference";
  return audience;
}

Result<PlaceCode> PlaceCode::parse(std::string_view digits) {
  const std::size_t n = digits.size();
  if (!is_code(digits) || (n != 2 && n != 4 && n != 6 && n != 9 && n != 12)) {
    return refuse(
        RefusalCode::invalid_field, "place",
        fmt::format("{} is not a place: write a GB/T 2260 code of 2, 4, 6, 9 or 12 digits, e.g. 330803", quoted(digits)));
  }
  // One place, one text: a town's code with an empty village part is the town, a county's with an empty town the county.
  while (digits.size() > 6 && digits.ends_with("000")) digits.remove_suffix(3);
  PlaceCode place;
  place.text_ = digits;
  if (n < 6) place.text_.append(6 - n, '0');
  return place;
}

PlaceCode PlaceCode::of(RegionCode region) {
  PlaceCode place;
  place.text_ = to_text(region);
  return place;
}

std::string_view PlaceCode::prefix() const {
  std::string_view digits = text_;
  while (digits.size() <= 6 && digits.size() > 2 && digits.ends_with("00")) digits.remove_suffix(2);
  return digits;
}

bool PlaceCode::covers(const PlaceCode& other) const {
  return std::string_view(other.text_).starts_with(prefix());
}

std::string_view to_word(Lane lane) {
  switch (lane) {
    case Lane::flash:
      return "flash";
    case Lane::normal:
      return "normal";
    case Lane::bulk:
      return "bulk";
  }
  return "unknown";
}

Result<RegionCode> parse_region(std::string_view digits) {
  if (digits.size() != 6 || !is_code(digits)) {
    return refuse(RefusalCode::invalid_field, "region",
                  fmt::format("{} is not a region: write a GB/T 2260 code of 6 digits, e.g. 330800", quoted(digits)));
  }
  return RegionCode(number_of(digits));
}

std::string to_text(RegionCode region) {
  return fmt::format("{:06}", region.value);
}

std::string to_text(const FeedId& feed) {
  return fmt::format("{:06}/{}/{}/{}", feed.region.value, feed.epoch.value, to_word(feed.lane), feed.audience.text());
}

std::string to_hex(BytesView bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    text.push_back(kDigits[byte >> 4U]);
    text.push_back(kDigits[byte & 15U]);
  }
  return text;
}

std::optional<Hash> hash_from_hex(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  Hash hash{};
  if (text.size() != 2 * hash.size()) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t digit = kDigits.find(text[i]);
    if (digit == std::string_view::npos) return std::nullopt;
    hash[i / 2] = static_cast<std::uint8_t>(hash[i / 2] * 16 + digit);
  }
  return hash;
}

std::string to_iso8601(TimeMs time) {
  using namespace std::chrono;
  constexpr milliseconds kBeijing = hours(8);
  const sys_time<milliseconds> local{milliseconds(std::clamp(time, kMinTimeMs, kMaxTimeMs)) + kBeijing};
  const auto day = floor<days>(local);
  const year_month_day date{day};
  const hh_mm_ss clock{local - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}+08:00", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

namespace {

// Walks "2020-11-09T08:31:05.123+08:00".
class DateTimeReader {
 public:
  explicit DateTimeReader(std::string_view text) : text_(text) {}
  bool number(std::size_t digits, int& value) {
    if (text_.size() < digits || !std::ranges::all_of(text_.substr(0, digits), is_digit)) return false;
    value = static_cast<int>(number_of(text_.substr(0, digits)));
    text_.remove_prefix(digits);
    return true;
  }
  bool literal(char c) {
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  // ".5" is 500; digits past the third are cut.
  bool fraction(int& ms) {
    ms = 0;
    if (!literal('.')) return true;
    int digits = 0;
    int scale = 100;
    while (!text_.empty() && is_digit(text_.front())) {
      ms += (text_.front() - '0') * scale;
      scale /= 10;
      ++digits;
      text_.remove_prefix(1);
    }
    return digits > 0;
  }
  bool offset(int& minutes) {
    minutes = 0;
    if (literal('Z')) return true;
    const bool east = literal('+');
    if (!east && !literal('-')) return false;
    int h = 0;
    int m = 0;
    if (!number(2, h) || !literal(':') || !number(2, m) || m > 59 || h * 60 + m > 14 * 60) return false;
    minutes = (east ? 1 : -1) * (h * 60 + m);
    return true;
  }
  [[nodiscard]] bool at_end() const { return text_.empty(); }

 private:
  std::string_view text_;
};

}  // namespace

Result<TimeMs> parse_iso8601(std::string_view text) {
  using namespace std::chrono;
  DateTimeReader in(text);
  int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0, ms = 0, zone = 0;
  const bool read = in.number(4, y) && in.literal('-') && in.number(2, mo) && in.literal('-') && in.number(2, d) &&
                    in.literal('T') && in.number(2, h) && in.literal(':') && in.number(2, mi) && in.literal(':') &&
                    in.number(2, s) && in.fraction(ms) && in.offset(zone) && in.at_end();
  const year_month_day date{year(y), month(static_cast<unsigned>(mo)), day(static_cast<unsigned>(d))};
  // A leap second (60) counts as the next minute's first.
  if (!read || !date.ok() || y == 0 || h > 23 || mi > 59 || s > 60) {
    return refuse(RefusalCode::invalid_field, "",
                  fmt::format("{} is not a time: write date, time and offset, e.g. 2020-11-09T08:31:05+08:00", quoted(text)));
  }
  const auto time = sys_days(date).time_since_epoch() + hours(h) + minutes(mi) + seconds(s) + milliseconds(ms) - minutes(zone);
  return std::clamp(duration_cast<milliseconds>(time).count(), kMinTimeMs, kMaxTimeMs);
}

}  // namespace lianxi
