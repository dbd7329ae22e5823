// The key folder of agents, and the node's own secret keys.
#include <sys/stat.h>
#include <zmq.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>

#include "broker/app/config_words.h"

namespace lianxi::app {
namespace {

namespace fs = std::filesystem;
using Need = TableReader::Need;
using Text = TableReader::Text;

constexpr std::array<std::pair<std::string_view, core::Role>, 4> kRoles{{{"agent", core::Role::agent},
                                                                         {"operator", core::Role::operator_},
                                                                         {"node", core::Role::node},
                                                                         {"volunteer", core::Role::volunteer}}};

struct Seen {
  std::map<std::string, std::string> ids, keys;  // value -> file
};

void take_once(TableReader& table, const Text& at, const std::string& file, std::map<std::string, std::string>& seen) {
  const auto [other, fresh] = seen.emplace(at.value, file);
  if (!fresh) table.error(at, "stands in " + other->second + " too", "every agent has an id and a key of its own");
}

std::optional<AgentKey> read_agent_file(const std::string& path, Seen& seen, std::vector<ConfigFinding>& findings) {
  const std::optional<TomlNode> tree = read_toml(path, findings);
  if (!tree) return std::nullopt;
  const std::size_t before = findings.size();
  TableReader table(*tree, path, "", findings);
  AgentKey out;
  if (const std::optional<Text> at = table.text("id", Need::required, "330800.police.dispatch")) {
    if (std::optional<AgentId> id = accept(table, *at, AgentId::parse(at->value))) {
      out.agent.id = *id;
      take_once(table, *at, path, seen.ids);
    }
  }
  if (const std::optional<Text> at = table.text("agency", Need::required, "police")) {
    out.agent.agency = at->value;
    const bool known = !out.agent.id.text().empty();
    if (known && at->value != out.agent.id.agency()) {
      table.error(*at, "'" + at->value + "' is not the agency in the id " + out.agent.id.text(), "write the same in both");
    }
  }
  if (const std::optional<Text> at = table.text("role", Need::required, "agent")) {
    const auto role = std::find_if(kRoles.begin(), kRoles.end(), [&](const auto& r) { return r.first == at->value; });
    if (role == kRoles.end()) {
      table.error(*at, "'" + at->value + "' is not a role", "write agent, operator, node or volunteer");
    } else {
      out.agent.role = role->second;
    }
  }
  if (const std::optional<Text> at = table.text("public_key")) {
    if (const std::optional<std::string> key = read_z85_key(table, *at)) {
      out.public_key = *key;
      take_once(table, *at, path, seen.keys);
    }
  }
  if (const std::optional<Text> at = table.text("seal_key", Need::optional)) {
    SealPublicKey ignored{};
    (void)read_hex(table, *at, ignored);
  }
  table.close();
  const bool bad = std::any_of(findings.begin() + static_cast<std::ptrdiff_t>(before), findings.end(),
                               [](const ConfigFinding& f) { return !f.warning; });
  if (bad) return std::nullopt;
  return out;
}

void read_curve(TableReader& root, NodeKeys& keys) {
  std::optional<TableReader> table = root.table("curve", Need::required);
  if (!table) return;
  const std::optional<Text> public_at = table->text("public_key");
  const std::optional<Text> secret_at = table->text("secret_key");
  const auto public_key = public_at ? read_z85_key(*table, *public_at) : std::nullopt;
  const auto secret_key = secret_at ? read_z85_key(*table, *secret_at) : std::nullopt;
  table->close();
  if (!public_key || !secret_key) return;
  keys.curve_public = *public_key;
  keys.curve_secret = *secret_key;
  std::array<char, 41> derived{};
  if (zmq_curve_public(derived.data(), secret_key->c_str()) == 0 && *public_key != derived.data()) {
    table->error(*public_at, "does not belong to secret_key", "copy both from one run of `lianxi keys new`");
  }
}

void read_seal(TableReader& root, NodeKeys& keys) {
  std::optional<TableReader> table = root.table("seal", Need::required);
  if (!table) return;
  const std::optional<Text> public_at = table->text("public_key");
  const std::optional<Text> secret_at = table->text("secret_key");
  const bool have_public = public_at && read_hex(*table, *public_at, keys.seal.public_key);
  const bool have_secret = secret_at && read_hex(*table, *secret_at, keys.seal.secret_key);
  table->close();
  // An Ed25519 secret key ends with its public key.
  const auto tail = keys.seal.secret_key.end() - static_cast<std::ptrdiff_t>(keys.seal.public_key.size());
  if (have_public && have_secret && !std::equal(keys.seal.public_key.begin(), keys.seal.public_key.end(), tail)) {
    table->error(*public_at, "does not belong to secret_key", "copy both from one run of `lianxi keys new --seal`");
  }
}

}  // namespace

Reading<std::vector<AgentKey>> read_agent_keys(const std::string& folder) {
  Reading<std::vector<AgentKey>> out;
  std::error_code error;
  std::vector<std::string> files;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".toml") files.push_back(it->path().string());
  }
  if (error) {
    out.findings.push_back({false, folder, 0, "", "cannot be read: " + error.message(), "name a folder of public key files"});
    return out;
  }
  std::sort(files.begin(), files.end());
  Seen seen;
  std::vector<AgentKey> agents;
  for (const std::string& file : files) {
    if (file.ends_with(".secret.toml")) {
      out.findings.push_back(
          {true, file, 0, "", "a secret key lies in the folder of public ones", "move it to its agent's machine"});
      continue;
    }
    if (std::optional<AgentKey> agent = read_agent_file(file, seen, out.findings)) agents.push_back(std::move(*agent));
  }
  if (!has_errors(out.findings)) out.value = std::move(agents);
  return out;
}

Reading<NodeKeys> read_node_keys(const std::string& path) {
  Reading<NodeKeys> out;
  const std::optional<TomlNode> tree = read_toml(path, out.findings);
  if (!tree) return out;
  TableReader root(*tree, path, "", out.findings);
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0 && (info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    root.warn(0, "", "others than its owner can read it", "chmod 600 " + path);
  }
  NodeKeys keys;
  (void)root.text("id", Need::optional);  // whose they are, for people
  read_curve(root, keys);
  read_seal(root, keys);
  root.close();
  if (!has_errors(out.findings)) out.value = std::move(keys);
  return out;
}

}  // namespace lianxi::app
