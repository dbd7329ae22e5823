#include "tests/integration/wire_client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sodium.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

#include <array>
#include <cerrno>
#include <utility>

namespace lianxi::test {

namespace {

constexpr std::chrono::seconds kHandshakePatience{60};

std::string raw_key(const std::string& z85) {
  std::string key(32, '\0');
  zmq_z85_decode(reinterpret_cast<std::uint8_t*>(key.data()), z85.c_str());
  return key;
}

const std::uint8_t* bytes(std::string_view text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}
std::uint8_t* bytes(std::string& text) {
  return reinterpret_cast<std::uint8_t*>(text.data());
}

std::string box(std::string_view text, std::string_view nonce, std::string_view to, std::string_view from) {
  std::string out(text.size() + crypto_box_MACBYTES, '\0');
  const int done = crypto_box_easy(bytes(out), bytes(text), text.size(), bytes(nonce), bytes(to), bytes(from));
  return done == 0 ? out : std::string();
}

std::string big_endian(std::uint64_t value, int size) {
  std::string out;
  for (int shift = 8 * (size - 1); shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(value >> static_cast<unsigned>(shift)));
  return out;
}

std::string property(std::string_view name, std::string_view value) {
  return static_cast<char>(name.size()) + std::string(name) + big_endian(value.size(), 4) + std::string(value);
}

}  // namespace

WireClient::~WireClient() {
  close();
}
WireClient::WireClient(WireClient&& other) noexcept {
  *this = std::move(other);
}
WireClient& WireClient::operator=(WireClient&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(count_, other.count_);
  own_public_.swap(other.own_public_);
  own_secret_.swap(other.own_secret_);
  server_key_.swap(other.server_key_);
  shared_key_.swap(other.shared_key_);
  return *this;
}

void WireClient::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

bool WireClient::connect(const std::string& endpoint, int receive_buffer) {
  close();
  const auto colon = endpoint.rfind(':');
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(endpoint.substr(colon + 1))));
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return false;
  if (receive_buffer > 0) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    close();
    return false;
  }
  ::fcntl(fd_, F_SETFL, ::fcntl(fd_, F_GETFL) | O_NONBLOCK);
  return true;
}

bool WireClient::send(std::string_view text, std::chrono::milliseconds patience) {
  while (!text.empty() && fd_ >= 0) {
    const ssize_t sent = ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      text.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
      close();
      return false;
    }
    pollfd item{fd_, POLLOUT, 0};
    if (::poll(&item, 1, static_cast<int>(patience.count())) <= 0) return false;
  }
  return fd_ >= 0;
}

bool WireClient::receive(std::string& into, std::size_t wanted) {
  into.resize(wanted);
  std::size_t have = 0;
  while (have < wanted) {
    const ssize_t got = ::recv(fd_, into.data() + have, wanted - have, 0);
    if (got > 0) {
      have += static_cast<std::size_t>(got);
      continue;
    }
    if (got == 0 || (errno != EAGAIN && errno != EINTR)) return false;
    pollfd item{fd_, POLLIN, 0};
    if (::poll(&item, 1, static_cast<int>(std::chrono::milliseconds(kHandshakePatience).count())) <= 0) return false;
  }
  return true;
}

bool WireClient::closed(std::chrono::milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  std::array<char, 65536> thrown_away{};
  while (fd_ >= 0) {
    const ssize_t got = ::recv(fd_, thrown_away.data(), thrown_away.size(), 0);
    if (got > 0) continue;
    if (got == 0 || (errno != EAGAIN && errno != EINTR)) return true;
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    pollfd item{fd_, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&item, 1, static_cast<int>(left.count())) <= 0) return false;
  }
  return true;
}

bool WireClient::greet() {
  std::string greeting = "\xFF" + std::string(8, '\0') + "\x7F" + std::string("\x03\x00", 2) + "CURVE";
  greeting.resize(64, '\0');
  return send(greeting);
}

bool WireClient::send_command(std::string_view body) {
  std::string out(1, body.size() > 255 ? '\x06' : '\x04');
  out += big_endian(body.size(), body.size() > 255 ? 8 : 1);
  return send(out.append(body));
}

