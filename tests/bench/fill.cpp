#include "tests/bench/fill.h"

#include <thread>

#include "tests/bench/peers/lianxi.h"

namespace lianxi::bench {

void run_fill(const sdk::Profile& profile, const FillOptions& options, const std::function<void(const std::string&)>& progress) {
  constexpr std::uint64_t kSteps = 20;
  const auto publisher = make_publisher(profile, Payloads(PayloadKind::bulk, 0, options.bytes), options.window);
  const auto begun = Clock::now();
  auto heard = begun;
  std::vector<Answer> answers;
  std::uint64_t sent = 0, answered = 0, told = 0;
  while (answered < options.events) {
    for (; sent < options.events && sent - answered < options.window; ++sent) {
      if (options.rate > 0)
        std::this_thread::sleep_until(begun + std::chrono::duration_cast<Clock::duration>(
                                                  std::chrono::duration<double>(static_cast<double>(sent) / options.rate)));
      publisher->send(sent);
    }
    answers.clear();
    publisher->collect(answers, Clock::now() + kConsumerWait, true);
    answered += answers.size();
    if (!answers.empty()) heard = Clock::now();
    if (Clock::now() - heard > kPeerPatience) throw std::runtime_error("the node answers nothing");
    if (answered * kSteps / options.events > told) {
      told = answered * kSteps / options.events;
      progress(std::to_string(answered) + " of " + std::to_string(options.events) + " events are on the node's disk");
    }
  }
}

}  // namespace lianxi::bench
