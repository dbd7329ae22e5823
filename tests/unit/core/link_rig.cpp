#include "tests/unit/core/link_rig.h"

namespace lianxi::core {

LinkRig::LinkRig(const std::vector<RegionCode>& regions, const std::shared_ptr<const Members>& members) {
  for (const RegionCode region : regions) nodes_.emplace(region, std::make_unique<CoreRig>(region, members));
}

std::string LinkRig::routing(RegionCode from, LaneClass lanes, RegionCode to) {
  const std::string id = to_text(from) + "." + std::to_string(static_cast<int>(lanes)) + "." + to_text(to) + "." +
                         std::to_string(connections_[{from, lanes, to}]);
  ends_[id] = {from, LinkId{to, lanes}};
  return id;
}

void LinkRig::add(RegionCode region, const std::shared_ptr<const Members>& members) {
  auto fresh = std::make_unique<CoreRig>(region, members);
  fresh->now = nodes_.begin()->second->now;
  nodes_.emplace(region, std::move(fresh));
}

void LinkRig::perform(RegionCode region, const Effects& effects) {
  for (const Alarm& alarm : effects.alarms) alarms.push_back(to_text(region) + " " + alarm.what);
  given.insert(given.end(), effects.repairs.begin(), effects.repairs.end());
  for (const LinkReset& reset : effects.link_resets) {
    const Connection old{2, routing(region, reset.link.lanes, reset.link.peer)};
    ends_.erase(old.routing);
    ++connections_[{region, reset.link.lanes, reset.link.peer}];
    if (!is_cut(region, reset.link.peer) && nodes_.contains(reset.link.peer))
      network_.push_back({reset.link.peer, [old](TimeMs now) { return Input{now, ConnectionLost{old}}; }});
  }
  for (const LinkSend& send : effects.link_sends) {
    const RegionCode peer = send.link.peer;
    if (is_cut(region, peer) || !nodes_.contains(peer)) continue;
    AgentMessage message{{2, routing(region, send.link.lanes, peer)}, node_of(region), send.message};
    network_.push_back({peer, [message](TimeMs now) { return Input{now, message}; }});
  }
  const auto to_link = [&](const Connection& connection, Message message) {
    const auto end = ends_.find(connection.routing);
    if (end == ends_.end() || is_cut(region, end->second.first)) return false;
    if (auto* deliver = std::get_if<Deliver>(&message); deliver != nullptr && tamper) tamper(region, end->second.first, *deliver);
    PeerMessage peer{end->second.second, std::move(message)};
    network_.push_back({end->second.first, [peer](TimeMs now) { return Input{now, peer}; }});
    return true;
  };
  for (const Send& send : effects.sends)
    if (!to_link(send.connection, send.message) && send.connection.socket != 2) said.push_back(send);
  for (const DeliverOrder& order : effects.deliveries) {
    Deliver deliver = node(region).perform(order, order.max_messages);
    const bool says = deliver.next > order.from || !deliver.segments.empty();
    Delivered report{order.connection, order.follow, deliver.next, deliver.segments.size(), says, false};
    if (report.sent && !to_link(order.connection, std::move(deliver)))
      report = {order.connection, order.follow, order.from, 0, false, false};
    network_.push_back({region, [report](TimeMs now) { return Input{now, report}; }});
  }
}

void LinkRig::settle() {
  while (!network_.empty()) {
    const Packet packet = std::move(network_.front());
    network_.pop_front();
    CoreRig& to = node(packet.to);
    perform(packet.to, to.turn({packet.input(to.now)}));
  }
}

Effects LinkRig::at(RegionCode region, std::vector<Input> inputs) {
  Effects effects = node(region).turn(std::move(inputs));
  perform(region, effects);
  settle();
  return effects;
}

void LinkRig::pass(TimeMs ms) {
  for (TimeMs passed = 0; passed < ms; passed += 100)
    for (auto& [region, rig] : nodes_) {
      rig->now += 100;
      perform(region, rig->step(Tick{}));
      settle();
    }
}

void LinkRig::restart(RegionCode region) {
  node(region).restart();
}

std::string LinkRig::state(RegionCode from, RegionCode to, LaneClass lanes) {
  for (const LinkView& view : node(from).core.links())
    if (view.link == LinkId{to, lanes}) return view.state;
  return "none";
}

}  // namespace lianxi::core