bool WireClient::receive_command(std::string& body) {
  std::string head;
  if (!receive(head, 2)) return false;
  std::size_t size = static_cast<std::uint8_t>(head[1]);
  if ((head[0] & 2) != 0) {
    std::string more;
    if (!receive(more, 7)) return false;
    for (const char c : more) size = size << 8U | static_cast<std::uint8_t>(c);
  }
  return size < 4096 && receive(body, size);
}

std::string WireClient::nonce(std::string_view prefix) {
  return std::string(prefix) + big_endian(++count_, 8);
}

bool WireClient::hello() {
  own_public_.resize(crypto_box_PUBLICKEYBYTES);
  own_secret_.resize(crypto_box_SECRETKEYBYTES);
  crypto_box_keypair(bytes(own_public_), bytes(own_secret_));
  if (server_key_.empty()) server_key_ = own_public_;  // nobody's: the node will not open it
  const std::string with = nonce("CurveZMQHELLO---");
  return send_command(std::string("\x05HELLO\x01\x00", 8) + std::string(72, '\0') + own_public_ + with.substr(16) +
                      box(std::string(64, '\0'), with, server_key_, own_secret_));
}

bool WireClient::handshake(const City& city, const Keys& keys, std::string_view socket_type) {
  server_key_ = raw_key(city.keys.public_key);
  if (!greet() || !hello()) return false;
  std::string greeting, welcome;
  if (!receive(greeting, 64) || !receive_command(welcome) || welcome.size() != 168) return false;
  std::string opened(128, '\0');
  const std::string welcome_nonce = "WELCOME-" + welcome.substr(8, 16);
  if (crypto_box_open_easy(bytes(opened), bytes(welcome) + 24, 144, bytes(welcome_nonce), bytes(server_key_),
                           bytes(own_secret_)) != 0)
    return false;
  const std::string their_public = opened.substr(0, 32), cookie = opened.substr(32);
  std::string vouch_nonce(16, '\0');
  randombytes_buf(vouch_nonce.data(), vouch_nonce.size());
  const std::string vouch = box(own_public_ + server_key_, "VOUCH---" + vouch_nonce, their_public, raw_key(keys.secret_key));
  const std::string with = nonce("CurveZMQINITIATE");
  const std::string said = raw_key(keys.public_key) + vouch_nonce + vouch + property("Socket-Type", socket_type) +
                           (socket_type == "DEALER" ? property("Identity", "") : std::string());
  if (!send_command("\x08INITIATE" + cookie + with.substr(16) + box(said, with, their_public, own_secret_))) return false;
  shared_key_.resize(crypto_box_BEFORENMBYTES);
  if (crypto_box_beforenm(bytes(shared_key_), bytes(their_public), bytes(own_secret_)) != 0) return false;
  std::string ready;
  return receive_command(ready) && ready.substr(0, 6) == "\x05READY";
}

bool WireClient::open(const City& city, const std::string& endpoint, const Keys& keys, std::string_view socket_type,
                      int receive_buffer) {
  return connect(city.endpoint(endpoint), receive_buffer) && handshake(city, keys, socket_type);
}

std::string WireClient::frame(std::string_view payload, bool more) {
  const std::string with = nonce("CurveZMQMESSAGEC");
  const std::string text = std::string(1, more ? '\x01' : '\x00') + std::string(payload);
  std::string body = "\x07MESSAGE" + with.substr(16);
  const std::size_t at = body.size();
  body.resize(at + text.size() + crypto_box_MACBYTES);
  (void)crypto_box_easy_afternm(bytes(body) + at, bytes(text), text.size(), bytes(with), bytes(shared_key_));
  return std::string(1, body.size() > 255 ? '\x02' : '\x00') + big_endian(body.size(), body.size() > 255 ? 8 : 1) + body;
}

bool WireClient::send_message(std::string_view header, std::string_view payload) {
  std::string out = frame(header, true);  // each frame takes the next nonce
  out += frame(payload, false);
  return send(out);
}

}  // namespace lianxi::test
