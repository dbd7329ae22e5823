#include "agents/sdk/channel.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <limits>
#include <utility>
#include <zmq.hpp>

namespace lianxi::sdk {
namespace {

constexpr std::int64_t kFirstBackoffMs = 50;
constexpr std::int64_t kConnectMs = 4'000;  // from connect() to an authenticated connection
constexpr int kLingerMs = 200;
constexpr int kMaxMessagesPerStep = 256;
constexpr int kQueueMessages = 4'096;
constexpr int kMonitoredEvents = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
                                 ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                                 ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CLOSED | ZMQ_EVENT_CONNECT_RETRIED;

std::string monitor_address(const void* channel) {
  static std::atomic<std::uint64_t> next{0};  // inproc names are per context; a counter makes each connection's its own
  return "inproc://channel-" + std::to_string(reinterpret_cast<std::uintptr_t>(channel)) + "-" + std::to_string(next++);
}

BytesView view_of(const zmq::message_t& message) {
  return {static_cast<const std::uint8_t*>(message.data()), message.size()};
}

// Whether a part came. A signal to this thread is not the connection's fault.
bool receive(zmq::socket_t& socket, zmq::message_t& part) {
  int size = -1;
  do size = zmq_msg_recv(part.handle(), socket.handle(), ZMQ_DONTWAIT);
  while (size < 0 && zmq_errno() == EINTR);
  if (size < 0 && zmq_errno() != EAGAIN) throw zmq::error_t();
  return size >= 0;
}

// Likewise, whether it left.
bool leave(zmq::socket_t& socket, zmq::message_t& part, int flags) {
  int size = -1;
  do size = zmq_msg_send(part.handle(), socket.handle(), flags);
  while (size < 0 && zmq_errno() == EINTR);
  if (size < 0 && zmq_errno() != EAGAIN) throw zmq::error_t();
  return size >= 0;
}

// Sends large payloads from where they lie; libzmq's threads free them.
zmq::message_t message_of(Bytes payload) {
  constexpr std::size_t kWorthMoving = 1024;
  if (payload.size() < kWorthMoving) return zmq::message_t(payload.data(), payload.size());
  auto owned = std::make_unique<Bytes>(std::move(payload));
  zmq::message_t message(
      owned->data(), owned->size(), [](void*, void* hint) { delete static_cast<Bytes*>(hint); }, owned.get());
  (void)owned.release();
  return message;
}

// Large messages lie in memory of their own, aligned as malloc does it; small ones anywhere in what was received.
Payload payload_of(zmq::message_t& message) {
  auto kept = std::make_shared<const zmq::message_t>(std::move(message));
  const BytesView bytes = view_of(*kept);
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % 8 == 0) return {std::move(kept), bytes};
  auto copy = std::make_shared<const Bytes>(bytes.begin(), bytes.end());
  const BytesView copied(*copy);
  return {std::move(copy), copied};
}

}  // namespace

struct Channel::Sockets {
  Sockets(zmq::context_t& context, const Profile& profile, const std::string& endpoint)
      : socket(context, zmq::socket_type::dealer), monitor(context, zmq::socket_type::pair) {
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::reconnect_ivl, -1);  // the channel reconnects: whatever was queued must not be sent after a Hello
    socket.set(zmq::sockopt::handshake_ivl, static_cast<int>(kConnectMs));
    socket.set(zmq::sockopt::connect_timeout, static_cast<int>(kConnectMs));
    socket.set(zmq::sockopt::maxmsgsize, kMaxMessageBytes);
    socket.set(zmq::sockopt::sndhwm, kQueueMessages);
    socket.set(zmq::sockopt::rcvhwm, kQueueMessages);
    socket.set(zmq::sockopt::ipv6, true);
    if (profile.security == Security::plain) {
      socket.set(zmq::sockopt::plain_username, profile.agent.text());
      socket.set(zmq::sockopt::plain_password, profile.public_key);
    } else {
      socket.set(zmq::sockopt::curve_serverkey, profile.server_key);
      socket.set(zmq::sockopt::curve_publickey, profile.public_key);
      socket.set(zmq::sockopt::curve_secretkey, profile.secret_key);
    }
    const std::string address = monitor_address(this);
    if (zmq_socket_monitor(socket.handle(), address.c_str(), kMonitoredEvents) != 0) throw zmq::error_t();
    monitor.set(zmq::sockopt::linger, 0);
    monitor.connect(address);
    socket.connect(endpoint);
    socket_fd = socket.get(zmq::sockopt::fd);
    monitor_fd = monitor.get(zmq::sockopt::fd);
  }
  ~Sockets() { zmq_socket_monitor(socket.handle(), nullptr, 0); }
  Sockets(const Sockets&) = delete;
  Sockets& operator=(const Sockets&) = delete;

  zmq::socket_t socket;
  zmq::socket_t monitor;
  int socket_fd = -1;
  int monitor_fd = -1;
};

