// One node: the real ring with core, codec, journal and view, on a simulated disk and network. It can die at any moment in
// one of two ways, also while it comes back.
#pragma once

#include <deque>
#include <memory>
#include <optional>

#include "tests/sim/book.h"
#include "tests/sim/network.h"
#include "tests/sim/sim_vfs.h"

namespace lianxi::sim {

enum class Death : std::uint8_t { process_crash, power_cut };

struct NodeSettings {
  RegionCode region;
  SealKeyPair seal_keys;
  std::shared_ptr<const core::Policy> policy;
  std::shared_ptr<const core::Members> members;
  std::string folder;
  bool sync = true;
  bool forget_sessions = false;  // mutation: sessions and answers do not survive a restart
  bool early_credit = false;     // mutation: says that it holds what a peer sends before it has committed it
};

class SimNode final : public NodePort {
 public:
  SimNode(World& world, Network& network, Book& book, HostId host, NodeSettings settings, std::uint64_t disk_seed);
  ~SimNode() override;

  void start();
  [[nodiscard]] bool up() const { return node_ != nullptr; }
  [[nodiscard]] RegionCode region() const { return settings_.region; }
  [[nodiscard]] Offset head() const { return node_->core().next_offset(); }
  [[nodiscard]] FeedVector heads() const { return node_->core().heads(); }
  [[nodiscard]] std::string links() const;

  // Death now; or at the `operations`-th change of the disk from now; or when `answers` more messages have left.
  void die(Death how);
  void die_at_operation(Death how, std::uint64_t operations);
  void die_at_send(Death how, std::uint64_t answers);
  void lack_disk(bool lacks);  // its disk is below the headroom, or not any more
  void forgive();              // no death that was planned happens, and none during recovery
  // Ends as on SIGTERM: closes everything in order. Then start() again, or let it be destroyed.
  void stop();

  [[nodiscard]] std::vector<DigestRow> digests();
  void check_journal();
  // Views built anew equal the one that grew with the journal: in the journal's order, and with its feeds mixed at random,
  // for peers may hear of them in any order.
  void check_rebuilt_view();
  void check_proof();  // stopped: the offline proof of the journal finds nothing
  [[nodiscard]] const SimDisk& disk() const { return disk_; }

  // NodePort
  void heard(const core::Connection& from, const core::Agent& agent, Message message) override;
  void lost(const core::Connection& connection) override;

 private:
  [[nodiscard]] TimeMs clock() const { return world_.now() + skew_ms_; }
  void open_links();
  void enqueue(core::Input input);
  void wake(TimeMs delay);
  void turn();
  bool perform(app::TurnOutput out);
  void tick(std::uint64_t generation);
  void close();
  void crash(const std::string& where);
  void forget_sessions();
  void credit_early(const core::LinkId& link, const Message& message);
  void check_mixed_view();
  void fail(const std::string& what, const store::StoreFailure& failure);

  World& world_;
  Network& network_;
  Book& book_;
  HostId host_;
  NodeSettings settings_;
  SimDisk disk_;
  TimeMs skew_ms_;
  app::NodeConfig config_;
  std::unique_ptr<app::Node> node_;
  std::unique_ptr<store::View> view_;
  std::unique_ptr<store::ReadView> read_view_;
  std::map<core::LinkId, DialerId> links_;
  std::deque<core::Input> inbox_;
  bool awake_ = false;
  std::uint64_t generation_ = 0;
  Death planned_ = Death::process_crash;
  std::optional<std::uint64_t> sends_left_;
  bool forgiven_ = false;
};

}  // namespace lianxi::sim
