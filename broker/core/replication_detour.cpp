// Feeds of a member that cannot be reached, asked of another that holds them.
#include <algorithm>
#include <utility>

#include "broker/core/replication.h"
#include "schemas/limits.h"

namespace lianxi::core {

void Replication::take_detours(const Ground& ground, Turn& turn) {
  for (const auto& [id, link] : links_) {
    if (link.state == State::following) {
      const auto over = detours_.find(id);
      if (over == detours_.end()) continue;
      close_detour(turn, id.lanes, over->second, "the member is reached again");
      detours_.erase(over);
      continue;
    }
    if (ground.disk_low || turn.now - link.down_since < kDetourAfterMs) continue;
    Detour& detour = detours_.try_emplace(id, Detour{.via = id.peer}).first->second;
    detour.moved_at = std::min(detour.moved_at, turn.now);  // the wall clock may have been set back
    detour.retry_at = std::min(detour.retry_at, turn.now + kRefusedLinkRetryMs);
    if (detour.open && turn.now - detour.moved_at <= kDetourPatienceMs) continue;
    if (!detour.open && turn.now < detour.retry_at) continue;
    const auto via = next_via(ground, id, detour.via);
    if (!via || (detour.open && *via == detour.via)) continue;
    close_detour(turn, id.lanes, detour, "another node is asked");
    detour.via = *via;
    open_detour(ground, turn, id, detour);
  }
}

std::optional<RegionCode> Replication::next_via(const Ground& ground, const LinkId& id, RegionCode before) const {
  std::optional<RegionCode> first;
  for (const auto& [other, link] : links_) {
    if (other.lanes != id.lanes || other.peer == id.peer || link.state != State::following) continue;
    if (ground.members().find(other.peer) == nullptr) continue;
    if (other.peer > before) return other.peer;
    if (!first) first = other.peer;
  }
  return first;
}

void Replication::open_detour(const Ground& ground, Turn& turn, const LinkId& id, Detour& detour) {
  Link& link = links_.at({detour.via, id.lanes});
  detour.follow = link.last_follow = SessionId{link.last_follow.value + 1};
  detour.open = true;
  detour.moved_at = turn.now;
  turn.effects.link_sends.push_back({{detour.via, id.lanes}, question(detour.follow, id, held_of(ground, id))});
}

void Replication::close_detour(Turn& turn, LaneClass lanes, Detour& detour, const std::string& reason) {
  if (!std::exchange(detour.open, false)) return;
  turn.effects.link_sends.push_back({{detour.via, lanes}, Unfollow{detour.follow, reason}});
}

std::map<LinkId, Replication::Detour>::iterator Replication::detour_of(const LinkId& via, SessionId follow) {
  return std::find_if(detours_.begin(), detours_.end(), [&](const auto& entry) {
    const Detour& detour = entry.second;
    return detour.open && detour.via == via.peer && entry.first.lanes == via.lanes && detour.follow == follow;
  });
}

void Replication::detour_message(Ground& ground, Turn& turn, const PeerMessage& from, Link& link,
                                 std::map<LinkId, Detour>::iterator at) {
  Detour& detour = at->second;
  if (const auto* delivery = std::get_if<Deliver>(&from.message))
    return deliver(ground, turn, {from.link, link, at->first.peer, &detour}, *delivery);
  if (std::holds_alternative<Followed>(from.message)) return;
  detour.open = false;  // refused, or ended over there
  detour.retry_at = turn.now + kDetourAfterMs;
}

}  // namespace lianxi::core
