// The ring around the rules: takes a turn's inputs, steps the core, seals, commits once, and hands out what may now be said,
// in order. The one place where "persist, then speak" is written. Used by the broker's thread and by the simulator: no
// sockets, no clock, no threads here.
#pragma once

#include <memory>
#include <span>

#include "broker/app/cold_reads.h"
#include "broker/app/held_segment.h"
#include "broker/app/outlet.h"
#include "broker/core/broker_core.h"
#include "broker/store/read_view.h"
#include "broker/store/sqlite_journal.h"
#include "broker/store/view.h"

namespace lianxi::app {

inline constexpr std::size_t kMaxDeliveriesPerTurn = 1024;  // messages
// Turns in a row that may break off for a flash event; then one message of the other lanes goes first.
inline constexpr std::size_t kMaxBreaks = 8;

struct NodeConfig {
  RegionCode region;
  std::string software;
  SealKeyPair seal_keys;
  store::JournalOptions journal;
  store::ViewOptions view;
  std::shared_ptr<const core::Policy> policy;
  std::shared_ptr<const core::Members> members;
  std::shared_ptr<const core::LinkSettings> links = {};
  bool whole_feeds = false;       // peers' feeds are asked for from their first event on, retained or not
  Incarnation fresh_incarnation;  // for a journal that is made now
};

// What a turn leaves to its caller, in this order, after answers and deliveries went through the Outlet. All of it stands on
// disk.
struct TurnOutput {
  std::vector<core::LinkReset> link_resets;
  std::vector<core::LinkSend> link_sends;
  std::vector<SharedSegment> committed;
  std::vector<core::Counted> counted;
  std::size_t throttled = 0;  // events held back by their agents' rates
  std::vector<core::Alarm> alarms;
  std::vector<RepairedRange> repairs;  // what peers gave for damaged stretches of the journal
  std::vector<Offset> unreadable;      // where the journal could not be read for a follower
};

class Node {
 public:
  // Opens the journal, brings the view to its head, loads the core. The view is then handed out by take_view(): whoever
  // owns it applies what is committed (the broker in its view thread, the simulator at once).
  [[nodiscard]] static store::StoreResult<std::unique_ptr<Node>> open(NodeConfig config, TimeMs now);
  ~Node();

  // Reads for followers that are far behind; without it they are read for within the turn. Before the first turn.
  void read_cold_with(std::unique_ptr<ColdReads> cold);

  // One turn. After the commit what is of the flash lane leaves: answers, then deliveries; then the rest, answers first, at
  // most kMaxDeliveriesPerTurn deliveries, and none of it once a flash event waits to be taken in: that is said in a later
  // turn. What became of deliveries is stepped in the next turn. `more_to_deliver()`: come back at once, with or without inputs.
  // An error is one of the commit and final: end the process, restart reads again. What cannot be read back ends the follow
  // that asked for it, with an alarm.
  [[nodiscard]] store::StoreResult<TurnOutput> turn(TimeMs now, const Hash& entropy, std::span<const core::Input> inputs,
                                                    Outlet& outlet);
  [[nodiscard]] store::StoreResult<TurnOutput> turn(TimeMs now, const Hash& entropy, std::span<const core::Input> inputs,
                                                    const Sender& send);
  [[nodiscard]] bool more_to_deliver() const;

  [[nodiscard]] std::unique_ptr<store::View> take_view();
  [[nodiscard]] const core::BrokerCore& core() const;
  [[nodiscard]] const store::JournalIdentity& identity() const;
  [[nodiscard]] std::size_t quarantined() const;  // segments of other histories that are kept
  [[nodiscard]] store::Journal& journal();

 private:
  Node();
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lianxi::app
