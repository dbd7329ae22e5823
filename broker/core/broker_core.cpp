#include "broker/core/broker_core.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "broker/core/followers.h"
#include "broker/core/kinds/retention.h"
#include "broker/core/publishing.h"
#include "broker/core/replication.h"

namespace lianxi::core {

struct BrokerCore::State {
  State(CoreConfig config, LoadedState& loaded)
      : ground{config,
               Sequencer(config.region, config.epoch, loaded.next_offset, loaded.heads, loaded.last_ordinal, loaded.last_time),
               Forks(config.region, config.epoch),
               {},
               {loaded.alerts,
                ChangedResources(loaded.next_offset),
                {},
                std::nullopt,
                {},
                config.region,
                std::move(loaded.stock),
                Mobilisations(config.region)},
               RestoreFence(config.epoch, loaded.fence, ground.memory),
               {},
               {},
               {}},
        publishing(loaded),
        followers(loaded.cursors, config.incarnation) {
    for (const Quarantined& row : loaded.quarantined) ground.forks.contradicted(row);
    ground.sequencer.begun(loaded.beginnings);
    remember(loaded.retained);
    for (ThreadKey& key : loaded.finished) ground.memory.mobilisations.load_finished(std::move(key));
    for (auto& [envelope, heard] : loaded.mobilisations) ground.memory.mobilisations.remember(envelope, std::move(heard));
    // Core asks them at every step; a node without a policy allows nothing.
    if (!ground.config.policy) ground.config.policy = std::make_shared<const Policy>();
    if (!ground.config.members) ground.config.members = std::make_shared<const Members>();
  }

  Ground ground;
  Turn turn;
  Publishing publishing;
  Followers followers;
  Replication replication;

  void take_members(const std::shared_ptr<const Members>& members) {
    const bool stands = members->stands_at(turn.now);
    const auto before =
        std::exchange(ground.config.members, stands ? members : std::make_shared<const Members>(members->at(turn.now)));
    ground.durability.members_changed(ground, *before);
  }
  void rights_changed(const PolicyChanged& changed) {
    const auto is_member = [&](RegionCode region) { return ground.members().active(region); };
    ground.forks.keep_members(is_member);
    ground.clocks.keep_members(ground.standing, turn, is_member);
    followers.policy_changed(ground, turn, changed);
    replication.members_changed(ground);
  }
  // Members come and go at an instant, with no word from outside.
  void look_at_the_time() {
    if (ground.members().stands_at(turn.now)) return;
    take_members(ground.config.members);
    rights_changed({});
  }

  void remember(const std::vector<RetainedFeed>& retained) {
    for (const RetainedFeed& feed : retained) ground.retained[feed.feed] = feed;
  }

  // --- one handler for each input ---
  void on(const AgentMessage& from) {
    followers.heard(turn, from.connection);
    std::visit([&](const auto& message) { said(from, message); }, from.message);
  }
  void on(const PeerMessage& from) { replication.message(ground, turn, from); }
  void on(const ConnectionLost& lost) {
    followers.lost(lost.connection);
    ground.durability.lost(lost.connection);
  }
  void on(const LinkLost& lost) { replication.lost(ground, turn, lost); }
  void on(const Delivered& delivered) { followers.delivered(ground, turn, delivered); }
  void on(const PolicyChanged& changed) {
    if (changed.policy) ground.config.policy = changed.policy;
    if (changed.links) ground.config.links = changed.links;
    if (changed.members) take_members(changed.members);
    rights_changed(changed);
  }
  void on(const DiskState& disk) { ground.disk_low = disk.below_headroom; }
  void on(const RetentionPlanned& planned) { remember_plan(planned.audience, planned.retention, ground.memory); }
  void on(const Retained& retained) {
    remember(retained.feeds);
    followers.retained(ground, turn);
  }
  void on(const Damaged& damaged) { replication.damaged(turn, damaged); }
  void on(const Tick&) {
    ground.clocks.tick(ground.standing, turn, ground.sequencer.clock().last());
    followers.tick(ground, turn);
    ground.forks.tick(turn);
    replication.tick(ground, turn);
    ground.fence.tick(ground.standing, turn, ground.members(), ground.region(), ground.memory);
  }

