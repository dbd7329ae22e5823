// lianxi-bench: what this machine does with a real broker and the real client, beside brokers of other makes.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "tests/bench/broker_bench.h"
#include "tests/bench/fill.h"
#include "tests/bench/map_bench.h"
#include "tests/bench/publish_bench.h"

namespace {

namespace fs = std::filesystem;
using namespace lianxi::bench;

void tell(const std::string& what) {
  std::cerr << what << std::endl;
}

void write_result(const fs::path& out, const std::string& name, const std::string& json) {
  fs::create_directories(out);
  std::ofstream(out / name) << json;
  std::cout << "\n" << (out / name).string() << std::endl;
}

int publish(const PublishOptions& options, const fs::path& broker, const fs::path& out, lianxi::Security security) {
  BenchNode node(broker, security);
  try {
    const auto rows = run_publish(node.profile(), node.folder(), options, tell);
    std::cout << "\ndurable acknowledged events, " << options.body_bytes << "-byte bodies, "
              << (security == lianxi::Security::plain ? "plain sockets" : "CURVE")
              << " on loopback, broker and publishers on one machine;\n"
              << "median of " << options.rounds << " interleaved rounds of " << options.seconds
              << " s; latency from publish() to receipt\n\n"
              << table_of(rows);
    write_result(out, "publish.json", json_of(rows, options));
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "lianxi-bench: " << error.what() << "\n"
              << (node.alive() ? "" : "the broker has ended; its last words:\n") << node.last_words() << std::endl;
    return 1;
  }
}

int broker(const BrokerOptions& options, const fs::path& out) {
  const BrokerResult result = run_broker_bench(options, tell);
  std::cout << "\n" << table_of(result, options);
  write_result(out, "broker.json", json_of(result, options));
  const std::string& trouble = result.contestants.front().trouble;
  return trouble.empty() || !(options.only.empty() || options.only.contains("lianxi")) ? 0 : 1;
}

int map(const MapOptions& options, const fs::path& out) {
  const std::string json = run_map_bench(options, tell);
  std::cout << json;
  write_result(out, "map.json", json);
  return 0;
}

int fill(const std::string& profile, const FillOptions& options) {
  const auto loaded = lianxi::sdk::load_profile(profile);
  if (!loaded) throw std::runtime_error(loaded.error().reason);
  run_fill(*loaded, options, tell);
  return 0;
}

struct Arguments {
  PublishOptions publish;
  BrokerOptions broker;
  FillOptions fill;
  MapOptions map;
  std::string program, out, profile;
  std::vector<std::string> only;
  bool plain = false;
  int front = 0, back = 0;
};

void add_publish(CLI::App& app, Arguments& to) {
  app.add_option("--rounds", to.publish.rounds, "interleaved rounds")->check(CLI::PositiveNumber);
  app.add_option("--seconds", to.publish.seconds, "seconds of each measurement")->check(CLI::PositiveNumber);
  app.add_option("--body", to.publish.body_bytes, "bytes of an event");
  app.add_option("--rate", to.publish.paced_per_second, "events a second of the paced row")->check(CLI::PositiveNumber);
  app.add_flag("--plain", to.plain, "plain sockets instead of CURVE");
}

void add_broker(CLI::App& app, Arguments& to) {
  app.add_option("--rounds", to.broker.rounds, "interleaved rounds")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--seconds", to.broker.seconds, "seconds of each measurement")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--window", to.broker.window, "events in flight of each publisher")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--publishers", to.broker.publishers, "publishers of the saturating rows")
      ->check(CLI::Range(std::size_t{1}, kBenchAgents - 1))
      ->capture_default_str();
  app.add_option("--rate", to.broker.rate, "events a second of the paced rows")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--only", to.only, "these alone: lianxi, lianxi_curve, fdatasync, redis_always, …")->delimiter(',');
}

void add_map(CLI::App& app, Arguments& to) {
  app.add_option("--resources", to.map.resources, "how many")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--rounds", to.map.rounds, "interleaved rounds")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--seconds", to.map.seconds, "seconds of each measurement")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--clients", to.map.clients, "clients at once, in the rows of questions a second")
      ->check(CLI::Range(std::size_t{1}, kBenchAgents))
      ->capture_default_str();
  app.add_flag("--alone", to.map.alone, "without PostGIS");
  app.add_option("--changes", to.map.changes_per_second, "changes a second while the nearest are asked for")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
}

void add_fill(CLI::App& app, Arguments& to) {
  app.add_option("--profile", to.profile, "the agent's profile file")->required()->check(CLI::ExistingFile);
  app.add_option("--events", to.fill.events, "how many")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--window", to.fill.window, "events on their way at once; 1: each is a batch of its own")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--rate", to.fill.rate, "events a second; 0: as fast as the window lets")->check(CLI::NonNegativeNumber);
  app.add_option("--body", to.fill.bytes, "bytes of an event")->capture_default_str();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const EndOnSignal end_on_signal;
    const fs::path bin = fs::read_symlink("/proc/self/exe").parent_path();
    Arguments arguments;
    arguments.program = (bin / "lianxi-broker").string();
    arguments.out = (bin.parent_path() / "bench").string();
    CLI::App app("Benchmarks of lianxi", "lianxi-bench");
    app.require_subcommand(1);
    CLI::App* publishing = app.add_subcommand("publish", "durable acknowledged events per second, latency percentiles");
    CLI::App* beside = app.add_subcommand("broker", "the same beside brokers of other makes, on the same work in the same run");
    CLI::App* filling = app.add_subcommand("fill", "put bulk events into a running node, in batches of `--window`");
    CLI::App* mapping = app.add_subcommand("map", "questions to a map of a million resources, beside PostGIS");
    CLI::App* proxy = app.add_subcommand("proxy", "")->group("");
    add_publish(*publishing, arguments);
    add_broker(*beside, arguments);
    add_fill(*filling, arguments);
    add_map(*mapping, arguments);
    for (CLI::App* at : {publishing, beside, mapping}) {
      at->add_option("--broker", arguments.program, "the broker's program")->capture_default_str();
      at->add_option("--out", arguments.out, "folder for the results")->capture_default_str();
    }
    proxy->add_option("FRONT", arguments.front)->required();
    proxy->add_option("BACK", arguments.back)->required();
    CLI11_PARSE(app, argc, argv);
    if (proxy->parsed()) return run_zmq_proxy(arguments.front, arguments.back);
    if (filling->parsed()) return fill(arguments.profile, arguments.fill);
    if (publishing->parsed())
      return publish(arguments.publish, arguments.program, arguments.out,
                     arguments.plain ? lianxi::Security::plain : lianxi::Security::curve);
    arguments.map.broker = arguments.program;
    if (mapping->parsed()) return map(arguments.map, arguments.out);
    arguments.broker.broker = arguments.program;
    arguments.broker.only = {arguments.only.begin(), arguments.only.end()};
    return broker(arguments.broker, arguments.out);
  } catch (const std::exception& error) {
    std::cerr << "lianxi-bench: " << error.what() << std::endl;
    return 1;
  }
}
