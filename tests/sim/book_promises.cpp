// Promise 6, by a reckoning of its own: what a region's node has promised of a supply, at each of its decisions, is no more than
// it had then.
#include <algorithm>
#include <tuple>

#include "schemas/codec/event_codec.h"
#include "schemas/event_rules.h"
#include "schemas/mobilisation_thread.h"
#include "tests/sim/book.h"
#include "tests/sim/race.h"

namespace lianxi::sim {
namespace {

class Reckoning {
 public:
  // What is too much; empty: nothing.
  std::string take(const Event& event, TimeMs stamp) {
    if (const auto* resource = std::get_if<Resource>(&event.body)) {
      if (event.envelope.entity.find(kRaceSupply) == std::string::npos || event.envelope.status != Status::Actual) return {};
      if (states(*resource, ResourceGroup::quantity)) quantities_[event.envelope.entity] = resource->quantity_milli;
      return {};
    }
    const auto* message = std::get_if<Mobilisation>(&event.body);
    if (message == nullptr) return {};
    if (message->recall)
      std::erase_if(promises_, [&](const auto& entry) {
        return of_thread(entry.first, event) && entry.second.by == message->recalled_id && !entry.second.out;
      });
    std::map<std::string, std::int64_t> before;
    for (const MobilisationItem& item : message->items) before[item.resource] = of_thread_now(event, item.resource, stamp);
    for (const MobilisationItem& item : message->items) move(event, *message, item);
    std::string too_much;
    for (const MobilisationItem& item : message->items) {
      const bool more =
          event.envelope.status == Status::Actual || of_thread_now(event, item.resource, stamp) > before.at(item.resource);
      if (more && takes(*message, item) && too_much.empty()) too_much = sum(event.envelope.status, item.resource, stamp);
    }
    return too_much;
  }

 private:
  using Key = std::tuple<Status, std::string, std::string, std::string>;  // thread, resource, item
  struct Promise {
    std::int64_t quantity = 0;
    TimeMs until = 0;
    bool committed = false, out = false;
    std::string by;
    [[nodiscard]] bool holds_at(TimeMs stamp) const { return committed || until == 0 || until > stamp; }
  };
  [[nodiscard]] std::int64_t of_thread_now(const Event& event, const std::string& resource, TimeMs stamp) const {
    std::int64_t sum = 0;
    for (const auto& [key, promise] : promises_)
      if (of_thread(key, event) && std::get<2>(key) == resource && promise.holds_at(stamp)) sum += promise.quantity;
    return sum;
  }
  static bool of_thread(const Key& key, const Event& event) {
    return std::get<0>(key) == event.envelope.status && std::get<1>(key) == event.envelope.entity;
  }

  void move(const Event& event, const Mobilisation& message, const MobilisationItem& item) {
    if (takes(message, item)) {
      Promise& promise = promises_[{event.envelope.status, event.envelope.entity, item.resource, item.preceding}];
      if (promise.out) return;
      promise = {item.quantity_milli, when(item, {ScheduleType::EndAvailable}).value_or(0),
                 message.message == ResourceMessage::CommitResource, false, message.message_id};
      return;
    }
    const bool declines = item.response == Response::Decline && message.message == ResourceMessage::ResponseToRequestResource;
    const bool reports = message.message == ResourceMessage::ReportResourceDeploymentStatus;
    for (auto at = promises_.begin(); at != promises_.end();) {
      auto& [key, promise] = *at;
      const bool about = of_thread(key, event) && (item.resource.empty() || std::get<2>(key) == item.resource);
      const bool ends = about && ((declines && !promise.committed) || (reports && item.deployment == Deployment::returned));
      if (about && reports && promise.committed && item.deployment != Deployment::none) promise.out = true;
      at = ends ? promises_.erase(at) : std::next(at);
    }
  }

  [[nodiscard]] std::string sum(Status status, const std::string& resource, TimeMs stamp) const {
    const auto has = quantities_.find(resource);
    if (has == quantities_.end()) return {};
    std::int64_t promised = 0;
    std::string by;
    for (const auto& [key, promise] : promises_) {
      if (std::get<0>(key) != status || std::get<2>(key) != resource) continue;
      if (!promise.holds_at(stamp)) continue;
      promised += promise.quantity;
      by += (by.empty() ? "" : ", ") + std::to_string(promise.quantity) + (promise.committed ? " committed" : " promised") +
            " by " + promise.by + " in " + std::get<1>(key);
    }
    if (promised <= has->second) return {};
    return std::to_string(promised) + " of " + resource + ", and there are " + std::to_string(has->second) + ": " + by;
  }

  std::map<std::string, std::int64_t> quantities_;
  std::map<Key, Promise> promises_;
};

}  // namespace

// Where a copy of the node went on by itself, two histories may have promised one thing; that is reported as the fork. And what a
// restore has lost for good of a former epoch, as its ordinals show, may be what set free the thing that was promised behind it.
// A drill binds nothing: stock may shrink below what is promised in it, so only what a message adds is judged; and no fence holds
// it back behind a restore, so what comes back may be too much.
void Book::check_promises(RegionCode region, std::vector<OwnEvent> events) {
  if (branches_.contains(region)) return;
  std::sort(events.begin(), events.end(),
            [](const OwnEvent& a, const OwnEvent& b) { return std::tie(a.epoch, a.ordinal) < std::tie(b.epoch, b.ordinal); });
  Reckoning reckoning;
  std::pair<Epoch, Ordinal> before;
  bool whole = true;
  for (const OwnEvent& one : events) {
    if (one.epoch != before.first) before = {one.epoch, Ordinal(0)}, whole = true;
    whole = whole && one.ordinal.value == before.second.value + 1;
    before.second = one.ordinal;
    const Result<Event> event = decode_event(one.body);
    if (!event) continue;
    const std::string too_much = reckoning.take(*event, one.at);
    if (too_much.empty()) continue;
    const bool drill_behind_restore = event->envelope.status != Status::Actual && one.epoch != events.front().epoch;
    if (!whole || drill_behind_restore) {
      world_.count("promises behind what a restore has lost");
      continue;
    }
    return world_.fail("promise 6: " + lianxi::to_text(region) + " has promised " + too_much + ", in epoch " +
                       std::to_string(one.epoch.value) + " at ordinal " + std::to_string(one.ordinal.value));
  }
  world_.count("histories of promises");
}

}  // namespace lianxi::sim
