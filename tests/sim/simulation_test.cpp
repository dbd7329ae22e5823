#include "tests/sim/simulation.h"

#include <gtest/gtest.h>

namespace lianxi::sim {
namespace {

Options with_seed(std::uint64_t seed) {
  Options options;
  options.seed = seed;
  options.nodes = 3;
  return options;
}

TEST(Simulation, WithoutFaultsEverythingIsAcknowledgedAndEqual) {
  Options options = with_seed(1);
  options.faults = false;
  const Outcome outcome = simulate(options);
  EXPECT_EQ(outcome.failure, "") << outcome.transcript;
  EXPECT_GE(outcome.counts.at("events acknowledged") + outcome.counts.at("events refused"), 3U * 2 * 24);
}

TEST(Simulation, TheSameSeedGivesTheSameRun) {
  const Outcome first = simulate(with_seed(5));
  const Outcome second = simulate(with_seed(5));
  EXPECT_EQ(first.failure, second.failure);
  EXPECT_EQ(first.hash, second.hash);
  EXPECT_EQ(first.counts, second.counts);
  EXPECT_NE(first.hash, simulate(with_seed(6)).hash);
}

TEST(Simulation, EveryKindOfFaultIsTried) {
  std::map<std::string, std::uint64_t> counts;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    const Outcome outcome = simulate(with_seed(seed));
    EXPECT_EQ(outcome.failure, "") << outcome.transcript;
    for (const auto& [what, count] : outcome.counts) counts[what] += count;
  }
  for (const char* what :
       {"power cut at rest", "process crash at rest", "power cut in the middle of a turn",
        "process crash in the middle of a turn", "power cut while coming back", "process crash while coming back",
        "power cut between two answers", "sectors lost", "cuts", "wires broken", "messages lost", "answers repeated",
        "sequences reused", "sequences skipped", "sessions closed", "outcomes with holders", "ack levels reached"}) {
    EXPECT_GT(counts[what], 0U) << what;
  }
}

// The oracles must see what they are there for.
struct Mutation {
  const char* name;
  void (*apply)(Options&);
};
class Mutated : public ::testing::TestWithParam<Mutation> {};

TEST_P(Mutated, IsCaughtWithinAFewSeeds) {
  std::string failure;
  for (std::uint64_t seed = 1; seed <= 12 && failure.empty(); ++seed) {
    Options options = with_seed(seed);
    GetParam().apply(options);
    failure = simulate(options).failure;
  }
  EXPECT_NE(failure, "");
}

const auto name_of_mutation = [](const auto& info) { return info.param.name; };
INSTANTIATE_TEST_SUITE_P(Simulation, Mutated,
                         ::testing::Values(Mutation{"NoFsync", [](Options& o) { o.sync = false; }},
                                           Mutation{"NoDedup", [](Options& o) { o.forget_sessions = true; }},
                                           Mutation{"EarlyCredit",
                                                    [](Options& o) {
                                                      o.early_credit = true;
                                                      o.events_per_agent = 60;
                                                    }}),
                         name_of_mutation);

}  // namespace
}  // namespace lianxi::sim
