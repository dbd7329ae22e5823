#include "tests/sim/sim_node.h"

#include <algorithm>
#include <filesystem>

#include "schemas/codec/event_codec.h"
#include "schemas/vocabulary.h"
#include "tests/sim/mutations.h"

namespace lianxi::sim {
namespace {

constexpr TimeMs kTickMs = 250;
constexpr TimeMs kGatherMs = 50;                        // as the view's thread does
constexpr std::uint64_t kJournalFileBytes = 96 * 1024;  // small, so that a run sees several files

bool is_flash(const core::LinkId& link) {
  return link.lanes == core::LaneClass::flash;
}

}  // namespace

SimNode::SimNode(World& world, Network& network, Book& book, HostId host, NodeSettings settings, std::uint64_t disk_seed)
    : world_(world),
      network_(network),
      book_(book),
      host_(host),
      settings_(std::move(settings)),
      random_(world.random().fork()),
      disk_("lianxi-sim-" + std::to_string(host), disk_seed),
      skew_ms_(random_.between(-400, 400)) {
  config_.region = settings_.region;
  config_.software = "lianxi simulated";
  config_.seal_keys = settings_.seal_keys;
  config_.journal = {settings_.folder + "/journal", disk_.name(), kJournalFileBytes, !mutated(Mutation::no_fsync)};
  config_.view = {settings_.folder + "/view.db", disk_.name()};
  config_.policy = settings_.policy;
  config_.members = settings_.members;
  config_.fresh_incarnation = Incarnation(disk_seed | 1U);
  std::filesystem::create_directories(settings_.folder);
  network_.name(host_, name());
}

SimNode::~SimNode() {
  close();
}

void SimNode::fail(const std::string& what, const store::StoreFailure& failure) {
  world_.fail("node " + name() + ": " + what + ": " + failure.detail);
}

void SimNode::start() {
  if (taken_off_) return;
  config_.policy = settings_.policy;
  config_.members = settings_.members;
  disk_.skip_recovery(mutated(Mutation::nothing_synced_at_open));
  const BlindStock stock(false, mutated(Mutation::stock_forgotten_at_restart));
  auto node = app::Node::open(config_, clock());
  disk_.skip_recovery(false);
  if (!node) {
    if (disk_failed()) return crash(Fault::death_coming_back);
    return world_.fail("promise 1: node " + name() + " does not start: " + node.error().detail);
  }
  node_ = std::move(*node);
  view_ = mutated_view(settings_.mutation, node_->take_view());
  auto read_view = store::open_read_view(config_.view);
  if (!read_view) {
    if (disk_failed()) return crash(Fault::death_coming_back);
    return world_.fail("promise 5: the view of " + name() + " does not open: " + read_view.error().detail);
  }
  read_view_ = std::move(*read_view);
  world_.note(name() + " is up, head " + std::to_string(head().value));
  check_journal();
  network_.node_up(host_, this);
  open_links();
  const std::uint64_t generation = ++generation_;
  world_.after(random_.between(0, kTickMs), [this, generation] { tick(generation); });
}

void SimNode::open_links() {
  for (const core::Member& member : settings_.members->all()) {
    if (member.region == region()) continue;
    for (const core::LaneClass lanes : core::kLaneClasses) open_link({member.region, lanes});
  }
}

void SimNode::open_link(const core::LinkId& link) {
  const auto of = std::find(settings_.hosts.begin(), settings_.hosts.end(), link.peer);
  const auto to = static_cast<HostId>(of - settings_.hosts.begin());
  const core::Agent self{*AgentId::parse(to_text(region()) + ".broker.node"), "broker", core::Role::node};
  links_[link] = network_.dial(host_, to, is_flash(link) ? 0 : 2, self,
                               {[this, link](Message message) {
                                  if (mutated(Mutation::early_credit)) credit_early(link, message);
                                  if (mutated(Mutation::blind_to_forks)) hide_own(message, region());
                                  enqueue({clock(), core::PeerMessage{link, std::move(message)}}, is_flash(link));
                                },
                                [this, link](const std::string& reason) {
                                  enqueue({clock(), core::LinkLost{link, reason}}, is_flash(link));
                                }});
}

// As the ring does it, which sees the state.
void SimNode::close_retired_links() {
  if (settings_.members->version() == MembersVersion(1)) return;
  for (const core::LinkView& link : node_->core().links()) {
    if (link.state != "retired") continue;
    const auto open = links_.find(link.link);
    if (open == links_.end()) continue;
    network_.hang_up(open->second);
    links_.erase(open);
  }
}

void SimNode::heard(const core::Connection& from, const core::Agent& agent, Message message) {
  if (agent.agency == kGuestAgency) guests_[from] = agent;
  if (agent.role == core::Role::node) peers_[from] = agent.id.region();
  if (mutated(Mutation::blind_to_forks)) hide_own(message, region());
  enqueue({clock(), core::AgentMessage{from, agent, std::move(message)}}, from.socket == 0);
}
void SimNode::lost(const core::Connection& connection) {
  guests_.erase(connection);
  peers_.erase(connection);
  enqueue({clock(), core::ConnectionLost{connection}}, connection.socket == 0);
}

void SimNode::enqueue(core::Input input, bool flash) {
  if (!up()) return;
  (flash && !mutated(Mutation::flash_behind_bulk) ? flash_inbox_ : inbox_).push_back(std::move(input));
  wake(random_.between(0, 3));
}

void SimNode::wake(TimeMs delay) {
  if (awake_ || !up()) return;
  awake_ = true;
  world_.after(std::max(delay, busy_until_ - world_.now()), [this, generation = generation_] {
    if (generation != generation_) return;
    awake_ = false;
    turn();
  });
}

void SimNode::tick(std::uint64_t generation) {
  if (generation != generation_ || !up()) return;
  close_retired_links();
  enqueue({clock(), core::Tick{}}, false);
  world_.after(kTickMs, [this, generation] { tick(generation); });
}

// What is of the flash lane first, as the broker's sockets are asked.
std::vector<core::Input> SimNode::take_inputs() {
  std::vector<core::Input> inputs;
  const std::size_t bound = static_cast<std::size_t>(random_.between(1, 24));
  for (std::deque<core::Input>* inbox : {&flash_inbox_, &inbox_}) {
    while (!inbox->empty() && inputs.size() < bound) {
      inputs.push_back(std::move(inbox->front()));
      inbox->pop_front();
    }
  }
  for (const core::Input& input : inputs) {
    if (const auto* changed = std::get_if<core::PolicyChanged>(&input.what)) config_.policy = changed->policy;
  }
  return inputs;
}

store::StoreResult<app::TurnOutput> SimNode::turn_with(std::span<const core::Input> inputs) {
  const auto flash_waits = [this] { return !flash_inbox_.empty() || (!forgiven_ && random_.chance(2)); };
  const auto committing = [this] {
    if (world_.now() >= slow_until_) return;
    const TimeMs takes = random_.between(1, slow_at_most_);
    busy_until_ = world_.now() + takes;
    network_.stall(host_, takes);
    world_.fired(Fault::slow_disk);
  };
  const auto is_member = [this](const core::Connection& to) {
    const auto peer = peers_.find(to);
    return peer == peers_.end() || node_->core().members()->active(peer->second);
  };
  SimOutlet outlet({world_, network_, host_, fuse_, *config_.policy, guests_, live_, flash_waits, committing, is_member,
                    mutated(Mutation::flash_behind_bulk)});
  const BlindChain blind(mutated(Mutation::no_chain_check));
  const BlindForks forks(mutated(Mutation::blind_to_forks));
  const BlindStock stock(mutated(Mutation::no_stock_check), false);
  disk_.defer_syncs(mutated(Mutation::ack_before_commit));
  return node_->turn(clock(), random_.bytes<32>(), inputs, outlet);
}

void SimNode::turn() {
  policy_before_ = config_.policy;
  members_before_ = node_->core().members();
  const std::vector<core::Input> inputs = take_inputs();
  auto out = turn_with(inputs);
  if (!out) {
    if (disk_failed()) return crash(Fault::death_in_turn);
    return fail("a turn failed", out.error());
  }
  const bool lives = perform(std::move(*out));
  network_.stall(host_, 0);
  if (!lives) return;
  disk_.defer_syncs(false);
  disk_.settle();
  if (!flash_inbox_.empty() || !inbox_.empty() || node_->more_to_deliver()) wake(random_.between(0, 2));
}

// What the broker does after a turn. False: it died of it.
bool SimNode::perform(app::TurnOutput out) {
  note_commit(out.committed);
  for (const core::LinkReset& reset : out.link_resets) {
    if (!fuse_.burn()) break;
    if (links_.contains(reset.link)) {
      network_.reset(links_.at(reset.link));
    } else {
      open_link(reset.link);
    }
  }
  for (const core::LinkSend& one : out.link_sends) {
    if (fuse_.burn() && links_.contains(one.link)) network_.send(links_.at(one.link), one.message);
  }
  for (const core::Alarm& alarm : out.alarms) judge_alarm(alarm);
  if (!fuse_.burn()) {
    crash(Fault::death_between_effects);
    return false;
  }
  return out.committed.empty() || take_batch(out.committed);
}

// As the view's thread does it: what comes within some milliseconds goes into one transaction.
bool SimNode::take_batch(const std::vector<app::SharedSegment>& committed) {
  std::vector<store::SegmentView> segments;
  for (const app::SharedSegment& segment : committed) segments.push_back({segment->first(), segment->bytes()});
  if (auto taken = view_->take(segments); !taken) {
    if (!disk_failed()) fail("its view does not take a batch", taken.error());
    crash(Fault::death_in_view);
    return false;
  }
  if (auto retained = view_->retained(); !retained.empty()) enqueue({clock(), core::Retained{std::move(retained)}}, false);
  if (!view_waits_) {
    view_waits_ = true;
    world_.after(random_.between(0, kGatherMs), [this, generation = generation_] {
      if (generation == generation_ && up()) (void)show_batch();
    });
  }
  if (!node_->journal().wants_maintenance() || !random_.chance(10)) return true;
  if (auto done = node_->journal().maintain(); !done) {
    if (!disk_failed()) fail("its maintenance failed", done.error());
    crash(Fault::death_in_view);
    return false;
  }
  return true;
}

bool SimNode::show_batch() {
  view_waits_ = false;
  if (auto done = view_->commit(); !done) {
    if (!disk_failed()) fail("its view does not take a batch", done.error());
    crash(Fault::death_in_view);
    return false;
  }
  // SQLite does not tell of a checkpoint that fails behind a commit; a process that died in it is gone all the same.
  if (disk_.dead()) {
    crash(Fault::death_in_view);
    return false;
  }
  judge_retentions();
  if (random_.chance(20)) (void)digests();
  return true;
}

void SimNode::note_commit(const std::vector<app::SharedSegment>& committed) {
  std::string line;
  for (const app::SharedSegment& held : committed) {
    const SegmentInfo& info = held->info();
    line += ", " + to_text(info.feed) + " " + std::to_string(info.first_sequence.value) + ".." +
            std::to_string(info.first_sequence.value + info.count - 1);
    if (info.first_sequence.value > 1) note_beginning(info);
    book_.committed(region(), host_, held->as_journal_segment());
    if (settings_.on_disk) settings_.on_disk(host_, info);
    // What comes back after a restore was judged by the rights of its day.
    const bool own = info.feed.region == region() && info.feed.epoch == node_->identity().epoch;
    const auto segment = Segment::parse(held->bytes());
    if (segment && settings_.members->version() != MembersVersion(1)) check_ends(*segment);
    if (segment && own) check_rights(*segment);
  }
  if (!line.empty()) world_.note(name() + " has on disk" + line.substr(1));
}

// Nobody may have published what neither the rights of the turn nor those before it admit.
void SimNode::check_rights(const Segment& segment) {
  for (const RecordView& record : segment.records()) {
    const Result<Event> event = decode_event(record.body);
    const AgentId& id = record.stamp.publisher;
    const core::Agent agent{id, std::string(id.agency()), core::Role::agent};
    if (!event || config_.policy->may_publish(agent, event->envelope) || policy_before_->may_publish(agent, event->envelope))
      continue;
    world_.fail("promise 9: " + name() + " has taken " + to_text(segment.info().feed) + " " +
                std::to_string(record.stamp.sequence.value) + " of " + id.text() + ", whose rights do not admit it");
  }
}

void SimNode::judge_alarm(const core::Alarm& alarm) {
  world_.note(name() + " raises an alarm: " + alarm.what + ": " + alarm.reason);
  world_.count("alarm " + alarm.what);
  told_of_fork(alarm);
  if (disk_failed() || world_.expects_alarm(alarm.what) || book_.explains(alarm.what, alarm.reason)) return;
  const bool of_history = alarm.what == "feed_forked" || alarm.what == "claim_unproven";
  world_.fail((of_history ? "promise 8: node " : "node ") + name() + " raises an alarm that nothing explains: " + alarm.what +
              ": " + alarm.reason);
}

std::string SimNode::links() const {
  std::string out;
  for (const core::LinkView& link : node_->core().links()) {
    out += "    to " + to_text(link.link.peer) + " " + std::string(to_word(static_cast<Lane>(link.link.lanes))) + ": " +
           link.state + " " + link.reason + "\n";
  }
  return out;
}

void SimNode::close() {
  read_view_.reset();
  view_.reset();
  node_.reset();
}

void SimNode::stop() {
  network_.node_down(host_);
  links_.clear();
  flash_inbox_.clear();
  inbox_.clear();
  guests_.clear();
  peers_.clear();
  live_.clear();
  ++generation_;
  awake_ = view_waits_ = false;
  close();
}

}  // namespace lianxi::sim
