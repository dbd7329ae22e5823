#include "broker/app/directory.h"

namespace lianxi::app {

void Directory::replace(const BrokerConfig& config) {
  auto next = std::make_shared<Rights>();
  next->region = config.file.region;
  next->policy = config.policy;
  next->members = config.members;
  next->map_names = config.map_names;
  std::vector<net::KeyEntry> entries;
  for (const AgentKey& key : config.agents) {
    entries.push_back({key.public_key, key.agent.id.text()});
    next->agents.emplace(key.agent.id.text(), key.agent);
  }
  const std::lock_guard lock(mutex_);
  rights_ = std::move(next);
  keys_.replace(entries);
}

std::shared_ptr<const Rights> Directory::rights() const {
  const std::lock_guard lock(mutex_);
  return rights_;
}

bool reaches(const Audience& audience, RegionCode home, const core::Agent& agent, const core::Members& members) {
  if (audience.is_local()) return agent.id.region() == home && agent.role != core::Role::node;
  const RegionCode region = agent.id.region();
  return agent.role == core::Role::node ? members.holds(audience, region) : members.entitled(audience, region);
}

bool is_insider(const core::Agent& agent, const Rights& rights) {
  return agent.id.region() == rights.region || agent.role == core::Role::node || agent.role == core::Role::operator_;
}

Result<void> may_subscribe(const Rights& rights, std::string_view agent, std::string_view prefix) {
  const core::Agent* known = rights.find(agent);
  if (known == nullptr) return refuse(RefusalCode::unknown_key, "key", "this key is no longer in the key folder");
  if (known->id.region() != rights.region || known->role == core::Role::node)
    return refuse(RefusalCode::not_allowed, "agent",
                  "live carries events of this region only for its own agents; other regions' nodes follow");
  std::vector<Audience> audiences = {Audience::conference(), Audience::local()};
  for (const core::Group& group : rights.members->groups())
    if (rights.members->entitled(group.audience, rights.region)) audiences.push_back(group.audience);
  if (rights.policy->may_subscribe(*known, prefix, audiences)) return {};
  return refuse(RefusalCode::not_allowed, "topic",
                known->id.text() + " may not read everything under \"" + std::string(prefix) +
                    "\"; subscribe to a narrower topic, or follow");
}

}  // namespace lianxi::app
