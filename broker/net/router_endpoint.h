// One of the node's ROUTER endpoints (flash, data, follow, query): who sent what, and answers that never block.
//
// The identity of a message is the key that its connection proved. Routing ids are libzmq's own numbers; a peer that sets one
// is refused, so that nobody can take over the answers of another. What is not two frames is refused and its connection cut.
//
// One thread. Borrows context and key table, which outlive it.
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "broker/net/context.h"
#include "broker/net/descriptor_watch.h"
#include "broker/net/key_table.h"
#include "broker/net/send_ledger.h"
#include "schemas/codec/frame.h"
#include "schemas/result.h"
#include "schemas/security.h"

namespace lianxi::net {

struct EndpointOptions {
  std::string name;      // its word in the node config: "flash"
  std::string endpoint;  // to bind; "tcp://127.0.0.1:*" takes any free port
  CurveKeys keys;
  IoThread io_thread = IoThread::rest;
  int receive_hwm = 32;  // messages of one connection that wait to be read
  int send_hwm = 64;
  std::size_t max_message_bytes = 0;
  Security security = Security::curve;
  std::size_t max_waiting_bytes = 96 * 1024 * 1024;  // received, of all connections, and not taken out yet
  std::size_t max_connections = WatchBounds{}.connections;
  std::shared_ptr<SendLedger> ledger = {};  // of all endpoints of the node; none: one of its own
};

struct Inbound {
  std::string routing;
  std::string agent;
  Bytes header;
  Bytes payload;
};
struct Rejected {  // refused by its shape or its sender's key; the connection will be cut
  std::string routing;
  std::string agent;  // may be empty
  Bytes header;       // if it could be read
  Refusal refusal;
};
using Received = std::variant<std::monostate, Inbound, Rejected>;

// What is queued for a connection has not moved for so long: it is cut. Until then it costs its agent's own bytes.
inline constexpr std::int64_t kStuckMs = 30'000;

enum class SendOutcome : std::uint8_t { sent, full, gone };

class RouterEndpoint {
 public:
  [[nodiscard]] static NetResult<std::unique_ptr<RouterEndpoint>> open(Context& context, const KeyTable& keys,
                                                                       EndpointOptions options);
  ~RouterEndpoint();
  RouterEndpoint(const RouterEndpoint&) = delete;
  RouterEndpoint& operator=(const RouterEndpoint&) = delete;

  [[nodiscard]] const std::string& endpoint() const;  // as bound, with its real port
  [[nodiscard]] WaitItem readable();

  [[nodiscard]] Received receive();
  // `full`: the peer does not read, or its agent has too much queued already; `gone`: no such connection.
  [[nodiscard]] SendOutcome send(const std::string& routing, Frames frames);
  // Likewise, with a payload that other connections get too: none of them copies it.
  [[nodiscard]] SendOutcome send_shared(const std::string& routing, const Bytes& header,
                                        const std::shared_ptr<const Bytes>& payload);
  // Whether a message waits; cheaper than wait().
  [[nodiscard]] bool has_input() const;
  // Cuts the connection at the next but one sweep, so that a refusal sent now still arrives; until then it is not heard.
  void cut_soon(const std::string& routing);
  // Says nothing more on the connection (`gone`) nor hears it, and cuts it at the next sweep: what came behind a word that could
  // not be sent would come out of turn.
  void give_up(const std::string& routing);

  struct Swept {
    std::vector<std::string> lost;  // routing ids of connections that are gone
    WatchCuts cut;
    std::vector<std::string> stuck;     // agents whose connection was cut: it took nothing for kStuckMs
    std::size_t failed_handshakes = 0;  // connections that ended without a word
    std::size_t failed_accepts = 0;     // the process has no descriptor left
    bool again_soon = false;
  };
  // Housekeeping; call it at least every 200 ms, and every 20 ms while `again_soon`. `steady_ms` is any clock that does not jump.
  [[nodiscard]] Swept sweep(std::int64_t steady_ms);
  // After a change of the key table: cuts every connection whose key is no longer its agent's.
  void cut_revoked();
  [[nodiscard]] std::size_t connections() const;
  // How long what is sent already may take to leave once this object is gone; else it is dropped.
  void linger(std::chrono::milliseconds time);

 private:
  RouterEndpoint();
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lianxi::net
