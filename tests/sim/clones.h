// Two copies of a node at once: one has its machine's address, some of its agents and perhaps of its peers come to the other. It
// dies for good, or stays until its own alarm has a person take it off. And the watch over what comes of that: two histories of
// a feed whose holders meet are reported within a bounded time.
#pragma once

#include <memory>
#include <vector>

#include "tests/sim/sim_agent.h"
#include "tests/sim/sim_node.h"

namespace lianxi::sim {

class Clones {
 public:
  Clones(World& world, Network& network, Book& book, std::vector<std::unique_ptr<SimNode>>& nodes,
         std::vector<std::unique_ptr<SimAgent>>& agents)
      : world_(world), network_(network), book_(book), nodes_(nodes), agents_(agents) {}

  void begin(SimNode& of, Prng& random);
  // After any copy of a disk went on by itself.
  void watch();
  void calm();  // everybody finds the node itself again
  // Whoever is still there stays, and all that must be reported was.
  [[nodiscard]] bool quiet() const;
  void take_off();
  [[nodiscard]] const std::vector<std::unique_ptr<SimNode>>& all() const { return clones_; }

 private:
  struct Detour {
    SimNode* node = nullptr;
    SimNode* clone = nullptr;
    std::vector<HostId> peers;
    std::vector<SimAgent*> agents;
    bool dies = false, over = false;
  };
  struct Meeting {
    FeedId feed;
    HostId owner = 0, other = 0;
    auto operator<=>(const Meeting&) const = default;
  };
  void start(SimNode& of, Detour detour, TimeMs lasts);
  void end(std::size_t number);
  void look();
  [[nodiscard]] std::vector<SimNode*> everybody() const;

  World& world_;
  Network& network_;
  Book& book_;
  std::vector<std::unique_ptr<SimNode>>& nodes_;
  std::vector<std::unique_ptr<SimAgent>>& agents_;
  std::vector<std::unique_ptr<SimNode>> clones_;
  std::vector<Detour> detours_;
  std::map<Meeting, TimeMs> meetings_;  // since when
  bool watches_ = false, calm_ = false;
};

}  // namespace lianxi::sim
