#include "broker/core/kinds/mobilisation.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "schemas/mobilisation_rules.h"
#include "schemas/vocabulary.h"

namespace lianxi::core {
namespace {

ThreadKey key_of(const Envelope& envelope) {
  return {envelope.status, envelope.entity};
}

// A promise is of the own region's resources alone, each once for an item.
Result<void> resources_are_own(const Mobilisation& message, const Mobilisation* request, RegionCode own) {
  std::set<std::pair<std::string_view, std::string_view>> seen;
  for (std::size_t i = 0; i < message.items.size(); ++i) {
    const MobilisationItem& item = message.items[i];
    const std::string at = "items[" + std::to_string(i) + "].";
    const bool offers = message.message == ResourceMessage::OfferUnsolicitedResource;
    if (!takes(message, item) && !offers) continue;
    if (!is_of(item.resource, own))
      return refuse(RefusalCode::not_home, at + "resource", "only its owner's node promises " + item.resource);
    const std::string_view need = need_of(message, item, request);
    const auto& needs = request == nullptr ? message.items : request->items;
    const bool known = std::any_of(needs.begin(), needs.end(), [&](const MobilisationItem& of) { return of.id == need; });
    if (!known && !offers)
      return refuse(RefusalCode::invalid_field, at + "preceding",
                    fmt::format("it names the item that was asked for; \"{}\" is none of them", need));
    if (!seen.insert({item.resource, need}).second)
      return refuse(RefusalCode::invalid_field, at + "resource", "it stands twice for one item; add the quantities up");
  }
  return {};
}

Result<void> units_fit(const Mobilisation& message, Status status, const KindMemory& memory) {
  for (std::size_t i = 0; i < message.items.size(); ++i) {
    const MobilisationItem& item = message.items[i];
    if (!takes(message, item) || item.unit.empty()) continue;
    const auto row = memory.stock.find(item.resource, status);
    if (!row || row->whole() || row->unit == 0 || row->unit == unit_hash(item.unit)) continue;
    return refuse(RefusalCode::invalid_field, "items[" + std::to_string(i) + "].unit",
                  item.resource + " is counted in another unit; say the quantity in that one");
  }
  return {};
}

Result<void> ends_are_ahead(const Mobilisation& message, TimeMs now) {
  for (std::size_t i = 0; i < message.items.size(); ++i) {
    const auto until = when(message.items[i], {ScheduleType::EndAvailable});
    if (!takes(message, message.items[i]) || !until || *until > now) continue;
    return refuse(RefusalCode::invalid_field, "items[" + std::to_string(i) + "].schedule",
                  "it would be available until " + to_iso8601(*until) + ", which has passed here");
  }
  return {};
}

Result<void> judge_first(const Candidate& candidate, const Mobilisation& message, RegionCode own, const Members& members,
                         const KindMemory& memory) {
  const Envelope& envelope = candidate.event.envelope();
  if (auto home = home_is(envelope, own); !home) return home;
  const ThreadKey key = key_of(envelope);
  const KnownThread* known = memory.mobilisations.find(key);
  const HeardMessage* same = known == nullptr ? nullptr : known->find(own, message.message_id);
  if (same != nullptr || memory.mobilisations.finished(key)) {
    const bool equal = same != nullptr && same->message == without_texts(message);
    return refuse(RefusalCode::conflict, "message_id",
                  equal ? "this message is already there, with the same content; nothing was added"
                        : "a mobilisation of this name is already there; an update names the first message in recalled_id");
  }
  for (const RegionCode region : message.to)
    if (region != own && members.find(region) == nullptr)
      return refuse(RefusalCode::invalid_field, "to", to_text(region) + " is no member here");
  if (message.answer_by && *message.answer_by <= memory.now)
    return refuse(RefusalCode::invalid_field, "answer_by", "the time has passed here already");
  return resources_are_own(message, nullptr, own);
}

// What this region has promised in a thread whose beginning is not here, or was forgotten before the promise came back behind a
// restore, it may still bring to its end.
bool brings_home(const Mobilisation& message, const Thread& thread, RegionCode own) {
  const bool holds = std::any_of(thread.holdings.begin(), thread.holdings.end(), [&](const ThreadHolding& holding) {
    return holding.row.region == own && !is_final(holding.row.state);
  });
  return holds &&
         std::none_of(message.items.begin(), message.items.end(), [&](const auto& item) { return takes(message, item); });
}

// A promise behind the deadline, that is none the owner gave in time.
Result<void> in_time(const Thread& thread, const Promises& before, const Promises& after, TimeMs now) {
  if (thread.offer || thread.request == nullptr || !thread.request->answer_by || now <= *thread.request->answer_by) return {};
  for (const auto& [of, promise] : after) {
    if (!promise.holds_at(now)) continue;
    const auto held = before.find(of);
    if (held != before.end() && held->second.holds_at(now) && held->second.quantity_milli >= promise.quantity_milli) continue;
    return refuse(
        RefusalCode::deadline, "answer_by",
        "the answer was wanted by " + to_iso8601(*thread.request->answer_by) + "; ask whoever wants it to update the request");
  }
  return {};
}

Result<void> judge_promises(const Candidate& candidate, const Mobilisation& message, const KnownThread& known,
                            const Thread& thread, const KindMemory& memory) {
  const Envelope& envelope = candidate.event.envelope();
  const RegionCode own = memory.own;
  if (auto owned = resources_are_own(message, thread.request, own); !owned) return owned;
  if (auto units = units_fit(message, envelope.status, memory); !units) return units;
  if (auto ahead = ends_are_ahead(message, memory.now); !ahead) return ahead;
  std::vector<ThreadSaid> then = known.views();
  then.push_back({own, INT64_MAX, Hlc(UINT64_MAX), &message});
  const Promises before = promises_of(thread, own);
  const Promises after = promises_of(add_up(known.home, then), own);
  if (auto time = in_time(thread, before, after, memory.now); !time) return time;
  const ThreadKey key = key_of(envelope);
  return check_stock({key, before, after, memory});
}

}  // namespace

Result<void> judge_mobilisation(const Candidate& candidate, RegionCode own, const Members& members, const KindMemory& memory) {
  const Envelope& envelope = candidate.event.envelope();
  const Mobilisation* message = candidate.event.mobilisation();
  if (message == nullptr) return body_missing(envelope);
  const auto home = home_region(envelope.entity);
  if (!home) return tl::unexpected(home.error());
  if (*home != own && members.find(*home) == nullptr)
    return refuse(RefusalCode::wrong_region, "entity", "the mobilisation's home " + to_text(*home) + " is no member here");
  if (memory.mobilisations.full(message->items.size()))
    return refuse(RefusalCode::conflict, "entity",
                  fmt::format("{} messages and items of this region's mobilisations are open, the most there may be; bring some "
                              "to their end",
                              kMaxOwnItems));
  if (message->message_id == message->originating_id) return judge_first(candidate, *message, own, members, memory);
  const ThreadKey key = key_of(envelope);
  const KnownThread* known = memory.mobilisations.find(key);
  const Thread thread = known == nullptr ? Thread{} : add_up(known->home, known->views());
  if (thread.request == nullptr && !brings_home(*message, thread, own))
    return refuse(memory.mobilisations.finished(key) ? RefusalCode::conflict : RefusalCode::not_found, "originating_id",
                  memory.mobilisations.finished(key) ? "this mobilisation is over"
                                                     : "what it belongs to has not come here, or was long ago");
  if (envelope.audience != known->audience)
    return refuse(RefusalCode::invalid_field, "audience",
                  "this mobilisation is between those of the audience \"" + known->audience.text() + "\"");
  if (known->weight(own) + 1 + message->items.size() > kMaxThreadItems)
    return refuse(RefusalCode::conflict, "items",
                  fmt::format("a region says at most {} messages and items in one mobilisation", kMaxThreadItems));
  if (const HeardMessage* same = known->find(own, message->message_id))
    return refuse(RefusalCode::conflict, "message_id",
                  same->message == without_texts(*message)
                      ? "this message is already there, with the same content; nothing was added"
                      : "a message of this region with this id is already there, with other content; use another id");
  if (auto may = may_say({*message, thread, *known, own}); !may) return may;
  return judge_promises(candidate, *message, *known, thread, memory);
}

void remember_mobilisation(const Said& said, KindMemory& memory) {
  const Mobilisation* message = said.event.mobilisation();
  if (message == nullptr) return;
  memory.mobilisations.remember(said.event.envelope(), {said.region, said.version, said.time, without_texts(*message)});
}

bool mobilisation_promises(const Candidate& candidate) {
  const Mobilisation* message = candidate.event.mobilisation();
  if (message == nullptr) return false;
  return std::any_of(message->items.begin(), message->items.end(), [&](const auto& item) { return takes(*message, item); });
}

}  // namespace lianxi::core
