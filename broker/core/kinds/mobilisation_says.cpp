#include <fmt/format.h>

#include <algorithm>

#include "broker/core/kinds/mobilisation.h"
#include "schemas/mobilisation_rules.h"
#include "schemas/vocabulary.h"

namespace lianxi::core {
namespace {

using State = MobilisationState;
using StateMask = std::uint32_t;

template <class... S>
constexpr StateMask in(S... states) {
  return (0U | ... | (1U << static_cast<unsigned>(states)));
}

enum class Party : std::uint8_t { requester, owner, either };
// What an item must meet: nothing; a holding in one of the states; or, if there is one, that it is in one of them.
enum class Needs : std::uint8_t { nothing, holding, none_other };

struct Say {
  ResourceMessage message{};
  Deployment deployment{};  // of a report
  Party party{};
  Needs needs{};
  StateMask states = 0;
  std::optional<ResourceMessage> answers;
};

constexpr StateMask kNotPromised = in(State::offered, State::requested, State::provisional, State::requisitioned, State::returned,
                                      State::declined, State::recalled);
constexpr StateMask kOnTheGround = in(State::departed, State::arrived, State::extended, State::released, State::return_requested);
constexpr StateMask kAtWork = in(State::committed, State::departed, State::arrived, State::extended);

// Who may say what when. The life cycle of VOCABULARY, from both sides.
constexpr Say kSays[] = {
    {ResourceMessage::RequestResource, {}, Party::requester, Needs::nothing, 0, {}},
    {ResourceMessage::ResponseToRequestResource,
     {},
     Party::owner,
     Needs::none_other,
     kNotPromised,
     ResourceMessage::RequestResource},
    {ResourceMessage::RequisitionResource,
     {},
     Party::requester,
     Needs::holding,
     in(State::offered, State::provisional, State::requisitioned),
     {}},
    {ResourceMessage::CommitResource, {}, Party::owner, Needs::none_other, kNotPromised, {}},
    {ResourceMessage::RequestInformation, {}, Party::either, Needs::nothing, 0, {}},
    {ResourceMessage::ResponseToRequestInformation, {}, Party::either, Needs::nothing, 0, ResourceMessage::RequestInformation},
    {ResourceMessage::OfferUnsolicitedResource, {}, Party::owner, Needs::none_other, kNotPromised, {}},
    {ResourceMessage::ReleaseResource,
     {},
     Party::requester,
     Needs::holding,
     in(State::offered, State::provisional, State::requisitioned, State::return_requested) | kAtWork,
     {}},
    {ResourceMessage::RequestReturn, {}, Party::owner, Needs::holding, kAtWork, {}},
    {ResourceMessage::ResponseToRequestReturn,
     {},
     Party::requester,
     Needs::holding,
     in(State::return_requested),
     ResourceMessage::RequestReturn},
    {ResourceMessage::RequestQuote, {}, Party::requester, Needs::nothing, 0, {}},
    {ResourceMessage::ResponseToRequestQuote, {}, Party::owner, Needs::nothing, 0, ResourceMessage::RequestQuote},
    {ResourceMessage::RequestResourceDeploymentStatus, {}, Party::either, Needs::nothing, 0, {}},
    {ResourceMessage::ReportResourceDeploymentStatus,
     Deployment::none,
     Party::owner,
     Needs::holding,
     in(State::committed, State::returning) | kOnTheGround,
     {}},
    {ResourceMessage::ReportResourceDeploymentStatus,
     Deployment::departed,
     Party::owner,
     Needs::holding,
     in(State::committed),
     {}},
    {ResourceMessage::ReportResourceDeploymentStatus,
     Deployment::arrived,
     Party::owner,
     Needs::holding,
     in(State::committed, State::departed),
     {}},
    {ResourceMessage::ReportResourceDeploymentStatus, Deployment::returning, Party::owner, Needs::holding, kOnTheGround, {}},
    // What has never left is back at once: the owner alone knows where its things are.
    {ResourceMessage::ReportResourceDeploymentStatus,
     Deployment::returned,
     Party::owner,
     Needs::holding,
     in(State::committed, State::returning) | kOnTheGround,
     {}},
    {ResourceMessage::RequestExtendedDeploymentDuration, {}, Party::requester, Needs::holding, kAtWork, {}},
    {ResourceMessage::ResponseToRequestExtendedDeploymentDuration,
     {},
     Party::owner,
     Needs::holding,
     kAtWork,
     ResourceMessage::RequestExtendedDeploymentDuration},
};

const Say* find(ResourceMessage message, Deployment deployment) {
  const bool report = message == ResourceMessage::ReportResourceDeploymentStatus;
  for (const Say& say : kSays)
    if (say.message == message && (!report || say.deployment == deployment)) return &say;
  return nullptr;
}

std::string names(StateMask states) {
  std::string text;
  for (unsigned i = 0; i <= static_cast<unsigned>(State::recalled); ++i) {
    if ((states & (1U << i)) != 0) text += (text.empty() ? "" : ", ") + std::string(to_word(static_cast<State>(i)));
  }
  return text;
}

bool is_addressed(const Saying& saying) {
  if (saying.thread.request == nullptr) return true;
  const auto& to = saying.thread.request->to;
  return to.empty() || std::find(to.begin(), to.end(), saying.own) != to.end();
}

Result<void> party_fits(const Saying& saying, Party party) {
  const bool home = saying.own == saying.known.home;
  const std::string_view word = to_word(saying.message.message);
  if (saying.thread.offer ? party == Party::owner : party == Party::requester) {
    if (home) return {};
    return refuse(RefusalCode::not_home, "message",
                  fmt::format("only the node of {} says a {} here", to_text(saying.known.home), word));
  }
  if (saying.thread.offer && party == Party::requester && home)
    return refuse(RefusalCode::not_allowed, "message", fmt::format("whoever takes the offer says a {}, not who makes it", word));
  if (home || is_addressed(saying)) return {};
  return refuse(RefusalCode::not_allowed, "message", to_text(saying.own) + " is not asked here, so it has nothing to answer");
}

// The holdings that an item is about; an owner's item about those of its own region alone.
bool is_about(const Saying& saying, Party party, const ThreadHolding& holding, const MobilisationItem& item) {
  const HoldingRow& row = holding.row;
  if (party == Party::owner && row.region != saying.own) return false;
  if (!item.resource.empty() && row.resource != item.resource) return false;
  return item.preceding.empty() || row.item == item.preceding;
}

Result<void> item_fits(const Saying& saying, std::size_t index) {
  const MobilisationItem& item = saying.message.items[index];
  const std::string at = "items[" + std::to_string(index) + "].";
  const Say* say = find(saying.message.message, item.deployment);
  if (say == nullptr || say->needs == Needs::nothing) return {};
  std::string found;
  bool fits = false;
  StateMask states = say->states;
  const bool leaves = item.deployment != Deployment::none && item.deployment != Deployment::returned;
  // A promise that has not left may be changed by a recall.
  if (say->needs == Needs::none_other && saying.message.recall == Recall::Update) states |= in(State::committed);
  for (const ThreadHolding& holding : saying.thread.holdings) {
    if (!is_about(saying, say->party, holding, item) || (say->needs == Needs::none_other && item.resource.empty())) continue;
    if ((in(holding.row.state) & states) != 0 && (holding.committed || !leaves)) {
      fits = true;
      continue;
    }
    found = fmt::format("{} of {} is {}", holding.row.resource, to_text(holding.row.region), to_word(holding.row.state));
    if (say->needs == Needs::none_other) break;
  }
  if (say->needs == Needs::none_other ? found.empty() : fits) return {};
  const std::string what = saying.message.message == ResourceMessage::ReportResourceDeploymentStatus
                               ? fmt::format("a report of {}", to_word(item.deployment))
                               : fmt::format("a {}", to_word(saying.message.message));
  if (found.empty()) found = "nothing such is known here";
  return refuse(RefusalCode::conflict, at + "resource", fmt::format("{} is for what is {}; {}", what, names(states), found));
}

Result<void> preceding_fits(const Saying& saying, const Say& say) {
  const Mobilisation& message = saying.message;
  if (message.preceding_id.empty() || saying.thread.request == nullptr) return {};
  const HeardMessage* before = saying.known.find({}, message.preceding_id);
  if (before == nullptr)
    return refuse(RefusalCode::not_found, "preceding_id",
                  "no message \"" + message.preceding_id + "\" of this mobilisation is known here");
  if (!say.answers || before->message.message == *say.answers) return {};
  return refuse(RefusalCode::invalid_field, "preceding_id",
                fmt::format("it names a {}; a {} answers a {}", to_word(before->message.message), to_word(message.message),
                            to_word(*say.answers)));
}

// What is recalled is a message of the same kind and region, and nothing of it is on the road.
Result<void> recall_fits(const Saying& saying) {
  const Mobilisation& message = saying.message;
  if (!message.recall) return {};
  const HeardMessage* recalled = saying.known.find(saying.own, message.recalled_id);
  if (recalled == nullptr)
    return refuse(RefusalCode::not_found, "recalled_id",
                  to_text(saying.own) + " has said no message \"" + message.recalled_id + "\" in this mobilisation");
  if (recalled->message.message != message.message)
    return refuse(RefusalCode::invalid_field, "recalled_id",
                  fmt::format("it names a {}; a recall is of the same message type", to_word(recalled->message.message)));
  for (const ThreadHolding& holding : saying.thread.holdings) {
    if (holding.promised_by != message.recalled_id || holding.row.region != saying.own || !is_out(holding.row.state)) continue;
    return refuse(
        RefusalCode::conflict, "recalled_id",
        fmt::format("{} is {}: ask for its return, and report it returned", holding.row.resource, to_word(holding.row.state)));
  }
  return {};
}

}  // namespace

Result<void> may_say(const Saying& saying) {
  const Mobilisation& message = saying.message;
  const Deployment first = message.items.empty() ? Deployment::none : message.items.front().deployment;
  const Say* say = find(message.message, first);
  if (say == nullptr) return refuse(RefusalCode::invalid_field, "message", "such a message is not known here");
  if (auto party = party_fits(saying, say->party); !party) return party;
  if (can_begin(message.message) && message.message != ResourceMessage::RequestInformation &&
      message.message != ResourceMessage::RequestQuote && !message.recall)
    return refuse(RefusalCode::conflict, "message",
                  fmt::format("a {} begins a mobilisation of its own; within one it updates or cancels the first (recall)",
                              to_word(message.message)));
  if (auto before = preceding_fits(saying, *say); !before) return before;
  if (auto recall = recall_fits(saying); !recall) return recall;
  if (saying.thread.withdrawn && message.recall == Recall::Update && message.recalled_id == message.originating_id)
    return refuse(RefusalCode::conflict, "recalled_id", "this mobilisation was recalled; begin another");
  if (message.recall == Recall::Cancel) return {};
  const bool late = say->party == Party::owner ? std::any_of(message.items.begin(), message.items.end(),
                                                             [&](const auto& item) { return takes(message, item); })
                                               : message.message == ResourceMessage::RequisitionResource;
  if (late && saying.thread.withdrawn)
    return refuse(RefusalCode::conflict, "originating_id", to_text(saying.known.home) + " has recalled this mobilisation");
  for (std::size_t i = 0; i < message.items.size(); ++i)
    if (auto fits = item_fits(saying, i); !fits) return fits;
  return {};
}

}  // namespace lianxi::core
