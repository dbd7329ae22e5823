#include <ostream>

#include "agents/formats/cap.h"
#include "agents/operator/commands.h"
#include "agents/operator/send.h"
#include "agents/operator/words.h"
#include "schemas/codec/json.h"
#include "schemas/limits.h"

namespace lianxi::cli {
namespace {

BytesView view_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

Result<Event> read_event(const PublishCommand& command, const sdk::Profile& profile, const Console& console) {
  auto text = read_input(command.file, kMaxCapBytes);
  if (!text) return tl::unexpected(text.error());
  const std::size_t start = text->find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  if (command.kind == Kind::alert && start != std::string::npos && (*text)[start] == '<') {
    auto document = formats::read_cap(view_of(*text));
    if (!document) return tl::unexpected(document.error());
    for (const std::string& warning : document->warnings) {
      console.err() << console.say()("note: ", "提示:") << printable(warning) << '\n';
    }
    const std::string agency = command.agency.empty() ? std::string(profile.agent.agency()) : command.agency;
    return formats::alert_event(
        *document, {profile.region, agency, command.audience, command.place.value_or(PlaceCode::of(profile.region))});
  }
  auto event = event_from_json(*text);
  if (event && event->envelope.kind != command.kind) {
    return refuse(
        RefusalCode::invalid_field, "kind",
        "the file holds a " + std::string(to_word(event->envelope.kind)) + ", not a " + std::string(to_word(command.kind)));
  }
  return event;
}

// What came of --peers. A node that has given the receipt and then falls silent leaves it unknown: none are held, as far as is
// known.
std::optional<sdk::Replication> await_peers(std::future<Result<sdk::Replication>>& answer, const PublishCommand& command,
                                            const Common& common) {
  if (command.options.peers == 0) return std::nullopt;
  const sdk::Replication unknown{0, command.options.peers};
  if (answer.wait_for(command.options.deadline + common.timeout) != std::future_status::ready) return unknown;
  return answer.get().value_or(unknown);
}

std::string peers_text(const sdk::Replication& replication, const Say& say) {
  const std::string held = std::to_string(replication.held);
  if (replication.reached()) return say.chinese() ? ";另有 " + held + " 个节点已存盘" : "; on disk at " + held + " other nodes";
  const std::string of = std::to_string(replication.wanted);
  return say.chinese() ? ";到期时其他节点已存盘 " + held + "/" + of
                       : "; by the deadline on disk at " + held + " of " + of + " other nodes";
}

}  // namespace

Exit run_publish(const Common& common, const PublishCommand& command, const Console& console) {
  sdk::Profile profile;
  auto client = open_client(common, profile);
  if (!client) return console.refused(client.error());
  const auto event = read_event(command, profile, console);
  if (!event) return console.refused(event.error());
  std::vector<std::future<sdk::Outcome>> outcomes;
  sdk::Published published = (*client)->publish(*event, command.options);
  outcomes.push_back(std::move(published.receipt));
  if (const auto failed = await_all(outcomes, common, console, **client, false)) return *failed;
  const sdk::Outcome outcome = outcomes.front().get();
  if (!outcome) return console.refused(outcome.error());
  const auto replication = await_peers(published.replication, command, common);
  if (console.json()) {
    console.out() << receipt_json(*event, *outcome, replication) << '\n';
    return Exit::done;
  }
  const Say& say = console.say();
  const std::string mark = drill_mark(event->envelope.status, say);
  console.out() << styled(mark, Style::loud, console.colour()) << (mark.empty() ? "" : " ") << say("on disk at ", "已存盘于 ")
                << to_text(outcome->feed.region) << ": " << printable(event->envelope.entity) << "  (" << to_text(outcome->feed)
                << " " << outcome->sequence.value << ")" << (replication ? peers_text(*replication, say) : "") << '\n';
  return Exit::done;
}

}  // namespace lianxi::cli
