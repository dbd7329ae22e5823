#include "tests/sim/simulation.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "tests/sim/sim_agent.h"
#include "tests/sim/sim_node.h"

namespace lianxi::sim {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kRegions[] = {330800, 341000, 350700, 361100, 361200, 361300, 361400, 361500};
constexpr const char* kAgencies[] = {"police", "fire", "emergency"};
constexpr TimeMs kTroubleMs = 45'000;
constexpr TimeMs kCalmMs = 180'000;  // at most, until all is quiet and equal
constexpr TimeMs kLookMs = 1'000;

// In memory where the system has such a folder: the simulator knows by itself what was synced.
class Folder {
 public:
  Folder() {
    const fs::path base = fs::is_directory("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path();
    std::string name = (base / "lianxi-sim-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class Simulation {
 public:
  explicit Simulation(const Options& options);
  Outcome run();

 private:
  void make_nodes();
  void make_agents();
  void trouble();
  void trouble_a_node();
  void outage();
  void lack_disk();
  void cut_something();
  void calm();
  [[nodiscard]] bool quiet();
  [[nodiscard]] FeedVector shared(const SimNode& node, const Audience& audience) const;
  void check_equal(const Audience& audience, std::size_t nodes);
  void check_followed();
  void check_end();
  [[nodiscard]] std::string state();

  Options options_;
  Folder folder_;
  World world_;
  Network network_;
  Book book_;
  Story story_;
  std::vector<std::unique_ptr<SimNode>> nodes_;
  std::vector<std::unique_ptr<SimAgent>> agents_;
  std::vector<std::unique_ptr<SimFollower>> followers_;
  HostId hosts_ = 0;
  bool calm_ = false;
};

std::vector<RegionCode> regions(std::size_t count) {
  std::vector<RegionCode> out;
  for (std::size_t i = 0; i < count; ++i) out.emplace_back(kRegions[i]);
  return out;
}

Simulation::Simulation(const Options& options)
    : options_(options),
      world_(options.seed, options.verbose),
      network_(world_, options.faults ? NetworkOptions{} : NetworkOptions{0, 0}),
      book_(world_),
      story_(world_, regions(options.nodes)) {}

void Simulation::make_nodes() {
  std::vector<SealKeyPair> keys;
  std::vector<core::Member> members;
  for (const RegionCode region : regions(options_.nodes)) {
    keys.push_back(seal_keys_from_seed(world_.random().bytes<32>()));
    core::Member member;
    member.region = region;
    member.seal_key = keys.back().public_key;
    members.push_back(std::move(member));
  }
  core::Group inner{*Audience::parse("inner"), regions(std::min<std::size_t>(2, options_.nodes))};
  const auto all = std::make_shared<const core::Members>(members, std::vector{inner});
  book_.set_members(all);
  core::Grant grant;
  grant.agents = "*.*.*";
  core::Rule real_places;
  for (const char* province : {"33", "34", "35", "36"}) real_places.places.push_back(*PlaceCode::parse(province));
  grant.publish.push_back(real_places);
  grant.follow.push_back({});
  const auto policy = std::make_shared<const core::Policy>(std::vector{grant});
  for (std::size_t i = 0; i < options_.nodes; ++i) {
    NodeSettings settings{members[i].region, keys[i], policy, all, folder_.path() + "/" + to_text(members[i].region)};
    settings.sync = options_.sync;
    settings.forget_sessions = options_.forget_sessions;
    settings.early_credit = options_.early_credit;
    nodes_.push_back(std::make_unique<SimNode>(world_, network_, book_, hosts_++, std::move(settings), world_.random().next()));
  }
}

void Simulation::make_agents() {
  for (std::size_t i = 0; i < options_.nodes; ++i) {
    const std::string region = to_text(nodes_[i]->region());
    for (std::size_t k = 0; k < options_.agents_per_node; ++k) {
      const std::string agency = kAgencies[k % std::size(kAgencies)];
      AgentSettings settings;
      settings.agent = {*AgentId::parse(region + "." + agency + ".a" + std::to_string(k)), agency, core::Role::agent};
      settings.host = hosts_++;
      settings.node = i;
      settings.events = options_.events_per_agent;
      settings.nodes = options_.nodes;
      agents_.push_back(std::make_unique<SimAgent>(world_, network_, book_, story_, std::move(settings)));
    }
    const core::Agent reader{*AgentId::parse(region + ".emergency.reader"), "emergency", core::Role::agent};
    followers_.push_back(std::make_unique<SimFollower>(world_, network_, reader, hosts_++, i));
  }
}

void Simulation::trouble_a_node() {
  Prng& random = world_.random();
  SimNode& node = *nodes_[static_cast<std::size_t>(random.below(nodes_.size()))];
  const Death how = random.chance(50) ? Death::power_cut : Death::process_crash;
  if (!node.up()) return;
  if (random.chance(25)) {
    node.die(how);
  } else if (random.chance(70)) {
    node.die_at_operation(how, random.below(40));
  } else {
    node.die_at_send(how, random.below(12));
  }
}

void Simulation::cut_something() {
  Prng& random = world_.random();
  std::vector<std::pair<HostId, HostId>> cuts;
  const HostId a = static_cast<HostId>(random.below(hosts_));
  if (random.chance(25)) {
    for (HostId other = 0; other < hosts_; ++other) {  // an island
      if (other != a) cuts.insert(cuts.end(), {{a, other}, {other, a}});
    }
  } else {
    const HostId b = static_cast<HostId>(random.below(hosts_));
    cuts.push_back({a, b});
    if (random.chance(50)) cuts.push_back({b, a});
  }
  for (const auto& [from, to] : cuts) network_.cut(from, to);
  world_.after(random.between(500, 9000), [this, cuts] {
    for (const auto& [from, to] : cuts) network_.heal(from, to);
  });
}

void Simulation::outage() {
  world_.count("outages of all");
  for (const auto& node : nodes_) node->die(Death::power_cut);
}

void Simulation::lack_disk() {
  SimNode& node = *world_.random().pick(nodes_);
  if (!node.up()) return;
  world_.count("disks below headroom");
  node.lack_disk(true);
  world_.after(world_.random().between(500, 4000), [&node] { node.lack_disk(false); });
}

void Simulation::trouble() {
  if (calm_) return;
  const std::uint64_t draw = world_.random().below(100);
  if (draw < 46) {
    trouble_a_node();
  } else if (draw < 92) {
    cut_something();
  } else if (draw < 97) {
    lack_disk();
  } else {
    outage();
  }
  world_.after(world_.random().between(200, 2500), [this] { trouble(); });
}

void Simulation::calm() {
  world_.note("calm");
  calm_ = true;
  network_.calm();
  for (const auto& node : nodes_) node->forgive();
  for (const auto& agent : agents_) agent->behave();
}

FeedVector Simulation::shared(const SimNode& node, const Audience& audience) const {
  FeedVector out = node.heads();
  std::erase_if(out, [&](const FeedPosition& position) { return position.feed.audience != audience; });
  return out;
}

bool Simulation::quiet() {
  for (const auto& node : nodes_) {
    if (!node->up() || shared(*node, Audience::conference()) != shared(*nodes_[0], Audience::conference())) return false;
  }
  for (std::size_t i = 0; i < followers_.size(); ++i) {
    if (!followers_[i]->caught_up(nodes_[i]->head())) return false;
  }
  return std::all_of(agents_.begin(), agents_.end(), [](const auto& agent) { return agent->idle(); });
}

std::string Simulation::state() {
  std::string out;
  for (const auto& agent : agents_) out += "  " + agent->state() + "\n";
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const SimNode& node = *nodes_[i];
    out += "  " + to_text(node.region()) + (node.up() ? " head " + std::to_string(node.head().value) : " down") +
           ", read up to " + std::to_string(followers_[i]->next().value) + "\n";
    if (node.up()) out += node.links() + "    " + to_text(shared(node, Audience::conference())) + "\n";
  }
  return out;
}

void Simulation::check_equal(const Audience& audience, std::size_t nodes) {
  std::optional<DigestRow> first;
  for (std::size_t i = 0; i < nodes && !world_.failed(); ++i) {
    const std::vector<DigestRow> rows = nodes_[i]->digests();
    const auto row = std::find_if(rows.begin(), rows.end(), [&](const DigestRow& r) { return r.audience == audience; });
    if (row == rows.end()) continue;
    if (!first) first = *row;
    if (row->vector != first->vector || row->digest != first->digest) {
      world_.fail("promise 5: all is quiet, and " + to_text(nodes_[i]->region()) + " differs in '" + audience.text() + "'");
    }
  }
}

// Every event of a node's journal is for its region's agents: they must have had each of them.
void Simulation::check_followed() {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const std::uint64_t held = nodes_[i]->head().value - 1;
    if (followers_[i]->events() == held) continue;
    world_.fail("promise 3: the journal of " + to_text(nodes_[i]->region()) + " holds " + std::to_string(held) +
                " events, its follower had " + std::to_string(followers_[i]->events()));
  }
}

void Simulation::check_end() {
  check_followed();
  check_equal(Audience::conference(), nodes_.size());
  check_equal(*Audience::parse("inner"), std::min<std::size_t>(2, nodes_.size()));
  for (const auto& node : nodes_) {
    if (world_.failed()) return;
    node->check_journal();
    node->check_rebuilt_view();
    const FeedVector before = node->heads();
    node->stop();
    node->check_proof();
    node->start();
    if (!world_.failed() && node->heads() != before)
      world_.fail("node " + to_text(node->region()) + " stands elsewhere after a clean stop");
  }
}

Outcome Simulation::run() {
  make_nodes();
  make_agents();
  for (const auto& node : nodes_) node->start();
  for (const auto& agent : agents_) agent->start();
  for (const auto& follower : followers_) follower->start();
  const TimeMs start = world_.now();
  if (options_.faults) {
    world_.after(2000, [this] { trouble(); });
    world_.run_until(start + kTroubleMs);
  }
  calm();
  const TimeMs deadline = world_.now() + kCalmMs;
  while (!world_.failed() && world_.now() < deadline && !quiet()) world_.run_until(world_.now() + kLookMs);
  if (!world_.failed() && !quiet())
    world_.fail("nothing hinders them any more, and after " + std::to_string(kCalmMs / 1000) + " s they are not at rest:\n" +
                state());
  if (!world_.failed()) check_end();
  if (!world_.failed()) {
    for (const auto& node : nodes_) {
      for (const DigestRow& row : node->digests())
        world_.note(to_text(node->region()) + " " + row.audience.text() + " " + to_hex(row.digest));
    }
  }
  world_.count("events acknowledged", book_.acknowledged());
  world_.count("events refused", book_.refused());
  for (const auto& follower : followers_) world_.count("events followed", follower->events());
  for (const auto& node : nodes_) {
    const SimDisk::Counters& disk = node->disk().counters();
    world_.count("disk writes", disk.writes);
    world_.count("disk syncs", disk.syncs);
    world_.count("sectors lost", disk.sectors_lost);
    world_.count("files torn", disk.files_torn);
    world_.count("files vanished", disk.files_vanished);
    world_.count("files returned", disk.files_returned);
  }
  return {world_.failure(), world_.transcript_tail(), world_.transcript_hash(), world_.counts()};
}

}  // namespace

std::string Options::text() const {
  std::string out = "--seeds " + std::to_string(seed) + ".." + std::to_string(seed) + " --nodes " + std::to_string(nodes);
  if (!sync) out += " --no-fsync";
  if (forget_sessions) out += " --no-dedup";
  if (early_credit) out += " --early-credit";
  if (!faults) out += " --no-faults";
  return out;
}

Outcome simulate(const Options& options) {
  return Simulation(options).run();
}

}  // namespace lianxi::sim
