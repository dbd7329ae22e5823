#include <sys/utsname.h>

#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/bench/broker_bench.h"
#include "tests/bench/spread.h"

namespace lianxi::bench {
namespace {

using Json = nlohmann::ordered_json;
using Get = double (*)(const Figures&);

double acked(const Figures& f) {
  return f.acked_per_second;
}
double delivered(const Figures& f) {
  return f.delivered_per_second;
}
double late(const Figures& f) {
  return f.follower_late_s;
}
double server_cpu(const Figures& f) {
  return f.server_cpu_us;
}
double client_cpu(const Figures& f) {
  return f.client_cpu_us;
}

struct Quantile {
  const char* name;
  double share;
};
constexpr Quantile kQuantiles[] = {{"p50_us", 0.5}, {"p90_us", 0.9}, {"p99_us", 0.99}, {"p999_us", 0.999}, {"max_us", 1}};

Spread of(const std::vector<Figures>& rounds, Get get) {
  std::vector<double> values;
  for (const Figures& figures : rounds) values.push_back(get(figures));
  return spread_of(std::move(values));
}
Spread of(const std::vector<Histogram>& rounds, double share) {
  std::vector<double> values;
  for (const Histogram& histogram : rounds) values.push_back(histogram.quantile_us(share));
  return spread_of(std::move(values));
}
std::vector<Histogram> latencies(const std::vector<Figures>& rounds) {
  std::vector<Histogram> out;
  for (const Figures& figures : rounds) out.push_back(figures.latency);
  return out;
}

const Contestant* find(const BrokerResult& result, const std::string& name) {
  for (const Contestant& one : result.contestants)
    if (one.info.name == name) return &one;
  return nullptr;
}
const std::vector<Figures>* rounds_of(const Contestant* one, Measure measure) {
  if (one == nullptr) return nullptr;
  const auto found = one->rounds.find(measure);
  return found == one->rounds.end() || found->second.empty() ? nullptr : &found->second;
}
std::optional<double> median_of(const BrokerResult& result, const std::string& name, Measure measure, Get get) {
  const auto* rounds = rounds_of(find(result, name), measure);
  return rounds == nullptr ? std::nullopt : std::optional(of(*rounds, get).median);
}

// The best of the makes that store, and sync before they answer or do not. Nothing while one of them has no figure: it might
// have been the best.
std::optional<double> best_of(const BrokerResult& result, bool synced) {
  std::optional<double> best;
  for (const Contestant& one : result.contestants) {
    if (one.info.name.starts_with("lianxi") || !one.info.worth.stored || one.info.worth.synced != synced) continue;
    const auto figure = median_of(result, one.info.name, Measure::durable_256, acked);
    if (!figure) return std::nullopt;
    best = std::max(best.value_or(0), *figure);
  }
  return best;
}

std::optional<double> ratio(std::optional<double> ours, std::optional<double> theirs) {
  if (!ours || !theirs || *theirs <= 0) return std::nullopt;
  return *ours / *theirs;
}

std::optional<double> against_disk(const BrokerResult& result, double share) {
  const auto* ours = rounds_of(find(result, "lianxi"), Measure::paced);
  if (ours == nullptr || result.disk.empty()) return std::nullopt;
  return ratio(of(latencies(*ours), share).median, of(result.disk, share).median);
}

std::optional<double> overtaken(const BrokerResult& result) {
  std::optional<double> most;
  for (const FlashFigures& figures : result.flash) {
    if (!figures.overtaken_batches) return std::nullopt;
    most = std::max(most.value_or(0), *figures.overtaken_batches);
  }
  return most;
}

Json json_of(const Spread& spread) {
  return {{"median", spread.median}, {"min", spread.least}, {"max", spread.most}};
}
Json json_of(const std::vector<Histogram>& rounds) {
  Json out;
  for (const Quantile& quantile : kQuantiles) out[quantile.name] = json_of(of(rounds, quantile.share));
  return out;
}
template <class T>
Json json_of(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json json_of(const std::vector<Figures>& rounds, Measure measure) {
  Json out = {{"acked_per_second", json_of(of(rounds, acked))},
              {"delivered_per_second", json_of(of(rounds, delivered))},
              {"follower_late_s", json_of(of(rounds, late))},
              {"server_cpu_us_per_event", json_of(of(rounds, server_cpu))},
              {"client_cpu_us_per_event", json_of(of(rounds, client_cpu))}};
  if (measure == Measure::paced) out.update(json_of(latencies(rounds)));
  for (const Figures& figures : rounds) out["acked_by_round"].push_back(figures.acked_per_second);
  return out;
}

Json json_of(const Contestant& one) {
  Json out = {{"name", one.info.name},
              {"title", one.info.title},
              {"version", one.version},
              {"stored", one.info.worth.stored},
              {"synced_before_answer", one.info.worth.synced},
              {"by", one.info.worth.words},
              {"measured", one.trouble.empty()},
              {"reason", one.trouble.empty() ? Json(nullptr) : Json(one.trouble)}};
  out["syncs_seen"] =
      one.syncs ? Json({{"answers", one.syncs->answers}, {"syncs", one.syncs->syncs}, {"by", "strace"}}) : Json(nullptr);
  for (const auto& [measure, rounds] : one.rounds) out["rows"][to_word(measure)] = json_of(rounds, measure);
  return out;
}

Json json_of(const std::vector<FlashFigures>& rounds) {
  Json out;
  const auto phase = [&](const char* name, FlashPhase FlashFigures::*at) {
    std::vector<Histogram> receipts, deliveries;
    std::vector<double> bulk;
    for (const FlashFigures& figures : rounds) {
      receipts.push_back((figures.*at).receipt);
      deliveries.push_back((figures.*at).delivered);
      bulk.push_back((figures.*at).bulk_per_second);
    }
    out[name] = {
        {"bulk_per_second", json_of(spread_of(bulk))}, {"receipt", json_of(receipts)}, {"delivered", json_of(deliveries)}};
  };
  phase("idle", &FlashFigures::idle);
  phase("load_80", &FlashFigures::loaded);
  phase("saturated", &FlashFigures::saturated);
  for (const FlashFigures& figures : rounds) {
    out["overtaken_batches_max"].push_back(json_of(figures.overtaken_batches));
    out["overtaken_bytes_max"].push_back(json_of(figures.overtaken_bytes));
  }
  return out;
}

std::string cell(const Spread& spread) {
  return number_text(spread.median) + " [" + number_text(spread.least) + "-" + number_text(spread.most) + "]";
}
std::string cell(const Contestant& one, Measure measure, Get get) {
  const auto* rounds = rounds_of(&one, measure);
  return rounds == nullptr ? "-" : cell(of(*rounds, get));
}

std::string worth_of(const Contestant& one) {
  std::string out = !one.info.worth.stored ? "nothing stored" : one.info.worth.synced ? "synced first" : "not synced";
  if (one.syncs) out += ", " + std::to_string(one.syncs->syncs) + "/" + std::to_string(one.syncs->answers);
  return out;
}

std::string latency_line(const std::string& title, const std::vector<Histogram>& rounds) {
  std::string out = left(title, 40);
  for (const double share : {0.5, 0.9, 0.99, 0.999}) out += right(number_text(of(rounds, share).median), 11);
  return out + "\n";
}

std::string rates_table(const BrokerResult& result) {
  std::string out = left("acknowledged events/s", 40) + left("an answer means (syncs/answers seen)", 38) + right("256 B", 28) +
                    right("1 KiB", 28) + right("broker CPU us/event", 21) + "\n";
  for (const Contestant& one : result.contestants) {
    if (!one.info.worth.stored) continue;
    out += left(one.info.title, 40) + left(worth_of(one), 38);
    if (!one.trouble.empty() && one.rounds.empty()) {
      out += "  " + one.trouble + "\n";
      continue;
    }
    const auto* rounds = rounds_of(&one, Measure::durable_256);
    out += right(cell(one, Measure::durable_256, acked), 28) + right(cell(one, Measure::durable_1k, acked), 28) +
           right(rounds == nullptr ? "-" : number_text(of(*rounds, server_cpu).median), 21) + "\n";
    if (!one.trouble.empty()) out += "  " + one.info.name + " broke off: " + one.trouble + "\n";
  }
  return out;
}

}  // namespace

Ratios ratios_of(const BrokerResult& result) {
  const auto ours = median_of(result, "lianxi", Measure::durable_256, acked);
  const auto best_synced = best_of(result, true);
  return {{"durable_vs_best_synced", ratio(ours, best_synced)},
          {"durable_vs_jetstream", ratio(ours, median_of(result, "nats_jetstream", Measure::durable_256, acked))},
          {"durable_vs_best_unsynced", ratio(ours, best_of(result, false))},
          {"incident_vs_best_synced", ratio(median_of(result, "lianxi", Measure::incident, acked), best_synced)},
          {"curve_share", ratio(median_of(result, "lianxi_curve", Measure::durable_256, acked), ours)},
          {"ack_p50_vs_fdatasync", against_disk(result, 0.5)},
          {"ack_p99_vs_fdatasync", against_disk(result, 0.99)},
          {"fanout16_vs_proxy", ratio(median_of(result, "lianxi", Measure::fanout, delivered),
                                      median_of(result, "zmq_proxy", Measure::fanout, delivered))},
          {"flash_overtaken_batches", overtaken(result)}};
}

std::string table_of(const BrokerResult& result, const BrokerOptions& options) {
  std::string out = rates_table(result);
  out += "\n" + left("publish to receipt at " + number_text(options.rate) + "/s", 40);
  for (const char* name : {"p50 us", "p90 us", "p99 us", "p99.9 us"}) out += right(name, 11);
  out += "\n";
  if (!result.disk.empty()) out += latency_line("fdatasync of 4 KiB, growing file", result.disk);
  for (const Contestant& one : result.contestants)
    if (const auto* rounds = rounds_of(&one, Measure::paced)) out += latency_line(one.info.title, latencies(*rounds));
  out += "\nfull incident reports (" + std::to_string(result.incident_bytes) +
         " B), until the view stands at the journal's offset:  ";
  out += cell(result.contestants.front(), Measure::incident, acked) + "/s\n";
  out += "delivered to 16 followers that read every event whole, where its bytes lie, and check it:\n";
  for (const Contestant& one : result.contestants)
    if (const auto* rounds = rounds_of(&one, Measure::fanout))
      out += "  " + left(one.info.title, 38) + cell(of(*rounds, delivered)) + "/s\n";
  if (!result.flash.empty()) {
    std::vector<Histogram> idle, loaded, saturated;
    for (const FlashFigures& figures : result.flash) {
      idle.push_back(figures.idle.delivered);
      loaded.push_back(figures.loaded.delivered);
      saturated.push_back(figures.saturated.delivered);
    }
    out += "\n" + left("alert, publish to follower", 40) + right("p50 us", 11) + right("p90 us", 11) + right("p99 us", 11) +
           right("p99.9 us", 11) + "\n" + latency_line("idle", idle) + latency_line("beside bulk at 80% load", loaded) +
           latency_line("beside bulk at full speed", saturated);
  }
  out += "\nratios\n";
  for (const auto& [name, value] : ratios_of(result))
    out += "  " + left(name, 30) + (value ? number_text(*value) : "not measured") + "\n";
  for (const Contestant& one : result.contestants)
    if (!one.trouble.empty()) out += "  " + one.info.name + ": " + one.trouble + "\n";
  return out + "\nMedians of " + std::to_string(options.rounds) + " interleaved rounds of " + number_text(options.seconds) +
         " s [min-max]; " + std::to_string(options.publishers) + " publishers, each with " + std::to_string(options.window) +
         " events in flight; one live follower that reads every event whole, where its bytes lie;\nevents are changes of state "
         "of a thousand resources, "
         "the "
         "lightest of our kinds, with all their bytes counted. Everything on loopback of one machine.\n";
}

std::string json_of(const BrokerResult& result, const BrokerOptions& options) {
  utsname system{};
  ::uname(&system);
  Json out = {{"benchmark", "broker"},
              {"unix_time", static_cast<std::int64_t>(std::time(nullptr))},
              {"machine", {{"cores", std::thread::hardware_concurrency()}, {"kernel", system.release}}},
              {"rounds", options.rounds},
              {"seconds", options.seconds},
              {"publishers", options.publishers},
              {"window", options.window},
              {"paced_per_second", options.rate},
              {"event_bytes", result.light_bytes},
              {"incident_bytes", result.incident_bytes}};
  for (const Contestant& one : result.contestants) out["peers"].push_back(json_of(one));
  out["fdatasync"] = result.disk.empty() ? Json(nullptr) : json_of(result.disk);
  out["flash"] = result.flash.empty() ? Json(nullptr) : json_of(result.flash);
  out["troubles"] = {{"fdatasync", result.disk_trouble}, {"flash", result.flash_trouble}};
  for (const auto& [name, value] : ratios_of(result)) out["ratios"][name] = json_of(value);
  return out.dump(2) + "\n";
}

}  // namespace lianxi::bench
