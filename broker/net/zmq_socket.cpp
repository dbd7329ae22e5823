#include "broker/net/zmq_socket.h"

#include <fmt/format.h>

#include <cstring>

#include "broker/net/zap.h"
#include "schemas/limits.h"

namespace lianxi::net {

namespace {
constexpr int kHandshakeMs = 10'000;  // a connection that has not proved its key by then is closed
constexpr int kBacklog = 256;
constexpr int kKeepaliveIdleS = 20;
constexpr int kKeepaliveIntervalS = 5;
constexpr int kKeepaliveCount = 3;
constexpr int kRetransmitMs = 15'000;  // unacknowledged for so long: the peer is gone
constexpr int kReconnectMs = 100;
}  // namespace

void set_common_options(zmq::socket_t& socket, const SocketOptions& options) {
  namespace opt = zmq::sockopt;
  socket.set(opt::affinity, std::uint64_t{1} << static_cast<unsigned>(options.io_thread));
  socket.set(opt::rcvhwm, options.receive_hwm);
  socket.set(opt::sndhwm, options.send_hwm);
  socket.set(opt::maxmsgsize, options.max_message_bytes);
  socket.set(opt::linger, 0);
  socket.set(opt::backlog, kBacklog);
  socket.set(opt::handshake_ivl, kHandshakeMs);
  socket.set(opt::heartbeat_ivl, 0);  // heartbeats are the application's own
  socket.set(opt::ipv6, false);
  socket.set(opt::tcp_keepalive, 1);
  socket.set(opt::tcp_keepalive_idle, kKeepaliveIdleS);
  socket.set(opt::tcp_keepalive_intvl, kKeepaliveIntervalS);
  socket.set(opt::tcp_keepalive_cnt, kKeepaliveCount);
  socket.set(opt::tcp_maxrt, kRetransmitMs);
  socket.set(opt::reconnect_ivl, kReconnectMs);
  socket.set(opt::reconnect_ivl_max, static_cast<int>(kMaxReconnectMs));
}

namespace {
NetResult<void> only_on_loopback(Security security, const std::string& endpoint) {
  if (security == Security::curve || is_loopback(endpoint)) return {};
  return tl::unexpected(NetFailure{NetError::bad_endpoint,
                                   fmt::format("{} is not loopback: plain sockets are for measurements on one machine; write "
                                               "\"tcp://127.0.0.1:port\" or security = \"curve\"",
                                               endpoint)});
}
}  // namespace

NetResult<void> secure_server(zmq::socket_t& socket, Security security, const CurveKeys& keys, const std::string& endpoint) {
  if (auto fit = only_on_loopback(security, endpoint); !fit) return fit;
  socket.set(zmq::sockopt::zap_domain, kZapDomain);
  if (security == Security::plain) {
    socket.set(zmq::sockopt::plain_server, true);
    return {};
  }
  socket.set(zmq::sockopt::curve_server, true);
  socket.set(zmq::sockopt::curve_secretkey, keys.secret_key);
  return {};
}

NetResult<void> secure_client(zmq::socket_t& socket, const LinkOptions& options) {
  if (auto fit = only_on_loopback(options.security, options.endpoint); !fit) return fit;
  if (options.security == Security::plain) {
    socket.set(zmq::sockopt::plain_username, options.agent);
    socket.set(zmq::sockopt::plain_password, options.keys.public_key);
    return {};
  }
  socket.set(zmq::sockopt::curve_serverkey, options.server_key);
  socket.set(zmq::sockopt::curve_publickey, options.keys.public_key);
  socket.set(zmq::sockopt::curve_secretkey, options.keys.secret_key);
  return {};
}

NetFailure failure_of(const zmq::error_t& error, const std::string& doing) {
  const auto code = error.num() == EADDRINUSE ? NetError::address_in_use
                    : error.num() == EMFILE   ? NetError::out_of_sockets
                                              : NetError::system;
  return {code, fmt::format("{}: {}", doing, error.what())};
}

NetResult<std::string> bind_endpoint(zmq::socket_t& socket, const std::string& name, const std::string& endpoint) {
  try {
    socket.bind(endpoint);
    return socket.get(zmq::sockopt::last_endpoint);
  } catch (const zmq::error_t& error) {
    if (error.num() == EADDRINUSE)
      return tl::unexpected(
          NetFailure{NetError::address_in_use,
                     fmt::format("{} cannot listen on {}: another process uses the port; stop it or change {} in [endpoints]",
                                 name, endpoint, name)});
    return tl::unexpected(
        NetFailure{NetError::bad_endpoint,
                   fmt::format("{} cannot listen on {}: {}; write [endpoints] {} as \"tcp://<address of this machine>:<port>\"",
                               name, endpoint, error.what(), name)});
  }
}

std::string property(const zmq::message_t& message, const char* name) {
  const char* text = zmq_msg_gets(message.handle(), name);
  return text == nullptr ? std::string() : std::string(text);
}

int source_fd(const zmq::message_t& message) {
  return zmq_msg_get(message.handle(), ZMQ_SRCFD);
}

zmq::message_t owning_message(Bytes bytes) {
  auto* owned = new Bytes(std::move(bytes));
  return zmq::message_t(
      owned->data(), owned->size(), [](void*, void* hint) { delete static_cast<Bytes*>(hint); }, owned);
}

zmq::message_t charged_message(std::shared_ptr<const Bytes> bytes, SendClass what, std::shared_ptr<SendLedger::Queue> queue) {
  struct Charged {
    std::shared_ptr<const Bytes> bytes;
    SendClass what;
    std::shared_ptr<SendLedger::Queue> queue;
  };
  auto* held = new Charged{std::move(bytes), what, std::move(queue)};
  held->queue->charge(what, held->bytes->size());
  // libzmq only reads what it sends.
  auto* data = const_cast<std::uint8_t*>(held->bytes->data());
  return zmq::message_t(
      data, held->bytes->size(),
      [](void*, void* hint) {
        auto* charged = static_cast<Charged*>(hint);
        charged->queue->release(charged->what, charged->bytes->size());
        delete charged;
      },
      held);
}

bool has_message(const zmq::socket_t& socket) {
  int events = 0;
  std::size_t size = sizeof events;
  const void* handle = socket.handle();
  return zmq_getsockopt(const_cast<void*>(handle), ZMQ_EVENTS, &events, &size) == 0 && (events & ZMQ_POLLIN) != 0;
}

void drain_message(zmq::socket_t& socket) {
  zmq::message_t part;
  while (socket.get(zmq::sockopt::rcvmore)) {
    if (zmq_msg_recv(part.handle(), socket.handle(), ZMQ_DONTWAIT) < 0) return;
  }
}

namespace {
// The monitor's own address, unique in the context while the watched socket lives.
std::string monitor_address(zmq::socket_t& socket) {
  return fmt::format("inproc://monitor.{}", fmt::ptr(socket.handle()));
}
}  // namespace

SocketMonitor::SocketMonitor(zmq::context_t& context, zmq::socket_t& socket, int events)
    : watched_(socket), reader_(context, zmq::socket_type::pair) {
  const std::string address = monitor_address(socket);
  reader_.set(zmq::sockopt::linger, 0);
  // Without a mark: an I/O thread must never wait for the reader of its events.
  reader_.set(zmq::sockopt::rcvhwm, 0);
  if (zmq_socket_monitor(socket.handle(), address.c_str(), events) != 0) throw zmq::error_t();
  reader_.connect(address);
}

SocketMonitor::~SocketMonitor() {
  zmq_socket_monitor(watched_.handle(), nullptr, 0);
}

std::vector<SocketEvent> SocketMonitor::take() {
  std::vector<SocketEvent> events;
  zmq::message_t part;
  while (zmq_msg_recv(part.handle(), reader_.handle(), ZMQ_DONTWAIT) >= 0) {
    if (part.size() == 6) {
      std::uint16_t event = 0;
      std::uint32_t value = 0;
      std::memcpy(&event, part.data(), sizeof event);
      std::memcpy(&value, static_cast<const char*>(part.data()) + sizeof event, sizeof value);
      events.push_back({event, static_cast<int>(value)});
    }
    drain_message(reader_);
  }
  return events;
}

}  // namespace lianxi::net
