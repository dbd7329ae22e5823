// One node: the real ring with core, codec, journal and view, on a simulated disk and network. It can die at any moment in
// one of two ways, also while it comes back.
#pragma once

#include <deque>
#include <memory>
#include <optional>

#include "tests/sim/book.h"
#include "tests/sim/network.h"
#include "tests/sim/schedule.h"
#include "tests/sim/sim_outlet.h"
#include "tests/sim/sim_vfs.h"

namespace lianxi::sim {

inline constexpr const char* kGuestAgency = "guest";  // agents that only follow, with rights that change

enum class Death : std::uint8_t { process_crash, power_cut };

struct NodeSettings {
  RegionCode region;
  SealKeyPair seal_keys;
  std::shared_ptr<const core::Policy> policy;
  std::shared_ptr<const core::Members> members;
  std::vector<RegionCode> hosts;  // whose node runs at which host
  std::string folder;
  Mutation mutation = Mutation::none;
  bool second_deaths = true;  // it may die again while it comes back
  bool is_clone = false;
  std::function<void(HostId, const SegmentInfo&)> on_disk = {};  // hears of each segment that is committed
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
  [[nodiscard]] std::vector<core::LinkView> link_views() const { return node_->core().links(); }
  [[nodiscard]] bool view_waits() const { return view_waits_; }  // something is committed that readers of the view do not see

  // --- what befalls it; sim_node_faults.cpp ---
  // Death now; or at the `operations`-th change of the disk from now; or when `effects` more effects have left.
  void die(Death how);
  void die_at_operation(Death how, std::uint64_t operations);
  void die_at_effect(Death how, std::uint64_t effects);
  void lack_disk(bool lacks);  // its disk is below the headroom, or not any more
  void fail_disk(SimDisk::Error error, std::uint64_t operations, std::uint64_t more);
  void slow_disk(TimeMs at_most, TimeMs until);  // each commit takes up to so long
  void jump_clock(TimeMs by);
  void put_clock_right();  // if it is behind
  void set_policy(std::shared_ptr<const core::Policy> policy);
  void set_members(std::shared_ptr<const core::Members> members);  // its members file is another
  // Its operator lets go of what one of its feeds says up to some event; sim_node_retain.cpp.
  void retain(Prng& random);
  // Turns a bit in a file left behind; the audit must find what readers would see of it. Later its operator puts it right.
  void flip_bit(Prng& random);
  // A copy of its journal as `backup` makes it; false: not now.
  bool back_up();
  // Its disk is lost, and comes back from the last backup in a new epoch; false: there is none.
  bool restore();
  // Called when its journal has become an older one; `same_name`: by its incarnation it is still the one before.
  void tell_rolled_back(std::function<void(bool same_name)> told) { rolled_back_.push_back(std::move(told)); }

  // --- older and other copies of its disk; sim_node_clone.cpp ---
  // The whole disk as it stands; false: not now.
  bool copy_disk();
  // Its disk is that copy from now on, and nobody tells it.
  bool roll_back();
  [[nodiscard]] bool has_copy() const { return image_.has_value(); }
  // Another node of its region on that copy, not started yet.
  [[nodiscard]] std::unique_ptr<SimNode> clone(HostId host);
  // Its disk is gone for good.
  void take_off();
  [[nodiscard]] bool taken_off() const { return taken_off_; }
  [[nodiscard]] HostId host() const { return host_; }
  // Its link of the lane follows, and ends at that node.
  [[nodiscard]] bool follows(const SimNode& other, Lane lane) const;
  void forgive();  // no death that was planned happens, and none during recovery
  // Ends as on SIGTERM: closes everything in order. Then start() again, or let it be destroyed.
  void stop();

  // --- what is looked at; sim_node_checks.cpp ---
  [[nodiscard]] std::vector<DigestRow> digests();
  [[nodiscard]] std::vector<MobilisationRow> open_mobilisations();  // as its view shows them; nothing while it is down
  void check_journal();
  // Views built anew equal the one that grew with the journal: in the journal's order, and with its feeds mixed at random,
  // for peers may hear of them in any order.
  void check_rebuilt_view();
  // A view without drills has the same actual rows.
  void check_drills();
  void check_proof();  // stopped: the offline proof of the journal finds nothing
  // All actual rows of an audience's tables but for what is local to this node; "%": of all audiences.
  [[nodiscard]] std::string actual_rows(const std::string& audience) { return rows_of(config_.view.path, audience); }
  [[nodiscard]] const SimDisk& disk() const { return disk_; }

