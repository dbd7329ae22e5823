#include "tests/sim/clones.h"

#include <algorithm>
#include <set>

namespace lianxi::sim {
namespace {

constexpr TimeMs kLookMs = 1'000;
// A link that still looks alive may be dead for kPeerSilenceMs; then a heartbeat or a follow tells.
constexpr TimeMs kReportMs = 20'000;

}  // namespace

void Clones::begin(SimNode& of, Prng& random) {
  const TimeMs older = random.between(0, 6000), lasts = random.between(2000, 12'000);
  const bool reached = random.chance(60);
  Detour detour;
  detour.dies = random.chance(50);
  for (const auto& node : nodes_) {
    if (node.get() != &of && reached && random.chance(50)) detour.peers.push_back(node->host());
  }
  for (const auto& agent : agents_) {
    if (agent->node() == of.host() && random.chance(60)) detour.agents.push_back(agent.get());
  }
  if (!clones_.empty() || !of.copy_disk()) return;
  world_.after(older, [this, &of, detour, lasts] {
    if (!calm_) start(of, detour, lasts);
  });
}

void Clones::start(SimNode& of, Detour detour, TimeMs lasts) {
  if (!of.has_copy()) return;
  clones_.push_back(of.clone(network_.hosts()));
  detour.node = &of;
  detour.clone = clones_.back().get();
  world_.fired(Fault::cloned);
  watch();
  for (const HostId peer : detour.peers) network_.route(peer, of.host(), detour.clone->host());
  for (SimAgent* agent : detour.agents) {
    network_.route(agent->host(), of.host(), detour.clone->host());
    agent->node_rolled_back();
  }
  detour.clone->start();
  const std::size_t number = detours_.size();
  detours_.push_back(std::move(detour));
  world_.after(lasts, [this, number] { end(number); });
}

void Clones::end(std::size_t number) {
  Detour& detour = detours_[number];
  if (std::exchange(detour.over, true)) return;
  for (const HostId peer : detour.peers) network_.route(peer, detour.node->host(), detour.node->host());
  for (SimAgent* agent : detour.agents) {
    network_.route(agent->host(), detour.node->host(), detour.node->host());
    agent->node_rolled_back();
  }
  world_.note("all find " + to_text(detour.node->region()) + " itself again");
  world_.fired(detour.dies ? Fault::clone_died : Fault::clone_stayed);
  if (detour.dies) detour.clone->take_off();
}

void Clones::calm() {
  calm_ = true;
  for (std::size_t i = 0; i < detours_.size(); ++i) end(i);
  for (const auto& clone : clones_) clone->forgive();
}

void Clones::take_off() {
  for (const auto& clone : clones_) clone->take_off();
}

bool Clones::quiet() const {
  return book_.silent_forks().empty();
}

void Clones::watch() {
  if (std::exchange(watches_, true)) return;
  world_.after(kLookMs, [this] { look(); });
}

std::vector<SimNode*> Clones::everybody() const {
  std::vector<SimNode*> out;
  for (const auto& node : nodes_) out.push_back(node.get());
  for (const auto& clone : clones_) out.push_back(clone.get());
  return out;
}

void Clones::look() {
  watches_ = false;
  watch();
  const std::set<FeedId> silent = book_.silent_forks();
  std::map<Meeting, TimeMs> now;
  for (const FeedId& feed : silent) {
    for (const SimNode* owner : everybody()) {
      if (owner->region() != feed.region) continue;
      for (const SimNode* other : everybody()) {
        const bool meet = other->region() != feed.region && book_.differ(feed, owner->host(), other->host()) &&
                          (owner->follows(*other, feed.lane) || other->follows(*owner, feed.lane));
        if (!meet) continue;
        const Meeting meeting{feed, owner->host(), other->host()};
        const auto before = meetings_.find(meeting);
        now[meeting] = before == meetings_.end() ? world_.now() : before->second;
        if (world_.now() - now[meeting] <= kReportMs) continue;
        world_.fail("promise 8: " + network_.name_of(owner->host()) + " and " + network_.name_of(other->host()) +
                    " hold two histories of " + to_text(feed) + " and have been in contact for " +
                    std::to_string(kReportMs / 1000) + " s, and no alarm says so");
      }
    }
  }
  meetings_ = std::move(now);
}

}  // namespace lianxi::sim
