// Who is who and may do what, as every thread of the broker sees it: replaced whole when the configuration is read again.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "broker/app/config.h"
#include "broker/net/key_table.h"

namespace lianxi::app {

struct Rights {  // one moment's; immutable
  RegionCode region;
  std::map<std::string, core::Agent, std::less<>> agents;  // by id
  std::shared_ptr<const core::Policy> policy;
  std::shared_ptr<const core::Members> members;
  std::shared_ptr<const MapNames> map_names;

  [[nodiscard]] const core::Agent* find(std::string_view agent) const {
    const auto found = agents.find(agent);
    return found == agents.end() ? nullptr : &found->second;
  }
};

// Any thread.
class Directory {
 public:
  explicit Directory(const BrokerConfig& config) { replace(config); }
  void replace(const BrokerConfig& config);
  [[nodiscard]] std::shared_ptr<const Rights> rights() const;
  [[nodiscard]] const net::KeyTable& keys() const { return keys_; }

 private:
  net::KeyTable keys_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Rights> rights_;
};

// May events of this audience, in a feed of region `home`, be seen by `agent` at all? Local ones by the agents of their own
// region only, and never by a node; what an audience held stays readable where it lies when a member has gone, but its node
// is sent nothing more. Stands before every rule of the policy, for what is followed and for what is queried.
[[nodiscard]] bool reaches(const Audience& audience, RegionCode home, const core::Agent& agent, const core::Members& members);

// Who may see the whole status of the node, local feeds and counters with it, and what others may.
[[nodiscard]] bool is_insider(const core::Agent& agent, const Rights& rights);

// May `agent` hear everything that `live` carries under `prefix`? Live carries events of every audience that this node holds,
// local ones among them, and cannot tell its subscribers apart; so an agent must be of this region and its rules must admit
// all audiences whole. Whoever has fewer rights follows, where every event is judged by itself.
[[nodiscard]] Result<void> may_subscribe(const Rights& rights, std::string_view agent, std::string_view prefix);

}  // namespace lianxi::app
