// The ring around the rules: takes a turn's inputs, steps the core, seals, commits once, and hands out what may now be said,
// in order. The one place where "persist, then speak" is written. Used by the broker's thread and by the simulator: no
// sockets, no clock, no threads here.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "broker/core/broker_core.h"
#include "broker/store/read_view.h"
#include "broker/store/sqlite_journal.h"
#include "broker/store/view.h"

namespace lianxi::app {

inline constexpr std::size_t kMaxDeliveriesPerTurn = 256;
inline constexpr std::size_t kMaxDeliverScanBytes = 1024 * 1024;  // journal bytes that one delivery reads past what it admits

struct NodeConfig {
  RegionCode region;
  std::string software;
  SealKeyPair seal_keys;
  store::JournalOptions journal;
  store::ViewOptions view;
  std::shared_ptr<const core::Policy> policy;
  std::shared_ptr<const core::Members> members;
  Incarnation fresh_incarnation;  // for a journal that is made now
};

// What a turn leaves to its caller, in this order, after answers and deliveries went through the Sender. All of it stands on
// disk.
struct TurnOutput {
  std::vector<core::LinkReset> link_resets;
  std::vector<core::LinkSend> link_sends;
  std::vector<store::JournalSegment> committed;  // for `live`
  std::vector<core::Counted> counted;
  std::size_t throttled = 0;  // events held back by their agents' rates
  std::vector<core::Alarm> alarms;
};

// Sends a message to a connection now, or says why not. The core hears what became of a delivery; an answer that cannot be
// sent is given again when its client repeats the question.
enum class SendResult : std::uint8_t { sent, full, gone };
using Sender = std::function<SendResult(const core::Connection&, const Message&)>;

class Node {
 public:
  // Opens the journal, brings the view to its head, loads the core. The view is then handed out by take_view(): whoever
  // owns it applies what is committed (the broker in its view thread, the simulator at once).
  [[nodiscard]] static store::StoreResult<std::unique_ptr<Node>> open(NodeConfig config, TimeMs now);
  ~Node();

  // One turn. Answers go through `send` after the commit, then at most kMaxDeliveriesPerTurn deliveries, one a follower; what
  // became of them is stepped in the next turn. `more_to_deliver()` says to come back at once, with or without inputs.
  // An error is one of the commit and final: end the process, restart reads again. What cannot be read back ends the follow
  // that asked for it, with an alarm.
  [[nodiscard]] store::StoreResult<TurnOutput> turn(TimeMs now, const Hash& entropy, std::span<const core::Input> inputs,
                                                    const Sender& send);
  [[nodiscard]] bool more_to_deliver() const;

  [[nodiscard]] std::unique_ptr<store::View> take_view();
  [[nodiscard]] const core::BrokerCore& core() const;
  [[nodiscard]] const store::JournalIdentity& identity() const;
  [[nodiscard]] store::Journal& journal();

 private:
  Node();
  struct State;
  std::unique_ptr<State> state_;
};

// The effects' DeliverOrder turned into one message; pure but for the journal it reads. `next` moves over what is not
// admitted, so a message may carry no segment. Empty optional: not even the cursor moved (the first event exceeds the credit).
[[nodiscard]] store::StoreResult<std::optional<Deliver>> make_delivery(const core::DeliverOrder& order,
                                                                       const core::Policy& policy, const core::Members& members,
                                                                       store::JournalReader& journal);

}  // namespace lianxi::app
