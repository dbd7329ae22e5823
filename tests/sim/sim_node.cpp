#include "tests/sim/sim_node.h"

#include <sqlite3.h>

#include <filesystem>

namespace lianxi::sim {
namespace {

constexpr TimeMs kTickMs = 250;
constexpr std::uint64_t kJournalFileBytes = 96 * 1024;  // small, so that a run sees several files
constexpr std::size_t kCatchUpBytes = 256 * 1024;

std::string word_of(Death how) {
  return how == Death::power_cut ? "power cut" : "process crash";
}

}  // namespace

SimNode::SimNode(World& world, Network& network, Book& book, HostId host, NodeSettings settings, std::uint64_t disk_seed)
    : world_(world),
      network_(network),
      book_(book),
      host_(host),
      settings_(std::move(settings)),
      disk_("lianxi-sim-" + std::to_string(host), disk_seed),
      skew_ms_(world.random().between(-400, 400)) {
  config_.region = settings_.region;
  config_.software = "lianxi simulated";
  config_.seal_keys = settings_.seal_keys;
  config_.journal = {settings_.folder + "/journal", disk_.name(), kJournalFileBytes, settings_.sync};
  config_.view = {settings_.folder + "/view.db", disk_.name()};
  config_.policy = settings_.policy;
  config_.members = settings_.members;
  config_.fresh_incarnation = Incarnation(disk_seed | 1U);
  std::filesystem::create_directories(settings_.folder);
}

SimNode::~SimNode() {
  close();
}

void SimNode::fail(const std::string& what, const store::StoreFailure& failure) {
  world_.fail("node " + to_text(region()) + ": " + what + ": " + failure.detail);
}

void SimNode::start() {
  auto node = app::Node::open(config_, clock());
  if (!node) {
    if (disk_.dead()) return crash("while coming back");
    return fail("does not start", node.error());
  }
  node_ = std::move(*node);
  view_ = node_->take_view();
  auto read_view = store::open_read_view(config_.view);
  if (!read_view) {
    if (disk_.dead()) return crash("while coming back");
    return fail("its view does not open", read_view.error());
  }
  read_view_ = std::move(*read_view);
  world_.note(to_text(region()) + " is up, head " + std::to_string(head().value));
  check_journal();
  network_.node_up(host_, this);
  open_links();
  const std::uint64_t generation = ++generation_;
  world_.after(world_.random().between(0, kTickMs), [this, generation] { tick(generation); });
}

void SimNode::open_links() {
  for (const core::Member& member : settings_.members->all()) {
    if (member.region == region()) continue;
    const HostId to = static_cast<HostId>(&member - settings_.members->all().data());
    for (const core::LaneClass lanes : {core::LaneClass::flash, core::LaneClass::rest}) {
      const core::LinkId link{member.region, lanes};
      const core::Agent self{*AgentId::parse(to_text(region()) + ".broker.node"), "broker", core::Role::node};
      links_[link] = network_.dial(host_, to, lanes == core::LaneClass::flash ? 0 : 2, self,
                                   {[this, link](Message message) {
                                      if (settings_.early_credit) credit_early(link, message);
                                      enqueue({clock(), core::PeerMessage{link, std::move(message)}});
                                    },
                                    [this, link](const std::string& reason) {
                                      enqueue({clock(), core::LinkLost{link, reason}});
                                    }});
    }
  }
}

void SimNode::heard(const core::Connection& from, const core::Agent& agent, Message message) {
  enqueue({clock(), core::AgentMessage{from, agent, std::move(message)}});
}
void SimNode::lost(const core::Connection& connection) {
  enqueue({clock(), core::ConnectionLost{connection}});
}

void SimNode::enqueue(core::Input input) {
  if (!up()) return;
  inbox_.push_back(std::move(input));
  wake(world_.random().between(0, 3));
}

void SimNode::wake(TimeMs delay) {
  if (awake_ || !up()) return;
  awake_ = true;
  world_.after(delay, [this, generation = generation_] {
    if (generation != generation_) return;
    awake_ = false;
    turn();
  });
}

void SimNode::tick(std::uint64_t generation) {
  if (generation != generation_ || !up()) return;
  enqueue({clock(), core::Tick{}});
  world_.after(kTickMs, [this, generation] { tick(generation); });
}

void SimNode::turn() {
  std::vector<core::Input> inputs;
  const std::size_t bound = static_cast<std::size_t>(world_.random().between(1, 24));
  while (!inbox_.empty() && inputs.size() < bound) {
    inputs.push_back(std::move(inbox_.front()));
    inbox_.pop_front();
  }
  bool spent = false;
  const app::Sender send = [&](const core::Connection& to, const Message& message) {
    if (sends_left_ && *sends_left_ == 0) spent = true;
    if (spent) return app::SendResult::gone;
    if (sends_left_) --*sends_left_;
    return network_.answer(host_, to, message);
  };
  auto out = node_->turn(clock(), world_.random().bytes<32>(), inputs, send);
  if (!out) {
    if (disk_.dead()) return crash("in the middle of a turn");
    return fail("a turn failed", out.error());
  }
  if (spent) return crash("between two answers");
  if (!perform(std::move(*out))) return;
  if (!inbox_.empty() || node_->more_to_deliver()) wake(world_.random().between(0, 2));
}

// What the broker does after a turn. False: it died of it.
bool SimNode::perform(app::TurnOutput out) {
  for (const core::LinkReset& reset : out.link_resets) network_.reset(links_.at(reset.link));
  for (const core::LinkSend& one : out.link_sends) network_.send(links_.at(one.link), one.message);
  for (const core::Alarm& alarm : out.alarms)
    world_.fail("node " + to_text(region()) + " raises an alarm: " + alarm.what + ": " + alarm.reason);
  if (!out.committed.empty()) {
    std::vector<store::JournalSegment> segments;
    for (const app::SharedSegment& segment : out.committed) segments.push_back(segment->as_journal_segment());
    if (auto applied = view_->apply(segments); !applied) {
      if (!disk_.dead()) fail("its view does not take a batch", applied.error());
      crash("while its view takes a batch");
      return false;
    }
    if (world_.random().chance(10)) (void)digests();
    if (world_.random().chance(10) && !node_->journal().maintain() && disk_.dead()) {
      crash("in its maintenance");
      return false;
    }
  }
  return true;
}

std::string SimNode::links() const {
  std::string out;
  for (const core::LinkView& link : node_->core().links()) {
    out += "    to " + to_text(link.link.peer) + (link.link.lanes == core::LaneClass::flash ? " flash: " : " rest: ") +
           link.state + " " + link.reason + "\n";
  }
  return out;
}

std::vector<DigestRow> SimNode::digests() {
  auto rows = read_view_->digests();
  if (!rows) {
    if (!disk_.dead()) fail("its view shows no digests", rows.error());
    return {};
  }
  for (const DigestRow& row : *rows) book_.digest(region(), row);
  return std::move(*rows);
}

void SimNode::check_journal() {
  auto reader = store::open_reader(config_.journal);
  if (reader) {
    book_.check_journal(region(), **reader);
  } else if (!disk_.dead()) {
    fail("its journal does not open for reading", reader.error());
  }
}

void SimNode::check_rebuilt_view() {
  store::ViewOptions fresh = config_.view;
  fresh.path = settings_.folder + "/rebuilt.db";
  auto reader = store::open_reader(config_.journal);
  auto view = store::open_view(fresh, node_->identity());
  if (!reader || !view) return world_.fail("a view cannot be built anew");
  if (auto done = store::catch_up(**view, **reader, kCatchUpBytes); !done)
    return fail("a view cannot be built anew", done.error());
  auto rebuilt = store::open_read_view(fresh);
  if (!rebuilt) return fail("a rebuilt view does not open", rebuilt.error());
  auto rows = (*rebuilt)->digests();
  if (!rows) return fail("a rebuilt view shows no digests", rows.error());
  for (const DigestRow& row : *rows) book_.digest(region(), row);
  check_mixed_view();
}

void SimNode::check_mixed_view() {
  store::ViewOptions mixed = config_.view;
  mixed.path = settings_.folder + "/mixed.db";
  auto reader = store::open_reader(config_.journal);
  auto view = store::open_view(mixed, node_->identity());
  if (!reader || !view) return world_.fail("a view cannot be built anew");
  std::vector<std::deque<store::JournalSegment>> feeds;
  std::map<FeedId, std::size_t> index;
  for (Offset next(1); next < head();) {
    auto segments = (*reader)->read(next, kCatchUpBytes);
    if (!segments || segments->empty()) return world_.fail("a journal cannot be read to its head");
    for (store::JournalSegment& stored : *segments) {
      const Result<Segment> segment = Segment::parse(stored.bytes);
      const auto [at, fresh] = index.try_emplace(segment->info().feed, feeds.size());
      if (fresh) feeds.emplace_back();
      next = Offset(stored.first_offset.value + segment->records().size());
      feeds[at->second].push_back(std::move(stored));
    }
  }
  Offset next(1);
  while (!feeds.empty()) {
    const auto feed = static_cast<std::ptrdiff_t>(world_.random().below(feeds.size()));
    auto& segments = feeds[static_cast<std::size_t>(feed)];
    const Result<Segment> segment = Segment::parse(segments.front().bytes);
    const store::JournalSegment moved{next, as_stored(*segment, next), segments.front().seal};
    next = Offset(next.value + segment->records().size());
    if (auto applied = (*view)->apply({moved}); !applied) return fail("a view does not take mixed feeds", applied.error());
    segments.pop_front();
    if (segments.empty()) feeds.erase(feeds.begin() + feed);
  }
  auto shown = store::open_read_view(mixed);
  if (!shown) return fail("a view of mixed feeds does not open", shown.error());
  const auto rows = (*shown)->digests();
  if (!rows) return fail("a view of mixed feeds shows no digests", rows.error());
  for (const DigestRow& row : *rows) book_.digest(region(), row);
  world_.count("views of mixed feeds");
}

void SimNode::check_proof() {
  const store::KeyOf key_of = [&](RegionCode of) -> const SealPublicKey* {
    const core::Member* member = settings_.members->find(of);
    return member == nullptr ? nullptr : &member->seal_key;
  };
  auto report = store::verify_journal(config_.journal.folder, key_of, {}, [](std::uint64_t, std::uint64_t) {});
  if (!report) return fail("its journal cannot be verified", report.error());
  if (!report->findings.empty()) world_.fail("verifying " + to_text(region()) + ": " + report->findings.front());
}

void SimNode::die_at_operation(Death how, std::uint64_t operations) {
  planned_ = how;
  disk_.set_fuse(operations);
}

void SimNode::die_at_send(Death how, std::uint64_t answers) {
  planned_ = how;
  sends_left_ = answers;
}

void SimNode::lack_disk(bool lacks) {
  enqueue({clock(), core::DiskState{lacks}});
}

void SimNode::forgive() {
  forgiven_ = true;
  disk_.clear_fuse();
  sends_left_.reset();
}

void SimNode::die(Death how) {
  if (!up()) return;
  planned_ = how;
  crash("at rest");
}

void SimNode::close() {
  read_view_.reset();
  view_.reset();
  node_.reset();
}

void SimNode::stop() {
  network_.node_down(host_);
  links_.clear();
  inbox_.clear();
  ++generation_;
  awake_ = false;
  close();
}

void SimNode::crash(const std::string& where) {
  world_.note(to_text(region()) + " dies " + where + ": " + word_of(planned_));
  world_.count(word_of(planned_) + " " + where);
  disk_.kill();
  stop();
  sends_left_.reset();
  if (planned_ == Death::power_cut) {
    disk_.restart_after_power_cut();
  } else {
    disk_.restart_after_process_crash();
  }
  if (settings_.forget_sessions) forget_sessions();
  Prng& random = world_.random();
  const bool again = !forgiven_ && random.chance(30);
  const Death next = random.chance(50) ? Death::power_cut : Death::process_crash;
  const std::uint64_t operations = random.below(30);
  skew_ms_ = random.chance(15) ? random.between(-20'000, 20'000) : random.between(-400, 400);
  world_.after(random.between(20, 4000), [this, again, next, operations] {
    if (again && !forgiven_) die_at_operation(next, operations);
    start();
  });
}

// The mutation "early credit": it says so, and now and then the power goes in the very commit it did not wait for.
void SimNode::credit_early(const core::LinkId& link, const Message& message) {
  const auto* deliver = std::get_if<Deliver>(&message);
  if (deliver == nullptr) return;
  network_.send(links_.at(link), Credit{deliver->follow, 0, 0, deliver->next});
  if (!forgiven_ && world_.random().chance(40)) die_at_operation(Death::power_cut, 0);
}

// The mutation "no dedup".
void SimNode::forget_sessions() {
  for (const auto& entry : std::filesystem::directory_iterator(config_.journal.folder)) {
    if (entry.path().extension() != ".db") continue;
    sqlite3* db = nullptr;
    if (sqlite3_open_v2(entry.path().c_str(), &db, SQLITE_OPEN_READWRITE, disk_.name().c_str()) == SQLITE_OK) {
      sqlite3_exec(db, "DELETE FROM session; DELETE FROM answer;", nullptr, nullptr, nullptr);
    }
    sqlite3_close(db);
  }
}

}  // namespace lianxi::sim
