#include "tests/sim/scale.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "tests/sim/folder.h"
#include "tests/sim/known_seals.h"
#include "tests/sim/rights.h"
#include "tests/sim/sim_agent.h"
#include "tests/sim/sim_node.h"

namespace lianxi::sim {
namespace {

constexpr TimeMs kSettleMs = 15'000;  // all links are up and have said what they hold
constexpr TimeMs kIdleMs = 20'000;
constexpr TimeMs kMostMs = 240'000;  // of a stretch
constexpr TimeMs kLookMs = 250;
constexpr std::size_t kOnTheWay = 64;

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

double resident_mb() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t all = 0, resident = 0;
  statm >> all >> resident;
  return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1e6;
}

Quantiles quantiles_of(std::vector<std::int64_t> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const auto at = [&](std::size_t percent) { return values[(values.size() - 1) * percent / 100]; };
  return {at(50), at(99), values.back()};
}

// As codes of prefectures are made; not those of real ones.
std::vector<RegionCode> member_codes(std::size_t count) {
  std::vector<RegionCode> out;
  for (std::size_t i = 0; i < count; ++i)
    out.emplace_back(static_cast<std::uint32_t>((33 + i / 20) * 10'000 + (1 + i % 20) * 100));
  return out;
}

class Mesh {
 public:
  explicit Mesh(const ScaleOptions& options);
  ScaleResult run();

 private:
  struct Spread {
    TimeMs home_at = 0;
    std::size_t held = 0;  // by how many, its home with them
  };
  void make_nodes();
  void publish(std::size_t per_member);
  void on_disk(HostId host, const SegmentInfo& info);
  // False, and failed: it did not come to that in time.
  bool until_all_hold_all(const std::string& what);
  [[nodiscard]] bool all_hold_all() const;
  void idle(ScaleResult& out);
  void healthy(ScaleResult& out);
  void cut(ScaleResult& out);
  [[nodiscard]] Network::Traffic traffic() const;

  ScaleOptions options_;
  double memory_before_ = resident_mb();
  Folder folder_;
  World world_;
  Network network_;
  Book book_;
  Story story_;
  std::vector<std::unique_ptr<SimNode>> nodes_;
  std::vector<std::unique_ptr<SimAgent>> agents_;
  HostId hosts_ = 0;
  std::size_t rounds_ = 0;
  std::map<std::pair<FeedId, Sequence>, Spread> on_way_;  // not held by all yet
  std::uint64_t published_ = 0;
  TimeMs last_at_ = 0;                                // of what was held by all
  std::vector<std::int64_t> to_each_[2], to_all_[2];  // 0: flash
};

NetworkOptions quiet_network() {
  NetworkOptions out;
  out.loss_permille = out.slow_percent = out.duplicate_permille = out.late_percent = 0;
  out.delay_low_ms = kScaleDelayLowMs;
  out.delay_high_ms = kScaleDelayHighMs;
  out.queue_messages = kOnTheWay;
  return out;
}

Mesh::Mesh(const ScaleOptions& options)
    : options_(options),
      world_(options.seed, false),
      network_(world_, quiet_network()),
      book_(world_),
      story_(world_, member_codes(options.members), false) {
  make_nodes();
}

void Mesh::make_nodes() {
  std::vector<SealKeyPair> keys;
  std::vector<core::Member> members;
  const std::vector<RegionCode> codes = member_codes(options_.members);
  for (const RegionCode region : codes) {
    keys.push_back(seal_keys_from_seed(world_.random().bytes<32>()));
    core::Member member;
    member.region = region;
    member.seal_key = keys.back().public_key;
    members.push_back(std::move(member));
  }
  const auto all = std::make_shared<const core::Members>(members, std::vector<core::Group>{});
  book_.set_members(all);
  const auto policy = make_policy({});
  for (std::size_t i = 0; i < codes.size(); ++i) {
    NodeSettings settings{codes[i], keys[i], policy, all, codes, folder_.path() + "/" + to_text(codes[i])};
    settings.on_disk = [this](HostId host, const SegmentInfo& info) { on_disk(host, info); };
    nodes_.push_back(std::make_unique<SimNode>(world_, network_, book_, hosts_++, std::move(settings), world_.random().next()));
    nodes_.back()->forgive();
  }
}

void Mesh::on_disk(HostId host, const SegmentInfo& info) {
  if (info.feed.audience != Audience::conference()) return;
  const bool home = nodes_[host]->region() == info.feed.region;
  const std::size_t lane = info.feed.lane == Lane::flash ? 0 : 1;
  for (std::uint64_t i = 0; i < info.count; ++i) {
    const std::pair place{info.feed, Sequence(info.first_sequence.value + i)};
    Spread& spread = on_way_[place];
    if (home) {
      spread.home_at = world_.now();
      ++published_;
    } else {
      to_each_[lane].push_back(world_.now() - spread.home_at);
    }
    if (++spread.held < nodes_.size()) continue;
    to_all_[lane].push_back(world_.now() - spread.home_at);
    last_at_ = world_.now();
    on_way_.erase(place);
  }
}

void Mesh::publish(std::size_t per_member) {
  ++rounds_;
  for (HostId node = 0; node < nodes_.size(); ++node) {
    AgentSettings settings;
    settings.agent = {*AgentId::parse(to_text(nodes_[node]->region()) + ".fire.a" + std::to_string(rounds_)), "fire",
                      core::Role::agent};
    settings.host = hosts_++;
    settings.node = node;
    settings.events = per_member;
    settings.wild = false;
    settings.nodes = 1;  // nobody asks how many peers hold it
    agents_.push_back(std::make_unique<SimAgent>(world_, network_, book_, story_, std::move(settings)));
    agents_.back()->start();
  }
}

bool Mesh::all_hold_all() const {
  return on_way_.empty() && std::all_of(agents_.begin(), agents_.end(), [](const auto& agent) { return agent->idle(); });
}

bool Mesh::until_all_hold_all(const std::string& what) {
  const TimeMs deadline = world_.now() + kMostMs;
  while (!world_.failed() && !all_hold_all() && world_.now() < deadline) world_.run_until(world_.now() + kLookMs);
  if (!world_.failed() && !all_hold_all())
    world_.fail(what + ": after " + std::to_string(kMostMs / 1000) + " s " + std::to_string(on_way_.size()) +
                " events are not held by all");
  return !world_.failed();
}

Network::Traffic Mesh::traffic() const {
  Network::Traffic all;
  for (const Network::Traffic& kind : network_.between_nodes()) {
    all.messages += kind.messages;
    all.bytes += kind.bytes;
  }
  return all;
}

void Mesh::idle(ScaleResult& out) {
  const Network::Traffic before = traffic();
  const double cpu = cpu_seconds();
  world_.run_until(world_.now() + kIdleMs);
  const Network::Traffic after = traffic();
  const double member_seconds = static_cast<double>(nodes_.size()) * kIdleMs / 1000;
  out.idle_bytes_per_member_second = static_cast<double>(after.bytes - before.bytes) / member_seconds;
  out.idle_messages_per_member_second = static_cast<double>(after.messages - before.messages) / member_seconds;
  out.idle_bytes_per_link_second = out.idle_bytes_per_member_second / static_cast<double>(nodes_.size() - 1);
  out.idle_cpu_ms_per_member_second = (cpu_seconds() - cpu) * 1000 / member_seconds;
}

void Mesh::healthy(ScaleResult& out) {
  const auto deliveries = [&] { return network_.between_nodes()[Message(Deliver{}).index()].bytes; };
  const auto sums = [&] {
    std::pair<std::uint64_t, std::uint64_t> sum;
    for (const auto& node : nodes_) {
      for (const core::LinkView& link : node->link_views()) {
        sum.first += link.delivered_events;
        sum.second += link.received_events;
      }
    }
    return sum;
  };
  const auto before = sums();
  const std::uint64_t bytes = deliveries(), published = published_;
  const double cpu = cpu_seconds();
  publish(std::max<std::size_t>(2, options_.events / nodes_.size()));
  if (!until_all_hold_all("in a healthy mesh")) return;
  const auto after = sums();
  const double taken = static_cast<double>(after.second - before.second);
  out.events = published_ - published;
  out.copies = static_cast<double>(after.first - before.first) / taken;
  out.payload_bytes_per_event = static_cast<double>(deliveries() - bytes) / taken;
  out.cpu_us_per_event_and_member = (cpu_seconds() - cpu) * 1e6 / (taken + static_cast<double>(out.events));
  out.flash_to_each = quantiles_of(to_each_[0]);
  out.flash_to_all = quantiles_of(to_all_[0]);
  out.other_to_each = quantiles_of(to_each_[1]);
  out.other_to_all = quantiles_of(to_all_[1]);
}

void Mesh::cut(ScaleResult& out) {
  const std::size_t half = nodes_.size() / 2;
  const auto each_pair = [&](const auto& what) {
    for (HostId a = 0; a < half; ++a) {
      for (HostId b = half; b < nodes_.size(); ++b) {
        what(a, b);
        what(b, a);
      }
    }
  };
  each_pair([&](HostId from, HostId to) { network_.cut(from, to); });
  publish(std::max<std::size_t>(2, options_.events / nodes_.size()));
  world_.run_until(world_.now() + kScaleCutMs);
  if (world_.failed()) return;
  each_pair([&](HostId from, HostId to) { network_.heal(from, to); });
  out.behind_the_cut = on_way_.size();
  const TimeMs healed = world_.now();
  if (until_all_hold_all("behind a cut")) out.heal_ms = last_at_ - healed;
}

ScaleResult Mesh::run() {
  ScaleResult out;
  out.members = options_.members;
  out.seed = options_.seed;
  for (const auto& node : nodes_) node->start();
  world_.run_until(world_.now() + kSettleMs);
  idle(out);
  if (!world_.failed()) healthy(out);
  out.memory_per_member_mb = (resident_mb() - memory_before_) / static_cast<double>(nodes_.size());
  if (!world_.failed()) cut(out);
  out.failure = world_.failure();
  return out;
}

}  // namespace

ScaleResult measure_scale(const ScaleOptions& options) {
  prepare_process();
  forget_seals();
  return Mesh(options).run();
}

}  // namespace lianxi::sim
