// Some cities of the conference on loopback: keys, members, policy and one lianxi-broker process each, in a folder that goes
// with the test.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "schemas/codec/chain.h"
#include "tests/integration/process.h"
#include "tests/support/port.h"

namespace lianxi::test {

struct Keys {
  std::string public_key, secret_key;  // Z85
};
Keys make_keys();

struct City {
  std::string region;
  Keys keys;
  SealKeyPair seal;
  std::map<std::string, std::unique_ptr<Port>> ports;  // by endpoint name
  std::map<std::string, Keys> agents;                  // "police" -> keys of 330800.police.desk
  std::unique_ptr<Process> process;
  int starts = 0;

  [[nodiscard]] std::string endpoint(const std::string& name) const;
  [[nodiscard]] std::string agent_id(const std::string& agency) const { return region + "." + agency + ".desk"; }
};

class Cities {
 public:
  explicit Cities(const std::vector<std::string>& regions);
  ~Cities();
  Cities(const Cities&) = delete;
  Cities& operator=(const Cities&) = delete;

  [[nodiscard]] City& city(const std::string& region) { return cities_.at(region); }
  [[nodiscard]] std::string folder() const { return folder_; }
  [[nodiscard]] std::string node_file(const std::string& region) const { return folder_ + "/" + region + ".toml"; }
  [[nodiscard]] std::string data_dir(const std::string& region) const { return folder_ + "/" + region + ".data"; }
  [[nodiscard]] std::string members_file() const { return folder_ + "/members.toml"; }
  [[nodiscard]] std::string policy_file() const { return folder_ + "/policy.toml"; }
  [[nodiscard]] std::string output_file(const std::string& region) const { return folder_ + "/" + region + ".log"; }

  // Starts the node and waits until it says `ready`; false if it does not.
  bool start(const std::string& region);
  // Ends it at once; nothing of it runs when this returns.
  void kill(const std::string& region);
  // HTTP GET on the metrics endpoint, again until it is answered: the body, empty if nobody answers.
  std::string get(const std::string& region, const std::string& path);
  // The value of a metric, -1 if it is not there.
  double metric(const std::string& region, const std::string& name);
  // What is counted after it was said is waited for.
  bool metric_comes_to(const std::string& region, const std::string& name, double value);

 private:
  void write_files();
  std::string get_once(const City& city, const std::string& path);
  std::string folder_;
  std::map<std::string, City> cities_;
};

inline const std::vector<std::string> kAgencies = {"emergency", "police", "fire"};

}  // namespace lianxi::test
