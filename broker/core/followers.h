// Who receives events from a cursor onward. A follower has at most one order under way; it gets the next when the ring has
// reported that one, credit is left and the journal has more. Rights are judged by the ring at the time of sending, by the
// policy of that moment: narrowed rights hold at once, widened ones from the cursor on (what was passed over needs a new
// follow).
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>

#include "broker/core/cursors.h"
#include "broker/core/ground.h"

namespace lianxi::core {

// A follower that is behind and took nothing for so long (no credit came, or its connection is full) is ended.
inline constexpr TimeMs kStuckFollowerMs = 120'000;
// A full connection, or an agent with enough on its way, is tried again so soon, then ever later.
inline constexpr TimeMs kFirstRetryMs = 2;
inline constexpr TimeMs kLastRetryMs = 200;
// A follower at the head that gets nothing of what is committed is told at most so often where it stands.
inline constexpr TimeMs kStandingWordMs = 1'000;

// Whether the follow's lanes and regions take in the feed.
[[nodiscard]] bool asked_for(const Follow& follow, const FeedId& feed);

class Followers {
 public:
  Followers(const std::vector<CursorRow>& cursors, Incarnation incarnation) : cursors_(cursors, incarnation) {}

  void follow(Ground& ground, Turn& turn, const AgentMessage& from, const Follow& follow);
  void unfollow(const AgentMessage& from, const Unfollow& unfollow);
  void credit(Turn& turn, const AgentMessage& from, const Credit& credit);
  void heartbeat(Ground& ground, Turn& turn, const AgentMessage& from, const Heartbeat& heartbeat);
  void delivered(const Ground& ground, const Turn& turn, const Delivered& delivered);
  void lost(const Connection& connection);
  // Any word from a connection shows that it lives.
  void heard(const Turn& turn, const Connection& connection);
  void policy_changed(const Ground& ground, Turn& turn, const PolicyChanged& changed);
  // Retentions are known that were not: who could not be shown one asks again.
  void retained(const Ground& ground, Turn& turn);
  void tick(const Ground& ground, Turn& turn);
  // After the turn's batch is closed: one order for each follower that is behind and has credit.
  void hand_out(const Ground& ground, Turn& turn);

  // Named cursors that moved, into the turn's batch.
  void close_turn(Turn& turn) { cursors_.close_turn(turn.effects.batch, turn.now); }

  [[nodiscard]] std::size_t count() const;
  // When a blocked follower is to be tried again; none if there is none.
  [[nodiscard]] std::optional<TimeMs> retry_at() const { return retry_at_; }
  // Whether the follow is open, so that a delivery made for it may still be sent.
  [[nodiscard]] bool open(const Connection& connection, SessionId follow) const;

 private:
  using Key = std::pair<Connection, SessionId>;
  struct Follower {
    std::shared_ptr<const FollowSpec> spec;
    FeedVector ahead;  // the part of spec->have that this node did not hold when the follow began
    Offset settled;    // from here on nothing is held but `ahead`
    Offset cursor;
    Offset ordered_head;      // of the last order
    std::string cursor_name;  // of the named cursor that it moves
    Offset said;              // the cursor behind the last delivery that was sent
    Offset done;              // the follower is done with all below, as it says
    std::uint64_t credit_bytes = 0;
    std::uint32_t credit_messages = 0;
    TimeMs told_at = 0;          // it was sent something
    TimeMs stalled_at = 0;       // behind, and could take nothing since; 0: it can
    bool search = false;         // its first order may jump over what it holds
    std::vector<Offset> proofs;  // retentions that its first order gives ahead: feeds begin behind them
    std::set<FeedId> unproven;   // begin here behind where it stands, with no retention to show: it asks again when there is one
    bool under_way = false;      // an order is with the ring
    bool blocked = false;        // the last order could send nothing: wait for credit, a tick or the retry
    TimeMs retry_at = 0;
    TimeMs retry_ms = 0;
    bool caught_up = false;  // it stood at the head once: from then on it is spared what is not of its lanes and regions
    bool untold = false;     // its cursor moved and nothing was said
    bool closed = false;     // gone, but its order is still with the ring; its id is not free before
  };
  struct Contact {
    TimeMs heard = 0;
    TimeMs sent = 0;
    TimeMs beat = 0;  // to a node: when it was last said where this one stands, whatever else is said
    TimeMs echo = 0;  // of its last heartbeat, to be given back
    TimeMs echo_at = 0;
  };

  [[nodiscard]] Result<void> admissible(const Ground& ground, const AgentMessage& from, const Follow& follow) const;
  [[nodiscard]] Result<void> rights(const Ground& ground, const Agent& agent, FollowMode mode, const Filter& filter) const;
  [[nodiscard]] Result<void> room(const AgentMessage& from, const Follow& follow) const;
  [[nodiscard]] Result<Offset> start(const Ground& ground, const Agent& agent, const Follow& follow) const;
  // What a node is not sent though its vector does not name it: what lies before a retention that it may begin from, with
  // `proofs` of that, and feeds that begin here behind where it stands.
  [[nodiscard]] static FeedVector spared(const Ground& ground, const Agent& agent, const Follow& follow, Follower& follower);
  // Feeds begin here in this turn: follows that stand before that, and would be given what they cannot take, ask again.
  void begun(const Ground& ground, Turn& turn);
  // Ends those for which it holds.
  void ask_again(Turn& turn, const std::function<bool(const Follower&)>& those);
  // Where the named cursor of a follow that starts there stands from now on. No other follow moves it any more.
  [[nodiscard]] Result<Offset> take_cursor(Turn& turn, const AgentMessage& from, const Follow& follow, Offset start);
  void done_with(const Turn& turn, Follower& follower, Offset offset);
  void leave_cursor(const Key& key, const Follower& follower);
  void end_stuck(Turn& turn);
  void settle(Follower& follower) const;
  [[nodiscard]] bool due(const Ground& ground, const Turn& turn, Follower& follower);
  static void add_credit(Follower& follower, std::uint64_t bytes, std::uint32_t messages);
  std::map<Key, Follower>::iterator drop(std::map<Key, Follower>::iterator at);
  // Forgets contacts that no follower needs.
  void forget_contact(const Connection& connection);
  [[nodiscard]] bool any_on(const Connection& connection) const;
  [[nodiscard]] std::optional<Heartbeat> heartbeat_for(const Ground& ground, const Turn& turn,
                                                       const Connection& connection) const;
  // Says one, with the echo that is due.
  void beat(const Ground& ground, Turn& turn, const Connection& connection, Contact& contact);
  // Of a node's follow over a thin link: how long its lanes must wait for those before.
  [[nodiscard]] TimeMs link_wait_ms(const Ground& ground, const Turn& turn, const Follower& follower);

  std::map<Key, Follower> followers_;
  std::map<Connection, Contact> contacts_;  // of connections with followers
  struct Share {
    std::size_t follows = 0;
    std::size_t area_points = 0;
  };
  std::map<AgentId, Share> of_agent_;
  std::optional<Key> last_served_;
  Cursors cursors_;
  std::map<CursorKey, Key> moved_by_;  // named cursors in use
  std::optional<TimeMs> retry_at_;     // the first of all
  LinkBudget sent_;                    // to other nodes
};

}  // namespace lianxi::core
