#include "broker/net/link_socket.h"

#include "broker/net/descriptor_watch.h"
#include "broker/net/frame_reader.h"
#include "broker/net/zmq_socket.h"

namespace lianxi::net {

namespace {
constexpr int kMaxReconnectWaitMs = 1'000;  // a peer that is back is found at once; what must grow is the rules' own wait
constexpr int kConnectPatienceMs = 2'000;   // then anew: the kernel would ask after 1, 3, 7, 15 s
// So long may bytes stand unacknowledged. Over a line that was cut TCP asks after ever longer pauses; this ends the connection
// before the pauses are longer than the cut was. A slow line acknowledges as it goes, and is left alone.
constexpr int kUnacknowledgedMs = 3'000;
constexpr int kEvents = ZMQ_EVENT_CONNECTED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED |
                        ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                        ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
}  // namespace

struct LinkSocket::State {
  State(Context& context, const LinkOptions& options)
      : socket(context_of(context), zmq::socket_type::dealer),
        monitor(context_of(context), socket, kEvents),
        watch({.message_bytes = 2 * static_cast<std::uint64_t>(options.max_message_bytes)}) {}
  zmq::socket_t socket;
  SocketMonitor monitor;
  DescriptorWatch watch;
  bool was_connected = false;
};

LinkSocket::LinkSocket() = default;
LinkSocket::~LinkSocket() = default;

NetResult<std::unique_ptr<LinkSocket>> LinkSocket::connect(Context& context, const LinkOptions& options) {
  try {
    std::unique_ptr<LinkSocket> link(new LinkSocket());
    link->state_ = std::make_unique<State>(context, options);
    zmq::socket_t& socket = link->state_->socket;
    set_common_options(
        socket, {options.io_thread, options.receive_hwm, options.send_hwm, static_cast<std::int64_t>(options.max_message_bytes)});
    if (auto secured = secure_client(socket, options); !secured) return tl::unexpected(std::move(secured.error()));
    socket.set(zmq::sockopt::reconnect_ivl_max, kMaxReconnectWaitMs);
    socket.set(zmq::sockopt::connect_timeout, kConnectPatienceMs);
    socket.set(zmq::sockopt::tcp_maxrt, kUnacknowledgedMs);
    socket.connect(options.endpoint);
    return link;
  } catch (const zmq::error_t& error) {
    return tl::unexpected(failure_of(error, "a link to " + options.endpoint + " cannot be made"));
  }
}

WaitItem LinkSocket::readable() {
  return {state_->socket.handle()};
}

LinkReceived LinkSocket::receive() {
  ReadMessage message;
  Refusal refusal;
  switch (read_message(state_->socket, false, message, refusal)) {
    case ReadOutcome::nothing:
      state_->watch.drained();
      return {};
    case ReadOutcome::misshapen:
      state_->watch.yielded(message.fd, message.header.size() + message.payload.size(), {});
      return refusal;
    case ReadOutcome::message:
      break;
  }
  state_->watch.yielded(message.fd, message.header.size() + message.payload.size(), {});
  return LinkInbound{std::move(message.header), std::move(message.payload)};
}

bool LinkSocket::has_input() const {
  return has_message(state_->socket);
}

bool LinkSocket::send(Frames frames) {
  void* socket = state_->socket.handle();
  if (zmq_send(socket, frames.header.data(), frames.header.size(), ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) return false;
  zmq::message_t payload = owning_message(std::move(frames.payload));
  return zmq_msg_send(payload.handle(), socket, ZMQ_DONTWAIT) >= 0;
}

LinkSocket::Swept LinkSocket::sweep() {
  State& state = *state_;
  Swept swept;
  // The first loss is the cause; what libzmq tried since is its consequence.
  const auto lose = [&swept](std::string reason) {
    if (!swept.lost) swept.reason = std::move(reason);
    swept.lost = true;
  };
  for (const SocketEvent& event : state.monitor.take()) {
    switch (event.event) {
      case ZMQ_EVENT_CONNECTED:
        state.watch.opened(event.value);
        break;
      case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
        state.was_connected = true;
        break;
      case ZMQ_EVENT_DISCONNECTED:
        if (state.was_connected) lose("the connection was closed by the peer or the network");
        state.was_connected = false;
        break;
      case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        lose("the peer does not know this node's key");
        break;
      case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
        lose("the connection was closed during its handshake");
        break;
      default:
        lose("the handshake failed: the peer's key is not the one in members.toml, or it speaks another protocol");
    }
  }
  if (state.watch.sweep().all() > 0) lose("the peer sent a message without end");
  swept.again_soon = state.watch.suspicious();
  return swept;
}

}  // namespace lianxi::net
