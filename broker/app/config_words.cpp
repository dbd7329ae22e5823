#include "broker/app/config_words.h"

#include <zmq.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace lianxi::app {
namespace {

constexpr std::size_t kZ85KeyCharacters = 40;
constexpr std::size_t kCurveKeyBytes = 32;

struct HostPort {
  std::string_view host, port;
};

std::optional<HostPort> split(std::string_view address) {
  constexpr std::string_view scheme = "tcp://";
  if (address.starts_with(scheme)) address.remove_prefix(scheme.size());
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == address.size()) return std::nullopt;
  return HostPort{address.substr(0, colon), address.substr(colon + 1)};
}

bool is_port(std::string_view text, bool any_port) {
  if (text == "*") return any_port;
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port > 65535) return false;
  return port > 0 || any_port;
}

bool is_every_address(std::string_view host) {
  return host == "*" || host == "0.0.0.0" || host == "[::]";
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::optional<RegionCode> read_region(TableReader& table, const TableReader::Text& at) {
  Result<RegionCode> parsed = parse_region(at.value);
  if (parsed) return *parsed;
  table.error(at, "'" + at.value + "' is not a region", "write the six digits of a GB/T 2260 code, e.g. \"330800\"");
  return std::nullopt;
}

std::optional<std::string> read_endpoint(TableReader& table, const TableReader::Text& at, bool any_port) {
  const std::optional<HostPort> parts = at.value.starts_with("tcp://") ? split(at.value) : std::nullopt;
  if (parts && is_port(parts->port, any_port) && (any_port || parts->host != "*")) return at.value;
  table.error(at, "'" + at.value + "' is not an endpoint", "write \"tcp://host:port\" with a port from 1 to 65535");
  return std::nullopt;
}

std::optional<std::string> read_host_port(TableReader& table, const TableReader::Text& at) {
  const std::optional<HostPort> parts = at.value.find("://") == std::string::npos ? split(at.value) : std::nullopt;
  if (parts && parts->port != "*" && is_port(parts->port, true)) return at.value;
  table.error(at, "'" + at.value + "' is not an address", "write \"host:port\", e.g. \"127.0.0.1:9610\"");
  return std::nullopt;
}

std::optional<std::string> read_z85_key(TableReader& table, const TableReader::Text& at) {
  std::array<std::uint8_t, kCurveKeyBytes> key{};
  if (at.value.size() == kZ85KeyCharacters && zmq_z85_decode(key.data(), at.value.c_str()) != nullptr) return at.value;
  table.error(at, "is not a CURVE key", "copy the 40 characters (Z85) that `lianxi keys new` wrote");
  return std::nullopt;
}

bool read_hex(TableReader& table, const TableReader::Text& at, std::span<std::uint8_t> out) {
  bool good = at.value.size() == out.size() * 2;
  for (std::size_t i = 0; good && i < out.size(); ++i) {
    const int high = hex_digit(at.value[2 * i]);
    const int low = hex_digit(at.value[2 * i + 1]);
    good = high >= 0 && low >= 0;
    if (good) out[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  if (!good) {
    table.error(at, "is not a key of " + std::to_string(out.size()) + " bytes in hex",
                "copy the " + std::to_string(out.size() * 2) + " hex digits that `lianxi keys new --seal` wrote");
  }
  return good;
}

bool endpoints_clash(std::string_view a, std::string_view b) {
  const std::optional<HostPort> x = split(a);
  const std::optional<HostPort> y = split(b);
  if (!x || !y || x->port == "*" || x->port == "0" || x->port != y->port) return false;
  return x->host == y->host || is_every_address(x->host) || is_every_address(y->host);
}

}  // namespace lianxi::app
