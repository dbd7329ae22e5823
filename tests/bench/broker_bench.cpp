#include "tests/bench/broker_bench.h"

#include <cstdio>
#include <utility>

namespace lianxi::bench {
namespace {

constexpr const char* kDisk = "fdatasync";

Load load_of(Measure measure, const BrokerOptions& options) {
  Load load;
  load.publishers = options.publishers;
  load.window = options.window;
  load.seconds = options.seconds;
  switch (measure) {
    case Measure::durable_256:
      break;
    case Measure::durable_1k:
      load.bytes = 1'024;
      break;
    case Measure::paced:
      load.publishers = 1;
      load.rate = options.rate;
      break;
    case Measure::incident:
      load.kind = PayloadKind::incident;
      break;
    case Measure::fanout:
      load.publishers = 1;
      load.followers = kFanoutFollowers;
      break;
  }
  return load;
}

std::string said(Measure measure, const Figures& figures) {
  char text[160];
  if (measure == Measure::paced) {
    std::snprintf(text, sizeof text, "p50 %.0f us, p99 %.0f us", figures.latency.quantile_us(0.5),
                  figures.latency.quantile_us(0.99));
  } else if (measure == Measure::fanout) {
    std::snprintf(text, sizeof text, "%.0f delivered/s", figures.delivered_per_second);
  } else {
    std::snprintf(text, sizeof text, "%.0f/s, follower %.2f s behind, CPU us/event: broker %.2f, clients %.2f",
                  figures.acked_per_second, figures.follower_late_s, figures.server_cpu_us, figures.client_cpu_us);
  }
  return text;
}

class Run {
 public:
  Run(const BrokerOptions& options, const std::function<void(const std::string&)>& progress)
      : options_(options), progress_(progress) {
    const Payloads light(PayloadKind::light, 0, 256), incident(PayloadKind::incident, 0, 0);
    result_.light_bytes = light.size_bytes();
    result_.incident_bytes = incident.size_bytes();
    for (const Security security : {Security::plain, Security::curve}) add({LianxiPeer::info(security), {}, nullptr}, security);
    for (PeerSource& source : peer_sources()) add(std::move(source), Security::plain);
  }

  BrokerResult take() {
    for (int round = 0; round < options_.rounds; ++round) {
      round_ = round;
      if (wanted(kDisk)) disk();
      for (Entry& entry : entries_) turn(entry);
    }
    for (Entry& entry : entries_) result_.contestants.push_back(std::move(entry.contestant));
    return std::move(result_);
  }

 private:
  struct Entry {
    Contestant contestant;
    PeerSource source;
    Security security = Security::plain;
    bool ours = false;
    bool looked = false;  // at its version and its syncs
    std::vector<Measure> measures;
  };

  [[nodiscard]] bool wanted(const std::string& name) const { return options_.only.empty() || options_.only.contains(name); }

  void add(PeerSource source, Security security) {
    Entry entry;
    entry.ours = source.make == nullptr && source.missing.empty();
    entry.security = security;
    entry.contestant.info = source.info;
    entry.contestant.trouble = wanted(source.info.name) ? source.missing : "not asked for";
    const bool plain_lianxi = entry.ours && security == Security::plain;
    if (source.info.worth.stored) entry.measures = {Measure::durable_256, Measure::durable_1k, Measure::paced};
    if (plain_lianxi) entry.measures.push_back(Measure::incident);
    if (plain_lianxi || !source.info.worth.stored) entry.measures.push_back(Measure::fanout);
    entry.source = std::move(source);
    entries_.push_back(std::move(entry));
  }

  [[nodiscard]] std::unique_ptr<Peer> make(const Entry& entry) const {
    if (entry.ours) return std::make_unique<LianxiPeer>(options_.broker, entry.security);
    return entry.source.make();
  }

  void say(const std::string& what) const {
    progress_("round " + std::to_string(round_ + 1) + "/" + std::to_string(options_.rounds) + ": " + what);
  }

