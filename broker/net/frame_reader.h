// Reads one message of exactly two frames from a socket, whatever a peer sends; for the .cpp files of this floor only.
#pragma once

#include <string>

#include "broker/net/zmq_socket.h"
#include "schemas/result.h"

namespace lianxi::net {

struct ReadMessage {
  std::string routing;  // of a ROUTER's message; never trusted as an identity
  std::string agent;    // User-Id; empty if the message carries none
  std::string key;      // Z85
  int fd = -1;
  Bytes header;
  Bytes payload;
};
enum class ReadOutcome : std::uint8_t { nothing, message, misshapen };

// Never throws and never leaves a part of a message behind. `misshapen`: not two frames of the right sizes; `out` then holds
// what tells who sent it and, if readable, the header; `refusal` says what is wrong.
[[nodiscard]] ReadOutcome read_message(zmq::socket_t& socket, bool routed, ReadMessage& out, Refusal& refusal);

}  // namespace lianxi::net
