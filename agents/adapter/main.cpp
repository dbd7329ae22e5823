// lianxi-agent: an agency's adapter. Options, then profile, mapping, client and adapter, in this order.
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <atomic>
#include <cstdio>
#include <filesystem>

#include "agents/adapter/adapter.h"
#include "agents/adapter/line_source.h"
#include "agents/adapter/log.h"
#include "agents/sdk/stop_signal.h"

namespace lianxi::adapter {
namespace {

enum Exit : int { kDone = 0, kRefused = 1, kUsage = 2, kUnreachable = 3 };

struct Options {
  std::string profile;
  std::string mapping;
  std::string spool;
  std::string source;
  std::string outbox;
  bool stdin_lines = false;
  bool once = false;
  bool json_log = false;
  int wait_s = 10;
  int settle_ms = 250;
};

TimeMs now() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// Beside the profile, named after the agent: what it has promised to send outlives the process.
std::string outbox_of(const Options& options, const sdk::Profile& profile) {
  if (!options.outbox.empty()) return options.outbox;
  return (std::filesystem::path(options.profile).parent_path() / (profile.agent.text() + ".outbox.db")).string();
}

const formats::Source* line_source(const formats::Mapping& mapping, const std::string& name) {
  if (!name.empty()) return mapping.named(name);
  for (const formats::Source& source : mapping.sources) {
    if (source.format == formats::SourceFormat::jsonl || source.format == formats::SourceFormat::lianxi) return &source;
  }
  return nullptr;
}

class Program {
 public:
  Program(Options options, sdk::StopSignal& signal) : options_(std::move(options)), signal_(signal) {}

  int run() {
    const auto profile = sdk::load_profile(options_.profile);
    if (!profile) return usage(profile.error());
    const auto mapping = formats::load_mapping(options_.mapping, {profile->region, std::string(profile->agent.agency())});
    if (!mapping) {
      for (const Refusal& refusal : mapping.error()) usage(refusal);
      return kUsage;
    }
    const formats::Source* lines = options_.stdin_lines ? line_source(*mapping, options_.source) : nullptr;
    if (options_.stdin_lines &&
        (lines == nullptr || (lines->format != formats::SourceFormat::jsonl && lines->format != formats::SourceFormat::lianxi))) {
      return usage({RefusalCode::config, "source",
                    "--stdin reads a source of format jsonl or lianxi: name one of the mapping with --source", 0});
    }
    const auto client = sdk::Client::open(*profile, {.outbox = outbox_of(options_, *profile),
                                                     .software = "lianxi-agent",
                                                     .report = [](const std::string& text) { spdlog::warn("{}", text); }});
    if (!client) return usage(client.error());
    spdlog::info("{} publishes to {}", profile->agent.text(), profile->data);
    const bool ends = options_.once || options_.stdin_lines;
    if (ends && !connected(**client)) return kUnreachable;
    const Tally tally = lines != nullptr ? read_lines(**client, *lines) : watch_spool(**client, *mapping);
    if (ends) spdlog::info("{} files, {} accepted, {} refused", tally.files, tally.accepted, tally.refused);
    if (unreachable_) return kUnreachable;
    return ends && (tally.refused > 0 || tally.failures > 0) ? kRefused : kDone;
  }

 private:
  static int usage(const Refusal& refusal) {
    spdlog::error("{}{}{}", refusal.field, refusal.field.empty() ? "" : ": ", refusal.reason);
    return kUsage;
  }

  bool connected(sdk::Client& client) {
    if (client.wait_connected(std::chrono::seconds(options_.wait_s))) return true;
    const auto trouble = client.trouble();
    spdlog::error("the node is not reachable within {} s{}{}", options_.wait_s, trouble ? ": " : "",
                  trouble ? trouble->reason : "");
    return false;
  }

  // `job` in its own thread, while this one waits for signals and watches the connection.
  void beside(sdk::Client& client, const std::function<void(const std::stop_token&)>& job) {
    constexpr std::chrono::milliseconds kLook(1000);
    std::atomic<bool> over = false;
    std::jthread worker([&](const std::stop_token& stop) {
      job(stop);
      over = true;
      signal_.notify();
    });
    std::string said;
    int away_s = 0;
    while (!over) {
      const auto woken = signal_.wait(kLook);
      if (woken == sdk::StopSignal::Woken::stopped) {
        spdlog::info("stopping; what is unanswered stays in the outbox");
        break;
      }
      const auto trouble = client.trouble();
      const std::string says = trouble ? trouble->reason : "";
      if (says != said)
        spdlog::log(trouble ? spdlog::level::warn : spdlog::level::info, "{}", trouble ? says : "the node is there again");
      said = says;
      away_s = trouble && woken == sdk::StopSignal::Woken::timeout ? away_s + 1 : 0;
      if (options_.once && away_s > options_.wait_s) {
        unreachable_ = true;
        break;
      }
    }
  }

  Tally read_lines(sdk::Client& client, const formats::Source& source) {
    Tally tally;
    beside(client, [&](const std::stop_token& stop) {
      const auto print = [](const std::string& line) {
        std::fputs((line + "\n").c_str(), stdout);
        std::fflush(stdout);
      };
      tally = publish_lines(client, source, STDIN_FILENO, print, stop);
    });
    return tally;
  }

  Tally watch_spool(sdk::Client& client, const formats::Mapping& mapping) {
    Adapter adapter(client, mapping, {.spool = options_.spool, .settle = std::chrono::milliseconds(options_.settle_ms)}, now);
    beside(client, [&](const std::stop_token& stop) { options_.once ? adapter.run_once(stop) : adapter.run(stop); });
    return adapter.tally();
  }

  Options options_;
  sdk::StopSignal& signal_;
  bool unreachable_ = false;
};

}  // namespace
}  // namespace lianxi::adapter

int main(int argc, char** argv) {
  using namespace lianxi::adapter;
  Options options;
  CLI::App app("Publishes an agency's files or lines to the node of its city.", "lianxi-agent");
  app.add_option("--profile", options.profile, "where the node is and who this agent is")->required()->envname("LIANXI_PROFILE");
  app.add_option("--mapping", options.mapping, "which of the agency's fields are which of ours (TOML)")->required();
  auto* spool = app.add_option("--spool", options.spool, "folder that the agency's system writes files into");
  auto* lines = app.add_flag("--stdin", options.stdin_lines, "read a record a line from standard input, print a result a line");
  app.add_option("--source", options.source, "with --stdin: the source of the mapping (else its first of format jsonl)")
      ->needs(lines);
  app.add_option("--outbox", options.outbox, "SQLite file of what is not yet answered (else beside the profile)");
  app.add_flag("--once", options.once, "with --spool: publish what is there, then end")->needs(spool);
  app.add_option("--wait", options.wait_s, "with --once or --stdin: seconds to wait for the node")->check(CLI::Range(0, 3600));
  app.add_option("--settle-ms", options.settle_ms, "a file not renamed in is complete when unchanged for this long")
      ->check(CLI::Range(0, 60000));
  app.add_flag("--json-log", options.json_log, "log as JSON lines");
  spool->excludes(lines);
  try {
    app.parse(argc, argv);
    if (spool->count() + lines->count() != 1) throw CLI::RequiredError("one of --spool and --stdin");
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? kDone : kUsage;
  }
  lianxi::sdk::StopSignal signal;  // before any thread starts
  start_log(options.json_log);
  try {
    return Program(options, signal).run();
  } catch (const std::exception& error) {
    spdlog::critical("{}", error.what());
    return kRefused;
  }
}
