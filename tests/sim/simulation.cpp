#include "tests/sim/simulation.h"

#include <algorithm>

#include "schemas/vocabulary.h"
#include "tests/sim/clones.h"
#include "tests/sim/folder.h"
#include "tests/sim/known_seals.h"
#include "tests/sim/memberships.h"
#include "tests/sim/rights.h"
#include "tests/sim/sim_agent.h"
#include "tests/sim/sim_node.h"
#include "tests/sim/troubles.h"

namespace lianxi::sim {
namespace {

constexpr std::uint32_t kRegions[] = {330800, 341000, 350700, 361100, 361200, 361300, 361400, 361500};
constexpr const char* kAgencies[] = {"police", "fire", "emergency"};
constexpr TimeMs kCalmMs = 180'000;  // at most, until all is quiet and equal
constexpr TimeMs kLookMs = 1'000;

class Simulation {
 public:
  explicit Simulation(const Options& options);
  Outcome run();

 private:
  void make_nodes();
  void make_agents();
  void plan_troubles();
  void plan_joiner();
  void calm();
  [[nodiscard]] bool quiet();
  [[nodiscard]] FeedVector shared(const SimNode& node, const Audience& audience) const;
  void check_equal(const Audience& audience, std::size_t nodes);
  void check_followed();
  void check_end();
  [[nodiscard]] std::string state();
  [[nodiscard]] NetworkOptions network_options() const;
  void count_disks();

