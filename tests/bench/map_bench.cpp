#include "tests/bench/map_bench.h"

#include <atomic>
#include <exception>
#include <map>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>

#include "tests/bench/spread.h"

namespace lianxi::bench {
namespace {

using Json = nlohmann::ordered_json;
using Progress = std::function<void(const std::string&)>;
constexpr std::uint64_t kAsks = 4'096;  // of each kind, over and over
constexpr std::uint64_t kChecked = 40;  // of each kind a round
constexpr std::uint64_t kChangesAtOnce = 50;

struct Figures {
  std::vector<double> per_second;                // `clients` at once
  std::vector<double> p50_ms, p99_ms;            // of one client alone
  std::vector<double> busy_p50_ms, busy_p99_ms;  // while changes come
  std::vector<double> changes_per_second;
};
struct Side {
  std::string name;
  std::unique_ptr<MapSide> map;
  std::map<MapKind, Figures> figures;
  double load_s = 0;
  std::uint64_t changed = 0;
};

// One client after another question, until time is up.
Histogram ask_for(MapSide::Connection& connection, MapKind kind, std::uint64_t from, Clock::time_point until,
                  std::uint64_t& asked) {
  Histogram latencies;
  for (std::uint64_t i = from; Clock::now() < until; ++i) {
    const MapAsk ask = map_ask(kind, i % kAsks);
    const auto begin = Clock::now();
    (void)connection.ask(ask);
    latencies.add(Clock::now() - begin);
    ++asked;
  }
  return latencies;
}

Clock::duration seconds(double value) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(value));
}

double many_clients(Side& side, MapKind kind, const MapOptions& options) {
  std::vector<std::unique_ptr<MapSide::Connection>> connections;
  for (std::size_t i = 0; i < options.clients; ++i) connections.push_back(side.map->connect());
  std::vector<std::uint64_t> asked(options.clients);
  std::vector<std::thread> threads;
  std::atomic<bool> failed = false;
  const auto begin = Clock::now();
  for (std::size_t i = 0; i < options.clients; ++i)
    threads.emplace_back([&, i] {
      try {
        (void)ask_for(*connections[i], kind, i * 509, begin + seconds(options.seconds), asked[i]);
      } catch (const std::exception&) {
        failed = true;
      }
    });
  for (std::thread& thread : threads) thread.join();
  if (failed) throw std::runtime_error(side.name + ": a question failed");
  std::uint64_t sum = 0;
  for (const std::uint64_t count : asked) sum += count;
  return static_cast<double>(sum) / std::chrono::duration<double>(Clock::now() - begin).count();
}

void one_client(Side& side, MapKind kind, const MapOptions& options, std::uint64_t from) {
  const auto connection = side.map->connect();
  std::uint64_t asked = 0;
  const Histogram latencies = ask_for(*connection, kind, from, Clock::now() + seconds(options.seconds), asked);
  side.figures[kind].p50_ms.push_back(latencies.quantile_us(0.5) / 1e3);
  side.figures[kind].p99_ms.push_back(latencies.quantile_us(0.99) / 1e3);
}

// The same changes for both sides; as many as the seconds hold.
void while_it_changes(Side& side, const MapOptions& options, std::uint64_t from) {
  const auto count = static_cast<std::uint64_t>(static_cast<double>(options.changes_per_second) * options.seconds);
  std::exception_ptr trouble;
  std::atomic<bool> ended = false;
  const auto begin = Clock::now();
  std::thread changes([&] {
    try {
      for (std::uint64_t i = 0; i < count; i += kChangesAtOnce) {
        std::this_thread::sleep_until(begin + seconds(static_cast<double>(i) / static_cast<double>(options.changes_per_second)));
        side.map->change(side.changed + i, std::min(kChangesAtOnce, count - i), options.resources);
      }
    } catch (...) {
      trouble = std::current_exception();
    }
    ended = true;
  });
  const auto connection = side.map->connect();
  std::uint64_t asked = 0;
  Histogram latencies;
  try {
    while (!ended) latencies.add(ask_for(*connection, MapKind::nearest, from + asked, Clock::now() + seconds(0.05), asked));
  } catch (...) {
    trouble = std::current_exception();
  }
  changes.join();
  if (trouble) std::rethrow_exception(trouble);
  Figures& figures = side.figures[MapKind::nearest];
  figures.changes_per_second.push_back(static_cast<double>(count) / std::chrono::duration<double>(Clock::now() - begin).count());
  side.changed += count;
  side.map->settle();
  figures.busy_p50_ms.push_back(latencies.quantile_us(0.5) / 1e3);
  figures.busy_p99_ms.push_back(latencies.quantile_us(0.99) / 1e3);
}

void check_equal(std::vector<Side>& sides, std::uint64_t from) {
  if (sides.size() < 2) return;
  const auto one = sides[0].map->connect(), other = sides[1].map->connect();
  for (const MapKind kind : kMapKinds)
    for (std::uint64_t i = from; i < from + kChecked; ++i) {
      const MapAsk ask = map_ask(kind, i % kAsks);
      if (one->ask(ask) != other->ask(ask))
        throw std::runtime_error(std::string("the sides answer otherwise: ") + to_text(kind) + " " + std::to_string(i % kAsks));
    }
}

