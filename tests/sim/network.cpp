#include "tests/sim/network.h"

#include <algorithm>

namespace lianxi::sim {
namespace {

constexpr std::size_t kQueuedMessages = 1000;  // of a dialer without a connection
constexpr TimeMs kNoticeMs = 9'000;            // at the latest, somebody's TCP gives up

}  // namespace

DialerId Network::dial(HostId from, HostId to, std::uint8_t socket, core::Agent agent, Ears ears) {
  const DialerId id = next_id_++;
  dialers_.emplace(id, Dialer{from, to, socket, std::move(agent), std::move(ears), 0, 0, {}});
  connect(id, world_.random().between(1, 30));
  return id;
}

void Network::connect(DialerId id, TimeMs delay) {
  const std::uint64_t generation = ++dialers_.at(id).generation;
  world_.after(delay, [this, id, generation] {
    const auto at = dialers_.find(id);
    if (at == dialers_.end() || at->second.generation != generation || at->second.wire != 0) return;
    Dialer& dialer = at->second;
    if (ports_.count(dialer.to) == 0 || is_cut(dialer.from, dialer.to) || is_cut(dialer.to, dialer.from)) {
      connect(id, world_.random().between(100, 1000));
      return;
    }
    Wire wire;
    wire.id = next_id_++;
    wire.dialer = id;
    wire.from = dialer.from;
    wire.to = dialer.to;
    wire.connection = {dialer.socket, "w" + std::to_string(wire.id)};
    wire.agent = dialer.agent;
    wire.last = {world_.now(), world_.now()};
    dialer.wire = wire.id;
    by_connection_[wire.connection] = wire.id;
    Wire& kept = wires_.emplace(wire.id, std::move(wire)).first->second;
    std::deque<Frames> queued = std::move(dialer.queued);
    dialer.queued.clear();
    for (Frames& frames : queued) transmit(kept, out, std::move(frames));
  });
}

void Network::send(DialerId id, const Message& message) {
  const auto at = dialers_.find(id);
  if (at == dialers_.end()) return;
  Frames frames = encode(message);
  const auto wire = wires_.find(at->second.wire);
  if (wire != wires_.end()) {
    transmit(wire->second, out, std::move(frames));
  } else if (at->second.queued.size() < kQueuedMessages) {
    at->second.queued.push_back(std::move(frames));
  }
}

app::SendResult Network::answer(HostId node, const core::Connection& to, const Message& message) {
  const auto at = by_connection_.find(to);
  if (at == by_connection_.end() || wires_.at(at->second).to != node) return app::SendResult::gone;
  Wire& wire = wires_.at(at->second);
  if (wire.on_way[back] >= options_.queue_messages) {
    world_.count("full");
    return app::SendResult::full;
  }
  transmit(wire, back, encode(message));
  return app::SendResult::sent;
}

void Network::transmit(Wire& wire, Direction direction, Frames frames) {
  Prng& random = world_.random();
  const bool slow = !calm_ && random.chance(options_.slow_percent);
  const TimeMs delay = random.between(options_.delay_low_ms, slow ? options_.slow_high_ms : options_.delay_high_ms);
  const TimeMs at = std::max(world_.now() + delay, wire.last[direction]);
  wire.last[direction] = at;
  ++wire.on_way[direction];
  world_.after(at - world_.now(), [this, id = wire.id, direction, frames = std::move(frames)] { arrive(id, direction, frames); });
}

void Network::arrive(std::uint64_t id, Direction direction, const Frames& frames) {
  const auto at = wires_.find(id);
  if (at == wires_.end()) {
    world_.count("messages lost");
    return;
  }
  Wire& wire = at->second;
  --wire.on_way[direction];
  const bool cut = direction == out ? is_cut(wire.from, wire.to) : is_cut(wire.to, wire.from);
  if (!wire.mute && (cut || (!calm_ && world_.random().permille(options_.loss_permille)))) fall_silent(wire);
  if (wire.mute) {
    world_.count("messages lost");
    return;
  }
  Result<Message> message = decode(frames.header, frames.payload);
  if (!message) {
    world_.fail("a message that our own encoder made is refused: " + message.error().field + " " + message.error().reason);
    return;
  }
  world_.count("messages");
  world_.mix(frames.header);  // with the payload's checksum
  if (direction == out) {
    ports_.at(wire.to)->heard(wire.connection, wire.agent, std::move(*message));
  } else {
    const auto heard = dialers_.at(wire.dialer).ears.heard;  // a copy: the listener may hang up
    heard(std::move(*message));
  }
}

void Network::fall_silent(Wire& wire) {
  wire.mute = true;
  world_.count("wires broken");
  const bool tell_dialer = calm_ || world_.random().chance(70);
  const bool tell_node = calm_ || world_.random().chance(70);
  world_.after(world_.random().between(0, kNoticeMs),
               [this, id = wire.id, tell_dialer, tell_node] { drop(id, tell_dialer, tell_node); });
}

void Network::drop(std::uint64_t id, bool tell_dialer, bool tell_node) {
  const auto at = wires_.find(id);
  if (at == wires_.end()) return;
  const Wire wire = std::move(at->second);
  wires_.erase(at);
  by_connection_.erase(wire.connection);
  const auto dialer = dialers_.find(wire.dialer);
  if (dialer != dialers_.end() && dialer->second.wire == id) {
    dialer->second.wire = 0;
    connect(wire.dialer, world_.random().between(10, 500));
    if (tell_dialer && dialer->second.ears.lost) {
      const auto lost = dialer->second.ears.lost;
      lost("the stream broke");
    }
  }
  const auto port = ports_.find(wire.to);
  if (tell_node && port != ports_.end()) port->second->lost(wire.connection);
}

void Network::reset(DialerId id) {
  const auto at = dialers_.find(id);
  if (at == dialers_.end()) return;
  const std::uint64_t wire = std::exchange(at->second.wire, 0);
  at->second.queued.clear();
  drop(wire, false, world_.random().chance(80));
  connect(id, world_.random().between(1, 30));
}

void Network::hang_up(DialerId id) {
  const auto at = dialers_.find(id);
  if (at == dialers_.end()) return;
  const std::uint64_t wire = at->second.wire;
  dialers_.erase(at);
  drop(wire, false, world_.random().chance(80));
}

void Network::node_down(HostId host) {
  ports_.erase(host);
  std::vector<DialerId> own;
  std::vector<std::uint64_t> to_host;
  for (const auto& [id, dialer] : dialers_) {
    if (dialer.from == host) own.push_back(id);
  }
  for (const DialerId id : own) hang_up(id);
  for (const auto& [id, wire] : wires_) {
    if (wire.to == host) to_host.push_back(id);
  }
  for (const std::uint64_t id : to_host) drop(id, world_.random().chance(80), false);
}

void Network::cut(HostId from, HostId to) {
  cuts_.insert({from, to});
  world_.count("cuts");
}

void Network::calm() {
  calm_ = true;
  cuts_.clear();
  for (auto& [id, wire] : wires_) {
    if (wire.mute) world_.after(1, [this, broken = id] { drop(broken, true, true); });
  }
}

}  // namespace lianxi::sim
