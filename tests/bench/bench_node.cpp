#include "tests/bench/bench_node.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "schemas/codec/chain.h"

namespace lianxi::bench {
namespace {

namespace fs = std::filesystem;

int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  const bool good = fd >= 0 && ::bind(fd, reinterpret_cast<sockaddr*>(&address), length) == 0 &&
                    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0;
  if (fd >= 0) ::close(fd);
  if (!good) throw std::runtime_error("no free port on loopback");
  return ntohs(address.sin_port);
}

void write(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (!file.flush()) throw std::runtime_error(path.string() + " cannot be written");
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
}

std::string line(const std::string& name, const std::string& value) {
  return name + " = \"" + value + "\"\n";
}

}  // namespace

BenchNode::BenchNode(const fs::path& broker, Security security) {
  std::string pattern = (fs::temp_directory_path() / "lianxi-bench-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
  folder_ = pattern;
  write_files(security);
  start(broker);
}

BenchNode::~BenchNode() {
  if (pid_ > 0) {
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
  }
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

void BenchNode::write_files(Security security) {
  const sdk::CurveKeys node = sdk::make_curve_keys();
  const sdk::CurveKeys agent = sdk::make_curve_keys();
  const SealKeyPair seal = make_seal_keys();
  profile_.region = RegionCode{330800};
  profile_.agent = AgentId::parse("330800.emergency.bench").value();
  profile_.server_key = node.public_key;
  profile_.public_key = agent.public_key;
  profile_.secret_key = agent.secret_key;
  profile_.security = security;
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
  write(folder_ / "members.toml", "[[member]]\n" + line("region", "330800") + line("name_zh", "衢州") +
                                      line("name_en", "Quzhou") + line("seal_key", to_hex(seal.public_key)) +
                                      line("curve_key", node.public_key) + endpoints);
  write(folder_ / "policy.toml",
        "[[grant]]\n" + line("agents", "*.*.*") + "[[grant.publish]]\n[[grant.follow]]\n[[grant.query]]\n");
  write(folder_ / "node.secret.toml", "[curve]\n" + line("public_key", node.public_key) + line("secret_key", node.secret_key) +
                                          "[seal]\n" + line("public_key", to_hex(seal.public_key)) +
                                          line("secret_key", to_hex(seal.secret_key)));
  fs::create_directory(folder_ / "agents");
  write(folder_ / "agents" / (profile_.agent.text() + ".toml"), line("id", profile_.agent.text()) + line("agency", "emergency") +
                                                                    line("role", "agent") + line("public_key", agent.public_key));
  write(folder_ / "node.toml", line("region", "330800") + line("data_dir", ".") + line("members", "members.toml") +
                                   line("policy", "policy.toml") + line("agent_keys", "agents") +
                                   line("keys", "node.secret.toml") + "[endpoints]\n" +
                                   line("security", std::string(to_word(security))) + endpoints +
                                   line("metrics", "127.0.0.1:" + std::to_string(free_port())) + "[log]\n" +
                                   line("format", "console") + line("level", "warn"));
}

void BenchNode::start(const fs::path& broker) {
  const std::string program = broker.string();
  const std::string config = (folder_ / "node.toml").string();
  const int log = ::open((folder_ / "broker.log").c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600);
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
    ::execl(program.c_str(), program.c_str(), "--config", config.c_str(), nullptr);
    ::_exit(127);
  }
  ::close(log);
}

bool BenchNode::alive() const {
  if (pid_ > 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = -1;
  return pid_ > 0;
}

std::string BenchNode::last_words() const {
  std::ifstream file(folder_ / "broker.log", std::ios::binary);
  std::ostringstream content;
  if (file.peek() != std::ifstream::traits_type::eof()) content << file.rdbuf();
  const std::string text = content.str();
  constexpr std::size_t kMost = 2'000;
  return text.size() > kMost ? text.substr(text.size() - kMost) : text;
}

}  // namespace lianxi::bench
