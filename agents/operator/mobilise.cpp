// Moves of a mobilisation: finds the thread, makes the message, publishes it, tells where the thread stands.
#include <fmt/format.h>

#include <ostream>
#include <random>

#include "agents/operator/commands.h"
#include "agents/operator/mobilise_message.h"
#include "agents/operator/mobilise_thread.h"
#include "agents/operator/send.h"
#include "agents/operator/words.h"
#include "schemas/codec/event_codec.h"

namespace lianxi::cli {
namespace {

// "330800-20201109-083105-4f2a": readable over the phone, and no other of the city's messages has it.
std::string fresh_id(RegionCode region, TimeMs now) {
  const std::string at = to_iso8601(now);  // 2020-11-09T08:31:05.123+08:00
  return fmt::format("{}-{}{}{}-{}{}{}-{:04x}", to_text(region), at.substr(0, 4), at.substr(5, 2), at.substr(8, 2),
                     at.substr(11, 2), at.substr(14, 2), at.substr(17, 2), std::random_device{}() & 0xFFFFU);
}

class Mobilising {
 public:
  Mobilising(const Common& common, const MobiliseCommand& command, const Console& console, sdk::Client& client,
             const sdk::Profile& profile)
      : common_(common), command_(command), console_(console), client_(client), profile_(profile) {}

  Exit run() {
    std::optional<MobilisationRow> thread;
    if (!command_.thread.empty()) {
      auto found = find_thread(client_, common_, console_, command_.thread, command_.status);
      if (!found) return found.error();
      thread = std::move(*found);
    }
    const TimeMs now = wall_ms();
    const Speaker speaker{profile_.region, std::string(profile_.agent.agency()), now, fresh_id(profile_.region, now)};
    const auto event = message_of(command_, thread ? &*thread : nullptr, speaker, console_.say());
    if (!event) return console_.refused(event.error());
    if (const auto checked = check_event(*event); !checked) return console_.refused(checked.error());
    std::vector<std::future<sdk::Outcome>> outcomes;
    outcomes.push_back(client_.publish(*event));
    if (const auto failed = await_all(outcomes, common_, console_, client_, false)) return *failed;
    const sdk::Outcome outcome = outcomes.front().get();
    if (!outcome) return console_.refused(outcome.error());
    return done(*event, *outcome);
  }

 private:
  Exit done(const Event& event, const sdk::Receipt& receipt) {
    if (console_.json()) {
      console_.out() << receipt_json(event, receipt) << '\n';
      return Exit::done;
    }
    const Say& say = console_.say();
    const auto& message = std::get<Mobilisation>(event.body);
    const std::string mark = drill_mark(event.envelope.status, say);
    console_.out() << styled(mark, Style::loud, console_.colour()) << (mark.empty() ? "" : " ") << say("on disk at ", "已存盘于 ")
                   << to_text(receipt.feed.region) << ": " << word(message.message, say) << "  " << printable(message.message_id)
                   << '\n'
                   << say("follow it with: lianxi mobilise show ", "后续请看:lianxi mobilise show ")
                   << printable(event.envelope.entity) << '\n';
    return Exit::done;
  }

  const Common& common_;
  const MobiliseCommand& command_;
  const Console& console_;
  sdk::Client& client_;
  const sdk::Profile& profile_;
};

}  // namespace

Exit run_mobilise(const Common& common, const MobiliseCommand& command, const Console& console) {
  sdk::Profile profile;
  auto client = open_client(common, profile);
  if (!client) return console.refused(client.error());
  return Mobilising(common, command, console, **client, profile).run();
}

}  // namespace lianxi::cli
