#include "tests/integration/cities.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <zmq.h>

#include <array>
#include <filesystem>

namespace lianxi::test {

namespace {

const std::vector<std::string> kEndpoints = {"flash", "data", "follow", "query", "live"};

constexpr const char* kPolicy = R"([[grant]]
agents = "*.emergency.*"
[[grant.publish]]
[[grant.follow]]
[[grant.query]]

[[grant]]
agents = "*.police.*"
[[grant.publish]]
kinds = ["incident"]
agencies = ["police"]
[[grant.follow]]
kinds = ["alert", "incident", "resource"]
[[grant.query]]
kinds = ["alert", "incident", "resource"]

[[grant]]
agents = "*.fire.*"
[[grant.publish]]
kinds = ["incident", "resource"]
agencies = ["fire"]
[[grant.follow]]
[[grant.query]]
)";

std::string quoted_line(const std::string& name, const std::string& value) {
  return name + " = \"" + value + "\"\n";
}

}  // namespace

Keys make_keys() {
  std::array<char, 41> public_key{};
  std::array<char, 41> secret_key{};
  zmq_curve_keypair(public_key.data(), secret_key.data());
  return {public_key.data(), secret_key.data()};
}

std::string City::endpoint(const std::string& name) const {
  return ports.at(name)->endpoint();
}

Cities::Cities(const std::vector<std::string>& regions) {
  std::string name = (std::filesystem::temp_directory_path() / "lianxi-cities-XXXXXX").string();
  folder_ = ::mkdtemp(name.data());
  for (const std::string& region : regions) {
    City& city = cities_[region];
    city.region = region;
    city.keys = make_keys();
    city.seal = make_seal_keys();
    for (const std::string& endpoint : kEndpoints) city.ports[endpoint] = std::make_unique<Port>();
    city.ports["metrics"] = std::make_unique<Port>();
    for (const std::string& agency : kAgencies) city.agents[agency] = make_keys();
  }
  write_files();
}

Cities::~Cities() {
  for (auto& [region, city] : cities_) city.process.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void Cities::write_files() {
  std::string members;
  for (const auto& [region, city] : cities_) {
    members += "[[member]]\n" + quoted_line("region", region) + quoted_line("name_zh", "市") + quoted_line("name_en", "City") +
               quoted_line("seal_key", to_hex(city.seal.public_key)) + quoted_line("curve_key", city.keys.public_key);
    for (const std::string& endpoint : kEndpoints) members += quoted_line(endpoint, city.endpoint(endpoint));
    members += "\n";
  }
  write_text(members_file(), members);
  write_text(policy_file(), kPolicy);
  for (const auto& [region, city] : cities_) {
    const std::string keys = folder_ + "/" + region + ".agents";
    std::filesystem::create_directory(keys);
    for (const auto& [agency, pair] : city.agents)
      write_text(keys + "/" + agency + ".toml", quoted_line("id", city.agent_id(agency)) + quoted_line("agency", agency) +
                                                    quoted_line("role", "agent") + quoted_line("public_key", pair.public_key));
    write_text(folder_ + "/" + region + ".secret.toml",
               "[curve]\n" + quoted_line("public_key", city.keys.public_key) + quoted_line("secret_key", city.keys.secret_key) +
                   "[seal]\n" + quoted_line("public_key", to_hex(city.seal.public_key)) +
                   quoted_line("secret_key", to_hex(city.seal.secret_key)),
               true);
    std::string node = quoted_line("region", region) + quoted_line("data_dir", data_dir(region)) +
                       quoted_line("members", members_file()) + quoted_line("policy", policy_file()) +
                       quoted_line("agent_keys", keys) + quoted_line("keys", folder_ + "/" + region + ".secret.toml") +
                       "[endpoints]\n";
    for (const std::string& endpoint : kEndpoints) node += quoted_line(endpoint, city.endpoint(endpoint));
    node += quoted_line("metrics", "127.0.0.1:" + std::to_string(city.ports.at("metrics")->number()));
    node += "[log]\nformat = \"json\"\nlevel = \"info\"\n[disk]\nheadroom_mb = 1\n";
    write_text(node_file(region), node);
  }
}

bool Cities::start(const std::string& region) {
  City& at = city(region);
  ++at.starts;
  at.process =
      std::make_unique<Process>(std::vector<std::string>{LIANXI_BROKER, "--config", node_file(region)}, output_file(region));
  const auto said_ready = [&] {
    const std::string text = at.process->output();
    int count = 0;
    for (std::size_t i = text.find("\"event\":\"ready\""); i != std::string::npos; i = text.find("\"event\":\"ready\"", i + 1))
      ++count;
    return count;
  };
  const int before = at.starts - 1;
  eventually([&] { return said_ready() > before || !at.process->running(); });
  if (said_ready() > before) return true;
  --at.starts;
  return false;
}

void Cities::kill(const std::string& region) {
  Process& process = *city(region).process;
  process.signal(SIGKILL);
  process.wait();
}

std::string Cities::get(const std::string& region, const std::string& path) {
  City& at = city(region);
  std::string body;
  eventually([&] {
    body = get_once(at, path);
    return !body.empty() || at.process == nullptr || !at.process->running();
  });
  return body;
}

std::string Cities::get_once(const City& at, const std::string& path) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{kPatience.count(), 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(at.ports.at("metrics")->number()));
  std::string answer;
  if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    const std::string request = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) > 0) {
      std::array<char, 16384> buffer{};
      for (ssize_t got = 0; (got = ::recv(fd, buffer.data(), buffer.size(), 0)) > 0;)
        answer.append(buffer.data(), static_cast<std::size_t>(got));
    }
  }
  ::close(fd);
  const auto body = answer.find("\r\n\r\n");
  return body == std::string::npos ? std::string() : answer.substr(body + 4);
}

double Cities::metric(const std::string& region, const std::string& name) {
  const std::string text = "\n" + get(region, "/metrics");
  const auto at = text.find("\n" + name + " ");
  return at == std::string::npos ? -1 : std::strtod(text.c_str() + at + name.size() + 2, nullptr);
}

bool Cities::metric_comes_to(const std::string& region, const std::string& name, double value) {
  return eventually([&] { return metric(region, name) == value; });
}

}  // namespace lianxi::test