  // --- one for each message of an agent ---
  void said(const AgentMessage& from, const Hello& message) { publishing.hello(ground, turn, from, message); }
  void said(const AgentMessage& from, const Publish& message) { publishing.publish(ground, turn, from, message); }
  void said(const AgentMessage& from, const Follow& message) { followers.follow(ground, turn, from, message); }
  void said(const AgentMessage& from, const Credit& message) {
    followers.credit(turn, from, message);
    ground.durability.credited(ground, from, message);
  }
  void said(const AgentMessage& from, const Unfollow& message) { followers.unfollow(from, message); }
  void said(const AgentMessage& from, const Heartbeat& message) {
    publishing.heard(turn, from);
    followers.heartbeat(ground, turn, from, message);
  }
  template <class Other>
  void said(const AgentMessage& from, const Other&) {
    turn.refuse(from.connection,
                {SessionId{},
                 0,
                 Lane::flash,
                 {RefusalCode::unknown_type, "header.type", "a node does not take this message from an agent", 0}});
  }
};

BrokerCore::BrokerCore(CoreConfig config, LoadedState loaded) : state_(std::make_unique<State>(std::move(config), loaded)) {}
BrokerCore::~BrokerCore() = default;
BrokerCore::BrokerCore(BrokerCore&&) noexcept = default;
BrokerCore& BrokerCore::operator=(BrokerCore&&) noexcept = default;

void BrokerCore::contradicted(const Quarantined& row) {
  state_->ground.forks.contradicted(row);
}

void BrokerCore::begin(TimeMs now, const Hash& entropy) {
  state_->turn = Turn{};
  state_->turn.now = now;
  state_->turn.entropy = entropy;
  state_->ground.sequencer.open();
  state_->look_at_the_time();
}

void BrokerCore::step(const Input& input) {
  state_->turn.now = std::max(state_->turn.now, input.now);
  state_->look_at_the_time();
  std::visit([&](const auto& what) { state_->on(what); }, input.what);
}

Effects BrokerCore::finish() {
  State& s = *state_;
  s.ground.sequencer.close(s.turn);
  s.ground.memory.resources.close(s.ground.sequencer.next_offset());
  s.ground.fence.close_turn(s.ground.standing, s.turn, s.ground.memory);
  s.publishing.close_turn(s.ground, s.turn);
  s.followers.close_turn(s.turn);
  s.ground.durability.close_turn(s.ground, s.turn);
  s.followers.hand_out(s.ground, s.turn);
  s.turn.bytes = 0;
  return std::move(s.turn.effects);
}

FeedVector BrokerCore::heads() const {
  FeedVector vector;
  const Sequencer& sequencer = state_->ground.sequencer;
  for (const auto& [feed, head] : sequencer.heads()) vector.push_back({feed, head, sequencer.begins(feed)});
  return vector;
}

Offset BrokerCore::next_offset() const {
  return state_->ground.sequencer.next_offset();
}

std::vector<LinkView> BrokerCore::links() const {
  return state_->replication.links(state_->ground);
}

std::vector<PeerSight> BrokerCore::peers() const {
  return state_->replication.peers();
}

std::vector<AlarmRow> BrokerCore::alarms() const {
  std::vector<AlarmRow> rows = state_->ground.standing.rows();
  for (AlarmRow& row : state_->ground.forks.rows()) rows.push_back(std::move(row));
  return rows;
}

std::optional<FenceRow> BrokerCore::fence() const {
  return state_->ground.fence.view(state_->ground.members());
}

std::size_t BrokerCore::follower_count() const {
  return state_->followers.count();
}

const std::shared_ptr<const Members>& BrokerCore::members() const {
  return state_->ground.config.members;
}

std::optional<TimeMs> BrokerCore::retry_at() const {
  return state_->followers.retry_at();
}

bool BrokerCore::follows(const Connection& connection, SessionId follow) const {
  return state_->followers.open(connection, follow);
}

DurabilityView BrokerCore::durability() const {
  return state_->ground.durability.view();
}

std::size_t BrokerCore::pending_bytes() const {
  return state_->turn.bytes;
}

bool BrokerCore::flash_pending() const {
  return state_->turn.effects.flash;
}

}  // namespace lianxi::core
