// A connection that this node opens to a peer's endpoint: a DEALER with the node's own key, trusting the peer's key alone.
// A reset is a new object: what the old one had queued never comes over the new connection, whose routing id is another.
//
// One thread. Borrows the context, which outlives it.
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "broker/net/context.h"
#include "schemas/codec/frame.h"
#include "schemas/result.h"
#include "schemas/security.h"

namespace lianxi::net {

struct LinkOptions {
  std::string endpoint;
  std::string server_key;  // Z85, from members.toml
  CurveKeys keys;
  IoThread io_thread = IoThread::rest;
  int receive_hwm = 32;
  int send_hwm = 256;
  std::size_t max_message_bytes = 0;
  Security security = Security::curve;
  std::string agent;  // this node's own id, for plain links
};

struct LinkInbound {
  Bytes header;
  Bytes payload;
};
using LinkReceived = std::variant<std::monostate, LinkInbound, Refusal>;  // Refusal: not two frames

class LinkSocket {
 public:
  [[nodiscard]] static NetResult<std::unique_ptr<LinkSocket>> connect(Context& context, const LinkOptions& options);
  ~LinkSocket();
  LinkSocket(const LinkSocket&) = delete;
  LinkSocket& operator=(const LinkSocket&) = delete;

  [[nodiscard]] WaitItem readable();
  [[nodiscard]] LinkReceived receive();
  [[nodiscard]] bool has_input() const;    // whether a message waits; cheaper than wait()
  [[nodiscard]] bool send(Frames frames);  // false: the peer takes no more

  struct Swept {
    bool lost = false;  // the connection broke; `reason` says how
    std::string reason;
    bool again_soon = false;
  };
  // Housekeeping as RouterEndpoint's.
  [[nodiscard]] Swept sweep();

 private:
  LinkSocket();
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lianxi::net
