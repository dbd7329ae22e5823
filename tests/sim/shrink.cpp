#include "tests/sim/shrink.h"

#include <algorithm>

namespace lianxi::sim {
namespace {

// "promise 5", or all up to the first colon.
std::string promise_of(const std::string& failure) {
  return failure.substr(0, failure.find(':'));
}

class Shrinker {
 public:
  Shrinker(const Options& options, Outcome failed, std::size_t max_runs)
      : promise_(promise_of(failed.failure)), max_runs_(max_runs), best_{options, std::move(failed), 0, 0, 0} {}

  Shrunk run() {
    std::set<std::size_t> all;
    for (const Step& step : make_schedule(best_.options.seed)) {
      if (best_.options.part.has(step.number)) all.insert(step.number);
    }
    best_.steps_before = all.size();
    best_.options.part.steps = all;
    drop_steps();
    for (std::size_t i = 0; i < kBackgrounds; ++i) {
      Options fewer = best_.options;
      if (fewer.part.without.insert(static_cast<Background>(i)).second) (void)fails(fewer);
    }
    drop_events();
    drop_steps();
    best_.steps = best_.options.part.steps->size();
    return std::move(best_);
  }

 private:
  bool fails(const Options& options) {
    if (best_.runs >= max_runs_) return false;
    ++best_.runs;
    Options quiet = options;
    quiet.verbose = false;
    Outcome outcome = simulate(quiet);
    if (promise_of(outcome.failure) != promise_) return false;
    best_.options = options;
    best_.outcome = std::move(outcome);
    return true;
  }

  // Whole stretches first, then smaller ones, down to single steps.
  void drop_steps() {
    Options none = best_.options;
    none.part.steps->clear();
    if (best_.options.part.steps->empty() || fails(none)) return;
    for (std::size_t size = (best_.options.part.steps->size() + 1) / 2; size > 0; size /= 2) {
      for (std::size_t at = 0; at < best_.options.part.steps->size();) {
        Options fewer = best_.options;
        auto& steps = *fewer.part.steps;
        const auto first = std::next(steps.begin(), static_cast<std::ptrdiff_t>(at));
        steps.erase(first, std::next(first, static_cast<std::ptrdiff_t>(std::min(size, steps.size() - at))));
        if (!fails(fewer)) at += size;
      }
    }
  }

  void drop_events() {
    const std::size_t writers = best_.options.nodes * best_.options.agents_per_node;
    std::size_t events = std::max(best_.options.events_per_agent, best_.options.min_events / writers + 1);
    while (events > 1) {
      Options fewer = best_.options;
      fewer.min_events = 0;
      fewer.events_per_agent = events /= 2;
      if (!fails(fewer)) break;
    }
    Options lonely = best_.options;
    lonely.agents_per_node = 1;
    if (best_.options.agents_per_node > 1) (void)fails(lonely);
    while (best_.options.nodes > 1) {
      Options fewer = best_.options;
      --fewer.nodes;
      if (!fails(fewer)) break;
    }
  }

  std::string promise_;
  std::size_t max_runs_;
  Shrunk best_;
};

}  // namespace

Shrunk shrink(const Options& options, Outcome failed, std::size_t max_runs) {
  return Shrinker(options, std::move(failed), max_runs).run();
}

}  // namespace lianxi::sim
