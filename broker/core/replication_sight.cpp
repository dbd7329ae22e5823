// What a link knows of itself: how far it is behind, how long a word takes, what it may ask for.
#include <algorithm>
#include <utility>

#include "broker/core/replication.h"
#include "schemas/limits.h"

namespace lianxi::core {
namespace {

// A message held back for so long is paid for all the same: a peer that hears nothing of a follow for two minutes ends it.
constexpr TimeMs kOwedMs = 60'000;

}  // namespace

void Replication::sighted(const Ground& ground, const Turn& turn, const LinkId& id, Link& link, const Heartbeat& beat) {
  // Only of this connection: what is older was said before a restart, or is made up.
  if (beat.echo >= link.opened_at && beat.echo <= turn.now && beat.echo != 0) {
    const TimeMs away = turn.now - beat.echo;
    const TimeMs held = std::min<TimeMs>(beat.held_ms, away);
    link.sight.round_trip_ms = away - held;
    // It heard ours at time - held and spoke at time; half of the way lies before and half behind.
    link.sight.clock_ahead_ms = std::clamp(beat.time, kMinTimeMs, kMaxTimeMs) - held / 2 - (beat.echo + away / 2);
  }
  link.peer_heads.clear();
  for (const FeedPosition& position : beat.vector) {
    const FeedId& feed = position.feed;
    if (feed.region == id.peer && (lanes_of(id.lanes) & mask_of(feed.lane)) != 0) link.peer_heads[feed] = position.head.sequence;
  }
  link.heads_known = true;
  if (lag_of(ground, link) == 0) link.sight.in_step_at = turn.now;
}

std::uint64_t Replication::lag_of(const Ground& ground, const Link& link) {
  std::uint64_t lag = 0;
  for (const auto& [feed, theirs] : link.peer_heads) {
    const Sequence ours = ground.sequencer.head(feed).sequence;
    if (theirs > ours) lag += theirs.value - ours.value;
  }
  return lag;
}

void Replication::pay(const Ground& ground, Turn& turn, const LinkId& id, Link& link, Credit credit, std::size_t wire_bytes) {
  const std::uint64_t rate = id.lanes == LaneClass::flash ? 0 : setting_of(ground.config.links, id.peer).bytes_per_second;
  if (rate > 0) {
    asked_.spend(id.peer, wire_bytes > 0 ? wire_bytes : credit.bytes, rate, turn.now);
    if (asked_.wait_ms(id.peer, lanes_of(id.lanes), turn.now) > 0) {
      if (link.owed.empty()) link.owed_since = turn.now;
      link.owed[credit.follow] += std::exchange(credit.messages, 0);
    }
  }
  turn.effects.link_sends.push_back({id, credit});
}

void Replication::pay_owed(const Ground& ground, Turn& turn, const LinkId& id, Link& link) {
  if (link.owed.empty()) return;
  link.owed_since = std::min(link.owed_since, turn.now);
  const bool bound = setting_of(ground.config.links, id.peer).bytes_per_second > 0;
  const bool over = turn.now - link.owed_since > kOwedMs;
  if (bound && !over && asked_.wait_ms(id.peer, lanes_of(id.lanes), turn.now) > 0) return;
  for (const auto& [follow, count] : link.owed) turn.effects.link_sends.push_back({id, Credit{follow, 0, count, Offset{}}});
  link.owed.clear();
}

std::vector<LinkView> Replication::links(const Ground& ground) const {
  static constexpr const char* kWords[] = {"down", "connecting", "following", "refused", "retired"};
  std::vector<LinkView> views;
  for (const auto& [id, link] : links_) {
    const LinkSight& sight = link.sight;
    LinkView view;
    view.link = id;
    view.state = kWords[static_cast<std::size_t>(link.state)];
    view.last_contact = link.last_contact;
    view.reason = link.reason;
    view.members = link.members;
    view.received_events = sight.received_events;
    view.delivered_events = sight.delivered_events;
    if (link.heads_known) view.lag_events = lag_of(ground, link);
    view.in_step_at = sight.in_step_at;
    view.round_trip_ms = sight.round_trip_ms;
    view.clock_ahead_ms = sight.clock_ahead_ms;
    view.plain_bytes = sight.plain_bytes;
    view.wire_bytes = sight.wire_bytes;
    view.bytes_per_second = setting_of(ground.config.links, id.peer).bytes_per_second;
    if (const auto detour = detours_.find(id); detour != detours_.end() && detour->second.open) {
      view.detour = detour->second.via;
      view.reason += (view.reason.empty() ? "its feeds are asked of " : "; its feeds are asked of ") + to_text(view.detour);
    }
    views.push_back(std::move(view));
  }
  return views;
}

}  // namespace lianxi::core
