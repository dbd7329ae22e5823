#include "broker/net/router_endpoint.h"

#include <map>
#include <utility>

#include "broker/net/connection_guard.h"
#include "broker/net/descriptor_watch.h"
#include "broker/net/frame_reader.h"
#include "broker/net/zap.h"
#include "broker/net/zmq_socket.h"
#include "schemas/limits.h"

namespace lianxi::net {

namespace {

// No event of a failed handshake: libzmq tells a protocol error to the monitor before it looks at errno, which the monitor's
// own socket may have set to EAGAIN by then. The connection is then neither read nor closed any more.
constexpr int kEvents = ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_ACCEPT_FAILED;
constexpr int kSweepsBeforeCut = 2;
constexpr std::size_t kMaxSkipped = 64;            // messages of refused connections that one receive() passes over
constexpr std::size_t kGeneratedRoutingBytes = 5;  // libzmq: a zero byte and a counter
constexpr std::size_t kFrameWireBytes = 42;        // ZMTP and CURVE around a frame of more than 222 bytes
constexpr std::size_t kTypeByte = 5;               // of a header

// A connection that has sent something.
struct Peer {
  int fd = -1;
  std::uint64_t cookie = 0;
  bool sure = false;  // the cookie is the sender's, and not of a newcomer that was given its descriptor
  std::string agent;
  std::string key;
  int sweeps_to_cut = -1;  // below 0: it may stay
  bool given_up = false;   // nothing more is said on it
  std::shared_ptr<SendLedger::Queue> queue;
  std::uint64_t released = 0;     // by the queue when it last moved
  std::int64_t moved_at_ms = -1;  // below 0: nothing is queued
};

SendClass class_of(const Bytes& header) {
  if (header.size() != kHeaderBytes) return SendClass::answer;
  switch (static_cast<MessageType>(header[kTypeByte])) {
    case MessageType::deliver:
      return SendClass::delivery;
    case MessageType::answer:
      return SendClass::query;
    default:
      return SendClass::answer;
  }
}

bool is_generated(const std::string& routing) {
  return routing.size() == kGeneratedRoutingBytes && routing.front() == '\0';
}

SendOutcome send_frames(void* socket, const std::string& routing, const Bytes& header, zmq::message_t& payload) {
  if (zmq_send(socket, routing.data(), routing.size(), ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0)
    return zmq_errno() == EAGAIN ? SendOutcome::full : SendOutcome::gone;
  // The first frame has found its pipe: the others follow it or fall with it.
  if (zmq_send(socket, header.data(), header.size(), ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0) return SendOutcome::gone;
  if (zmq_msg_send(payload.handle(), socket, ZMQ_DONTWAIT) < 0) return SendOutcome::gone;
  return SendOutcome::sent;
}

}  // namespace

struct RouterEndpoint::State {
  State(Context& context, const KeyTable& table, EndpointOptions opened_with)
      : options(std::move(opened_with)),
        keys(table),
        socket(context_of(context), zmq::socket_type::router),
        guard(context, socket, kEvents, options.max_waiting_bytes),
        watch({.message_bytes = 2 * static_cast<std::uint64_t>(options.max_message_bytes),
               .waiting_bytes = options.max_waiting_bytes,
               .connections = options.max_connections},
              &guard) {
    if (!options.ledger) options.ledger = std::make_shared<SendLedger>();
  }

  Peer& peer_of(const ReadMessage& message) {
    const auto found = peers.find(message.routing);
    // The monitor is heard first: it tells whether the descriptor was given out anew.
    if (found == peers.end()) hear_monitor();
    watch.yielded(message.fd, 2 * kFrameWireBytes + message.header.size() + message.payload.size(), message.agent);
    if (found != peers.end()) {
      settle(found->second);
      return found->second;
    }
    Peer& peer = peers[message.routing];
    peer.fd = message.fd;
    settle(peer);
    if (!peer.sure) peer.cookie = connection_cookie(message.fd);
    peer.agent = message.agent;
    peer.key = message.key;
    peer.queue = options.ledger->open(peer.agent);
    return peer;
  }

  // Call it when the peer is known to live: it has sent this, or could be sent to.
  void settle(Peer& peer) {
    if (peer.sure) return;
    const std::uint64_t cookie = watch.sender(peer.fd);
    if (cookie == 0) return;
    peer.cookie = cookie;
    peer.sure = true;
  }

  void hear_monitor() {
    for (const SocketEvent& event : guard.take_events()) {
      if (event.event == ZMQ_EVENT_ACCEPTED)
        watch.opened(event.value);
      else
        ++failed_accepts;
    }
  }

  // True: it was cut, since nothing of what is queued for it has left for kStuckMs.
  static bool cut_if_stuck(Peer& peer, std::int64_t now_ms) {
    const std::uint64_t released = peer.queue->released();
    if (peer.queue->bytes() == 0) {
      peer.moved_at_ms = -1;
    } else if (peer.moved_at_ms < 0 || released != peer.released) {
      peer.moved_at_ms = now_ms;
    } else if (now_ms - peer.moved_at_ms > kStuckMs && peer.sure) {
      peer.moved_at_ms = now_ms;
      return cut_connection(peer.fd, peer.cookie);
    }
    peer.released = released;
    return false;
  }

  EndpointOptions options;
  const KeyTable& keys;
  zmq::socket_t socket;
  ConnectionGuard guard;  // hears the socket's monitor: goes before the socket
  DescriptorWatch watch;
  std::string bound;
  std::map<std::string, Peer> peers;  // by routing id
  std::size_t failed_accepts = 0;     // since the last sweep
};

RouterEndpoint::RouterEndpoint() = default;
RouterEndpoint::~RouterEndpoint() = default;

NetResult<std::unique_ptr<RouterEndpoint>> RouterEndpoint::open(Context& context, const KeyTable& keys, EndpointOptions options) {
  try {
    std::unique_ptr<RouterEndpoint> endpoint(new RouterEndpoint());
    endpoint->state_ = std::make_unique<State>(context, keys, std::move(options));
    State& state = *endpoint->state_;
    set_common_options(state.socket, {state.options.io_thread, state.options.receive_hwm, state.options.send_hwm,
                                      static_cast<std::int64_t>(state.options.max_message_bytes)});
    auto secured = secure_server(state.socket, state.options.security, state.options.keys, state.options.endpoint);
    if (!secured) return tl::unexpected(std::move(secured.error()));
    state.socket.set(zmq::sockopt::router_mandatory, true);
    state.socket.set(zmq::sockopt::router_handover, false);
    auto bound = bind_endpoint(state.socket, state.options.name, state.options.endpoint);
    if (!bound) return tl::unexpected(std::move(bound.error()));
    state.bound = std::move(*bound);
    return endpoint;
  } catch (const zmq::error_t& error) {
    return tl::unexpected(failure_of(error, "a ROUTER socket cannot be made"));
  }
}

const std::string& RouterEndpoint::endpoint() const {
  return state_->bound;
}
WaitItem RouterEndpoint::readable() {
  return {state_->socket.handle()};
}
std::size_t RouterEndpoint::connections() const {
  return state_->watch.size();
}

Received RouterEndpoint::receive() {
  State& state = *state_;
  for (std::size_t skipped = 0; skipped < kMaxSkipped; ++skipped) {
    ReadMessage message;
    Refusal refusal;
    const ReadOutcome outcome = read_message(state.socket, true, message, refusal);
    if (outcome == ReadOutcome::nothing) {
      state.watch.drained();
      return {};
    }
    Peer& peer = state.peer_of(message);
    if (peer.sweeps_to_cut >= 0) continue;  // refused already
    const auto reject = [&](Refusal why) {
      cut_soon(message.routing);
      return Rejected{std::move(message.routing), std::move(message.agent), std::move(message.header), std::move(why)};
    };
    if (message.agent.empty() || !state.keys.is(message.key, message.agent))
      return reject({RefusalCode::unknown_key, "key", "this key is no longer in the key folder", 0});
    if (!is_generated(message.routing))
      return reject({RefusalCode::malformed, "routing", "do not set ZMQ_ROUTING_ID; the node names connections itself", 0});
    if (outcome == ReadOutcome::misshapen) return reject(std::move(refusal));
    return Inbound{std::move(message.routing), std::move(message.agent), std::move(message.header), std::move(message.payload)};
  }
  return {};
}

SendOutcome RouterEndpoint::send(const std::string& routing, Frames frames) {
  return send_shared(routing, frames.header, std::make_shared<const Bytes>(std::move(frames.payload)));
}

SendOutcome RouterEndpoint::send_shared(const std::string& routing, const Bytes& header,
                                        const std::shared_ptr<const Bytes>& payload) {
  const auto found = state_->peers.find(routing);
  if (found == state_->peers.end()) return SendOutcome::gone;
  Peer& peer = found->second;
  if (peer.given_up) return SendOutcome::gone;
  const SendClass what = class_of(header);
  if (!peer.queue->has_room(what)) return SendOutcome::full;
  SendOutcome outcome{};
  {
    zmq::message_t message = charged_message(payload, what, peer.queue);
    outcome = send_frames(state_->socket.handle(), routing, header, message);
  }
  if (outcome == SendOutcome::sent)
    state_->settle(peer);
  else
    peer.queue->unsent();
  return outcome;
}

bool RouterEndpoint::has_input() const {
  return has_message(state_->socket);
}

void RouterEndpoint::cut_soon(const std::string& routing) {
  const auto found = state_->peers.find(routing);
  if (found != state_->peers.end() && found->second.sweeps_to_cut < 0) found->second.sweeps_to_cut = kSweepsBeforeCut;
}

void RouterEndpoint::give_up(const std::string& routing) {
  const auto found = state_->peers.find(routing);
  if (found == state_->peers.end()) return;
  found->second.given_up = true;
  found->second.sweeps_to_cut = 0;
}

RouterEndpoint::Swept RouterEndpoint::sweep(std::int64_t steady_ms) {
  State& state = *state_;
  Swept swept;
  state.hear_monitor();
  swept.failed_accepts = std::exchange(state.failed_accepts, 0);
  swept.cut = state.watch.sweep();
  swept.cut.waiting += state.guard.take_cut();
  swept.failed_handshakes = state.watch.take_silent_ends();
  swept.again_soon = state.watch.suspicious();
  for (auto it = state.peers.begin(); it != state.peers.end();) {
    Peer& peer = it->second;
    if (peer.sweeps_to_cut > 0) --peer.sweeps_to_cut;
    if (peer.sweeps_to_cut == 0 && peer.sure) cut_connection(peer.fd, peer.cookie);
    if (State::cut_if_stuck(peer, steady_ms)) swept.stuck.push_back(peer.agent);
    if (connection_cookie(peer.fd) == peer.cookie && peer.cookie != 0) {
      ++it;
      continue;
    }
    swept.lost.push_back(it->first);
    it = state.peers.erase(it);
  }
  return swept;
}

void RouterEndpoint::linger(std::chrono::milliseconds time) {
  const int value = static_cast<int>(time.count());
  zmq_setsockopt(state_->socket.handle(), ZMQ_LINGER, &value, sizeof value);
}

void RouterEndpoint::cut_revoked() {
  for (auto& [routing, peer] : state_->peers)
    if (!state_->keys.is(peer.key, peer.agent)) cut_soon(routing);
}

}  // namespace lianxi::net
