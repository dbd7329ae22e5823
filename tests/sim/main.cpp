// lianxi-sim: runs the simulator over a range of seeds and tells what was tried and whether every promise held.
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "tests/sim/simulation.h"

namespace {

using lianxi::sim::Options;
using lianxi::sim::Outcome;

bool parse_seeds(const std::string& text, std::uint64_t& first, std::uint64_t& last) {
  const std::size_t dots = text.find("..");
  try {
    first = std::stoull(text);
    last = dots == std::string::npos ? first : std::stoull(text.substr(dots + 2));
  } catch (const std::exception&) {
    return false;
  }
  return first <= last;
}

void print_failure(const Options& options, const Outcome& outcome) {
  std::printf("\n%s\nFAILED at seed %llu: %s\nagain: lianxi-sim %s --verbose\n", outcome.transcript.c_str(),
              static_cast<unsigned long long>(options.seed), outcome.failure.c_str(), options.text().c_str());
}

void print_counts(const std::map<std::string, std::uint64_t>& counts) {
  for (const auto& [what, count] : counts) std::printf("  %10llu  %s\n", static_cast<unsigned long long>(count), what.c_str());
}

std::uint64_t sum_of(const std::map<std::string, std::uint64_t>& counts, const std::string& prefix) {
  std::uint64_t out = 0;
  for (const auto& [what, count] : counts) out += what.rfind(prefix, 0) == 0 ? count : 0;
  return out;
}

void print_progress(std::uint64_t seed, std::uint64_t done, std::uint64_t failed,
                    const std::map<std::string, std::uint64_t>& counts) {
  const auto number = [&](const char* prefix) { return static_cast<unsigned long long>(sum_of(counts, prefix)); };
  std::printf(
      "seed %llu: %llu runs, %llu failed; %llu events, %llu process crashes, %llu power cuts, %llu cuts, %llu messages lost\n",
      static_cast<unsigned long long>(seed), static_cast<unsigned long long>(done), static_cast<unsigned long long>(failed),
      number("events acknowledged"), number("process crash"), number("power cut"), number("cuts"), number("messages lost"));
  std::fflush(stdout);
}

// Every `jobs`-th seed from `first`; true if all held.
bool run_share(Options options, std::uint64_t first, std::uint64_t last, std::uint64_t jobs, bool keep_going) {
  std::map<std::string, std::uint64_t> counts;
  std::uint64_t done = 0, failed = 0;
  for (std::uint64_t seed = first; seed <= last; seed += jobs) {
    options.seed = seed;
    const Outcome outcome = lianxi::sim::simulate(options);
    for (const auto& [what, count] : outcome.counts) counts[what] += count;
    ++done;
    if (!outcome.failure.empty()) {
      ++failed;
      print_failure(options, outcome);
      if (!keep_going) break;
    }
    if (done % 10 == 0) print_progress(seed, done, failed, counts);
  }
  std::printf("%llu runs, %llu failed; in all:\n", static_cast<unsigned long long>(done),
              static_cast<unsigned long long>(failed));
  print_counts(counts);
  std::fflush(stdout);
  return failed == 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Simulates nodes, agents, networks and disks that fail; every run is repeatable by its seed."};
  std::string seeds = "1..20";
  Options options;
  std::uint64_t jobs = 1;
  bool no_fsync = false, no_faults = false, keep_going = false;
  app.add_option("--seeds", seeds, "A..B");
  app.add_option("--nodes", options.nodes)->check(CLI::Range(1, 8));
  app.add_option("--agents", options.agents_per_node, "publishing agents per node")->check(CLI::Range(1, 20));
  app.add_option("--events", options.events_per_agent, "events per agent")->check(CLI::Range(1, 10'000));
  app.add_option("--jobs", jobs, "processes")->check(CLI::Range(1, 64));
  app.add_flag("--no-fsync", no_fsync, "mutation: commits are not synced; must fail");
  app.add_flag("--no-dedup", options.forget_sessions, "mutation: sessions do not survive a restart; must fail");
  app.add_flag("--early-credit", options.early_credit, "mutation: peers say that they hold what is not committed; must fail");
  app.add_flag("--no-faults", no_faults, "nothing fails");
  app.add_flag("--keep-going", keep_going, "go on after a failure");
  app.add_flag("--verbose", options.verbose, "print the transcript");
  CLI11_PARSE(app, argc, argv);
  options.sync = !no_fsync;
  options.faults = !no_faults;
  std::uint64_t first = 0, last = 0;
  if (!parse_seeds(seeds, first, last)) {
    std::fprintf(stderr, "--seeds wants A..B\n");
    return 2;
  }
  if (jobs == 1) return run_share(options, first, last, 1, keep_going) ? 0 : 1;
  for (std::uint64_t job = 0; job < jobs; ++job) {
    if (::fork() == 0) ::_exit(run_share(options, first + job, last, jobs, keep_going) ? 0 : 1);
  }
  bool held = true;
  int status = 0;
  while (::wait(&status) > 0) held = held && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  return held ? 0 : 1;
}