Json spread_json(const std::vector<double>& values) {
  const Spread spread = spread_of(values);
  return {{"median", spread.median}, {"min", spread.least}, {"max", spread.most}};
}

Json side_json(Side& side) {
  Json to{{"name", side.name}, {"import_s", side.load_s}};
  const MapSide::Memory memory = side.map->memory();
  to["memory"] = {{"anonymous_mb", memory.anonymous_mb}, {"mapped_files_mb", memory.mapped_mb}, {"disk_mb", memory.disk_mb}};
  for (const auto& [kind, figures] : side.figures) {
    Json& row = to["questions"][to_text(kind)];
    row["per_second"] = spread_json(figures.per_second);
    row["p50_ms"] = spread_json(figures.p50_ms);
    row["p99_ms"] = spread_json(figures.p99_ms);
    if (figures.busy_p50_ms.empty()) continue;
    row["while_changing"] = {{"p50_ms", spread_json(figures.busy_p50_ms)},
                             {"p99_ms", spread_json(figures.busy_p99_ms)},
                             {"changes_per_second", spread_json(figures.changes_per_second)}};
  }
  return to;
}

// Of each round's own ratio.
double median_ratio(const std::vector<double>& ours, const std::vector<double>& theirs) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < std::min(ours.size(), theirs.size()); ++i) ratios.push_back(ours[i] / theirs[i]);
  return spread_of(ratios).median;
}

Json ratios_of(std::vector<Side>& sides) {
  Json ratios;
  Side& ours = sides[0];
  ratios["nearest_p99_ms"] = spread_of(ours.figures[MapKind::nearest].busy_p99_ms).median;
  ratios["import_1m_s"] = ours.load_s;
  if (sides.size() < 2) return ratios;
  for (const MapKind kind : kMapKinds) {
    const std::string name = to_text(kind);
    ratios[name + "_vs_postgis"] = median_ratio(ours.figures[kind].per_second, sides[1].figures[kind].per_second);
    ratios[name + "_p50_vs_postgis"] = median_ratio(sides[1].figures[kind].p50_ms, ours.figures[kind].p50_ms);
    ratios[name + "_p99_vs_postgis"] = median_ratio(sides[1].figures[kind].p99_ms, ours.figures[kind].p99_ms);
  }
  ratios["nearest_while_changing_p99_vs_postgis"] =
      median_ratio(sides[1].figures[MapKind::nearest].busy_p99_ms, ours.figures[MapKind::nearest].busy_p99_ms);
  return ratios;
}

}  // namespace

std::string run_map_bench(const MapOptions& options, const Progress& progress) {
  std::vector<Side> sides;
  sides.push_back({"lianxi", our_map(options.broker), {}, 0, 0});
  if (auto postgis = options.alone ? nullptr : postgis_map()) sides.push_back({"postgis", std::move(postgis), {}, 0, 0});
  for (Side& side : sides) {
    progress(side.name + ": " + std::to_string(options.resources) + " resources");
    side.load_s = side.map->load(options.resources);
    progress(side.name + ": asked " + number_text(side.load_s) + " s later");
  }
  for (int round = 0; round < options.rounds; ++round) {
    const auto from = static_cast<std::uint64_t>(round) * 811;
    check_equal(sides, from);
    for (const MapKind kind : kMapKinds)
      for (std::size_t i = 0; i < sides.size(); ++i) {
        Side& side = sides[(i + static_cast<std::size_t>(round)) % sides.size()];
        side.figures[kind].per_second.push_back(many_clients(side, kind, options));
        one_client(side, kind, options, from);
        const Figures& figures = side.figures[kind];
        progress("round " + std::to_string(round + 1) + ", " + to_text(kind) + ", " + side.name + ": " +
                 number_text(figures.per_second.back()) + "/s, alone p50 " + number_text(figures.p50_ms.back()) + " p99 " +
                 number_text(figures.p99_ms.back()) + " ms");
      }
    for (std::size_t i = 0; i < sides.size(); ++i) {
      Side& side = sides[(i + static_cast<std::size_t>(round)) % sides.size()];
      while_it_changes(side, options, from);
      const Figures& figures = side.figures[MapKind::nearest];
      progress("round " + std::to_string(round + 1) + ", nearest while " + number_text(figures.changes_per_second.back()) +
               " change a second, " + side.name + ": p50 " + number_text(figures.busy_p50_ms.back()) + " p99 " +
               number_text(figures.busy_p99_ms.back()) + " ms");
    }
  }
  check_equal(sides, 77);
  Json result{
      {"resources", options.resources}, {"rounds", options.rounds}, {"seconds", options.seconds}, {"clients", options.clients}};
  result["ratios"] = ratios_of(sides);
  for (Side& side : sides) result["sides"].push_back(side_json(side));
  result["postgis_indexes"] = postgis_indexes();
  return result.dump(2) + "\n";
}

}  // namespace lianxi::bench
