#include "tests/unit/app/config_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <zmq.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace lianxi::app {
namespace {

namespace fs = std::filesystem;

std::string member(const std::string& region, const std::string& curve_key, const SealKeyPair& seal, int port) {
  std::string out = "[[member]]\nregion = \"" + region + "\"\nname_zh = \"市\"\nname_en = \"City\"\n";
  out += "seal_key = \"" + to_hex(seal.public_key) + "\"\ncurve_key = \"" + curve_key + "\"\n";
  for (const char* endpoint : {"flash", "data", "follow", "query", "live"}) {
    out += std::string(endpoint) + " = \"tcp://127.0.0.1:" + std::to_string(port++) + "\"\n";
  }
  return out + "\n";
}

std::string agent(const std::string& id, const std::string& agency, const std::string& role) {
  return "id = \"" + id + "\"\nagency = \"" + agency + "\"\nrole = \"" + role + "\"\npublic_key = \"" +
         make_curve_keys().public_key + "\"\n";
}

}  // namespace

CurveKeys make_curve_keys() {
  std::array<char, 41> public_key{};
  std::array<char, 41> secret_key{};
  EXPECT_EQ(zmq_curve_keypair(public_key.data(), secret_key.data()), 0);
  return {public_key.data(), secret_key.data()};
}

ConfigFolder::ConfigFolder() {
  std::string name = (fs::temp_directory_path() / "lianxi-config-XXXXXX").string();
  folder_ = ::mkdtemp(name.data());
  const CurveKeys curve = make_curve_keys();
  const SealKeyPair seal = make_seal_keys();
  write("regions/330800.toml", R"(region = "330800"
data_dir = "../data"
members = "../members.toml"
policy = "../policy.toml"
agent_keys = "../keys"
keys = "../secret/node.secret.toml"

[endpoints]
flash = "tcp://127.0.0.1:9601"
data = "tcp://127.0.0.1:9602"
follow = "tcp://127.0.0.1:9603"
query = "tcp://127.0.0.1:9604"
live = "tcp://127.0.0.1:9605"
metrics = "127.0.0.1:9606"

[log]
format = "json"
level = "debug"

[disk]
headroom_mb = 64
)");
  write("members.toml", member("330800", curve.public_key, seal, 9601) +
                            member("341000", make_curve_keys().public_key, make_seal_keys(), 9701) +
                            "[[group]]\nname = \"upstream\"\nmembers = [\"330800\", \"341000\"]\n");
  write("policy.toml", R"([[grant]]
agents = "*.police.*"

[[grant.publish]]
kinds = ["alert", "incident"]
places = ["3308"]
agencies = ["police"]
levels = ["red", "none"]
audiences = ["local", "conference", "upstream"]

[[grant.follow]]
)");
  write("keys/police.toml", agent("330800.police.dispatch", "police", "agent"));
  write("secret/node.secret.toml", "[curve]\npublic_key = \"" + curve.public_key + "\"\nsecret_key = \"" + curve.secret_key +
                                       "\"\n\n[seal]\npublic_key = \"" + to_hex(seal.public_key) + "\"\nsecret_key = \"" +
                                       to_hex(seal.secret_key) + "\"\n");
  ::chmod(path("secret/node.secret.toml").c_str(), S_IRUSR | S_IWUSR);
}

ConfigFolder::~ConfigFolder() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

void ConfigFolder::write(const std::string& name, const std::string& content) const {
  fs::create_directories(fs::path(path(name)).parent_path());
  std::ofstream(path(name), std::ios::binary) << content;
}

std::string ConfigFolder::read(const std::string& name) const {
  std::ostringstream out;
  out << std::ifstream(path(name), std::ios::binary).rdbuf();
  return out.str();
}

void ConfigFolder::replace(const std::string& name, const std::string& from, const std::string& to) const {
  std::string content = read(name);
  const std::size_t at = content.find(from);
  if (at == std::string::npos) std::abort();
  write(name, content.replace(at, from.size(), to));
}

}  // namespace lianxi::app
