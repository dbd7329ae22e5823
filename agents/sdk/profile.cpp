#include "agents/sdk/profile.h"

#include <zmq.h>

#include <toml++/toml.h>
#include <array>
#include <fstream>
#include <initializer_list>
#include <sstream>

namespace lianxi::sdk {
namespace {

constexpr std::size_t kZ85KeyChars = 40;

class ProfileReader {
 public:
  ProfileReader(std::string path, const toml::table& root) : path_(std::move(path)), root_(root) {}

  Result<Profile> read() {
    only(root_, "", {"node", "agent"});
    const toml::table* node = section("node");
    const toml::table* agent = section("agent");
    Profile profile;
    if (node != nullptr) {
      only(*node, "node.", {"region", "flash", "data", "follow", "query", "live", "server_key", "security"});
      read_region(*node, profile);
      profile.flash = endpoint(*node, "flash");
      profile.data = endpoint(*node, "data");
      profile.follow = endpoint(*node, "follow");
      profile.query = endpoint(*node, "query");
      profile.live = endpoint(*node, "live");
      profile.server_key = key(*node, "node.", "server_key");
      if (node->contains("security")) read_security(*node, profile);
    }
    if (agent != nullptr) {
      only(*agent, "agent.", {"id", "public_key", "secret_key"});
      read_agent(*agent, profile);
      profile.public_key = key(*agent, "agent.", "public_key");
      profile.secret_key = key(*agent, "agent.", "secret_key");
      check_pair(*agent, profile);
    }
    if (first_) return tl::unexpected(*first_);
    return profile;
  }

 private:
  void fail(std::uint32_t line, const std::string& field, const std::string& reason) {
    if (first_) return;
    const std::string where = line == 0 ? path_ : path_ + ":" + std::to_string(line);
    first_ = Refusal{RefusalCode::config, field, where + ": " + field + " " + reason, 0};
  }

  void only(const toml::table& table, const std::string& prefix, std::initializer_list<std::string_view> known) {
    for (const auto& [name, node] : table) {
      bool found = false;
      std::string list;
      for (std::string_view word : known) {
        found = found || word == name.str();
        list += (list.empty() ? "" : ", ") + std::string(word);
      }
      if (!found) fail(node.source().begin.line, prefix + std::string(name.str()), "is not known; known here: " + list);
    }
  }

  const toml::table* section(const std::string& name) {
    const toml::table* table = root_[name].as_table();
    if (table == nullptr) fail(0, name, "is missing: add a [" + name + "] section");
    return table;
  }

  std::string text(const toml::table& table, const std::string& prefix, const std::string& name, std::uint32_t& line) {
    const toml::node* node = table.get(name);
    line = table.source().begin.line;
    if (node == nullptr) {
      fail(line, prefix + name, "is missing: add " + name + " = \"…\"");
      return {};
    }
    line = node->source().begin.line;
    const auto value = node->value<std::string>();
    if (!node->is_string() || !value) {
      fail(line, prefix + name, "must be a text in quotes");
      return {};
    }
    return *value;
  }

  void read_region(const toml::table& node, Profile& profile) {
    std::uint32_t line = 0;
    const std::string digits = text(node, "node.", "region", line);
    if (first_) return;
    auto region = parse_region(digits);
    if (!region) return fail(line, "node.region", "is \"" + digits + "\": " + region.error().reason);
    profile.region = *region;
  }

  std::string endpoint(const toml::table& node, const std::string& name) {
    std::uint32_t line = 0;
    std::string value = text(node, "node.", name, line);
    if (!first_ && value.rfind("tcp://", 0) != 0) {
      fail(line, "node." + name, "is \"" + value + "\": an endpoint reads \"tcp://host:port\"");
    }
    return value;
  }

  void read_security(const toml::table& node, Profile& profile) {
    std::uint32_t line = 0;
    const std::string word = text(node, "node.", "security", line);
    if (first_) return;
    const auto security = parse_security(word);
    if (!security) return fail(line, "node.security", "is \"" + word + "\": write \"curve\" or leave it out");
    profile.security = *security;
    if (auto fit = check_security(profile); !fit) fail(line, fit.error().field, fit.error().reason);
  }

  std::string key(const toml::table& table, const std::string& prefix, const std::string& name) {
    std::uint32_t line = 0;
    std::string value = text(table, prefix, name, line);
    std::array<std::uint8_t, 32> raw{};
    if (!first_ && (value.size() != kZ85KeyChars || zmq_z85_decode(raw.data(), value.c_str()) == nullptr)) {
      fail(line, prefix + name, "is not a CURVE key: 40 characters of Z85, as `lianxi keys new` writes them");
    }
    return value;
  }

  void read_agent(const toml::table& agent, Profile& profile) {
    std::uint32_t line = 0;
    const std::string id = text(agent, "agent.", "id", line);
    if (first_) return;
    auto parsed = AgentId::parse(id);
    if (!parsed) return fail(line, "agent.id", "is \"" + id + "\": " + parsed.error().reason);
    profile.agent = *parsed;
  }

  void check_pair(const toml::table& agent, const Profile& profile) {
    if (first_) return;
    std::array<char, kZ85KeyChars + 1> derived{};
    if (zmq_curve_public(derived.data(), profile.secret_key.c_str()) != 0 || profile.public_key != derived.data()) {
      fail(agent.get("public_key")->source().begin.line, "agent.public_key",
           "does not belong to agent.secret_key; copy both from one key file");
    }
  }

  std::string path_;
  const toml::table& root_;
  std::optional<Refusal> first_;
};

}  // namespace

Result<Profile> load_profile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  if (file) content << file.rdbuf();
  if (!file) return refuse(RefusalCode::config, "profile", path + ": cannot be read; name a profile file that exists");
  try {
    const toml::table root = toml::parse(content.str(), path);
    return ProfileReader(path, root).read();
  } catch (const toml::parse_error& error) {
    return refuse(RefusalCode::config, "profile",
                  path + ":" + std::to_string(error.source().begin.line) + ": " + std::string(error.description()));
  } catch (const std::exception& error) {
    return refuse(RefusalCode::config, "profile", path + ": " + error.what());
  }
}

Result<void> check_security(const Profile& profile) {
  if (profile.security == Security::curve) return {};
  for (const std::string& endpoint : {profile.flash, profile.data, profile.follow, profile.query, profile.live}) {
    if (endpoint.empty() || is_loopback(endpoint)) continue;
    return refuse(RefusalCode::config, "node.security",
                  "\"plain\" is refused: " + endpoint +
                      " is not loopback, and plain sockets are for measurements on one machine; leave security out");
  }
  return {};
}

CurveKeys make_curve_keys() {
  std::array<char, kZ85KeyChars + 1> public_key{};
  std::array<char, kZ85KeyChars + 1> secret_key{};
  if (zmq_curve_keypair(public_key.data(), secret_key.data()) != 0) std::abort();  // libzmq built without CURVE
  return {public_key.data(), secret_key.data()};
}

}  // namespace lianxi::sdk
