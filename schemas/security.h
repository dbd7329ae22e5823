// What guards a connection. CURVE everywhere; PLAIN only to be measured against brokers that do not encrypt, and only where
// no other machine can listen.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace lianxi {

enum class Security : std::uint8_t {
  curve,  // encrypted; a key proves who speaks
  plain   // in the clear; the agent's id and public key are taken at their word
};
[[nodiscard]] std::string_view to_word(Security security);
[[nodiscard]] std::optional<Security> parse_security(std::string_view word);

// True if "tcp://host:port" or "host:port" names this machine alone, by number: a name may be anybody's.
[[nodiscard]] bool is_loopback(std::string_view endpoint);

}  // namespace lianxi
