// Reads what a person writes: the node's file, members.toml, policy.toml, the key folder and the node's secret keys. Every
// mistake becomes a finding with file, line and mend, and all are collected, so that one run of --check-config shows them
// all. Nothing here opens a socket or makes a file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/core/link_budget.h"
#include "broker/core/policy.h"
#include "schemas/codec/chain.h"
#include "schemas/map_names.h"
#include "schemas/security.h"

namespace lianxi::app {

struct ConfigFinding {
  bool warning = false;    // the node may start all the same
  std::string file;        // path as it was opened
  std::uint32_t line = 0;  // 0: the file as a whole
  std::string field;       // "endpoints.flash", "member[2].curve_key"; may be empty
  std::string what;        // what is wrong
  std::string mend;        // what to write instead
  bool operator==(const ConfigFinding&) const = default;
};
// "regions/330800.toml:7: endpoints.flsh: no such key (did you mean 'flash'?)"; begins with "warning: " if it is one.
[[nodiscard]] std::string to_text(const ConfigFinding& finding);
[[nodiscard]] bool has_errors(const std::vector<ConfigFinding>& findings);

struct Endpoints {                               // to bind
  std::string flash, data, follow, query, live;  // "tcp://host:port"
  std::string metrics;                           // "host:port"; empty: none
  Security security = Security::curve;           // of all sockets, links too
  std::uint32_t security_line = 0;               // where it stands; 0: nowhere
};
enum class LogFormat : std::uint8_t { console, json };

// One node's own file, config/regions/330800.toml. Paths are resolved against the file's folder.
struct NodeFile {
  std::string path;
  RegionCode region;
  std::string data_dir;
  std::string members, policy, agent_keys, keys;  // files, but `agent_keys` is a folder
  std::uint32_t region_line = 0, keys_line = 0;  // where `region` and `keys` stand, for findings; 0: nowhere, or not as they must
  Endpoints endpoints;
  LogFormat log_format = LogFormat::console;
  std::string log_level = "info";  // trace, debug, info, warn, error
  std::uint64_t disk_headroom_bytes = 0;
  std::uint64_t journal_file_bytes = 0;
  bool whole_feeds = false;                  // peers' feeds are asked for from their first event on, retained or not
  std::uint64_t archive_behind = 0;          // journal files are packed once so many were begun after them; 0: never
  core::PublishRates rates;                  // of each agent whose grants name none
  core::LinkSettings links;                  // of peers that [[link]] names
  std::string map_places, map_capabilities;  // files; empty: none

  [[nodiscard]] std::string journal_folder() const { return data_dir + "/journal"; }
  [[nodiscard]] std::string view_path() const { return data_dir + "/view.db"; }
};

// Whom a CURVE key stands for.
struct AgentKey {
  std::string public_key;  // Z85, 40 characters
  core::Agent agent;
};

struct NodeKeys {
  std::string curve_public, curve_secret;  // Z85
  SealKeyPair seal;
};

struct BrokerConfig {
  NodeFile file;
  std::shared_ptr<const core::Members> members;
  std::shared_ptr<const core::Policy> policy;
  // The key folder's agents, then each other member's broker as `<region>.broker.node` with role node.
  std::vector<AgentKey> agents;
  NodeKeys keys;
  std::shared_ptr<const MapNames> map_names;
};

// The id by which a member's broker is known to its peers: "330800.broker.node".
[[nodiscard]] std::string node_agent_id(RegionCode region);

// `value` is there unless an error was found.
template <class T>
struct Reading {
  std::optional<T> value;
  std::vector<ConfigFinding> findings;  // warnings too
};

[[nodiscard]] Reading<NodeFile> read_node_file(const std::string& path);
[[nodiscard]] Reading<core::Members> read_members(const std::string& path);
// Why members that run cannot become `next`; empty if they can. A file that was only found changed, which nobody `asked` to be
// read, may not drop anybody: it may be half a copy.
[[nodiscard]] std::string cannot_follow(const core::Members& before, const core::Members& next, bool asked);
// `members` gives the audiences that rules may name; `agents` is for warnings about grants that nobody's id matches.
[[nodiscard]] Reading<core::Policy> read_policy(const std::string& path, const core::Members& members,
                                                const std::vector<AgentKey>& agents);
[[nodiscard]] Reading<std::vector<AgentKey>> read_agent_keys(const std::string& folder);
[[nodiscard]] Reading<NodeKeys> read_node_keys(const std::string& path);

// Of the files that [map] names.
[[nodiscard]] MapNames read_map_names(const NodeFile& file, std::vector<ConfigFinding>& findings);

// All of the above by the node's file, and what must fit together: own region a member, its keys those of members.toml.
[[nodiscard]] Reading<BrokerConfig> read_config(const std::string& path);
[[nodiscard]] std::vector<ConfigFinding> check_config(const std::string& path);

}  // namespace lianxi::app
