// A real broker process on loopback with fresh keys in a temporary folder, for as long as the object lives.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agents/sdk/profile.h"
#include "tests/bench/child_process.h"

namespace lianxi::bench {

inline constexpr std::size_t kBenchAgents = 16;  // that publish, and as many that follow

class BenchNode {
 public:
  // Throws std::runtime_error if the folder, the files or the process cannot be made.
  explicit BenchNode(const std::filesystem::path& broker, Security security = Security::curve);

  [[nodiscard]] const sdk::Profile& profile() const { return profile_; }
  // Agents of their own, as the clients of a broker are.
  [[nodiscard]] sdk::Profile publisher(std::size_t index) const { return as(publishers_.at(index)); }
  [[nodiscard]] sdk::Profile follower(std::size_t index) const { return as(followers_.at(index)); }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }
  [[nodiscard]] const std::string& metrics() const { return metrics_; }  // "host:port"
  [[nodiscard]] pid_t pid() const { return process_->pid(); }
  [[nodiscard]] bool alive() const { return process_->alive(); }
  [[nodiscard]] std::string last_words() const { return process_->last_words(); }  // the end of its log

 private:
  struct Agent {
    AgentId id;
    sdk::CurveKeys keys;
  };
  [[nodiscard]] Agent make_agent(const std::string& name) const;
  [[nodiscard]] sdk::Profile as(const Agent& agent) const;
  void write_files(Security security);

  TempFolder folder_;
  sdk::Profile profile_;
  std::vector<Agent> publishers_, followers_;
  std::string metrics_;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace lianxi::bench
