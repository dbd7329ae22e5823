#include "broker/app/link_table.h"

#include <algorithm>

#include "broker/app/config.h"
#include "schemas/limits.h"
#include "schemas/vocabulary.h"

namespace lianxi::app {

std::string to_word(core::LaneClass lanes) {
  return std::string(lianxi::to_word(static_cast<Lane>(lanes)));
}

std::string LinkTable::reset(const core::LinkId& id, const core::Members& members) {
  links_.erase(id);
  const core::Member* peer = members.find(id.peer);
  if (peer == nullptr) return "not a member";
  const bool flash = id.lanes == core::LaneClass::flash;
  net::LinkOptions options;
  options.endpoint = flash ? peer->flash : peer->follow;
  options.server_key = peer->curve_key;
  options.keys = self_.keys;
  options.security = self_.security;
  options.agent = node_agent_id(self_.region);
  options.io_thread = flash ? net::IoThread::flash : net::IoThread::rest;
  options.max_message_bytes = static_cast<std::size_t>(kMaxMessageBytes);
  auto opened = net::LinkSocket::connect(context_, options);
  if (!opened) return opened.error().detail;
  links_.emplace(id, std::move(*opened));
  log_.debug("link opened", {{"peer", to_text(id.peer)}, {"lanes", to_word(id.lanes)}, {"endpoint", options.endpoint}});
  return {};
}

bool LinkTable::send(const core::LinkId& id, const Message& message) {
  const auto found = links_.find(id);
  return found != links_.end() && found->second->send(encode(message));
}

void LinkTable::readable(std::vector<net::WaitItem>& items) {
  for (auto& [id, link] : links_) items.push_back(link->readable());
}

bool LinkTable::flash_waits() const {
  return std::any_of(links_.begin(), links_.end(),
                     [](const auto& entry) { return entry.first.lanes == core::LaneClass::flash && entry.second->has_input(); });
}

LinkTable::Taken LinkTable::receive(core::LaneClass lanes) {
  // Begins behind whoever was served last, so that one busy peer cannot hold the others off.
  auto it = links_.upper_bound(last_served_);
  for (std::size_t seen = 0; seen < links_.size(); ++seen, ++it) {
    if (it == links_.end()) it = links_.begin();
    if (it->first.lanes != lanes) continue;
    auto received = it->second->receive();
    if (std::holds_alternative<std::monostate>(received)) continue;
    last_served_ = it->first;
    return {it->first, std::move(received)};
  }
  return {};
}

std::vector<LinkTable::Lost> LinkTable::sweep(bool& again_soon) {
  std::vector<Lost> lost;
  for (auto& [id, link] : links_) {
    auto swept = link->sweep();
    again_soon = again_soon || swept.again_soon;
    if (swept.lost) lost.push_back({id, std::move(swept.reason)});
  }
  return lost;
}

void LinkTable::keep_members(const core::Members& members) {
  std::erase_if(links_, [&](const auto& entry) { return members.find(entry.first.peer) == nullptr; });
}

LinkRow row_of(const core::LinkView& view, TimeMs now) {
  LinkRow row;
  row.region = view.link.peer;
  row.lanes = to_word(view.link.lanes);
  row.state = view.state;
  row.last_contact = view.last_contact;
  row.reason = view.reason;
  row.members = view.members;
  row.received_events = view.received_events;
  row.delivered_events = view.delivered_events;
  row.lag_events = view.lag_events;
  const bool in_step = view.state == "following" && view.lag_events == 0U;
  if (view.in_step_at) row.behind_ms = in_step ? 0 : std::max<TimeMs>(0, now - *view.in_step_at);
  row.round_trip_ms = view.round_trip_ms;
  row.clock_ahead_ms = view.clock_ahead_ms;
  row.detour = view.detour;
  row.plain_bytes = view.plain_bytes;
  row.wire_bytes = view.wire_bytes;
  row.bytes_per_second = view.bytes_per_second;
  return row;
}

}  // namespace lianxi::app
