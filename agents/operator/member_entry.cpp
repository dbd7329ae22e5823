// What a new member must be like.
#include <algorithm>
#include <array>
#include <charconv>

#include "agents/operator/members_file.h"

namespace lianxi::cli {
namespace {

// GB/T 2260: the first two digits.
constexpr std::array<std::string_view, 34> kProvinces{"11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34",
                                                      "35", "36", "37", "41", "42", "43", "44", "45", "46", "50", "51", "52",
                                                      "53", "54", "61", "62", "63", "64", "65", "71", "81", "82"};
constexpr std::array<std::string_view, 4> kMunicipalities{"11", "12", "31", "50"};  // governed like provinces, and cities
constexpr std::string_view kZ85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

template <class List>
bool holds(const List& list, std::string_view word) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

tl::unexpected<Refusal> invalid(const char* field, std::string reason) {
  return refuse(RefusalCode::invalid_field, field, std::move(reason));
}

Result<void> check_region(RegionCode region) {
  const std::string code = to_text(region);
  const std::string province = code.substr(0, 2);
  if (!holds(kProvinces, province))
    return invalid("region", code + ": GB/T 2260 knows no province " + province + "; a city's code has six digits, as in 330800");
  if (code.substr(4) != "00" || (code.substr(2, 2) == "00" && !holds(kMunicipalities, province)))
    return invalid("region", code + " is the code of a " + (code.substr(4) != "00" ? "county" : "province") +
                                 "; members are cities: four digits and 00, as in 330800");
  return {};
}

// 32 bytes in Z85: 8 groups of five digits, each at most 2^32 - 1.
bool is_curve_key(std::string_view key) {
  if (key.size() != 40) return false;
  for (std::size_t group = 0; group < key.size(); group += 5) {
    std::uint64_t value = 0;
    for (const char c : key.substr(group, 5)) {
      const std::size_t digit = kZ85.find(c);
      if (digit == std::string_view::npos) return false;
      value = value * 85 + digit;
    }
    if (value > 0xffffffffULL) return false;
  }
  return true;
}

bool is_seal_key(std::string_view key) {
  return key.size() == 64 && key.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
}

bool is_endpoint(std::string_view endpoint) {
  constexpr std::string_view scheme = "tcp://";
  if (!endpoint.starts_with(scheme)) return false;
  endpoint.remove_prefix(scheme.size());
  const std::size_t colon = endpoint.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  const std::string_view host = endpoint.substr(0, colon), digits = endpoint.substr(colon + 1);
  unsigned port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return host != "*" && host.find_first_of(" \"\\/") == std::string_view::npos && error == std::errc{} &&
         end == digits.data() + digits.size() && port > 0 && port <= 65535;
}

bool is_plain_line(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return c == '"' || c == '\\' || (c >= 0 && c < ' ') || c == 0x7f; });
}

}  // namespace

Result<void> check_entry(const MembersFile& file, const MemberEntry& entry) {
  if (auto fit = check_region(entry.region); !fit) return fit;
  if (file.find(entry.region) != nullptr)
    return refuse(RefusalCode::conflict, "region",
                  to_text(entry.region) + " stands in " + file.path + " already" +
                      (file.find(entry.region)->until.empty() ? "" : "; who comes back has its `until` removed from the block"));
  if (!is_plain_line(entry.name_zh) || !is_plain_line(entry.name_en))
    return invalid("name", "a name holds no quotes and stands on one line");
  if (!is_seal_key(entry.seal_key))
    return invalid("seal_key", "it has 64 hex digits, as `lianxi keys new NAME --seal` wrote them");
  if (!is_curve_key(entry.curve_key)) return invalid("curve_key", "it has 40 characters (Z85), as `lianxi keys new` wrote them");
  std::vector<std::string> own;
  for (const char* name : kMemberEndpoints) {
    const auto at = entry.endpoints.find(name);
    if (at == entry.endpoints.end() || !is_endpoint(at->second))
      return invalid(name, "write tcp://host:port with a port from 1 to 65535");
    if (holds(own, at->second)) return invalid(name, at->second + " is given twice: every endpoint has an address of its own");
    own.push_back(at->second);
  }
  for (const MemberEntry& other : file.members) {
    const std::string of = " is that of " + to_text(other.region);
    if (other.seal_key == entry.seal_key)
      return refuse(RefusalCode::conflict, "seal_key", "this key" + of + ": every node makes its own");
    if (other.curve_key == entry.curve_key)
      return refuse(RefusalCode::conflict, "curve_key", "this key" + of + ": every node makes its own");
    for (const auto& [name, endpoint] : other.endpoints)
      if (holds(own, endpoint)) return refuse(RefusalCode::conflict, name, endpoint + of);
  }
  for (const auto& [text, bound] : {std::pair{&entry.since, Bound::since}, std::pair{&entry.until, Bound::until}})
    if (auto time = text->empty() ? Result<TimeMs>(0) : parse_bound(*text, bound); !time)
      return tl::unexpected(std::move(time.error()));
  return {};
}

}  // namespace lianxi::cli
