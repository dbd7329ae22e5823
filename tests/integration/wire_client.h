// A peer that speaks ZMTP 3 with CURVE byte by byte, so that it can stop, flood and lie where no library would: it never reads
// what it is not asked to read, and sends parts of messages that have no end.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/integration/cities.h"

namespace lianxi::test {

class WireClient {
 public:
  WireClient() = default;
  ~WireClient();
  WireClient(WireClient&& other) noexcept;
  WireClient& operator=(WireClient&& other) noexcept;

  // A TCP connection and nothing more; `receive_buffer` bounds what the kernel takes in for whoever never reads.
  bool connect(const std::string& endpoint, int receive_buffer = 0);
  bool greet();
  bool hello();  // CURVE's, behind the greeting
  // All of it: greeting, HELLO, INITIATE, until the node is READY.
  bool handshake(const City& city, const Keys& keys, std::string_view socket_type = "DEALER");
  bool open(const City& city, const std::string& endpoint, const Keys& keys, std::string_view socket_type = "DEALER",
            int receive_buffer = 0);

  // The bytes of one frame as they go over the wire.
  [[nodiscard]] std::string frame(std::string_view payload, bool more);
  bool send_message(std::string_view header, std::string_view payload);
  // False: the connection is closed, or takes nothing within the patience.
  bool send(std::string_view bytes, std::chrono::milliseconds patience = std::chrono::seconds(10));
  // True once the other side has closed; what arrives until then is thrown away.
  bool closed(std::chrono::milliseconds patience);
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  void close();

 private:
  bool receive(std::string& into, std::size_t bytes);
  bool receive_command(std::string& body);
  bool send_command(std::string_view body);
  std::string nonce(std::string_view prefix);  // 16 bytes of prefix and the next count

  int fd_ = -1;
  std::uint64_t count_ = 0;
  std::string own_public_, own_secret_;  // of this connection
  std::string server_key_, shared_key_;
};

}  // namespace lianxi::test