  Options options_;
  Folder folder_;
  World world_;
  Network network_;
  Book book_;
  Story story_;
  std::set<FeedId> forks_;  // each node keeps the history that it has
  std::vector<std::unique_ptr<SimNode>> nodes_;
  std::vector<std::unique_ptr<SimAgent>> agents_;
  std::vector<std::unique_ptr<SimFollower>> followers_, guests_;
  Memberships memberships_{world_, nodes_};
  Clones clones_{world_, network_, book_, nodes_, agents_};
  Troubles troubles_{world_, network_, nodes_, agents_, clones_, memberships_};
  HostId hosts_ = 0;
};

std::vector<RegionCode> regions(std::size_t count) {
  std::vector<RegionCode> out;
  for (std::size_t i = 0; i < count; ++i) out.emplace_back(kRegions[i]);
  return out;
}

Simulation::Simulation(const Options& options)
    : options_(options),
      world_(options.seed, options.verbose),
      network_(world_, network_options()),
      book_(world_),
      story_(world_, regions(options.nodes), options.race) {}

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
  memberships_.begin(members, {inner});
  const auto& all = memberships_.all();
  book_.set_members(all);
  const auto policy = make_policy({});
  for (std::size_t i = 0; i < options_.nodes; ++i) {
    NodeSettings settings{
        members[i].region, keys[i], policy, all, regions(options_.nodes), folder_.path() + "/" + to_text(members[i].region)};
    settings.mutation = options_.mutation;
    settings.second_deaths = options_.part.has(Background::second_deaths);
    nodes_.push_back(std::make_unique<SimNode>(world_, network_, book_, hosts_++, std::move(settings), world_.random().next()));
  }
}

void Simulation::make_agents() {
  story_.race().look_with([this](RegionCode region) {
    for (const auto& node : nodes_)
      if (node->region() == region) return node->open_mobilisations();
    return std::vector<MobilisationRow>{};
  });
  for (std::size_t i = 0; i < options_.nodes; ++i) {
    const std::string region = to_text(nodes_[i]->region());
    for (std::size_t k = 0; k < options_.agents_per_node; ++k) {
      const std::string agency = kAgencies[k % std::size(kAgencies)];
      AgentSettings settings;
      settings.agent = {*AgentId::parse(region + "." + agency + ".a" + std::to_string(k)), agency, core::Role::agent};
      settings.host = hosts_++;
      settings.node = i;
      const std::size_t share =
          (options_.min_events + options_.nodes * options_.agents_per_node - 1) / (options_.nodes * options_.agents_per_node);
      settings.events = std::max(options_.events_per_agent, share);
      settings.wild = options_.part.has(Background::wild_agents);
      settings.nodes = options_.nodes;
      settings.finishes = options_.race && k == 0;
      agents_.push_back(std::make_unique<SimAgent>(world_, network_, book_, story_, std::move(settings)));
      nodes_[i]->tell_rolled_back([agent = agents_.back().get()](bool) { agent->node_rolled_back(); });
    }
    const core::Agent reader{*AgentId::parse(region + ".emergency.reader"), "emergency", core::Role::agent};
    followers_.push_back(std::make_unique<SimFollower>(world_, network_, reader, hosts_++, i));
    const core::Agent guest{*AgentId::parse(region + "." + kGuestAgency + ".reader"), kGuestAgency, core::Role::agent};
    guests_.push_back(std::make_unique<SimFollower>(world_, network_, guest, hosts_++, i));
    for (SimFollower* follower : {followers_.back().get(), guests_.back().get()})
      nodes_[i]->tell_rolled_back([follower](bool same_name) { follower->node_rolled_back(same_name); });
  }
}

NetworkOptions Simulation::network_options() const {
  NetworkOptions out;
  const auto has = [&](Background one) { return options_.faults && options_.part.has(one); };
  if (!has(Background::loss)) out.loss_permille = 0;
  if (!has(Background::slow)) out.slow_percent = 0;
  if (!has(Background::duplicates)) out.duplicate_permille = 0;
  if (!has(Background::late_copies)) out.late_percent = 0;
  return out;
}

void Simulation::plan_troubles() {
  for (const Step& step : make_schedule(options_.seed)) {
    if (options_.part.has(step.number)) world_.after(step.at_ms, [this, step] { troubles_.perform(step); });
  }
}

void Simulation::plan_joiner() {
  for (const Step& step : make_schedule(options_.seed)) {
    Prng random(step.seed);
    if (step.what == Trouble::join_late && options_.part.has(step.number)) memberships_.join_late(step.at_ms, random);
  }
}

void Simulation::calm() {
  world_.note("calm");
  troubles_.calm();
}

FeedVector Simulation::shared(const SimNode& node, const Audience& audience) const {
  FeedVector out = node.heads();
  std::erase_if(
      out, [&](const FeedPosition& position) { return position.feed.audience != audience || forks_.contains(position.feed); });
  for (FeedPosition& position : out) position.begins = {};  // where a feed begins is a node's own affair
  return out;
}

bool Simulation::quiet() {
  if (!clones_.quiet() || !memberships_.settled()) return false;
  forks_ = book_.forks();
  for (const auto& node : nodes_) {
    if (!node->up() || node->view_waits() || shared(*node, Audience::conference()) != shared(*nodes_[0], Audience::conference()))
      return false;
  }
  const Audience inner = *Audience::parse("inner");
  if (nodes_.size() > 1 && shared(*nodes_[0], inner) != shared(*nodes_[1], inner)) return false;
  for (std::size_t i = 0; i < followers_.size(); ++i) {
    if (!followers_[i]->caught_up(nodes_[i]->head())) return false;
  }
  return std::all_of(agents_.begin(), agents_.end(), [](const auto& agent) { return agent->idle(); });
}

std::string Simulation::state() {
  std::string out;
  for (const FeedId& feed : book_.silent_forks()) out += "  nobody tells that " + to_text(feed) + " has two histories\n";
  if (!memberships_.settled()) out += "  a members file is still to be changed\n";
  for (const auto& agent : agents_) out += "  " + agent->state() + "\n";
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    const SimNode& node = *nodes_[i];
    out += "  " + to_text(node.region()) + (node.up() ? " head " + std::to_string(node.head().value) : " down") +
           ", read up to " + std::to_string(followers_[i]->next().value) + "\n";
    for (const char* audience : {"conference", "inner"}) {
      if (node.up()) out += "    " + to_text(shared(node, *Audience::parse(audience))) + "\n";
    }
    if (node.up()) out += node.links();
  }
  return out;
}

