#include "schemas/mobilisation_thread.h"

#include <algorithm>
#include <set>
#include <tuple>

#include "schemas/limits.h"
#include "schemas/mobilisation_rules.h"

namespace lianxi {
namespace {

using State = MobilisationState;
using Key = std::tuple<RegionCode, std::string, std::string>;  // region, resource, item

bool is_home_of(RegionCode region, const std::string& entity) {
  return entity.starts_with(to_text(region) + ":");
}

// What the owner alone has said of a holding; is_out hides `released`, which the requester says.
struct Held {
  ThreadHolding of;
  bool requisitioned = false, released = false;
};

class Sum {
 public:
  Sum(RegionCode home, std::span<const ThreadSaid> said) : home_(home), said_(said.begin(), said.end()) {
    std::sort(said_.begin(), said_.end(), [](const ThreadSaid& a, const ThreadSaid& b) {
      return std::tie(a.region, a.version) < std::tie(b.region, b.version);
    });
    // What a region says beyond the bound moves nothing: a thread is added up in bounded time, whoever writes into it.
    std::map<RegionCode, std::size_t> items;
    std::erase_if(said_,
                  [&](const ThreadSaid& one) { return (items[one.region] += 1 + one.message->items.size()) > kMaxThreadItems; });
  }

  Thread finish() && {
    begin();
    for (const ThreadSaid& one : said_) {
      out_.updated_at = std::max(out_.updated_at, physical_ms(one.time));
      owner_says(one);
    }
    for (const ThreadSaid& one : said_) requester_says(one);
    hand_out();
    conclude();
    return std::move(out_);
  }

 private:
  void begin() {
    for (const ThreadSaid& one : said_) {
      const Mobilisation& message = *one.message;
      if (one.region != home_) continue;
      if (message.message_id == message.originating_id) {
        if (out_.first == nullptr) out_.first = out_.request = &message;
        continue;
      }
      if (message.recall && message.recalled_id == message.originating_id) {
        out_.withdrawn = out_.withdrawn || *message.recall == Recall::Cancel;
        if (!out_.withdrawn) out_.request = &message;
      }
    }
    out_.offer = out_.first != nullptr && out_.first->message == ResourceMessage::OfferUnsolicitedResource;
    if (out_.request == nullptr) return;
    for (const MobilisationItem& item : out_.request->items) {
      NeedRow need;
      need.id = item.id;
      need.type = item.type;
      need.capability = item.capability;
      need.name = item.name;
      need.quantity_milli = item.quantity_milli;
      need.unit = item.unit;
      out_.needs.push_back(std::move(need));
    }
  }

  Held& holding(const ThreadSaid& said, const MobilisationItem& item) {
    const Key key{said.region, item.resource, std::string(need_of(*said.message, item, out_.request))};
    Held& held = holdings_[key];
    HoldingRow& row = held.of.row;
    row.region = said.region;
    row.resource = item.resource;
    row.item = std::get<2>(key);
    row.updated_at = std::max(row.updated_at, physical_ms(said.time));
    if (!item.name.empty()) row.name = item.name;
    return held;
  }

  // Those that the item is about: by resource, by what it was asked for, or all of the region.
  template <class F>
  void each_of(std::optional<RegionCode> region, const MobilisationItem& item, F f) {
    const auto first = region ? holdings_.lower_bound(Key{*region, {}, {}}) : holdings_.begin();
    for (auto at = first; at != holdings_.end(); ++at) {
      auto& [key, held] = *at;
      if (region && std::get<0>(key) != *region) return;
      if (!item.resource.empty() && std::get<1>(key) != item.resource) continue;
      if (!item.preceding.empty() && std::get<2>(key) != item.preceding) continue;
      f(held);
    }
  }

  void take(const ThreadSaid& said, const MobilisationItem& item, State state, bool holds) {
    if (item.resource.empty() || !is_home_of(said.region, item.resource)) return;
    Held& held = holding(said, item);
    if (is_out(held.of.row.state) && !held.of.promised_by.empty()) return;
    HoldingRow& row = held.of.row;
    row.state = state;
    row.held = holds;
    row.quantity_milli = item.quantity_milli;
    row.unit = item.unit;
    row.until = when(item, {ScheduleType::EndAvailable});
    row.eta = when(item, {ScheduleType::EstimatedArrival});
    row.reason = item.reason;
    held.of.lapses = holds && state != State::committed && row.until.has_value();
    held.of.taken_at = said.time;
    held.of.promised_by = said.message->message_id;
  }

  void end(Held& held, const ThreadSaid& said, State state, const std::string& reason) {
    HoldingRow& row = held.of.row;
    row.state = state;
    row.held = false;
    held.of.lapses = false;
    if (!reason.empty()) row.reason = reason;
    row.updated_at = std::max(row.updated_at, physical_ms(said.time));
  }