Channel::Channel(zmq::context_t& context, const Profile& profile, ChannelOptions options, ChannelEvents events)
    : context_(context),
      profile_(profile),
      options_(std::move(options)),
      events_(std::move(events)),
      backoff_ms_(kFirstBackoffMs),
      jitter_(std::random_device{}()) {}
Channel::~Channel() = default;

Channel::Descriptors Channel::descriptors() const {
  if (!sockets_) return {};
  return {state_ == State::up ? sockets_->socket_fd : -1, sockets_->monitor_fd};
}

std::optional<Refusal> Channel::refusal() const {
  if (trouble_.empty()) return std::nullopt;
  if (key_refused_) return Refusal{RefusalCode::unknown_key, "agent.public_key", trouble_, 0};
  return Refusal{RefusalCode::busy, "", trouble_, kRetryAfterMs};
}

void Channel::note(bool socket, bool monitor) {
  more_to_read_ = more_to_read_ || socket;
  monitor_readable_ = monitor_readable_ || monitor;
}

void Channel::look_again() {
  if (state_ != State::up || !std::exchange(sent_, false) || more_to_read_) return;
  try {
    more_to_read_ = (sockets_->socket.get(zmq::sockopt::events) & ZMQ_POLLIN) != 0;
  } catch (const zmq::error_t&) {
    more_to_read_ = true;  // a signal came between; reading tells
  }
}

std::int64_t Channel::due() const {
  if (more_to_read_ && state_ == State::up) return 0;
  switch (state_) {
    case State::idle:
      return retry_at_ms_;
    case State::connecting:
      return began_ms_ + kConnectMs;
    case State::up:
      return options_.heartbeats ? std::min(beat_ms_ + kHeartbeatMs, heard_ms_ + kPeerSilenceMs)
                                 : std::numeric_limits<std::int64_t>::max();
  }
  return retry_at_ms_;
}

void Channel::step(std::int64_t now_ms) {
  if (state_ == State::idle) {
    if (now_ms < retry_at_ms_) return;
    connect(now_ms);
  }
  if (sockets_ && std::exchange(monitor_readable_, false)) read_monitor(now_ms);
  if (state_ == State::up && more_to_read_) read_messages(now_ms);
  if (state_ == State::connecting && now_ms - began_ms_ >= kConnectMs) {
    reset(now_ms, options_.endpoint + " does not answer; check host, port and node.server_key");
  }
  if (state_ != State::up || !options_.heartbeats) return;
  if (now_ms - heard_ms_ >= kPeerSilenceMs) {
    reset(now_ms, options_.endpoint + " has been silent for " + std::to_string(kPeerSilenceMs / 1000) + " s");
  } else if (now_ms - beat_ms_ >= kHeartbeatMs) {
    beat_ms_ = now_ms;
    if (events_.beat) events_.beat();
  }
}

void Channel::connect(std::int64_t now_ms) {
  began_ms_ = now_ms;
  try {
    sockets_ = std::make_unique<Sockets>(context_, profile_, options_.endpoint);
    state_ = State::connecting;
    monitor_readable_ = more_to_read_ = true;  // looked at once, whatever the descriptors say
  } catch (const zmq::error_t& error) {
    reset(now_ms, options_.endpoint + ": " + error.what());
  }
}

