// The network between simulated hosts. A wire is a TCP-like stream as ZeroMQ uses it: messages arrive in order or, from
// some point on, not at all. A dialer is a DEALER socket: it reconnects by itself, keeps what it could not send, and comes
// back under a new routing id. Every message crosses as bytes, by the real codec.
// A stream that was left may still bring what was on its way (late copies); a hostile peer may falsify what it delivers.
//
// Hosts 0..nodes-1 are nodes, the others agents' machines. Cuts are directed; whoever is cut off may learn of it late.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "broker/app/node.h"
#include "tests/sim/world.h"

namespace lianxi::sim {

using DialerId = std::uint64_t;
using HostId = std::size_t;

class NodePort {  // what a node's sockets hear
 public:
  virtual ~NodePort() = default;
  virtual void heard(const core::Connection& from, const core::Agent& agent, Message message) = 0;
  virtual void lost(const core::Connection& connection) = 0;
};

struct NetworkOptions {
  unsigned loss_permille = 3;       // a message with which its stream breaks off
  unsigned slow_percent = 4;        // a message that takes long
  unsigned duplicate_permille = 4;  // a message that comes twice
  unsigned late_percent = 50;       // a stream that was left and still brings what was on its way
  TimeMs delay_low_ms = 1, delay_high_ms = 40, slow_high_ms = 1500;
  std::size_t queue_messages = 10;  // on their way in one direction: more is `full`
};

class Network {
 public:
  Network(World& world, NetworkOptions options) : world_(world), random_(world.random().fork()), options_(options) {}

  void name(HostId host, std::string name) { names_[host] = std::move(name); }
  [[nodiscard]] HostId hosts() const { return names_.size(); }
  [[nodiscard]] const std::string& name_of(HostId host) const { return names_.at(host); }

  void node_up(HostId host, NodePort* port) { ports_[host] = port; }
  void node_down(HostId host);  // breaks its wires, forgets its dialers

  struct Ears {
    std::function<void(Message)> heard;
    std::function<void(const std::string& reason)> lost;  // not for resets and hang-ups of its own
  };
  DialerId dial(HostId from, HostId to, std::uint8_t socket, core::Agent agent, Ears ears);
  void send(DialerId dialer, const Message& message);
  void reset(DialerId dialer);  // forgets what is queued and opens a new connection
  void hang_up(DialerId dialer);
  // Which host it is connected to.
  [[nodiscard]] std::optional<HostId> reached(DialerId dialer) const;
  app::SendResult answer(HostId node, const core::Connection& to, const Message& message);

  void cut(HostId from, HostId to);
  void heal(HostId from, HostId to) { cuts_.erase({from, to}); }
  // What `from` says to `to` goes to the host `by` from now on; `to` itself: as ever.
  void route(HostId from, HostId to, HostId by);
  // What one of the connections between the two carries comes late; the others go on.
  void hold_up(HostId from, HostId to, TimeMs how_long, Prng& random);
  // What the host sends leaves so much later: its disk is still busy with what must come first.
  void stall(HostId host, TimeMs how_long) { stalled_[host] = how_long; }
  // The next `deliveries` from one node to the other are falsified.
  void lie(HostId from, HostId to, std::size_t deliveries) { lies_[{from, to}] = deliveries; }
  // What has arrived between nodes, by kind of message: before CURVE, ZMTP and TCP.
  struct Traffic {
    std::uint64_t messages = 0, bytes = 0;
  };
  using Meter = std::array<Traffic, std::variant_size_v<Message>>;
  [[nodiscard]] const Meter& between_nodes() const { return between_nodes_; }
  void calm();  // no more losses, no cuts, from now on

 private:
  enum Direction : std::size_t { out = 0, back = 1 };
  struct Wire {
    std::uint64_t id = 0;
    DialerId dialer = 0;
    HostId from = 0, to = 0;
    core::Connection connection;
    core::Agent agent;
    bool mute = false;      // something was lost: nothing arrives any more, though nobody knows yet
    bool given_up = false;  // an answer found no room: its node says nothing more on it, and cuts it
    std::array<TimeMs, 2> last{};
    std::array<std::size_t, 2> on_way{};
    bool tell_node = false;  // left: the node hears of it behind the last copy
  };
  struct Dialer {
    HostId from = 0, to = 0;
    std::uint8_t socket = 0;
    core::Agent agent;
    Ears ears;
    std::uint64_t wire = 0;        // 0: not connected
    std::uint64_t generation = 0;  // of its attempts to connect
    std::deque<Frames> queued;
  };

  void connect(DialerId id, TimeMs delay);
  void transmit(Wire& wire, Direction direction, Frames frames);
  void put_on_way(const Wire& wire, Direction direction, TimeMs at, Frames frames);
  void arrive(std::uint64_t wire, Direction direction, const Frames& frames);
  void fall_silent(Wire& wire);
  void give_up(Wire& wire);
  void drop(std::uint64_t wire, bool tell_dialer, bool tell_node);
  void arrive_late(std::uint64_t wire, const Frames& frames);
  void note_order(HostId from, HostId to, std::uint64_t order);
  [[nodiscard]] static bool may_come_twice(const Wire& wire);
  [[nodiscard]] TimeMs stalled(HostId host) const;
  [[nodiscard]] HostId routed(HostId from, HostId to) const;
  [[nodiscard]] bool is_cut(HostId from, HostId to) const { return cuts_.count({from, to}) != 0; }

  World& world_;
  Prng random_;
  NetworkOptions options_;
  bool calm_ = false;
  std::map<HostId, std::string> names_;
  std::map<HostId, TimeMs> stalled_;
  std::map<std::pair<HostId, HostId>, std::size_t> lies_;
  std::map<std::pair<HostId, HostId>, std::uint64_t> newest_;  // of what arrived, by when it was sent
  std::uint64_t order_ = 0;
  std::map<std::uint64_t, Wire> left_;  // streams that still bring something
  std::map<HostId, NodePort*> ports_;
  std::map<DialerId, Dialer> dialers_;
  std::map<std::uint64_t, Wire> wires_;
  std::map<core::Connection, std::uint64_t> by_connection_;
  std::set<std::pair<HostId, HostId>> cuts_;
  std::map<std::pair<HostId, HostId>, HostId> routes_;
  std::uint64_t next_id_ = 1;
  Meter between_nodes_{};
};

}  // namespace lianxi::sim
