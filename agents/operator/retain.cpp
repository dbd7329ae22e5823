// A retention from the question to its receipt: shows what would go, states again what still counts, publishes the event.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "agents/operator/ask.h"
#include "agents/operator/commands.h"
#include "agents/operator/send.h"
#include "agents/operator/words.h"
#include "schemas/codec/event_codec.h"
#include "schemas/codec/json.h"

namespace lianxi::cli {
namespace {

constexpr int kMaxRounds = 200;  // of asking again; each states up to kMaxRestatements again, or follows a feed that moved on

class Retaining {
 public:
  Retaining(const Common& common, const RetainCommand& command, const Console& console, sdk::Client& client)
      : common_(common), command_(command), console_(console), client_(client), ask_(command.ask) {}

  Exit run() {
    auto plan = this->plan();
    if (!plan) return plan.error();
    const RetentionPlan shown = *plan;
    if (!console_.json()) print(shown);
    if (command_.dry_run || shown.through.value == 0) return done(shown, std::nullopt);
    for (int round = 0; round < kMaxRounds; ++round) {
      const auto step = plan->retention.empty() ? restate(*plan) : publish(plan->retention);
      if (!step) return step.error();
      if (receipt_) return done(*plan, receipt_);
      plan = this->plan();
      if (!plan) return plan.error();
      if (plan->through.value == 0)
        return console_.refused(
            {RefusalCode::conflict, "before", "something holds all of it back by now; ask again with --dry-run", 0});
    }
    return console_.refused({RefusalCode::busy, "lane",
                             std::string("the feed or its resources changed each time the retention was worked out; ") +
                                 "nothing was cut: try again at a quieter time",
                             kRetryAfterMs});
  }

 private:
  Result<RetentionPlan, Exit> plan() { return ask<RetentionPlan>(client_, common_, console_, ask_, after_); }

  // What was changed meanwhile is refused, and asked for again.
  Result<void, Exit> restate(const RetentionPlan& plan) {
    std::vector<std::future<sdk::Outcome>> outcomes;
    for (const Bytes& bytes : plan.restate) {
      const auto event = decode_event(bytes);
      if (!event) return tl::unexpected(console_.refused(event.error()));
      // What is stated again now must not itself be older than what was asked for. The node's own time, of its first answer.
      ask_.before = std::min(ask_.before, event->envelope.occurred_at);
      outcomes.push_back(client_.publish(*event, sdk::PublishOptions{}).receipt);
    }
    if (const auto failed = await_all(outcomes, common_, console_, client_, console_.progress() && !console_.json()))
      return tl::unexpected(*failed);
    for (auto& each : outcomes) {
      const sdk::Outcome outcome = each.get();
      if (outcome) {
        after_ = std::max(after_, Offset(outcome->offset.value + 1));
        ++restated_;
      } else if (outcome.error().code != RefusalCode::conflict) {
        return tl::unexpected(console_.refused(outcome.error()));
      }
    }
    return {};
  }

  Result<void, Exit> publish(const Bytes& bytes) {
    const auto event = decode_event(bytes);
    if (!event) return tl::unexpected(console_.refused(event.error()));
    std::vector<std::future<sdk::Outcome>> outcomes;
    outcomes.push_back(client_.publish(*event, sdk::PublishOptions{}).receipt);
    if (const auto failed = await_all(outcomes, common_, console_, client_, false)) return tl::unexpected(*failed);
    const sdk::Outcome outcome = outcomes.front().get();
    if (outcome)
      receipt_ = *outcome;
    else if (outcome.error().code != RefusalCode::conflict ||
             (outcome.error().field != "position" && outcome.error().field != "through"))
      return tl::unexpected(console_.refused(outcome.error()));
    return {};
  }

  void print(const RetentionPlan& plan) const {
    const Say& say = console_.say();
    std::ostream& out = console_.out();
    if (plan.through.value == 0) {
      out << (plan.asked_through.value == 0 ? say("nothing of this feed is older", "该流中没有更早的事件")
                                            : say("nothing may go", "没有可以清退的事件"))
          << '\n';
    } else {
      out << plan.events << say(" events count no more, through sequence ", " 个事件不再计入,截至序号 ") << plan.through.value
          << "  (" << short_time(plan.oldest) << " - " << short_time(plan.newest) << ")\n  " << say("reports ", "报告 ")
          << plan.reports << say(", incidents that go ", ",随之清退的突发事件 ") << plan.incidents << say(", alerts ", ",预警 ")
          << plan.alerts << say(", resources to be stated again first ", ",须先重新申报的资源 ") << plan.to_restate << '\n';
    }
    if (plan.held_by.empty()) return;
    out << say("held back by what still counts:", "因下列仍然有效而不能继续清退:") << '\n';
    for (const std::string& entity : plan.held_by) out << "  " << printable(entity) << '\n';
  }

  Exit done(const RetentionPlan& plan, const std::optional<sdk::Receipt>& receipt) const {
    if (console_.json()) {
      auto json = nlohmann::ordered_json::parse(to_json(plan));
      json["restated"] = restated_;
      json["receipt"] = nullptr;
      if (receipt) {
        json["receipt"] = {{"region", to_text(receipt->feed.region)}, {"epoch", receipt->feed.epoch.value},
                           {"lane", to_word(receipt->feed.lane)},     {"audience", receipt->feed.audience.text()},
                           {"seq", receipt->sequence.value},          {"ordinal", receipt->ordinal.value},
                           {"offset", receipt->offset.value}};
      }
      console_.out() << json.dump() << '\n';
    } else if (receipt) {
      const Say& say = console_.say();
      console_.out() << say("on disk: ", "已存盘:") << to_text(receipt->feed) << ' ' << receipt->sequence.value
                     << say("; stated again ", ";重新申报 ") << restated_ << say(" resources", " 项资源") << '\n';
    }
    return Exit::done;
  }

  const Common& common_;
  const RetainCommand& command_;
  const Console& console_;
  sdk::Client& client_;
  AskRetention ask_;
  Offset after_;
  std::size_t restated_ = 0;
  std::optional<sdk::Receipt> receipt_;
};

}  // namespace

Exit run_retain(const Common& common, const RetainCommand& command, const Console& console) {
  sdk::Profile profile;
  auto client = open_client(common, profile);
  if (!client) return console.refused(client.error());
  return Retaining(common, command, console, **client).run();
}

}  // namespace lianxi::cli