void Channel::reset(std::int64_t now_ms, const std::string& why) {
  sockets_.reset();
  state_ = State::idle;
  more_to_read_ = monitor_readable_ = sent_ = key_refused_ = false;
  if (!why.empty()) trouble_ = why;
  backoff_ms_ = std::min<std::int64_t>(backoff_ms_ * 2, kMaxReconnectMs);
  retry_at_ms_ = now_ms + backoff_ms_ / 2 + static_cast<std::int64_t>(jitter_() % static_cast<unsigned>(backoff_ms_ / 2));
  events_.lost();
}

void Channel::read_monitor(std::int64_t now_ms) {
  try {
    while (sockets_) {
      zmq::message_t event, address;
      if (!receive(sockets_->monitor, event)) return;
      (void)receive(sockets_->monitor, address);
      std::uint16_t number = 0;
      if (event.size() < sizeof number) continue;
      std::copy_n(static_cast<const std::uint8_t*>(event.data()), sizeof number, reinterpret_cast<std::uint8_t*>(&number));
      switch (number) {
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
          state_ = State::up;
          key_refused_ = false;
          heard_ms_ = beat_ms_ = now_ms;
          events_.up();
          break;
        case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
          reset(now_ms, "the node does not know the key of " + profile_.agent.text() +
                            "; put its public file into the node's key folder");
          key_refused_ = true;
          break;
        case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
          reset(now_ms, options_.endpoint + " broke off the handshake; check node.server_key");
          break;
        default:
          read_messages(now_ms);  // what came before the end
          if (sockets_) {
            reset(now_ms, options_.endpoint + (state_ == State::up ? " closed the connection" : " refused the connection"));
          }
          break;
      }
    }
  } catch (const zmq::error_t& error) {
    reset(now_ms, options_.endpoint + ": " + error.what());
  }
}

void Channel::read_messages(std::int64_t now_ms) {
  more_to_read_ = false;
  try {
    for (int i = 0; i < kMaxMessagesPerStep; ++i) {
      zmq::message_t header, payload;
      if (!sockets_) return;
      if (!receive(sockets_->socket, header)) {
        sent_ = false;
        return;
      }
      if (header.more()) (void)receive(sockets_->socket, payload);
      if (!header.more() || payload.more()) return reset(now_ms, options_.endpoint + " sent a message that is not two frames");
      if (auto good = hand_over(view_of(header), payload, now_ms); !good) {
        return reset(now_ms, options_.endpoint + " sent what cannot be read: " + good.error().reason);
      }
    }
    more_to_read_ = true;
  } catch (const zmq::error_t& error) {
    reset(now_ms, options_.endpoint + ": " + error.what());
  }
}

Result<void> Channel::hand_over(BytesView header, zmq::message_t& payload, std::int64_t now_ms) {
  const auto heard = [&] {
    heard_ms_ = now_ms;
    backoff_ms_ = kFirstBackoffMs;
    trouble_.clear();
  };
  if (events_.deliver) {
    if (auto deliver = decode_deliver(header, view_of(payload))) {
      if (!*deliver) return tl::unexpected(std::move(deliver->error()));
      heard();
      Payload kept = payload_of(payload);
      (*deliver)->segments = kept.bytes;
      events_.deliver(**deliver, std::move(kept));
      return {};
    }
  }
  auto message = decode(header, view_of(payload));
  if (!message) return tl::unexpected(std::move(message.error()));
  heard();
  events_.message(std::move(*message));
  return {};
}

void Channel::linger() {
  if (state_ == State::up) sockets_->socket.set(zmq::sockopt::linger, kLingerMs);
}

bool Channel::send(const Message& message, std::int64_t now_ms) {
  return state_ == State::up && send(encode(message), now_ms);
}

bool Channel::send(Frames frames, std::int64_t now_ms) {
  if (state_ != State::up) return false;
  sent_ = true;  // also if nothing leaves: it was asked
  try {
    zmq::message_t header(frames.header.data(), frames.header.size());
    if (!leave(sockets_->socket, header, ZMQ_SNDMORE | ZMQ_DONTWAIT)) return false;
    zmq::message_t payload = message_of(std::move(frames.payload));
    (void)leave(sockets_->socket, payload, 0);
    beat_ms_ = now_ms;
    return true;
  } catch (const zmq::error_t& error) {
    reset(now_ms, options_.endpoint + ": " + error.what());
    return false;
  }
}

}  // namespace lianxi::sdk
