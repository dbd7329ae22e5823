#include "broker/app/intake.h"

#include "schemas/limits.h"

namespace lianxi::app {

namespace {

// Turns that flash may keep for itself before the other sockets are looked at again.
constexpr std::size_t kMaxFlashTurns = 8;

tl::unexpected<Refusal> not_spoken(std::string reason) {
  return lianxi::refuse(RefusalCode::unknown_type, "header.type", std::move(reason));
}

}  // namespace

Result<void> spoken_on(EndpointKind endpoint, const Message& message) {
  if (std::holds_alternative<Heartbeat>(message)) return {};
  if (const auto* publish = std::get_if<Publish>(&message)) {
    if (endpoint == EndpointKind::follow) return not_spoken("the follow endpoint takes no publishes; send them to data or flash");
    if ((endpoint == EndpointKind::flash) != (publish->lane == Lane::flash))
      return lianxi::refuse(RefusalCode::wrong_lane, "header.lane",
                            publish->lane == Lane::flash ? "publish the flash lane to the flash endpoint"
                                                         : "publish the normal and bulk lanes to the data endpoint");
    return {};
  }
  if (std::holds_alternative<Hello>(message)) {
    if (endpoint == EndpointKind::follow) return not_spoken("the follow endpoint knows no sessions; say Hello to data or flash");
    return {};
  }
  if (const auto* follow = std::get_if<Follow>(&message)) {
    if (endpoint == EndpointKind::data) return not_spoken("the data endpoint serves no follows; use follow or flash");
    if (endpoint == EndpointKind::flash && follow->lanes != mask_of(Lane::flash))
      return lianxi::refuse(RefusalCode::wrong_lane, "lanes", "the flash endpoint delivers the flash lane alone; use follow");
    return {};
  }
  if (std::holds_alternative<Credit>(message) || std::holds_alternative<Unfollow>(message)) {
    if (endpoint == EndpointKind::data) return not_spoken("the data endpoint serves no follows; use follow or flash");
    return {};
  }
  if (std::holds_alternative<Query>(message)) return not_spoken("queries go to the query endpoint");
  return not_spoken("only a node says this");
}

net::SendOutcome send_answer(net::RouterEndpoint& endpoint, const std::string& routing, Frames frames, Metrics& metrics) {
  const net::SendOutcome outcome = endpoint.send(routing, std::move(frames));
  if (outcome == net::SendOutcome::full) {
    metrics.answer_unsent();
    endpoint.give_up(routing);
  }
  return outcome;
}

void count_sweep(const net::RouterEndpoint::Swept& swept, Metrics& metrics) {
  metrics.connections_cut(CutReason::endless, swept.cut.endless);
  metrics.connections_cut(CutReason::waiting, swept.cut.waiting);
  metrics.connections_cut(CutReason::crowded, swept.cut.crowded);
  metrics.connections_cut(CutReason::stuck, swept.stuck.size());
  metrics.handshakes_failed(swept.failed_handshakes);
  metrics.accepts_failed(swept.failed_accepts);
}

bool Intake::Turn::full() const {
  return bytes >= kMaxBatchBytes || messages >= kMaxBatchMessages;
}

bool Intake::take(TimeMs now, const Rights& rights, std::vector<core::Input>& inputs) {
  Turn turn{now, rights, inputs};
  take_endpoint(turn, EndpointKind::flash);
  take_links(turn, core::LaneClass::flash);
  // A flash event waits for one fsync and nothing else: its turn closes here.
  if (turn.flash && ++flash_turns_ < kMaxFlashTurns) return true;
  flash_turns_ = 0;
  take_endpoint(turn, EndpointKind::follow);
  data_first_ = !data_first_;
  if (data_first_) take_data(turn);
  take_links(turn, core::LaneClass::normal);
  take_links(turn, core::LaneClass::bulk);
  if (!data_first_) take_data(turn);
  return turn.full() || !ahead_.empty();
}

void Intake::take_endpoint(Turn& turn, EndpointKind endpoint) {
  net::RouterEndpoint& socket = *endpoints_[static_cast<std::size_t>(endpoint)];
  while (!turn.full()) {
    auto received = socket.receive();
    if (auto* inbound = std::get_if<net::Inbound>(&received)) {
      take_message(turn, endpoint, std::move(*inbound));
    } else if (auto* rejected = std::get_if<net::Rejected>(&received)) {
      cut(turn, endpoint, std::move(*rejected));
    } else {
      return;
    }
  }
}

void Intake::take_data(Turn& turn) {
  bool looked = false;
  while (!turn.full()) {
    if (ahead_.empty() || !looked) read_ahead(turn);
    looked = true;
    auto inbound = ahead_.pop();
    if (!inbound) return;
    take_message(turn, EndpointKind::data, std::move(*inbound));
  }
}

// Reads what a turn can take, and on while an agent that was heard lately has nothing among it: the socket gives each
// connection its turn, and one agent may have many. What is too much of one agent is told to come back.
void Intake::read_ahead(Turn& turn) {
  net::RouterEndpoint& socket = *endpoints_[static_cast<std::size_t>(EndpointKind::data)];
  for (std::size_t read = 0; read < kMaxBatchMessages; ++read) {
    if (ahead_.bytes() >= kMaxBatchBytes && !ahead_.somebody_missing(turn.now)) return;
    auto received = socket.receive();
    if (auto* rejected = std::get_if<net::Rejected>(&received)) {
      cut(turn, EndpointKind::data, std::move(*rejected));
      continue;
    }
    auto* inbound = std::get_if<net::Inbound>(&received);
    if (inbound == nullptr) return;
    const std::size_t of_agent = ahead_.bytes_of(inbound->agent);
    // What others have waiting is no reason to refuse whoever has next to nothing.
    if (of_agent < kAgentAheadBytes && (ahead_.bytes() < kAheadBytes || of_agent < kShareBytes)) {
      ahead_.push(std::move(*inbound), turn.now);
      continue;
    }
    metrics_.throttled(1);
    refuse(
        EndpointKind::data, inbound->routing, inbound->header, inbound->payload,
        {RefusalCode::busy, "agent", "more of this agent waits than its share while others publish; send again", kShareRetryMs});
  }
}

void Intake::cut(Turn& turn, EndpointKind endpoint, net::Rejected rejected) {
  ++turn.messages;
  metrics_.connections_cut(CutReason::shape);
  log_.warn("connection cut", {{"agent", rejected.agent},
                               {"endpoint", endpoints_[static_cast<std::size_t>(endpoint)]->endpoint()},
                               {"field", rejected.refusal.field},
                               {"reason", rejected.refusal.reason}});
  turn.inputs.push_back({turn.now, core::ConnectionLost{{static_cast<std::uint8_t>(endpoint), rejected.routing}}});
  refuse(endpoint, rejected.routing, {}, {}, std::move(rejected.refusal));
}

void Intake::take_message(Turn& turn, EndpointKind endpoint, net::Inbound inbound) {
  ++turn.messages;
  turn.bytes += inbound.payload.size();
  const core::Agent* agent = turn.rights.find(inbound.agent);
  if (agent == nullptr)
    return refuse(endpoint, inbound.routing, inbound.header, inbound.payload,
                  {RefusalCode::unknown_key, "key", "this key is no longer in the key folder", 0});
  auto message = decode(inbound.header, inbound.payload, Speaker::client);
  if (!message) return refuse(endpoint, inbound.routing, inbound.header, inbound.payload, std::move(message.error()));
  if (auto spoken = spoken_on(endpoint, *message); !spoken)
    return refuse(endpoint, inbound.routing, inbound.header, inbound.payload, std::move(spoken.error()));
  if (const auto* publish = std::get_if<Publish>(&*message)) turn.flash = turn.flash || publish->lane == Lane::flash;
  turn.inputs.push_back(
      {turn.now,
       core::AgentMessage{{static_cast<std::uint8_t>(endpoint), std::move(inbound.routing)}, *agent, std::move(*message)}});
}

void Intake::take_links(Turn& turn, core::LaneClass lanes) {
  while (!turn.full()) {
    LinkTable::Taken taken = links_.receive(lanes);
    if (std::holds_alternative<std::monostate>(taken.what)) return;
    ++turn.messages;
    if (auto* refusal = std::get_if<Refusal>(&taken.what)) {
      turn.inputs.push_back(
          {turn.now, core::LinkLost{taken.link, "the peer sent a message of a wrong shape: " + refusal->reason, refusal->code}});
      continue;
    }
    auto& inbound = std::get<net::LinkInbound>(taken.what);
    const std::size_t wire_bytes = inbound.payload.size();
    auto message = decode(inbound.header, inbound.payload, Speaker::node);
    if (!message) {
      turn.bytes += wire_bytes;
      turn.inputs.push_back({turn.now, core::LinkLost{taken.link, "the peer sent what does not read: " + message.error().reason,
                                                      message.error().code}});
      continue;
    }
    const auto* deliver = std::get_if<Deliver>(&*message);
    turn.bytes += deliver != nullptr ? deliver->segments.size() : wire_bytes;  // unpacked
    turn.inputs.push_back({turn.now, core::PeerMessage{taken.link, std::move(*message), wire_bytes}});
  }
}

void Intake::refuse(EndpointKind endpoint, const std::string& routing, const Bytes& header, const Bytes& payload,
                    Refusal refusal) {
  metrics_.refused(refusal.code);
  Refused refused;
  if (const auto known = decode_header(header, payload)) {
    refused.session = known->session;
    refused.sequence = known->sequence;
    refused.lane = known->lane;
  }
  refused.refusal = std::move(refusal);
  (void)send_answer(*endpoints_[static_cast<std::size_t>(endpoint)], routing, encode(refused), metrics_);
}

}  // namespace lianxi::app
