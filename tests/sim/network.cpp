#include "tests/sim/network.h"

#include <algorithm>

#include "tests/sim/forge.h"

namespace lianxi::sim {
namespace {

constexpr std::size_t kQueuedMessages = 1000;  // of a dialer without a connection
constexpr TimeMs kNoticeMs = 9'000;            // at the latest, somebody's TCP gives up
constexpr TimeMs kSweepMs = 100;               // between two looks of a node at its connections

}  // namespace

DialerId Network::dial(HostId from, HostId to, std::uint8_t socket, core::Agent agent, Ears ears) {
  const DialerId id = next_id_++;
  dialers_.emplace(id, Dialer{from, to, socket, std::move(agent), std::move(ears), 0, 0, {}});
  connect(id, random_.between(1, 30));
  return id;
}

void Network::connect(DialerId id, TimeMs delay) {
  const std::uint64_t generation = ++dialers_.at(id).generation;
  world_.after(delay, [this, id, generation] {
    const auto at = dialers_.find(id);
    if (at == dialers_.end() || at->second.generation != generation || at->second.wire != 0) return;
    Dialer& dialer = at->second;
    const HostId to = routed(dialer.from, dialer.to);
    if (ports_.count(to) == 0 || is_cut(dialer.from, to) || is_cut(to, dialer.from)) {
      connect(id, random_.between(100, 1000));
      return;
    }
    Wire wire;
    wire.id = next_id_++;
    wire.dialer = id;
    wire.from = dialer.from;
    wire.to = to;
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
  if (wire.given_up) return app::SendResult::gone;
  if (wire.on_way[back] >= options_.queue_messages) {
    world_.fired(Fault::socket_full);
    if (!std::holds_alternative<Deliver>(message) && !std::holds_alternative<Heartbeat>(message)) give_up(wire);
    return app::SendResult::full;
  }
  const auto lie = lies_.find({wire.to, wire.from});
  const auto* deliver = std::get_if<Deliver>(&message);
  if (lie != lies_.end() && lie->second > 0 && deliver != nullptr && wire.agent.role == core::Role::node) {
    Deliver false_one = *deliver;
    if (falsify(false_one.segments, random_)) {
      --lie->second;
      world_.fired(Fault::lie);
      world_.expect_alarm("feed_broken");
      world_.note(names_[wire.to] + " tells " + names_[wire.from] + " a lie");
      transmit(wire, back, encode(Message(std::move(false_one))));
      return app::SendResult::sent;
    }
  }
  transmit(wire, back, encode(message));
  return app::SendResult::sent;
}

TimeMs Network::stalled(HostId host) const {
  const auto at = stalled_.find(host);
  return at == stalled_.end() ? 0 : at->second;
}

// Not what agents follow: no transport brings a message of one stream twice, and a follower may count on that.
bool Network::may_come_twice(const Wire& wire) {
  return wire.connection.socket != 2 || wire.agent.role == core::Role::node;
}

void Network::transmit(Wire& wire, Direction direction, Frames frames) {
  const bool slow = !calm_ && random_.chance(options_.slow_percent);
  if (slow) world_.fired(Fault::message_slow);
  const TimeMs delay = random_.between(options_.delay_low_ms, slow ? options_.slow_high_ms : options_.delay_high_ms) +
                       stalled(direction == out ? wire.from : wire.to);
  const TimeMs at = std::max(world_.now() + delay, wire.last[direction]);
  wire.last[direction] = at;
  ++wire.on_way[direction];
  if (!calm_ && may_come_twice(wire) && random_.permille(options_.duplicate_permille)) {
    world_.fired(Fault::duplicated);
    ++wire.on_way[direction];
    put_on_way(wire, direction, at, frames);
  }
  put_on_way(wire, direction, at, std::move(frames));
}

void Network::put_on_way(const Wire& wire, Direction direction, TimeMs at, Frames frames) {
  const std::uint64_t order = ++order_;
  world_.after(at - world_.now(), [this, id = wire.id, direction, order, frames = std::move(frames)] {
    const auto found = wires_.find(id);
    if (found == wires_.end()) {
      if (direction == out) arrive_late(id, frames);
      return;
    }
    const Wire& on = found->second;
    if (!on.mute) note_order(direction == out ? on.from : on.to, direction == out ? on.to : on.from, order);
    arrive(id, direction, frames);
  });
}

void Network::note_order(HostId from, HostId to, std::uint64_t order) {
  std::uint64_t& newest = newest_[{from, to}];
  if (order < newest) world_.fired(Fault::reordered);
  newest = std::max(newest, order);
}

void Network::arrive(std::uint64_t id, Direction direction, const Frames& frames) {
  Wire& wire = wires_.at(id);
  --wire.on_way[direction];
  const bool cut = direction == out ? is_cut(wire.from, wire.to) : is_cut(wire.to, wire.from);
  if (!wire.mute && (cut || (!calm_ && random_.permille(options_.loss_permille)))) fall_silent(wire);
  if (wire.mute) {
    world_.fired(Fault::message_lost);
    return;
  }
  Result<Message> message = decode(frames.header, frames.payload);
  if (!message) {
    world_.fail("a message that our own encoder made is refused: " + message.error().field + " " + message.error().reason);
    return;
  }
  world_.count("messages");
  world_.mix(frames.header);  // with the payload's checksum
  if (wire.agent.role == core::Role::node) {
    Traffic& traffic = between_nodes_[message->index()];
    ++traffic.messages;
    traffic.bytes += frames.header.size() + frames.payload.size();
  }
  if (direction == out) {
    ports_.at(wire.to)->heard(wire.connection, wire.agent, std::move(*message));
  } else {
    const auto heard = dialers_.at(wire.dialer).ears.heard;  // a copy: the listener may hang up
    heard(std::move(*message));
  }
}

// The other end has long opened another connection, over which it may have said the same again.
void Network::arrive_late(std::uint64_t id, const Frames& frames) {
  const auto at = left_.find(id);
  if (at == left_.end()) {
    world_.fired(Fault::message_lost);
    return;
  }
  Wire& wire = at->second;
  const auto port = ports_.find(wire.to);
  Result<Message> message = decode(frames.header, frames.payload);
  if (message && port != ports_.end() && !is_cut(wire.from, wire.to)) {
    world_.fired(Fault::late_copy);
    world_.mix(frames.header);
    port->second->heard(wire.connection, wire.agent, std::move(*message));
  }
  if (--wire.on_way[out] > 0) return;
  const Wire gone = std::move(wire);
  left_.erase(at);
  if (gone.tell_node && port != ports_.end()) port->second->lost(gone.connection);
}

void Network::fall_silent(Wire& wire) {
  wire.mute = true;
  const bool tell_dialer = calm_ || random_.chance(70);
  const bool tell_node = calm_ || random_.chance(70);
  world_.after(random_.between(0, kNoticeMs), [this, id = wire.id, tell_dialer, tell_node] { drop(id, tell_dialer, tell_node); });
}

void Network::give_up(Wire& wire) {
  wire.given_up = true;
  world_.after(random_.between(0, kSweepMs), [this, id = wire.id] { drop(id, true, true); });
}

void Network::drop(std::uint64_t id, bool tell_dialer, bool tell_node) {
  const auto at = wires_.find(id);
  if (at == wires_.end()) return;
  Wire wire = std::move(at->second);
  wires_.erase(at);
  by_connection_.erase(wire.connection);
  const bool late =
      !calm_ && !wire.mute && wire.on_way[out] > 0 && ports_.count(wire.to) != 0 && random_.chance(options_.late_percent);
  const auto dialer = dialers_.find(wire.dialer);
  if (dialer != dialers_.end() && dialer->second.wire == id) {
    dialer->second.wire = 0;
    connect(wire.dialer, random_.between(10, 500));
    if (tell_dialer && dialer->second.ears.lost) {
      const auto lost = dialer->second.ears.lost;
      lost("the stream broke");
    }
  }
  if (late) {
    wire.tell_node = tell_node;
    left_.emplace(id, std::move(wire));
    return;
  }
  const auto port = ports_.find(wire.to);
  if (tell_node && port != ports_.end()) port->second->lost(wire.connection);
}

void Network::reset(DialerId id) {
  const auto at = dialers_.find(id);
  if (at == dialers_.end()) return;
  const std::uint64_t wire = std::exchange(at->second.wire, 0);
  at->second.queued.clear();
  drop(wire, false, random_.chance(80));
  connect(id, random_.between(1, 30));
}

void Network::hang_up(DialerId id) {
  const auto at = dialers_.find(id);
  if (at == dialers_.end()) return;
  const std::uint64_t wire = at->second.wire;
  dialers_.erase(at);
  drop(wire, false, random_.chance(80));
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
  for (const std::uint64_t id : to_host) drop(id, random_.chance(80), false);
  std::erase_if(left_, [host](const auto& entry) { return entry.second.to == host; });
}

std::optional<HostId> Network::reached(DialerId id) const {
  const auto dialer = dialers_.find(id);
  const auto wire = dialer == dialers_.end() ? wires_.end() : wires_.find(dialer->second.wire);
  return wire == wires_.end() ? std::nullopt : std::optional(wire->second.to);
}

HostId Network::routed(HostId from, HostId to) const {
  const auto route = routes_.find({from, to});
  return route == routes_.end() ? to : route->second;
}

void Network::route(HostId from, HostId to, HostId by) {
  routes_[{from, to}] = by;
  std::vector<std::uint64_t> broken;
  for (const auto& [id, wire] : wires_) {
    const auto dialer = dialers_.find(wire.dialer);
    if (wire.from == from && dialer != dialers_.end() && dialer->second.to == to) broken.push_back(id);
  }
  for (const std::uint64_t id : broken) drop(id, random_.chance(80), random_.chance(80));
}

void Network::cut(HostId from, HostId to) {
  cuts_.insert({from, to});
}

void Network::hold_up(HostId from, HostId to, TimeMs how_long, Prng& random) {
  std::vector<Wire*> between;
  for (auto& [id, wire] : wires_) {
    if (wire.from == from && wire.to == to) between.push_back(&wire);
  }
  if (between.empty()) return;
  Wire& wire = *random.pick(between);
  world_.fired(Fault::connection_held_up);
  for (TimeMs& last : wire.last) last = std::max(last, world_.now() + how_long);
}

void Network::calm() {
  calm_ = true;
  cuts_.clear();
  lies_.clear();
  for (auto& [id, wire] : wires_) {
    if (wire.mute) world_.after(1, [this, broken = id] { drop(broken, true, true); });
  }
}

}  // namespace lianxi::sim
