// lianxi-sim: runs the simulator over a range of seeds and tells what was tried and whether every promise held.
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <limits>
#include <optional>

#include "tests/sim/scale.h"
#include "tests/sim/shrink.h"
#include "tests/sim/tally.h"

namespace {

using namespace lianxi::sim;

constexpr std::size_t kShrinkRuns = 200;
constexpr std::uint64_t kManySeeds = 100;  // over so many every fault must have fired

struct Plan {
  Options options;
  std::uint64_t first = 1, last = 20, jobs = 1;
  std::optional<std::uint64_t> seconds;  // then no seed is begun any more
  std::chrono::steady_clock::time_point end;
  bool keep_going = false, twice = false, shrink = true, require_faults = false;
};

// "7", "7..9"; with an end in time also "7.." and "new": seeds that nobody has tried.
bool parse_seeds(const std::string& text, Plan& plan) {
  const std::size_t dots = text.find("..");
  const bool open = text == "new" || (dots != std::string::npos && dots + 2 == text.size());
  if (open && !plan.seconds) return false;
  try {
    if (text == "new") {
      plan.first = static_cast<std::uint64_t>(std::chrono::system_clock::now().time_since_epoch() / std::chrono::milliseconds(1));
    } else {
      plan.first = std::stoull(text);
    }
    plan.last = plan.first;
    if (open) {
      plan.last = std::numeric_limits<std::uint64_t>::max() - plan.jobs;
    } else if (dots != std::string::npos) {
      plan.last = std::stoull(text.substr(dots + 2));
    }
  } catch (const std::exception&) {
    return false;
  }
  return plan.first <= plan.last;
}

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void print_failure(const Plan& plan, const Options& options, const Outcome& outcome) {
  const std::string again = "again: lianxi-sim ";
  print("\nFAILED at seed " + std::to_string(options.seed) + ": " + outcome.failure + "\n" + again + options.text() + "\n");
  if (!plan.shrink || !options.faults) return print("\n" + outcome.transcript);
  const Shrunk less = shrink(options, outcome, kShrinkRuns);
  print("\n" + less.outcome.transcript + "\nSHORTENED to " + std::to_string(less.steps) + " of " +
        std::to_string(less.steps_before) + " troubles, in " + std::to_string(less.runs) + " runs: " + less.outcome.failure +
        "\n" + again + less.options.text() + " --verbose\n");
}

// Every `jobs`-th seed from `first`.
Tally run_share(const Plan& plan, std::uint64_t first) {
  Tally tally;
  Options options = plan.options;
  for (options.seed = first; options.seed <= plan.last; options.seed += plan.jobs) {
    if (plan.seconds && std::chrono::steady_clock::now() >= plan.end) break;
    Outcome outcome = simulate(options);
    if (plan.twice && outcome.failure.empty() && simulate(options).hash != outcome.hash)
      outcome.failure = "the same seed gave two different runs";
    tally.add(outcome);
    if (!outcome.failure.empty()) {
      print_failure(plan, options, outcome);
      if (!plan.keep_going) break;
    }
    if (tally.runs % 20 == 0) {
      print("seed " + std::to_string(options.seed) + ": " + std::to_string(tally.runs) + " runs of this process, " +
            std::to_string(tally.failed) + " failed, " + std::to_string(tally.counts["events acknowledged"]) +
            " events acknowledged\n");
    }
  }
  return tally;
}

// In a process of its own; its tally comes through the pipe whose end is given.
int spawn(const Plan& plan, std::uint64_t first) {
  int ends[2] = {};
  if (::pipe(ends) != 0) std::abort();
  const pid_t child = ::fork();
  if (child < 0) std::abort();
  if (child > 0) {
    ::close(ends[1]);
    return ends[0];
  }
  ::close(ends[0]);
  const std::string lines = to_lines(run_share(plan, first));
  const bool sent = ::write(ends[1], lines.data(), lines.size()) == static_cast<ssize_t>(lines.size());
  ::_exit(sent ? 0 : 1);
}

// A process that ended without its tally counts as a failure.
Tally collect(int end) {
  std::string lines;
  char part[4096];
  for (ssize_t got = 0; (got = ::read(end, part, sizeof part)) > 0;) lines.append(part, static_cast<std::size_t>(got));
  ::close(end);
  Tally out = tally_of(lines);
  int status = 0;
  if (::wait(&status) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0 || lines.empty()) ++out.failed;
  return out;
}

int run(Plan plan) {
  if (plan.seconds) {
    plan.end = std::chrono::steady_clock::now() + std::chrono::seconds(*plan.seconds);
    print("first seed " + std::to_string(plan.first) + "; again: --seeds " + std::to_string(plan.first) + ".. --for " +
          std::to_string(*plan.seconds) + "\n");
  }
  Tally all;
  if (plan.jobs == 1) {
    all = run_share(plan, plan.first);
  } else {
    std::vector<int> ends;
    for (std::uint64_t job = 0; job < plan.jobs; ++job) ends.push_back(spawn(plan, plan.first + job));
    for (const int end : ends) all.add(collect(end));
  }
  print(all.print());
  if (all.failed > 0) return 1;
  if (!plan.require_faults) return 0;
  const std::vector<std::string> never = all.never_fired(plan.options.race);
  for (const std::string& what : never) print("NEVER FIRED: " + what + "\n");
  return never.empty() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Simulates nodes, agents, networks and disks that fail; every run is repeatable by its seed."};
  Plan plan;
  Options& options = plan.options;
  options.min_events = 500;
  std::string seeds = "1..20", mutation, keep, without;
  bool no_faults = false, no_shrink = false;
  std::vector<std::size_t> sizes;
  ScaleOptions scale;
  std::string json;
  app.add_option("--seeds", seeds, "A..B; with --for also A.. and new, which begins at a seed of the clock's");
  app.add_option("--for", plan.seconds, "seconds, after which no seed is begun any more")->check(CLI::Range(1, 1'000'000));
  app.add_option("--nodes", options.nodes)->check(CLI::Range(1, 8));
  app.add_option("--agents", options.agents_per_node, "publishing agents per node")->check(CLI::Range(1, 20));
  app.add_option("--events", options.events_per_agent, "events per agent, at least")->check(CLI::Range(1, 10'000));
  app.add_option("--min-events", options.min_events, "events answered in each run, at least; 500")->check(CLI::Range(0, 100'000));
  app.add_option("--jobs", plan.jobs, "processes")->check(CLI::Range(1, 64));
  app.add_option("--mutation", mutation,
                 "breaks the code under test so that the run must fail: no-fsync, ack-before-commit, "
                 "no-dedup, no-chain-check, order-dependent-projection, local-in-shared-table, "
                 "flash-behind-bulk, nothing-synced-at-open, early-credit, no-epoch-fence, blind-to-forks");
  app.add_option("--keep", keep, "only these steps of the schedule: 3,7 or none");
  app.add_option("--without", without, "of loss,slow,duplicates,late-copies,wild-agents,second-deaths");
  app.add_flag("--require-faults", plan.require_faults, "fail if a kind of fault never fired; over 100 seeds anyway");
  app.add_flag("--twice", plan.twice, "run each seed twice and compare the hashes of all that happened");
  app.add_flag("--no-faults", no_faults, "nothing fails");
  app.add_flag("--race", options.race, "agents of all regions want the same supplies at once");
  app.add_flag("--no-shrink", no_shrink, "do not shorten what fails");
  app.add_flag("--keep-going", plan.keep_going, "go on after a failure");
  app.add_flag("--verbose", options.verbose, "print the transcript");
  app.add_option("--scale", sizes, "measure full meshes of so many members instead, e.g. 4,10,30,100")
      ->delimiter(',')
      ->check(CLI::Range(std::size_t{2}, kMaxScaleMembers));
  app.add_option("--scale-events", scale.events, "that all members of a mesh publish together; 400")
      ->check(CLI::Range(1, 1'000'000));
  app.add_option("--json", json, "with --scale: write the figures to this file")->type_name("FILE");
  CLI11_PARSE(app, argc, argv);
  options.faults = !no_faults;
  plan.shrink = !no_shrink && !options.verbose;
  const auto as = mutation_of(mutation.empty() ? "none" : mutation);
  const auto lacks = backgrounds_of(without);
  if (!keep.empty()) options.part.steps = steps_of(keep);
  if (!parse_seeds(seeds, plan) || !as || !lacks || (!keep.empty() && !options.part.steps)) {
    std::fprintf(stderr, "a value is wrong: see --help\n");
    return 2;
  }
  if (!sizes.empty()) {
    scale.seed = plan.first;
    return run_scale(sizes, scale, json);
  }
  options.mutation = *as;
  options.part.without = *lacks;
  if (!plan.seconds && plan.last - plan.first + 1 >= kManySeeds && options.faults && keep.empty() && without.empty())
    plan.require_faults = true;
  return run(plan);
}
