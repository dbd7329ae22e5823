// What a program in any language can say to a node: plain DEALER and SUB sockets with CURVE keys, and the message codec.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "schemas/protocol.h"
#include "tests/integration/cities.h"

namespace lianxi::test {

class RawClient {
 public:
  RawClient(const City& city, const std::string& endpoint, const Keys& keys, zmq::socket_type type = zmq::socket_type::dealer);

  void send(const Message& message);
  void send_parts(const std::vector<std::string>& parts);
  // The next message that reads, within the patience.
  std::optional<Message> receive(std::chrono::milliseconds patience = kPatience);
  std::vector<std::string> receive_parts(std::chrono::milliseconds patience = kPatience);

  // The next message of this kind; others are passed over.
  template <class T>
  std::optional<T> receive_a(std::chrono::milliseconds patience = kPatience) {
    const auto until = std::chrono::steady_clock::now() + patience;
    for (;;) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
      if (left.count() <= 0) return std::nullopt;
      auto message = receive(left);
      if (!message) return std::nullopt;
      if (auto* found = std::get_if<T>(&*message)) return std::move(*found);
    }
  }
  [[nodiscard]] zmq::socket_t& socket() { return socket_; }

 private:
  zmq::context_t context_;
  zmq::socket_t socket_;
};

// An incident report as an agency's desk sends it; `number` makes it unique.
Bytes incident_event(const std::string& region, const std::string& agency, std::uint64_t number,
                     const std::string& audience = "conference");
// The same with so many bytes of text.
Bytes large_incident_event(const std::string& region, const std::string& agency, std::uint64_t number, std::size_t text_bytes);
Bytes alert_event(const std::string& region, std::uint64_t number, const std::string& headline = "headline");

// One session on the `data` endpoint (or `flash`), a publish at a time.
class Publisher {
 public:
  Publisher(const City& city, const std::string& agency, SessionId session, const std::string& endpoint = "data");
  // Says Hello on a fresh connection; empty if the node does not answer.
  std::optional<Welcome> connect(std::chrono::milliseconds patience = kPatience);
  void publish(Lane lane, Sequence first, std::vector<Bytes> events, Sequence answered_through = Sequence{});
  std::optional<Answers> answers(std::chrono::milliseconds patience = kPatience);
  [[nodiscard]] RawClient& client() { return *client_; }
  [[nodiscard]] SessionId session() const { return session_; }

 private:
  const City& city_;
  std::string agency_, endpoint_;
  SessionId session_;
  std::unique_ptr<RawClient> client_;
};

// What the node says to `lianxi status`.
std::optional<StatusReport> status_of(const City& city, Offset after = Offset{}, std::chrono::milliseconds patience = kPatience);

}  // namespace lianxi::test
