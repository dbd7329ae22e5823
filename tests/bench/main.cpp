// lianxi-bench: what this machine does with a real broker and the real client. `lianxi-bench publish`.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "tests/bench/bench_node.h"
#include "tests/bench/publish_bench.h"

namespace {

namespace fs = std::filesystem;
using namespace lianxi::bench;

int publish(const PublishOptions& options, const fs::path& broker, const fs::path& out, lianxi::Security security) {
  BenchNode node(broker, security);
  try {
    const auto rows =
        run_publish(node.profile(), node.folder(), options, [](const std::string& what) { std::cerr << what << std::endl; });
    std::cout << "\ndurable acknowledged events, " << options.body_bytes << "-byte bodies, "
              << (security == lianxi::Security::plain ? "plain sockets" : "CURVE")
              << " on loopback, broker and publishers on one machine;\n"
              << "median of " << options.rounds << " interleaved rounds of " << options.seconds
              << " s; latency from publish() to receipt\n\n"
              << table_of(rows);
    fs::create_directories(out);
    std::ofstream(out / "publish.json") << json_of(rows, options);
    std::cout << "\n" << (out / "publish.json").string() << std::endl;
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "lianxi-bench: " << error.what() << "\n"
              << (node.alive() ? "" : "the broker has ended; its last words:\n") << node.last_words() << std::endl;
    return 1;
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const fs::path bin = fs::read_symlink("/proc/self/exe").parent_path();
    PublishOptions options;
    std::string broker = (bin / "lianxi-broker").string();
    std::string out = (bin.parent_path() / "bench").string();
    bool plain = false;
    CLI::App app("Benchmarks of lianxi", "lianxi-bench");
    app.require_subcommand(0, 1);
    CLI::App* command =
        app.add_subcommand("publish", "durable acknowledged events per second, latency percentiles (the default)");
    for (CLI::App* at : {&app, command}) {
      at->add_option("--rounds", options.rounds, "interleaved rounds")->check(CLI::PositiveNumber);
      at->add_option("--seconds", options.seconds, "seconds of each measurement")->check(CLI::PositiveNumber);
      at->add_option("--body", options.body_bytes, "bytes of an event");
      at->add_option("--rate", options.paced_per_second, "events a second of the paced row")->check(CLI::PositiveNumber);
      at->add_flag("--plain", plain, "plain sockets instead of CURVE");
      at->add_option("--broker", broker, "the broker's program")->capture_default_str();
      at->add_option("--out", out, "folder for publish.json")->capture_default_str();
    }
    CLI11_PARSE(app, argc, argv);
    return publish(options, broker, out, plain ? lianxi::Security::plain : lianxi::Security::curve);
  } catch (const std::exception& error) {
    std::cerr << "lianxi-bench: " << error.what() << std::endl;
    return 1;
  }
}
