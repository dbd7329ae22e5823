#include "schemas/membership.h"

#include <fmt/format.h>

#include <algorithm>

#include "schemas/codec/chain.h"

namespace lianxi {

MembersVersion members_version(std::string_view text) {
  Bytes bytes;
  bytes.reserve(text.size());
  std::copy_if(text.begin(), text.end(), std::back_inserter(bytes), [](char c) { return c != '\r'; });
  const Hash hash = blake2b(bytes);
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) value = value << 8U | hash[i];
  return MembersVersion(std::max<std::uint64_t>(value, 1));
}

std::string to_text(MembersVersion version) {
  if (version.value == 0) return "-";
  const auto part = [&](unsigned shift) { return version.value >> shift & 0xffffU; };
  return fmt::format("{:04x}-{:04x}-{:04x}-{:04x}", part(48), part(32), part(16), part(0));
}

Result<TimeMs> parse_bound(std::string_view text, Bound bound) {
  constexpr std::size_t kDateCharacters = 10;
  constexpr TimeMs kDayMs = 86'400'000;
  const bool is_date = text.size() == kDateCharacters;
  auto time = parse_iso8601(is_date ? std::string(text) + "T00:00:00+08:00" : std::string(text));
  if (!time)
    return refuse(RefusalCode::invalid_field, bound == Bound::since ? "since" : "until",
                  "\"" + std::string(text) +
                      "\": write a date, as in 2026-12-31, or an instant with its offset, as in 2026-12-31T18:00:00+08:00");
  return is_date && bound == Bound::until ? *time + kDayMs : *time;
}

Standing standing_of(const Window& window, TimeMs now) {
  if (window.until && now >= *window.until) return Standing::retired;
  return window.since && now < *window.since ? Standing::not_yet : Standing::member;
}

std::string_view to_word(Standing standing) {
  switch (standing) {
    case Standing::member:
      return "member";
    case Standing::not_yet:
      return "not_yet";
    case Standing::retired:
      return "retired";
    case Standing::stranger:
      break;
  }
  return "stranger";
}

}  // namespace lianxi
