// Two or more nodes of memory and a network between them that can be cut.
#pragma once

#include <deque>
#include <functional>
#include <memory>

#include "tests/unit/core/core_rig.h"

namespace lianxi::core {

class LinkRig {
 public:
  explicit LinkRig(const std::vector<RegionCode>& regions, const std::shared_ptr<const Members>& members = four_cities());

  // One more node, of an empty disk.
  void add(RegionCode region, const std::shared_ptr<const Members>& members);
  [[nodiscard]] CoreRig& node(RegionCode region) { return *nodes_.at(region); }
  // An agent's input at a node; what follows from it travels.
  Effects at(RegionCode region, std::vector<Input> inputs);
  // Time on all nodes, a tick each 100 ms, messages at once.
  void pass(TimeMs ms);
  void cut(RegionCode a, RegionCode b) { cuts_.insert(std::minmax(a, b)); }
  void mend(RegionCode a, RegionCode b) { cuts_.erase(std::minmax(a, b)); }
  void restart(RegionCode region);
  [[nodiscard]] std::string state(RegionCode from, RegionCode to, LaneClass lanes);
  // How often the link was opened.
  [[nodiscard]] std::uint64_t opened(RegionCode from, RegionCode to, LaneClass lanes) { return connections_[{from, lanes, to}]; }

  std::vector<std::string> alarms;   // "<region> <what>"
  std::vector<RepairedRange> given;  // for damaged stretches
  std::vector<Send> said;            // to agents, by all nodes
  // Lets a test alter what a node delivers to another.
  std::function<void(RegionCode from, RegionCode to, Deliver&)> tamper;

 private:
  struct Packet {
    RegionCode to;
    std::function<Input(TimeMs)> input;
  };
  [[nodiscard]] bool is_cut(RegionCode a, RegionCode b) const { return cuts_.contains(std::minmax(a, b)); }
  void perform(RegionCode region, const Effects& effects);
  void settle();
  [[nodiscard]] std::string routing(RegionCode from, LaneClass lanes, RegionCode to);

  std::map<RegionCode, std::unique_ptr<CoreRig>> nodes_;
  std::map<std::tuple<RegionCode, LaneClass, RegionCode>, std::uint64_t> connections_;  // how often a link was opened
  std::map<std::string, std::pair<RegionCode, LinkId>> ends_;                           // routing id -> who listens there
  std::set<std::pair<RegionCode, RegionCode>> cuts_;
  std::deque<Packet> network_;
};

}  // namespace lianxi::core
