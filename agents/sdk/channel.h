// One encrypted connection to one endpoint of a node, kept up: connects when wanted, notices silence and loss, comes back
// with jittered backoff, sends heartbeats. A new connection is a new socket: nothing of the old one is sent by surprise.
// One thread at a time; time is a field.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "agents/sdk/profile.h"
#include "schemas/codec/deliver_codec.h"
#include "schemas/protocol.h"

namespace zmq {
class context_t;
class message_t;
}  // namespace zmq

namespace lianxi::sdk {

struct ChannelOptions {
  std::string endpoint;
  bool heartbeats = true;  // call `beat` when nothing was sent for a while, and take silence for loss
};

// The segments of a delivery where they came in, 8-aligned; whoever keeps the owner keeps them.
struct Payload {
  std::shared_ptr<const void> owner;
  BytesView bytes;
};

struct ChannelEvents {
  std::function<void()> up;    // encrypted and authenticated: may send
  std::function<void()> lost;  // was up or was being tried; it comes back by itself
  std::function<void(Message)> message;
  std::function<void()> beat;  // say something that the other side answers
  // Of a channel that is to be given deliveries without a copy; without it they come as messages.
  std::function<void(const DeliverView&, Payload)> deliver = {};
};

class Channel {
 public:
  // `context` and `profile` outlive the channel.
  Channel(zmq::context_t& context, const Profile& profile, ChannelOptions options, ChannelEvents events);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // Connects if it is time to, reads what has come (a bounded number of messages), beats, judges silence.
  void step(std::int64_t now_ms);
  // False if it is not up or its queue is full: then nothing is sent.
  [[nodiscard]] bool send(const Message& message, std::int64_t now_ms);
  [[nodiscard]] bool send(Frames frames, std::int64_t now_ms);
  // Gives the connection up and tries again after a pause.
  void reset(std::int64_t now_ms, const std::string& why);
  // Without that pause, at the next step.
  void retry_now() { retry_at_ms_ = 0; }

  // Lets what was sent leave, for a moment at most, when the channel ends.
  void linger();

  [[nodiscard]] bool up() const { return state_ == State::up; }
  [[nodiscard]] bool trying() const { return state_ == State::connecting; }
  // Why it is not up, in words; empty if nothing went wrong yet. `key_refused`: the node does not know the agent's key.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }
  [[nodiscard]] bool key_refused() const { return key_refused_; }
  // The same as a refusal: unknown_key, else busy; none while there is no trouble.
  [[nodiscard]] std::optional<Refusal> refusal() const;
  // For the poll: -1 for none. step() must be called after note() of what is readable, or when `due()` has come.
  struct Descriptors {
    int socket = -1, monitor = -1;
  };
  [[nodiscard]] Descriptors descriptors() const;
  void note(bool socket, bool monitor);
  // To be called before due() and the poll: libzmq's descriptors say that something came only once, and a send may have been
  // what took note of it.
  void look_again();
  [[nodiscard]] std::int64_t due() const;

 private:
  enum class State : std::uint8_t { idle, connecting, up };
  struct Sockets;

  void connect(std::int64_t now_ms);
  void read_monitor(std::int64_t now_ms);
  void read_messages(std::int64_t now_ms);
  [[nodiscard]] Result<void> hand_over(BytesView header, zmq::message_t& payload, std::int64_t now_ms);

  zmq::context_t& context_;
  const Profile& profile_;
  ChannelOptions options_;
  ChannelEvents events_;
  std::unique_ptr<Sockets> sockets_;
  State state_ = State::idle;
  std::string trouble_;
  bool key_refused_ = false;
  bool more_to_read_ = false;
  bool monitor_readable_ = false;
  bool sent_ = false;  // since the socket was last read empty
  std::int64_t retry_at_ms_ = 0;
  std::int64_t backoff_ms_;
  std::int64_t began_ms_ = 0;
  std::int64_t heard_ms_ = 0;
  std::int64_t beat_ms_ = 0;
  std::minstd_rand jitter_;
};

}  // namespace lianxi::sdk
