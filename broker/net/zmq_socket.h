// For the .cpp files of this floor only: the one include of zmq.hpp, and what all sockets have in common.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>
#include <zmq.hpp>

#include "broker/net/context.h"
#include "broker/net/link_socket.h"
#include "broker/net/send_ledger.h"
#include "schemas/ids.h"

namespace lianxi::net {

struct SocketOptions {
  IoThread io_thread = IoThread::rest;
  int receive_hwm = 32;
  int send_hwm = 64;
  std::int64_t max_message_bytes = 0;
};

// Everything explicit: marks, linger, keepalive, handshake bound, message bound.
void set_common_options(zmq::socket_t& socket, const SocketOptions& options);
// The gate's side. Refused: plain where other machines reach it.
[[nodiscard]] NetResult<void> secure_server(zmq::socket_t& socket, Security security, const CurveKeys& keys,
                                            const std::string& endpoint);
// The side that comes and proves its key. `agent` is who a plain connection says it is.
[[nodiscard]] NetResult<void> secure_client(zmq::socket_t& socket, const LinkOptions& options);

// Binds and gives the real endpoint ("tcp://127.0.0.1:*" is resolved). `name` is the endpoint's word in the node config.
[[nodiscard]] NetResult<std::string> bind_endpoint(zmq::socket_t& socket, const std::string& name, const std::string& endpoint);

[[nodiscard]] NetFailure failure_of(const zmq::error_t& error, const std::string& doing);

// A message property, empty if absent.
[[nodiscard]] std::string property(const zmq::message_t& message, const char* name);
[[nodiscard]] int source_fd(const zmq::message_t& message);  // -1 if unknown

// A message that owns `bytes`: no copy on the way out.
[[nodiscard]] zmq::message_t owning_message(Bytes bytes);
[[nodiscard]] bool has_message(const zmq::socket_t& socket);

// A message that shares them with others, charged to its connection's queue until libzmq lets go of it. They live as long.
[[nodiscard]] zmq::message_t charged_message(std::shared_ptr<const Bytes> bytes, SendClass what,
                                             std::shared_ptr<SendLedger::Queue> queue);

// Drops the rest of a multipart message that nobody wants.
void drain_message(zmq::socket_t& socket);

// The events of a socket's connections.
struct SocketEvent {
  int event = 0;  // ZMQ_EVENT_*
  int value = 0;  // a descriptor, or what failed
};
class SocketMonitor {
 public:
  SocketMonitor(zmq::context_t& context, zmq::socket_t& socket, int events);
  ~SocketMonitor();
  SocketMonitor(const SocketMonitor&) = delete;
  SocketMonitor& operator=(const SocketMonitor&) = delete;
  [[nodiscard]] std::vector<SocketEvent> take();
  [[nodiscard]] void* handle() { return reader_.handle(); }

 private:
  zmq::socket_t& watched_;
  zmq::socket_t reader_;
};

[[nodiscard]] zmq::context_t& context_of(const Context& context);

}  // namespace lianxi::net
