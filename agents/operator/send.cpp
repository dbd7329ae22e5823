#include "agents/operator/send.h"

#include <nlohmann/json.hpp>
#include <ostream>

#include "schemas/vocabulary.h"

namespace lianxi::cli {

std::optional<Exit> await_all(std::vector<std::future<sdk::Outcome>>& outcomes, const Common& common, const Console& console,
                              sdk::Client& client, bool show_progress) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds kLook{50};
  auto last_answer = Clock::now();
  auto last_shown = last_answer;
  std::size_t ready = 0;
  const auto show = [&](const char* end) {
    console.err() << "\r" << ready << "/" << outcomes.size() << ' ' << console.say()("answered", "已答复") << end << std::flush;
  };
  while (ready < outcomes.size()) {
    if (outcomes[ready].wait_for(kLook) == std::future_status::ready) {
      ++ready;
      last_answer = Clock::now();
      if (show_progress && last_answer - last_shown > 2 * kLook) {
        show("");
        last_shown = last_answer;
      }
      continue;
    }
    const auto trouble = client.trouble();
    if (trouble && trouble->code != RefusalCode::busy) return console.refused(*trouble);
    if (Clock::now() - last_answer > common.timeout) {
      if (const auto held = client.held_back()) return console.refused(*held);
      const std::string why = trouble ? trouble->reason : console.say()("no answer in time", "超时未答复");
      return console.unreachable(
          why + console.say()("; whether the node has the rest is not known", ";其余部分节点是否已收到尚不清楚"));
    }
  }
  if (show_progress) show("\n");
  return std::nullopt;
}

std::string receipt_json(const Event& event, const sdk::Receipt& receipt, const std::optional<sdk::Replication>& replication) {
  nlohmann::ordered_json json = {
      {"entity", event.envelope.entity},   {"status", to_word(event.envelope.status)}, {"region", to_text(receipt.feed.region)},
      {"epoch", receipt.feed.epoch.value}, {"lane", to_word(receipt.feed.lane)},       {"audience", receipt.feed.audience.text()},
      {"seq", receipt.sequence.value},     {"ordinal", receipt.ordinal.value},         {"offset", receipt.offset.value}};
  if (replication)
    json["peers"] = {{"held", replication->held}, {"wanted", replication->wanted}, {"reached", replication->reached()}};
  return json.dump();
}

}  // namespace lianxi::cli
