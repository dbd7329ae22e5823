// lianxi-node: the conference's agent at a node. Follows its alerts and keeps a receipt of each.
// Exit status: 0 stopped or done, 1 refused or failed, 2 usage.
#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <iostream>

#include "agents/conference/alert_keeper.h"
#include "agents/sdk/stop_signal.h"

namespace {

using namespace lianxi;

struct Options {
  std::string profile, data, receipts, language = "en";
  bool json = false;
  std::uint64_t count = 0;
};

TimeMs wall_clock() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

int fail(const std::string& why) {
  std::cerr << "lianxi-node: " << why << std::endl;
  return 1;
}

int keep(const Options& options, const sdk::Profile& profile, sdk::StopSignal& stop) {
  conference::Receipts receipts(options.receipts);
  conference::KeeperOptions how;
  how.json = options.json;
  how.chinese = options.language == "zh";
  if (options.count > 0) how.count = options.count;
  conference::AlertKeeper keeper(
      receipts, how, [](const std::string& line) { std::cout << line << std::endl; }, wall_clock, [&stop] { stop.notify(); });
  auto client = sdk::Client::open(profile, {.software = "lianxi-node"});
  if (!client) return fail(client.error().reason);
  if (auto follow = (*client)->follow(keeper.where(), keeper.callbacks()); !follow) return fail(follow.error().reason);
  std::string told;
  while (!keeper.over()) {
    constexpr std::chrono::milliseconds kLook{500};
    if (stop.wait(kLook) == sdk::StopSignal::Woken::stopped) break;
    if (keeper.wants_restart()) {
      std::cerr << "lianxi-node: the node does not know our cursor (restored, or another journal); reading from the beginning"
                << std::endl;
      if (auto follow = (*client)->follow(keeper.where(), keeper.callbacks()); !follow) return fail(follow.error().reason);
    }
    const auto trouble = (*client)->trouble();
    const std::string now = trouble ? trouble->reason : "";
    if (now != told && !now.empty()) std::cerr << "lianxi-node: " << now << std::endl;
    told = now;
  }
  client->reset();  // before what it calls
  return keeper.failure().empty() ? 0 : fail(keeper.failure());
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Follows a node's alerts and keeps a receipt of each in SQLite", "lianxi-node");
  app.add_option("--profile", options.profile, "profile file")->required()->envname("LIANXI_PROFILE");
  auto* data = app.add_option("--data", options.data, "folder for receipts.db");
  app.add_option("--receipts", options.receipts, "the receipts' file itself")->excludes(data);
  app.add_flag("--json", options.json, "one JSON object a line");
  app.add_option("--count", options.count, "end after so many new receipts");
  app.add_option("--lang", options.language, "zh or en")->check(CLI::IsMember({"zh", "en"}));
  try {
    app.parse(argc, argv);
    if (options.data.empty() && options.receipts.empty()) throw CLI::RequiredError("--data DIR or --receipts FILE");
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  try {
    sdk::StopSignal stop;  // before any thread
    const auto profile = sdk::load_profile(options.profile);
    if (!profile) return fail(profile.error().reason);
    if (options.receipts.empty()) {
      std::filesystem::create_directories(options.data);
      options.receipts = options.data + "/receipts.db";
    }
    return keep(options, *profile, stop);
  } catch (const std::exception& error) {
    return fail(error.what());
  }
}