void Simulation::check_equal(const Audience& audience, std::size_t nodes) {
  std::optional<DigestRow> first;
  const bool forked = std::any_of(forks_.begin(), forks_.end(), [&](const FeedId& feed) { return feed.audience == audience; });
  for (std::size_t i = 0; i < nodes && !world_.failed(); ++i) {
    const std::vector<DigestRow> rows = nodes_[i]->digests();
    const auto row = std::find_if(rows.begin(), rows.end(), [&](const DigestRow& r) { return r.audience == audience; });
    if (row == rows.end()) continue;
    if (!first) first = *row;
    if (forked && row->vector != first->vector) continue;
    if (row->vector != first->vector || row->digest != first->digest) {
      world_.fail("promise 5: all is quiet, and " + to_text(nodes_[i]->region()) + " differs in '" + audience.text() + "'");
    }
  }
  for (std::size_t i = 1; i < nodes && !world_.failed() && !forked; ++i) {
    if (nodes_[i]->actual_rows(audience.text()) == nodes_[0]->actual_rows(audience.text())) continue;
    world_.fail("promise 5: all is quiet, and " + to_text(nodes_[i]->region()) + " shows other rows of '" + audience.text() +
                "'");
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
  clones_.take_off();
  if (book_.acknowledged() + book_.refused() < options_.min_events)
    world_.fail("only " + std::to_string(book_.acknowledged() + book_.refused()) + " events were answered");
  check_followed();
  check_equal(Audience::conference(), nodes_.size());
  check_equal(*Audience::parse("inner"), std::min<std::size_t>(2, nodes_.size()));
  for (const auto& node : nodes_) {
    const auto open = node->open_mobilisations();
    if (open.empty() || !forks_.empty()) continue;
    world_.fail("promise 6: all is quiet, and at " + to_text(node->region()) + " " + open.front().id + " is still " +
                std::string(to_word(open.front().state)));
  }
  for (const auto& node : nodes_) {
    if (world_.failed()) return;
    node->check_journal();
    node->check_rebuilt_view();
    node->check_drills();
    const FeedVector before = node->heads();
    node->stop();
    node->check_proof();
    node->start();
    if (!world_.failed() && node->heads() != before)
      world_.fail("promise 1: node " + to_text(node->region()) + " stands elsewhere after a clean stop");
  }
}

Outcome Simulation::run() {
  make_nodes();
  make_agents();
  if (options_.faults) plan_joiner();
  for (const auto& node : nodes_) {
    if (!memberships_.is_late(*node)) node->start();
  }
  for (const auto& agent : agents_) agent->start();
  for (const auto& follower : followers_) follower->start();
  for (const auto& guest : guests_) guest->start();
  const TimeMs start = world_.now();
  if (options_.faults) {
    plan_troubles();
    world_.run_until(start + kTroubleMs);
  }
  calm();
  const TimeMs deadline = world_.now() + kCalmMs;
  while (!world_.failed() && world_.now() < deadline && !quiet()) world_.run_until(world_.now() + kLookMs);
  const bool open = std::any_of(agents_.begin(), agents_.end(), [](const auto& agent) { return agent->has_duties(); });
  if (!world_.failed() && !quiet())
    world_.fail(std::string(open ? "promise 6: what was begun or promised comes to no end: " : "") +
                "nothing hinders them any more, and after " + std::to_string(kCalmMs / 1000) + " s they are not at rest:\n" +
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
  for (const auto& guest : guests_) world_.count("events followed by guests", guest->events());
  count_disks();
  return {world_.failure(), world_.transcript(), world_.transcript_hash(), world_.faults(), world_.counts()};
}

void Simulation::count_disks() {
  std::vector<const SimNode*> all;
  for (const auto& node : nodes_) all.push_back(node.get());
  for (const auto& clone : clones_.all()) all.push_back(clone.get());
  for (const SimNode* node : all) {
    const SimDisk::Counters& disk = node->disk().counters();
    world_.count("disk writes", disk.writes);
    world_.count("disk syncs", disk.syncs);
    world_.fired(Fault::write_lost, disk.sectors_lost);
    world_.fired(Fault::page_torn, disk.pages_torn);
    world_.fired(Fault::file_returned, disk.files_returned);
    world_.fired(Fault::no_space, disk.errors[static_cast<std::size_t>(SimDisk::Error::no_space)]);
    world_.fired(Fault::write_error, disk.errors[static_cast<std::size_t>(SimDisk::Error::write)]);
    world_.fired(Fault::sync_error, disk.errors[static_cast<std::size_t>(SimDisk::Error::sync)]);
  }
}

}  // namespace

std::string Options::text() const {
  std::string out = "--seeds " + std::to_string(seed) + ".." + std::to_string(seed) + " --nodes " + std::to_string(nodes);
  if (agents_per_node != Options{}.agents_per_node) out += " --agents " + std::to_string(agents_per_node);
  if (events_per_agent != Options{}.events_per_agent) out += " --events " + std::to_string(events_per_agent);
  out += " --min-events " + std::to_string(min_events);
  if (mutation != Mutation::none) out += " --mutation " + std::string(to_word(mutation));
  out += part.text();
  if (!faults) out += " --no-faults";
  if (race) out += " --race";
  return out;
}

Outcome simulate(const Options& options) {
  prepare_process();
  forget_seals();
  return Simulation(options).run();
}

}  // namespace lianxi::sim
