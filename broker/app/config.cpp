#include "broker/app/config.h"

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "broker/app/config_words.h"
#include "schemas/limits.h"

namespace lianxi::app {
namespace {

namespace fs = std::filesystem;
using Need = TableReader::Need;
using Text = TableReader::Text;

constexpr std::array<std::string_view, 5> kLogLevels{"trace", "debug", "info", "warn", "error"};
constexpr std::int64_t kMaxHeadroomMb = std::int64_t{1} << 40;  // an EiB: more than any disk has
constexpr std::int64_t kMaxJournalFileMb = 4'096;
constexpr std::uint64_t kArchiveBehind = 4;
constexpr std::int64_t kMaxArchiveBehind = 1'000'000;
constexpr std::uint64_t kMegabyte = 1024 * 1024;

std::string beside(const std::string& file, const std::string& path) {
  return (fs::path(file).parent_path() / path).lexically_normal().string();
}

// A path that must lead to an existing file or folder.
std::string read_path(TableReader& table, const std::string& file, std::string_view key, bool folder,
                      std::uint32_t* line = nullptr) {
  const std::optional<Text> at = table.text(key);
  if (!at) return {};
  if (line != nullptr) *line = at->line;
  std::string path = beside(file, at->value);
  std::error_code error;
  const bool there = folder ? fs::is_directory(path, error) : fs::is_regular_file(path, error);
  if (!there) {
    table.error(*at, path + (folder ? " is not a folder" : " is not a file"),
                "relative paths are read from the folder of " + fs::path(file).filename().string());
  }
  return path;
}

void read_endpoints(TableReader& root, Endpoints& out) {
  std::optional<TableReader> table = root.table("endpoints", Need::required);
  if (!table) return;
  struct Bound {
    Text at;
    std::string endpoint;
  };
  std::vector<Bound> bound;
  auto keep = [&](const Text& at, const std::string& endpoint) {
    for (const Bound& other : bound) {
      if (endpoints_clash(other.endpoint, endpoint)) {
        table->error(at, "has the address of " + other.at.field, "give every endpoint a port of its own");
      }
    }
    bound.push_back({at, endpoint});
  };
  const std::array<std::pair<std::string_view, std::string*>, 5> sockets{
      {{"flash", &out.flash}, {"data", &out.data}, {"follow", &out.follow}, {"query", &out.query}, {"live", &out.live}}};
  for (const auto& [key, target] : sockets) {
    const std::optional<Text> at = table->text(key, Need::required, "tcp://0.0.0.0:port");
    const std::optional<std::string> endpoint = at ? read_endpoint(*table, *at, true) : std::nullopt;
    if (!endpoint) continue;
    *target = *endpoint;
    keep(*at, *endpoint);
  }
  if (const std::optional<Text> at = table->text("metrics", Need::optional)) {
    if (const std::optional<std::string> address = read_host_port(*table, *at)) {
      out.metrics = *address;
      keep(*at, *address);
    }
  }
  if (const std::optional<Text> at = table->text("security", Need::optional)) {
    const std::optional<Security> security = parse_security(at->value);
    if (!security) table->error(*at, "'" + at->value + "' is not known here", "write \"curve\", or leave it out");
    out.security = security.value_or(Security::curve);
    out.security_line = at->line;
  }
  table->close();
}

void read_log(TableReader& root, NodeFile& out) {
  std::optional<TableReader> table = root.table("log");
  if (!table) return;
  if (const std::optional<Text> at = table->text("format", Need::optional)) {
    if (at->value == "json") {
      out.log_format = LogFormat::json;
    } else if (at->value != "console") {
      table->error(*at, "'" + at->value + "' is not a log format", "write \"console\" or \"json\"");
    }
  }
  if (const std::optional<Text> at = table->text("level", Need::optional)) {
    out.log_level = at->value;
    if (std::find(kLogLevels.begin(), kLogLevels.end(), at->value) == kLogLevels.end()) {
      table->error(*at, "'" + at->value + "' is not a log level", "write one of trace, debug, info, warn, error");
    }
  }
  table->close();
}

constexpr std::int64_t kMaxLinkRate = std::int64_t{1} << 40;

// How this node uses its links to single peers; those that are not named are as by default.
void read_links(TableReader& root, NodeFile& out) {
  for (TableReader& table : root.tables("link")) {
    const std::optional<Text> at = table.text("peer", Need::required, "350700");
    const std::optional<RegionCode> peer = at ? read_region(table, *at) : std::nullopt;
    core::LinkSetting setting;
    if (const auto rate = table.integer("bytes_per_second", static_cast<std::int64_t>(core::kMinLinkRate), kMaxLinkRate))
      setting.bytes_per_second = static_cast<std::uint64_t>(*rate);
    if (const std::optional<Text> word = table.text("compression", Need::optional)) {
      setting.compress = word->value != "none";
      if (setting.compress && word->value != "zstd")
        table.error(*word, "'" + word->value + "' is not known here", "write \"zstd\" or \"none\"");
    }
    if (peer && *peer == out.region) table.error(*at, at->value + " is this node's own region", "name a peer");
    if (peer && !out.links.emplace(*peer, setting).second)
      table.error(*at, at->value + " has a [[link]] already", "keep one [[link]] a peer");
    table.close();
  }
}

void append(std::vector<ConfigFinding>& to, std::vector<ConfigFinding> more) {
  to.insert(to.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

// Plain sockets never leave this machine: neither what the node binds nor what its links reach.
void check_plain(const BrokerConfig& config, std::vector<ConfigFinding>& findings) {
  const Endpoints& own = config.file.endpoints;
  if (own.security != Security::plain) return;
  const auto judge = [&](const std::string& name, const std::string& endpoint) {
    if (endpoint.empty() || is_loopback(endpoint)) return;
    findings.push_back({false, config.file.path, own.security_line, "endpoints.security",
                        "\"plain\" is refused: " + name + ", " + endpoint + ", is not loopback",
                        "plain sockets are for measurements on one machine: leave security out, or give every endpoint here and "
                        "in members.toml an address 127.x.x.x"});
  };
  judge("flash", own.flash);
  judge("data", own.data);
  judge("follow", own.follow);
  judge("query", own.query);
  judge("live", own.live);
  judge("metrics", own.metrics);
  for (const core::Member& member : config.members->all()) {
    const std::string of = " of member " + to_text(member.region);
    judge("flash" + of, member.flash);
    judge("data" + of, member.data);
    judge("follow" + of, member.follow);
    judge("query" + of, member.query);
    judge("live" + of, member.live);
  }
  if (has_errors(findings)) return;
  findings.push_back({true, config.file.path, own.security_line, "endpoints.security",
                      "\"plain\": nothing is encrypted and whoever knows a public key passes for its agent",
                      "leave security out, unless this node is only measured"});
}

// What only all files together can show.
void check_together(const BrokerConfig& config, std::vector<ConfigFinding>& findings) {
  if (config.file.region_line == 0) return;  // no region was read, which has its finding already
  const core::Member* own = config.members->find(config.file.region);
  if (own == nullptr) {
    findings.push_back({false, config.file.path, config.file.region_line, "region",
                        to_text(config.file.region) + " is not a member",
                        "add a [[member]] with this region to " + config.file.members});
    return;
  }
  if (own->curve_key != config.keys.curve_public) {
    findings.push_back({false, config.file.path, config.file.keys_line, "keys",
                        "curve.public_key of " + config.file.keys + " differs from the curve_key of " + to_text(own->region) +
                            " in " + config.file.members,
                        "peers would not reach this node: name its own key file, or mend the member's curve_key"});
  }
  if (own->seal_key != config.keys.seal.public_key) {
    findings.push_back({false, config.file.path, config.file.keys_line, "keys",
                        "seal.public_key of " + config.file.keys + " differs from the seal_key of " + to_text(own->region) +
                            " in " + config.file.members,
                        "peers would refuse its feeds: name its own key file, or mend the member's seal_key"});
  }
  check_plain(config, findings);
  for (const auto& [peer, setting] : config.file.links) {
    if (config.members->find(peer) != nullptr) continue;
    findings.push_back({true, config.file.path, 0, "link", to_text(peer) + " is not a member, so this [[link]] does nothing",
                        "mend the code, or leave it out"});
  }
  for (const AgentKey& key : config.agents) {
    if (key.agent.id.region() == config.file.region || key.agent.role == core::Role::node) continue;
    findings.push_back({true, config.file.agent_keys, 0, key.agent.id.text(), "is an agent of another region",
                        "agents connect to the node of their own region; remove the key unless this is meant"});
  }
}

// The brokers of the other members come as agents with role node.
void add_peers(const core::Members& members, RegionCode own, std::vector<AgentKey>& agents) {
  for (const core::Member& member : members.all()) {
    if (member.region == own) continue;
    Result<AgentId> id = AgentId::parse(node_agent_id(member.region));
    if (id) agents.push_back({member.curve_key, {*id, "broker", core::Role::node}});
  }
}

}  // namespace

std::string node_agent_id(RegionCode region) {
  return to_text(region) + ".broker.node";
}

std::string to_text(const ConfigFinding& finding) {
  std::string out = finding.warning ? "warning: " : "";
  out += finding.file;
  if (finding.line > 0) out += ":" + std::to_string(finding.line);
  out += ": ";
  if (!finding.field.empty()) out += finding.field + ": ";
  out += finding.what;
  if (!finding.mend.empty()) out += " (" + finding.mend + ")";
  return out;
}

bool has_errors(const std::vector<ConfigFinding>& findings) {
  return std::any_of(findings.begin(), findings.end(), [](const ConfigFinding& f) { return !f.warning; });
}

namespace {

// The file's value even where findings stand against it, so that the other files can be read all the same.
std::optional<NodeFile> read_node_values(const std::string& path, std::vector<ConfigFinding>& findings) {
  const std::optional<TomlNode> tree = read_toml(path, findings);
  if (!tree) return std::nullopt;
  TableReader root(*tree, path, "", findings);
  NodeFile file;
  file.path = path;
  file.disk_headroom_bytes = kMinDiskHeadroomBytes;
  file.journal_file_bytes = kJournalFileBytes;
  file.archive_behind = kArchiveBehind;
  if (const std::optional<Text> at = root.text("region", Need::required, "330800")) {
    if (const std::optional<RegionCode> region = read_region(root, *at)) {
      file.region = *region;
      file.region_line = at->line;
    }
  }
  if (const std::optional<Text> at = root.text("data_dir")) {
    file.data_dir = beside(path, at->value);
    std::error_code error;
    if (fs::exists(file.data_dir, error) && !fs::is_directory(file.data_dir, error)) {
      root.error(*at, file.data_dir + " is not a folder", "name a folder; it is made if it is not there");
    }
  }
  file.members = read_path(root, path, "members", false);
  file.policy = read_path(root, path, "policy", false);
  file.agent_keys = read_path(root, path, "agent_keys", true);
  file.keys = read_path(root, path, "keys", false, &file.keys_line);
  read_endpoints(root, file.endpoints);
  read_log(root, file);
  if (std::optional<TableReader> disk = root.table("disk")) {
    if (const auto megabytes = disk->integer("headroom_mb", 0, kMaxHeadroomMb)) {
      file.disk_headroom_bytes = static_cast<std::uint64_t>(*megabytes) * kMegabyte;
    }
    if (const auto megabytes = disk->integer("journal_file_mb", 1, kMaxJournalFileMb)) {
      file.journal_file_bytes = static_cast<std::uint64_t>(*megabytes) * kMegabyte;
    }
    if (const auto files = disk->integer("archive_behind_files", 0, kMaxArchiveBehind)) {
      file.archive_behind = static_cast<std::uint64_t>(*files);
    }
    if (const std::optional<Text> word = disk->text("peers_feeds", Need::optional)) {
      file.whole_feeds = word->value == "whole";
      if (!file.whole_feeds && word->value != "retained")
        disk->error(*word, "\"" + word->value + "\" is not known",
                    "write \"retained\" (a new node begins feeds behind what their owners let go) or \"whole\"");
    }
    disk->close();
  }
  if (std::optional<TableReader> limits = root.table("limits")) file.rates = read_rates(*limits, file.rates);
  if (std::optional<TableReader> map = root.table("map")) {
    if (const auto at = map->text("places", Need::optional)) file.map_places = beside(path, at->value);
    if (const auto at = map->text("capabilities", Need::optional)) file.map_capabilities = beside(path, at->value);
    map->close();
  }
  read_links(root, file);
  root.close();
  return file;
}

template <class T>
std::optional<T> take(Reading<T> reading, std::vector<ConfigFinding>& findings) {
  append(findings, std::move(reading.findings));
  return std::move(reading.value);
}

bool is_file(const std::string& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

}  // namespace

Reading<NodeFile> read_node_file(const std::string& path) {
  Reading<NodeFile> out;
  out.value = read_node_values(path, out.findings);
  if (has_errors(out.findings)) out.value.reset();
  return out;
}

Reading<BrokerConfig> read_config(const std::string& path) {
  Reading<BrokerConfig> out;
  std::vector<ConfigFinding>& findings = out.findings;
  std::optional<NodeFile> file = read_node_values(path, findings);
  if (!file) return out;
  // A path that leads nowhere has its finding already.
  std::optional<core::Members> members;
  std::optional<std::vector<AgentKey>> agents;
  std::optional<core::Policy> policy;
  std::optional<NodeKeys> keys;
  if (is_file(file->members)) members = take(read_members(file->members), findings);
  if (!file->agent_keys.empty() && fs::is_directory(file->agent_keys)) agents = take(read_agent_keys(file->agent_keys), findings);
  if (members && agents) add_peers(*members, file->region, *agents);
  if (is_file(file->policy)) {
    // Without members or agents their own findings say why; then the policy's words are still checked.
    Reading<core::Policy> reading =
        read_policy(file->policy, members.value_or(core::Members{}), agents.value_or(std::vector<AgentKey>{}));
    if (!members || !agents) {
      std::erase_if(reading.findings, [&](const ConfigFinding& f) {
        return f.warning || (!members && f.field.find(".audiences[") != std::string::npos);
      });
    }
    policy = take(std::move(reading), findings);
  }
  if (is_file(file->keys)) keys = take(read_node_keys(file->keys), findings);
  auto map_names = std::make_shared<const MapNames>(read_map_names(*file, findings));
  if (!members || !agents || !policy || !keys) return out;
  policy->set_rates(file->rates);

  BrokerConfig config{std::move(*file),
                      std::make_shared<const core::Members>(std::move(*members)),
                      std::make_shared<const core::Policy>(std::move(*policy)),
                      std::move(*agents),
                      std::move(*keys),
                      std::move(map_names)};
  check_together(config, findings);
  if (!has_errors(findings)) out.value = std::move(config);
  return out;
}

std::vector<ConfigFinding> check_config(const std::string& path) {
  return read_config(path).findings;
}

}  // namespace lianxi::app
