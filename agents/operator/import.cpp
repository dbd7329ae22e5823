#include <chrono>
#include <ostream>

#include "agents/operator/commands.h"
#include "agents/operator/send.h"
#include "agents/operator/words.h"
#include "schemas/codec/json.h"
#include "schemas/limits.h"

namespace lianxi::cli {
namespace {

constexpr std::size_t kShownRefusals = 20;

Exit bad_rows(const std::vector<Refusal>& refusals, const Console& console) {
  const Say& say = console.say();
  if (console.json()) {
    Refusal first = refusals.front();
    if (refusals.size() > 1) first.reason += " (and " + std::to_string(refusals.size() - 1) + " more)";
    return console.refused(first);
  }
  for (std::size_t i = 0; i < refusals.size() && i < kShownRefusals; ++i) {
    console.err() << "  " << printable(refusals[i].field) << ": " << printable(refusals[i].reason) << '\n';
  }
  console.err() << refusals.size() << say(" bad rows; nothing was imported", " 行有误;未导入任何数据") << std::endl;
  return Exit::refused;
}

Exit summary(const std::vector<Event>& events, std::vector<std::future<sdk::Outcome>>& outcomes, const Console& console) {
  const Say& say = console.say();
  std::size_t accepted = 0;
  std::optional<Refusal> first;
  std::size_t shown = 0;
  Offset last;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const sdk::Outcome outcome = outcomes[i].get();
    if (outcome) {
      ++accepted;
      last = std::max(last, outcome->offset);
      continue;
    }
    if (!first) first = outcome.error();
    if (!console.json() && shown++ < kShownRefusals) {
      console.err() << "  " << printable(events[i].envelope.entity) << ": " << refusal_word(outcome.error().code, say) << ": "
                    << printable(outcome.error().reason) << '\n';
    }
  }
  if (first && console.json()) {
    first->reason += " (" + std::to_string(events.size() - accepted) + " of " + std::to_string(events.size()) + " refused)";
    return console.refused(*first);
  }
  if (console.json()) {
    console.out() << "{\"imported\":" << accepted << ",\"offset\":" << last.value << "}\n";
  } else {
    console.out() << say("imported ", "已导入 ") << accepted << "/" << events.size() << '\n';
  }
  return first ? Exit::refused : Exit::done;
}

}  // namespace

Exit run_import(const Common& common, const ImportCommand& command, const Console& console) {
  sdk::Profile profile;
  auto client = open_client(common, profile);
  if (!client) return console.refused(client.error());
  const auto text = read_input(command.file, kMaxFileBytes);
  if (!text) return console.refused(text.error());
  formats::ResourceCsvContext context;
  context.region = profile.region;
  context.agency = command.agency.empty() ? std::string(profile.agent.agency()) : command.agency;
  context.audience = command.audience;
  context.default_datum = command.datum;
  context.status = command.status;
  context.now =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  const auto events = formats::read_resources_csv(*text, context);
  if (!events) return bad_rows(events.error(), console);
  if (events->empty()) {
    return console.refused(
        {RefusalCode::csv_row, "row 2", console.say()("the file has a heading but no rows", "文件只有表头,没有数据行"), 0});
  }
  std::vector<std::future<sdk::Outcome>> outcomes;
  outcomes.reserve(events->size());
  for (const Event& event : *events) outcomes.push_back((*client)->publish(event));
  if (const auto failed = await_all(outcomes, common, console, **client, console.progress() && !console.json())) return *failed;
  return summary(*events, outcomes, console);
}

}  // namespace lianxi::cli
