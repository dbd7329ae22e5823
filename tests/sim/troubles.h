// Brings about the steps of a schedule.
#pragma once

#include <memory>
#include <vector>

#include "tests/sim/clones.h"
#include "tests/sim/memberships.h"
#include "tests/sim/sim_agent.h"
#include "tests/sim/sim_node.h"

namespace lianxi::sim {

class Troubles {
 public:
  Troubles(World& world, Network& network, std::vector<std::unique_ptr<SimNode>>& nodes,
           std::vector<std::unique_ptr<SimAgent>>& agents, Clones& clones, Memberships& memberships)
      : world_(world), network_(network), nodes_(nodes), agents_(agents), clones_(clones), memberships_(memberships) {}

  void perform(const Step& step);
  void calm();  // nothing fails any more

 private:
  void death(Prng& random);
  void cut(Prng& random);
  void hold_up(Prng& random);
  void outage();
  void headroom(Prng& random);
  void slow_disk(Prng& random);
  void disk_error(Prng& random);
  void clock(Prng& random);
  void rights(Prng& random);
  void outbox(Prng& random);
  void lies(Prng& random);
  void restore(Prng& random);
  void roll_back(Prng& random);
  // Between a node and the other nodes; its agents still reach it.
  void isolate(const SimNode& node, TimeMs lasts);
  void note(const std::string& what);
  SimNode& node(Prng& random) { return *random.pick(nodes_); }
  [[nodiscard]] HostId hosts() const { return network_.hosts(); }

  World& world_;
  Network& network_;
  std::vector<std::unique_ptr<SimNode>>& nodes_;
  std::vector<std::unique_ptr<SimAgent>>& agents_;
  Clones& clones_;
  Memberships& memberships_;
  std::vector<SimNode*> narrowed_;
  std::size_t number_ = 0;  // of the step at hand
};

}  // namespace lianxi::sim
