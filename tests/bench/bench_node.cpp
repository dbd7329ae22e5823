#include "tests/bench/bench_node.h"

#include "schemas/codec/chain.h"

namespace lianxi::bench {
namespace {

namespace fs = std::filesystem;

std::string line(const std::string& name, const std::string& value) {
  return name + " = \"" + value + "\"\n";
}

void write_private(const fs::path& path, const std::string& text) {
  write_text(path, text);
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
}

}  // namespace

BenchNode::BenchNode(const fs::path& broker, Security security) : folder_("lianxi-bench") {
  write_files(security);
  process_ = std::make_unique<ChildProcess>(
      Command{{broker.string(), "--config", (folder() / "node.toml").string()}, {}, {}, folder() / "broker.log"});
}

BenchNode::Agent BenchNode::make_agent(const std::string& name) const {
  const Agent agent{AgentId::parse("330800.emergency." + name).value(), sdk::make_curve_keys()};
  write_private(folder() / "agents" / (agent.id.text() + ".toml"), line("id", agent.id.text()) + line("agency", "emergency") +
                                                                       line("role", "agent") +
                                                                       line("public_key", agent.keys.public_key));
  return agent;
}

sdk::Profile BenchNode::as(const Agent& agent) const {
  sdk::Profile profile = profile_;
  profile.agent = agent.id;
  profile.public_key = agent.keys.public_key;
  profile.secret_key = agent.keys.secret_key;
  return profile;
}

void BenchNode::write_files(Security security) {
  const sdk::CurveKeys node = sdk::make_curve_keys();
  const SealKeyPair seal = make_seal_keys();
  fs::create_directory(folder() / "agents");
  profile_.region = RegionCode{330800};
  profile_.server_key = node.public_key;
  profile_.security = security;
  profile_ = as(make_agent("bench"));
  for (std::size_t i = 0; i < kBenchAgents; ++i) {
    publishers_.push_back(make_agent("publisher-" + std::to_string(i)));
    followers_.push_back(make_agent("follower-" + std::to_string(i)));
  }
  std::string endpoints;
  const std::pair<const char*, std::string*> names[] = {{"flash", &profile_.flash},
                                                        {"data", &profile_.data},
                                                        {"follow", &profile_.follow},
                                                        {"query", &profile_.query},
                                                        {"live", &profile_.live}};
  for (const auto& [name, endpoint] : names) {
    *endpoint = "tcp://127.0.0.1:" + std::to_string(free_port());
    endpoints += line(name, *endpoint);
  }
  metrics_ = "127.0.0.1:" + std::to_string(free_port());
  write_private(folder() / "members.toml", "[[member]]\n" + line("region", "330800") + line("name_zh", "衢州") +
                                               line("name_en", "Quzhou") + line("seal_key", to_hex(seal.public_key)) +
                                               line("curve_key", node.public_key) + endpoints);
  write_private(folder() / "policy.toml",
                "[[grant]]\n" + line("agents", "*.*.*") + "[[grant.publish]]\n[[grant.follow]]\n[[grant.query]]\n");
  write_private(folder() / "node.secret.toml",
                "[curve]\n" + line("public_key", node.public_key) + line("secret_key", node.secret_key) + "[seal]\n" +
                    line("public_key", to_hex(seal.public_key)) + line("secret_key", to_hex(seal.secret_key)));
  write_private(folder() / "node.toml",
                line("region", "330800") + line("data_dir", ".") + line("members", "members.toml") +
                    line("policy", "policy.toml") + line("agent_keys", "agents") + line("keys", "node.secret.toml") +
                    "[endpoints]\n" + line("security", std::string(to_word(security))) + endpoints + line("metrics", metrics_) +
                    "[log]\n" + line("format", "console") + line("level", "warn"));
}

}  // namespace lianxi::bench
