// The gate of every socket (ZeroMQ RFC 27): a CURVE key that stands in the key table becomes the User-Id of each message of
// its connection; any other key is turned away before it can send one. On a plain node the agent's id is the username and
// its public key the password.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "broker/net/context.h"
#include "broker/net/key_table.h"
#include "schemas/security.h"

namespace lianxi::net {

inline constexpr const char* kZapDomain = "lianxi";
inline constexpr const char* kKeyProperty = "Lianxi-Key";  // of every message: the key that its connection proved

struct ZapRejection {
  std::string address;  // of the peer, without port
  std::string key;      // Z85; empty if the mechanism was another than the node's
  std::string reason;
};

// Own thread. Start it before any socket binds and end it after the last is closed: without a handler libzmq admits any key.
class ZapHandler {
 public:
  // `rejected` runs on the handler's thread.
  [[nodiscard]] static NetResult<std::unique_ptr<ZapHandler>> start(Context& context, const KeyTable& keys,
                                                                    std::function<void(const ZapRejection&)> rejected,
                                                                    Security security = Security::curve);
  ~ZapHandler();
  ZapHandler(const ZapHandler&) = delete;
  ZapHandler& operator=(const ZapHandler&) = delete;

 private:
  ZapHandler();
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lianxi::net
