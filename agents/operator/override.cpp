// An officer's word that the node may do what it holds back since a restore; all members see it.
#include <ostream>

#include "agents/operator/ask.h"
#include "agents/operator/commands.h"
#include "agents/operator/send.h"
#include "agents/operator/words.h"

namespace lianxi::cli {
namespace {

Event order_of(const OverrideCommand& command, const sdk::Profile& profile, const StatusReport& status) {
  Event event;
  event.envelope.kind = Kind::override;
  event.envelope.entity = override_entity(status.region, status.epoch);
  event.envelope.status = Status::Actual;
  event.envelope.place = PlaceCode::of(status.region);
  event.envelope.agency = std::string(profile.agent.agency());
  event.envelope.audience = Audience::conference();
  event.envelope.occurred_at = status.time;
  event.body = Override{Overridden::fence, command.reason};
  return event;
}

}  // namespace

Exit run_override(const Common& common, const OverrideCommand& command, const Console& console) {
  const auto status = ask<StatusReport>(common, console, AskStatus{false});
  if (!status) return status.error();
  sdk::Profile profile;
  auto client = open_client(common, profile);
  if (!client) return console.refused(client.error());
  const Event event = order_of(command, profile, *status);
  std::vector<std::future<sdk::Outcome>> outcomes;
  outcomes.push_back((*client)->publish(event));
  if (const auto failed = await_all(outcomes, common, console, **client, false)) return *failed;
  const sdk::Outcome outcome = outcomes.front().get();
  if (!outcome) return console.refused(outcome.error());
  if (console.json()) {
    console.out() << receipt_json(event, *outcome) << '\n';
    return Exit::done;
  }
  const Say& say = console.say();
  console.out() << say("on record at ", "已记录于 ") << to_text(outcome->feed.region) << ": " << printable(event.envelope.entity)
                << "  (" << to_text(outcome->feed) << " " << outcome->sequence.value << ")"
                << say("; commitments are taken again, and every member will read why",
                       ";现可预留和调派资源,各成员均可看到放行理由")
                << '\n';
  return Exit::done;
}

}  // namespace lianxi::cli
