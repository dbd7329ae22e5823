// A node of the tests: the real core, and a ring and disk of memory around it. What a turn commits is all that survives a
// restart.
#pragma once

#include <set>

#include "broker/core/broker_core.h"
#include "tests/unit/core/events.h"

namespace lianxi::core {

[[nodiscard]] SealKeyPair seal_keys_of(RegionCode region);
[[nodiscard]] std::shared_ptr<const Members> four_cities(std::vector<Group> groups = {});
// Everybody may do everything.
[[nodiscard]] std::shared_ptr<const Policy> open_policy();

// The memory of the "disk": what LoadedState is made of.
struct Disk {
  Offset next_offset{1};
  std::map<FeedId, FeedHead> heads;
  Ordinal last_ordinal;
  Hlc last_time;
  std::map<std::pair<SessionKey, Lane>, SessionRow> sessions;
  std::map<std::tuple<SessionKey, Lane, Sequence>, StoredAnswer> answers;
  std::vector<StoredSegment> segments;
  std::map<CursorKey, CursorRow> cursors;
  std::optional<Fence> fence;
  std::vector<Quarantined> quarantined;
  std::vector<Beginning> beginnings;
  std::map<FeedId, RetainedFeed> retained;  // as the view would tell

  // Checks the batch's form on the way: dense offsets, continuing feeds, a seal on each segment.
  void commit(const JournalBatch& batch);
  [[nodiscard]] LoadedState load(RegionCode region, Epoch epoch) const;
  // Of a feed's event that is held here.
  [[nodiscard]] RecordView record(const FeedId& feed, Sequence sequence) const;
  static void load_threads(const StoredSegment& stored, RegionCode region, LoadedState& state);
  // Every event of the feed's region and kind of lane, in order: the words that a test compares.
  [[nodiscard]] std::vector<Event> events(RegionCode region) const;
};

// What came back to one publish: one line an event, e.g. "1 ok normal#1 @1" or "2 not_allowed level".
using Transcript = std::vector<std::string>;
[[nodiscard]] Transcript lines_of(const std::vector<Send>& sends);

class CoreRig {
 public:
  explicit CoreRig(RegionCode region = kQuzhou, std::shared_ptr<const Members> members = four_cities(),
                   std::shared_ptr<const Policy> policy = open_policy());

  // One turn: steps, seals, commits. Throws what the ring would treat as a bug of the rules.
  Effects turn(std::vector<Input> inputs);
  Effects step(decltype(Input::what) what) { return turn({input(std::move(what))}); }
  [[nodiscard]] Input input(decltype(Input::what) what) const { return Input{now, std::move(what)}; }
  // kill -9 and start: only the disk is left.
  void restart();
  // The disk of a backup, and the epoch that its restore begins.
  void restore(const Disk& backup);
  // Lets time pass in steps of 100 ms with a tick each; returns all that was said.
  Effects pass(TimeMs ms);

  // --- an agent's side ---
  [[nodiscard]] Input says(const Agent& agent, Message message, const std::string& connection = {}) const;
  Effects hello(const Agent& agent, std::uint64_t session, std::vector<std::uint64_t> close = {});
  [[nodiscard]] static Publish publish_message(std::uint64_t session, Lane lane, std::uint64_t first,
                                               const std::vector<Event>& events, std::uint64_t answered_through = 0);
  Transcript publish(const Agent& agent, std::uint64_t session, std::uint64_t first, const std::vector<Event>& events,
                     std::uint64_t answered_through = 0);

  // --- the ring's side of a delivery ---
  // What the journal holds for the order: whole segments, at most `max_segments`.
  [[nodiscard]] Deliver perform(const DeliverOrder& order, std::size_t max_segments = 1000) const;
  // Performs every order of the turn and those that follow, and returns what the followers got, in order.
  std::vector<Deliver> serve(const Effects& effects);

  TimeMs now = kNoon;
  Disk disk;
  bool view_waits = false;   // it does not tell of retentions yet
  bool whole_feeds = false;  // from its next start on
  BrokerCore core;
  const RegionCode region;

 private:
  [[nodiscard]] CoreConfig config() const;
  std::shared_ptr<const Members> members_;
  std::shared_ptr<const Policy> policy_;
  std::map<FeedId, RetainedFeed> told_;
  Epoch epoch_{1};
  std::uint64_t turns_ = 0;
};

template <class M>
[[nodiscard]] std::vector<M> messages(const std::vector<Send>& sends) {
  std::vector<M> found;
  for (const Send& send : sends)
    if (const auto* message = std::get_if<M>(&send.message)) found.push_back(*message);
  return found;
}
template <class M>
[[nodiscard]] std::vector<M> messages(const std::vector<LinkSend>& sends) {
  std::vector<M> found;
  for (const LinkSend& send : sends)
    if (const auto* message = std::get_if<M>(&send.message)) found.push_back(*message);
  return found;
}
[[nodiscard]] std::vector<RefusalCode> codes(const Effects& effects);

// The text of each report, headline of each alert, name of each resource.
[[nodiscard]] std::vector<std::string> words(const std::vector<Event>& events);
[[nodiscard]] std::vector<std::string> words(const std::vector<Deliver>& deliveries);

}  // namespace lianxi::core
