// Who belongs to the conference, while it goes on: a member goes and is added again, another joins with an empty disk. Each node
// has its members file changed at a moment of its own, the member concerned among them, or hears of a change only with the next
// one.
#pragma once

#include <memory>
#include <vector>

#include "tests/sim/sim_node.h"

namespace lianxi::sim {

class Memberships {
 public:
  Memberships(World& world, std::vector<std::unique_ptr<SimNode>>& nodes) : world_(world), nodes_(nodes) {}

  void begin(std::vector<core::Member> members, std::vector<core::Group> groups);
  [[nodiscard]] const std::shared_ptr<const core::Members>& all() const { return all_; }
  // Before any node is started: one of them is not there yet, and nobody knows of it. None: the groups need them all.
  void join_late(TimeMs at_ms, Prng& random);
  [[nodiscard]] bool is_late(const SimNode& node) const { return late_ == &node; }
  void retire(Prng& random);
  // The last file says from when on a member is one.
  [[nodiscard]] bool dated() const;
  // Every node has the last file.
  [[nodiscard]] bool settled() const { return under_way_ == 0; }

 private:
  using File = std::shared_ptr<const core::Members>;
  [[nodiscard]] File file(std::vector<core::Member> members);
  void change(SimNode& node, TimeMs delay, const File& file);

  World& world_;
  std::vector<std::unique_ptr<SimNode>>& nodes_;
  std::vector<core::Group> groups_;
  File all_;
  std::uint64_t version_ = 0;
  std::size_t under_way_ = 0;
  const SimNode* late_ = nullptr;
};

}  // namespace lianxi::sim