  // NodePort
  void heard(const core::Connection& from, const core::Agent& agent, Message message) override;
  void lost(const core::Connection& connection) override;

 private:
  struct Flip {
    std::string path;
    std::uint64_t at = 0;
    std::uint8_t bit = 0;
  };
  struct Backup {
    std::string folder;
    Offset head;
  };
  [[nodiscard]] TimeMs clock() const { return world_.now() + skew_ms_; }
  [[nodiscard]] bool mutated(Mutation by) const { return settings_.mutation == by; }
  [[nodiscard]] std::string name() const { return to_text(region()) + (settings_.is_clone ? " (clone)" : ""); }
  void open_links();
  void open_link(const core::LinkId& link);
  void close_retired_links();
  void check_ends(const Segment& segment);
  void enqueue(core::Input input, bool flash);
  void wake(TimeMs delay);
  [[nodiscard]] std::vector<core::Input> take_inputs();
  void turn();
  [[nodiscard]] store::StoreResult<app::TurnOutput> turn_with(std::span<const core::Input> inputs);
  bool perform(app::TurnOutput out);
  bool take_batch(const std::vector<app::SharedSegment>& committed);
  bool show_batch();
  void judge_retentions();
  void note_commit(const std::vector<app::SharedSegment>& committed);
  void note_beginning(const SegmentInfo& info);
  void judge_alarm(const core::Alarm& alarm);
  void tick(std::uint64_t generation);
  void close();
  void crash(Fault where);
  void pull_out();
  bool restore_from(const std::string& folder, Offset kept, bool in_new_epoch);
  void branch();
  // Copies of what comes behind `kept` are of a history that is not this disk's any more.
  void forget_copies_behind(Offset kept);
  static void copy_journal_files(const std::string& from, const std::string& to);
  void told_of_fork(const core::Alarm& alarm);
  void call_operator(TimeMs delay);
  void see_to_fork();
  [[nodiscard]] bool has_alarm(const std::string& what) const;  // about its own feeds of today
  // An error that was given to it, or its death, explains why it cannot go on.
  [[nodiscard]] bool disk_failed() const { return disk_.dead() || disk_.failed(); }
  void forget_sessions();
  void credit_early(const core::LinkId& link, const Message& message);
  void check_rights(const Segment& segment);
  [[nodiscard]] std::vector<store::JournalSegment> read_all(Offset until, std::string& failure);
  std::unique_ptr<store::View> build_view(const std::string& path, const std::vector<store::JournalSegment>& segments);
  void check_digests_of(const std::string& path);
  [[nodiscard]] std::string rows_of(const std::string& path, const std::string& audience);
  void judge_flip(const std::vector<store::JournalSegment>& before, const Flip& flip, Offset until);
  [[nodiscard]] std::vector<std::string> audit();
  static void toggle(const Flip& flip);
  void mend_flip();
  void have_mended();
  void fail(const std::string& what, const store::StoreFailure& failure);

  World& world_;
  Network& network_;
  Book& book_;
  HostId host_;
  NodeSettings settings_;
  Prng random_;
  SimDisk disk_;
  TimeMs skew_ms_;
  app::NodeConfig config_;
  std::unique_ptr<app::Node> node_;
  std::unique_ptr<store::View> view_;
  std::unique_ptr<store::ReadView> read_view_;
  std::map<core::LinkId, DialerId> links_;
  std::deque<core::Input> flash_inbox_, inbox_;
  std::map<core::Connection, core::Agent> guests_;
  std::set<std::pair<core::Connection, SessionId>> live_;
  std::map<core::Connection, RegionCode> peers_;
  std::shared_ptr<const core::Policy> policy_before_;  // until the turn that changes it is over
  std::shared_ptr<const core::Members> members_before_;
  bool awake_ = false, view_waits_ = false;
  std::uint64_t generation_ = 0;
  Death planned_ = Death::process_crash;
  EffectFuse fuse_;
  TimeMs slow_at_most_ = 0, slow_until_ = 0, busy_until_ = 0;
  std::optional<Flip> flip_;
  std::optional<Backup> backup_, image_;
  FeedVector image_heads_;
  Epoch image_epoch_;
  bool image_is_older_ = false;  // it runs on the image, or on what came of it
  bool operator_called_ = false, taken_off_ = false;
  std::vector<SessionId> operator_sessions_;
  std::vector<std::function<void(bool)>> rolled_back_;
  bool forgiven_ = false;
};

}  // namespace lianxi::sim