  void decline(const ThreadSaid& said, const MobilisationItem& item) {
    bool any = false;
    each_of(said.region, item, [&](Held& held) {
      if (is_final(held.of.row.state) || held.of.row.state >= State::committed) return;
      end(held, said, State::declined, item.reason);
      any = true;
    });
    if (any) return;
    Held& held = holding(said, item);
    if (held.of.promised_by.empty()) {
      held.of.promised_by = said.message->message_id;
      held.of.taken_at = said.time;
    }
    if (!is_out(held.of.row.state) && held.of.row.state != State::committed) end(held, said, State::declined, item.reason);
  }

  void recall(const ThreadSaid& said) {
    const Mobilisation& message = *said.message;
    if (!message.recall) return;
    for (auto& [key, held] : holdings_) {
      const State state = held.of.row.state;
      if (std::get<0>(key) != said.region || held.of.promised_by != message.recalled_id || is_out(state) || is_final(state))
        continue;
      end(held, said, State::recalled, message.description);
    }
  }

  void report(const ThreadSaid& said, const MobilisationItem& item) {
    each_of(said.region, item, [&](Held& held) {
      HoldingRow& row = held.of.row;
      // What is only promised has not left; that it is not needed any more, and so is back, may be said of it.
      const bool leaves = item.deployment != Deployment::none && item.deployment != Deployment::returned;
      if (is_final(row.state) || (leaves && row.state < State::committed)) return;
      if (item.deployment == Deployment::departed) row.state = State::departed;
      if (item.deployment == Deployment::arrived) row.state = State::arrived;
      if (item.deployment == Deployment::returning) row.state = State::returning;
      if (item.deployment == Deployment::returned) end(held, said, State::returned, item.reason);
      if (const auto eta = when(item, {ScheduleType::ActualArrival, ScheduleType::EstimatedArrival})) row.eta = eta;
      if (const auto until = when(item, {ScheduleType::EndAvailable})) row.until = until;
      row.updated_at = std::max(row.updated_at, physical_ms(said.time));
    });
  }

  void owner_says(const ThreadSaid& said) {
    const Mobilisation& message = *said.message;
    // What was offered is its home's alone.
    if (out_.offer && said.region != home_) return;
    recall(said);
    if (message.recall == Recall::Cancel) return;
    if (is_response(message.message) || message.message == ResourceMessage::CommitResource) answered(said);
    for (const MobilisationItem& item : message.items) owner_says(said, item);
  }

  void owner_says(const ThreadSaid& said, const MobilisationItem& item) {
    switch (said.message->message) {
      case ResourceMessage::OfferUnsolicitedResource:
        return take(said, item, State::offered, false);
      case ResourceMessage::CommitResource:
        return take(said, item, State::committed, true);
      case ResourceMessage::ResponseToRequestResource:
        if (item.response == Response::Decline) return decline(said, item);
        return take(said, item, item.response == Response::Accept ? State::offered : State::provisional, true);
      case ResourceMessage::ReportResourceDeploymentStatus:
        return report(said, item);
      case ResourceMessage::RequestReturn:
        return each_of(said.region, item, [&](Held& held) {
          State& state = held.of.row.state;
          if (state >= State::committed && state <= State::extended) state = State::return_requested;
        });
      case ResourceMessage::ResponseToRequestExtendedDeploymentDuration:
        if (item.response != Response::Accept) return;
        return each_of(said.region, item, [&](Held& held) {
          State& state = held.of.row.state;
          if (state < State::committed || state > State::extended) return;
          if (const auto until = when(item, {ScheduleType::EndAvailable})) held.of.row.until = until;
          state = State::extended;
        });
      default:
        return;
    }
  }

  void answered(const ThreadSaid& said) {
    const Mobilisation& message = *said.message;
    // What the requester answers to an owner is no answer to its own request.
    if (message.message == ResourceMessage::ResponseToRequestReturn) return;
    ThreadAnswer& answer = out_.answers[said.region];
    answer.at = physical_ms(said.time);
    answer.declined = !message.items.empty() && std::all_of(message.items.begin(), message.items.end(),
                                                            [](const auto& item) { return item.response == Response::Decline; });
    answer.reason = answer.declined ? message.items.front().reason : std::string();
  }

  void requester_says(const ThreadSaid& said) {
    const Mobilisation& message = *said.message;
    if ((said.region == home_) == out_.offer || message.recall == Recall::Cancel || is_recalled(said)) return;
    const bool requisition = message.message == ResourceMessage::RequisitionResource;
    if (!requisition && message.message != ResourceMessage::ReleaseResource) return;
    for (const MobilisationItem& item : message.items) {
      each_of(std::nullopt, item, [&](Held& held) {
        // Clocks may differ; who names the promise means it.
        if (said.time <= held.of.taken_at && message.preceding_id != held.of.promised_by) return;
        (requisition ? held.requisitioned : held.released) = true;
        held.of.row.updated_at = std::max(held.of.row.updated_at, physical_ms(said.time));
      });
    }
  }