  void disk() {
    try {
      result_.disk.push_back(paced_fdatasync(options_.seconds, options_.rate));
      Figures figures;
      figures.latency = result_.disk.back();
      say(std::string(kDisk) + ": " + said(Measure::paced, figures));
    } catch (const std::exception& error) {
      result_.disk_trouble = error.what();
      say(std::string(kDisk) + ": " + error.what());
    }
  }

  // All of one contestant's measurements of a round. Ours has a fresh node for each, since its view still works on what the
  // last one left; the others have nothing of the kind, and one of them takes long to start.
  void turn(Entry& entry) {
    if (!entry.contestant.trouble.empty()) return;
    std::unique_ptr<Peer> peer;
    try {
      for (const Measure measure : entry.measures) {
        if (entry.ours) peer.reset();
        if (!peer) peer = start(entry);
        if (!std::exchange(entry.looked, true)) look_at(entry, *peer);
        measure_one(entry, *peer, measure);
      }
      if (entry.ours && entry.security == Security::plain) flash(entry, peer);
    } catch (const std::exception& error) {
      entry.contestant.trouble = error.what();
      say(entry.contestant.info.name + ": " + error.what());
    }
    if (peer) peer->stop();
  }

  [[nodiscard]] std::unique_ptr<Peer> start(const Entry& entry) const {
    auto peer = make(entry);
    peer->start();
    return peer;
  }

  void look_at(Entry& entry, Peer& peer) {
    entry.contestant.version = peer.version();
    if (!entry.contestant.info.worth.stored) return;
    entry.contestant.syncs = count_syncs(peer, "syncs");
    if (!entry.contestant.syncs) return;
    say(entry.contestant.info.name + ": " + std::to_string(entry.contestant.syncs->syncs) + " syncs for " +
        std::to_string(entry.contestant.syncs->answers) + " answers, one at a time");
  }

  void measure_one(Entry& entry, Peer& peer, Measure measure) {
    Load load = load_of(measure, options_);
    if (measure == Measure::incident) load.after = [&peer] { dynamic_cast<LianxiPeer&>(peer).wait_for_view(); };
    Figures figures = run_load(peer, to_word(measure), load);
    say(entry.contestant.info.name + " " + to_word(measure) + ": " + said(measure, figures));
    entry.contestant.rounds[measure].push_back(std::move(figures));
  }

  void flash(const Entry& entry, std::unique_ptr<Peer>& peer) {
    try {
      peer.reset();
      peer = start(entry);
      result_.flash.push_back(
          run_flash(dynamic_cast<LianxiPeer&>(*peer), options_.publishers, options_.window, options_.seconds));
      const FlashFigures& got = result_.flash.back();
      char text[160];
      std::snprintf(text, sizeof text, "flash delivered p99: idle %.0f us, at 80%% load %.0f us, saturated %.0f us",
                    got.idle.delivered.quantile_us(0.99), got.loaded.delivered.quantile_us(0.99),
                    got.saturated.delivered.quantile_us(0.99));
      say(text);
    } catch (const std::exception& error) {
      result_.flash_trouble = error.what();
      say(std::string("flash: ") + error.what());
    }
  }

  const BrokerOptions& options_;
  const std::function<void(const std::string&)>& progress_;
  BrokerResult result_;
  std::vector<Entry> entries_;
  int round_ = 0;
};

}  // namespace

const char* to_word(Measure measure) {
  switch (measure) {
    case Measure::durable_256:
      return "durable_256";
    case Measure::durable_1k:
      return "durable_1k";
    case Measure::paced:
      return "paced";
    case Measure::incident:
      return "incident";
    case Measure::fanout:
      return "fanout16";
  }
  return "";
}

BrokerResult run_broker_bench(const BrokerOptions& options, const std::function<void(const std::string&)>& progress) {
  return Run(options, progress).take();
}

}  // namespace lianxi::bench
