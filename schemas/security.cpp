#include "schemas/security.h"

#include <charconv>

namespace lianxi {

std::string_view to_word(Security security) {
  return security == Security::plain ? "plain" : "curve";
}

std::optional<Security> parse_security(std::string_view word) {
  for (const Security security : {Security::curve, Security::plain})
    if (word == to_word(security)) return security;
  return std::nullopt;
}

bool is_loopback(std::string_view endpoint) {
  constexpr std::string_view kScheme = "tcp://";
  if (endpoint.starts_with(kScheme)) endpoint.remove_prefix(kScheme.size());
  const std::size_t colon = endpoint.rfind(':');
  if (colon == std::string_view::npos) return false;
  std::string_view host = endpoint.substr(0, colon);
  if (host == "[::1]") return true;
  // Four numbers, the first of them 127.
  for (int part = 0; part < 4; ++part) {
    unsigned number = 0;
    const auto [end, error] = std::from_chars(host.data(), host.data() + host.size(), number);
    if (error != std::errc() || number > 255 || (part == 0 && number != 127)) return false;
    host.remove_prefix(static_cast<std::size_t>(end - host.data()));
    if (part == 3) return host.empty();
    if (!host.starts_with('.')) return false;
    host.remove_prefix(1);
  }
  return false;
}

}  // namespace lianxi
