// The broker's thread: rights and members, read again when asked, when their file changes, and as time goes by.
#include <algorithm>
#include <iterator>
#include <utility>

#include "broker/app/broker_state.h"
#include "broker/app/clock.h"

namespace lianxi::app {

namespace {

bool is_peer(const AgentKey& key, RegionCode own) {
  return key.agent.id.region() != own && key.agent.id.text() == node_agent_id(key.agent.id.region());
}

std::shared_ptr<const core::Members> as_of_now(const std::shared_ptr<const core::Members>& members) {
  return std::make_shared<const core::Members>(members->at(wall_ms()));
}

}  // namespace

void Broker::State::refuse_reload(const std::string& what, const std::string& mend) {
  metrics.alarm("reload_refused");
  log.error("reload refused", {{"file", what}, {"mend", mend}, {"members", to_text(config.members->version())}});
}

std::string Broker::State::take_in(const core::Members& next, bool asked) {
  if (std::string why = cannot_follow(*config.members, next, asked); !why.empty()) return why;
  if (std::string why = groups.refuses(next); !why.empty()) return why;
  return groups.keep(next);
}

void Broker::State::reload() {
  members_watch.taken();
  auto read = read_config(config.file.path);
  for (const ConfigFinding& finding : read.findings)
    finding.warning ? log.warn("config", {{"finding", to_text(finding)}}) : log.error("config", {{"finding", to_text(finding)}});
  if (!read.value) return refuse_reload(config.file.path, "correct what is found; the rights stay as they were");
  if (read.value->file.endpoints.security != config.file.endpoints.security)
    return refuse_reload(config.file.path, "a change of endpoints.security takes a restart");
  if (std::string why = take_in(*read.value->members, true); !why.empty())
    return refuse_reload(config.file.members, why + "; the rights stay as they were");
  // What is bound and opened stays until a restart; the rest changes now, in one step for every thread.
  config.policy = read.value->policy;
  config.members = as_of_now(read.value->members);
  config.agents = read.value->agents;
  config.map_names = read.value->map_names;
  config.file.links = read.value->file.links;
  hand_out_rights();
  log.info("reloaded", {{"agents", std::to_string(config.agents.size())}, {"file", config.file.path}});
  tell_members();
}

// Members alone: whoever is at work on the policy or a key says so by SIGHUP when it is done.
void Broker::State::watch_members() {
  if (!members_watch.changed()) return;
  auto read = read_config(config.file.path);
  const std::string why = read.value ? take_in(*read.value->members, false) : std::string();
  if (!read.value || !why.empty()) {
    members_watch.refused();
    std::string found = why;
    for (const ConfigFinding& finding : read.findings)
      if (!finding.warning) found += (found.empty() ? "" : "; ") + to_text(finding);
    if (found == std::exchange(members_refused, found)) return;
    if (!read.value) log.error("config", {{"finding", found}});
    return refuse_reload(config.file.members, why.empty() ? "correct what is found; the members stay as they were" : why);
  }
  members_refused.clear();
  if (read.value->members->version() == config.members->version()) return;
  config.members = as_of_now(read.value->members);
  std::erase_if(config.agents, [&](const AgentKey& key) { return is_peer(key, config.file.region); });
  std::copy_if(read.value->agents.begin(), read.value->agents.end(), std::back_inserter(config.agents),
               [&](const AgentKey& key) { return is_peer(key, config.file.region); });
  hand_out_rights();
  tell_members();
}

void Broker::State::hand_out_rights() {
  directory.replace(config);
  auto agents = std::make_shared<std::map<AgentId, core::Agent>>();
  for (const AgentKey& key : config.agents) agents->emplace(key.agent.id, key.agent);
  inputs.push_back({wall_ms(), core::PolicyChanged{config.policy, config.members, std::move(agents),
                                                   std::make_shared<const core::LinkSettings>(config.file.links)}});
  for (auto& endpoint : endpoints) endpoint->cut_revoked();
  links.keep_members(*config.members);
  live->rights_changed();
  query->rights_changed();
}

void Broker::State::follow_members() {
  if (node->core().members() == config.members) return;
  config.members = node->core().members();
  directory.replace(config);
  live->rights_changed();
  query->rights_changed();
  tell_members();
}

void Broker::State::tell_members() {
  metrics.set_members(config.members->version());
  std::string members, others;
  for (const core::Member& member : config.members->all()) {
    std::string& list = config.members->active(member.region) ? members : others;
    list += (list.empty() ? "" : " ") + to_text(member.region);
    if (&list == &others) list += ":" + std::string(to_word(config.members->standing(member.region)));
  }
  log.info("members", {{"version", to_text(config.members->version())}, {"members", members}, {"others", others}});
}

}  // namespace lianxi::app