  [[nodiscard]] bool is_recalled(const ThreadSaid& said) const {
    return std::any_of(said_.begin(), said_.end(), [&](const ThreadSaid& other) {
      return other.region == said.region && other.version > said.version && other.message->recall &&
             other.message->recalled_id == said.message->message_id;
    });
  }

  void hand_out() {
    for (auto& [key, held] : holdings_) {
      State& state = held.of.row.state;
      held.of.committed = state >= State::committed && !is_final(state);
      const bool waits = state == State::offered || state == State::provisional;
      if (held.requisitioned && waits) state = State::requisitioned;
      if (held.released && state < State::returning) state = State::released;
      sum(held.of.row, held.of.row.held);
      out_.holdings.push_back(std::move(held.of));
    }
  }

  void sum(const HoldingRow& row, bool held) {
    const auto need = std::find_if(out_.needs.begin(), out_.needs.end(), [&](const NeedRow& of) { return of.id == row.item; });
    if (need == out_.needs.end() || row.state == State::declined || row.state == State::recalled) return;
    std::int64_t* to = &need->deployed_milli;
    if (row.state == State::offered || (row.state == State::requisitioned && !held)) to = &need->offered_milli;
    if (row.state == State::provisional || (row.state == State::requisitioned && held)) to = &need->provisional_milli;
    if (row.state == State::committed) to = &need->committed_milli;
    if (row.state == State::returned) to = &need->returned_milli;
    if (__builtin_add_overflow(*to, row.quantity_milli, to)) *to = INT64_MAX;
  }

  void conclude() {
    bool active = false, returned = false;
    State furthest = State::offered;
    for (const ThreadHolding& holding : out_.holdings) {
      const State state = holding.row.state;
      returned = returned || state == State::returned;
      if (is_final(state)) continue;
      active = true;
      furthest = std::max(furthest, state);
    }
    const bool covered = !out_.needs.empty() && std::all_of(out_.needs.begin(), out_.needs.end(), [](const NeedRow& need) {
      return need.returned_milli >= need.quantity_milli;
    });
    const bool declined = all_addressed([](const ThreadAnswer& answer) { return answer.declined; });
    const bool asks_only = out_.first != nullptr && (out_.first->message == ResourceMessage::RequestInformation ||
                                                     out_.first->message == ResourceMessage::RequestQuote);
    const bool told = asks_only && all_addressed([](const ThreadAnswer&) { return true; });
    out_.over = !active && (out_.first == nullptr || out_.withdrawn || covered || declined || told ||
                            (out_.offer && !out_.holdings.empty()));
    if (active) {
      out_.state = furthest;
    } else if (returned) {
      out_.state = State::returned;
    } else if (out_.withdrawn) {
      out_.state = State::recalled;
    } else if (declined) {
      out_.state = State::declined;
    } else {
      out_.state = out_.offer ? State::offered : State::requested;
    }
    // Home again in part: the rest is still asked for.
    if (!out_.over && !active && returned) out_.state = State::requested;
  }

  template <class Of>
  [[nodiscard]] bool all_addressed(Of of) const {
    if (out_.request == nullptr || out_.request->to.empty()) return false;
    return std::all_of(out_.request->to.begin(), out_.request->to.end(), [&](RegionCode region) {
      const auto answer = out_.answers.find(region);
      return answer != out_.answers.end() && of(answer->second);
    });
  }

  RegionCode home_;
  std::vector<ThreadSaid> said_;
  std::map<Key, Held> holdings_;
  Thread out_;
};

}  // namespace

Thread add_up(RegionCode home, std::span<const ThreadSaid> said) {
  return Sum(home, said).finish();
}

std::string_view need_of(const Mobilisation& message, const MobilisationItem& item, const Mobilisation* request) {
  if (!item.preceding.empty()) return item.preceding;
  if (message.message == ResourceMessage::OfferUnsolicitedResource) return item.id;
  return request != nullptr && request->items.size() == 1 ? std::string_view(request->items.front().id) : std::string_view();
}

bool takes(const Mobilisation& message, const MobilisationItem& item) {
  if (message.recall == Recall::Cancel) return false;
  if (message.message == ResourceMessage::CommitResource) return true;
  return message.message == ResourceMessage::ResponseToRequestResource && item.response && *item.response != Response::Decline;
}

std::optional<TimeMs> when(const MobilisationItem& item, std::initializer_list<ScheduleType> types) {
  for (const ScheduleType type : types)
    for (const Schedule& entry : item.schedule)
      if (entry.type == type && entry.at) return entry.at;
  return std::nullopt;
}

}  // namespace lianxi
