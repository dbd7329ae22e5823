// Ack level peers(k): on whose disks this node's own events are, and who waits to hear of it.
//
// A peer follows our feeds, and its Credit says how far it has them on disk: it is sent after the commit of what it pays for. A
// follow counts once it has passed the head it began under: until then its chain may yet turn out to be another than ours. Of a
// feed that its vector shows beyond ours nothing is sent that could tell, so there it counts for nothing.
// What a peer held is forgotten when it follows anew, so a peer that lost its disk is not counted for it.
//
// Nothing here is written down. A client whose node or connection went asks again by repeating its publish.
#pragma once

#include <array>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "broker/core/effects.h"
#include "broker/core/sequencer.h"

namespace lianxi::core {

struct Ground;

inline constexpr std::size_t kMaxWaitingPerAgent = 4096;      // ranges that wait for peers
inline constexpr std::size_t kMaxWaiting = 32 * 1024;         // of all agents; beyond either, retry_after
inline constexpr std::int64_t kMaxPeersDeadlineMs = 600'000;  // a longer one counts as this

struct DurabilityView {  // for metrics
  std::size_t waiting = 0;
  std::uint64_t reached = 0;  // ranges, since the start
  std::uint64_t late = 0;     // not by the deadline
};

class Durability {
 public:
  // What a publish may ask of an event with this audience. The refusal names how many other nodes hold it.
  [[nodiscard]] static Result<void> askable(const Ground& ground, const Audience& audience, std::uint8_t peers);
  [[nodiscard]] bool full(const AgentId& agent) const;

  // An event of the open turn, or a repeat of one before; neighbours of one publish become one range. Where the agent has as
  // much waiting as it may (only a repeat gets here then), today's count is the outcome.
  void ask(const AgentMessage& from, const Publish& publish, Sequence sequence, const FeedId& feed, Sequencer::Ticket ticket);
  struct Place {
    Sequence sequence;
    Offset offset;
  };
  void ask(const AgentMessage& from, const Publish& publish, Sequence sequence, const FeedId& feed, const Place& place);

  // A follow was taken, and begins at `start`. Of the feeds in `spared` it is sent nothing up to there.
  void followed(const Ground& ground, const AgentMessage& from, const Follow& follow, Offset start,
                const FeedVector& spared = {});
  void credited(const Ground& ground, const AgentMessage& from, const Credit& credit);
  // Whether somebody beside `but` is known to have all of an own feed up to what stands here.
  [[nodiscard]] bool another_holds(const Ground& ground, const FeedId& feed, Offset offset, RegionCode but) const;
  void lost(const Connection& connection);  // who waited there hears nothing
  void members_changed(const Ground& ground, const Members& before);
  // Behind the receipts: takes in what the turn asked, ends what is due, and says the outcomes.
  void close_turn(const Ground& ground, Turn& turn);

  [[nodiscard]] DurabilityView view() const { return {waiting_.size(), reached_, late_}; }

 private:
  using Id = std::uint64_t;
  using FollowKey = std::pair<Connection, SessionId>;
  struct Waiting {
    Connection to;
    AgentId agent;
    SessionId session;
    ReplicatedRange range;
    FeedId feed;
    Sequence first_sequence;
    Offset first, last;
    std::int64_t deadline = 0;  // in `elapsed_`; of the open turn: how long
  };
  struct Asked {
    Waiting waiting;
    Sequencer::Ticket first_ticket = 0, last_ticket = 0;
    bool this_turn = false;
  };
  struct Held {  // by one peer, of one lane
    FollowKey follow;
    Offset since;                       // what is before is not known
    Offset proven;                      // the follow counts once it is through here
    Offset through;                     // all from `since` to below is on its disk
    std::vector<FeedId> otherwise;      // but for these, of which it showed another history, or more than is here
    std::map<FeedId, Sequence> begins;  // and for what lies before a retention: up to here
    [[nodiscard]] Offset counted() const { return through < proven ? Offset{} : through; }
  };

  Asked& asked(const AgentMessage& from, const Publish& publish, Sequence sequence, const FeedId& feed, bool this_turn);
  [[nodiscard]] std::uint8_t holders(const Ground& ground, const Waiting& waiting) const;
  using RangeKey = std::tuple<Connection, SessionId, Lane, Sequence>;
  static RangeKey key_of(const Waiting& waiting);
  void take_in(const Ground& ground, Waiting waiting);
  void moved(const Ground& ground, Lane lane, Offset from, Offset to);
  void answer(const Waiting& waiting, std::uint8_t held);
  void end(Id id, std::uint8_t held);  // answers it
  void forget(Id id);
  void release(const AgentId& agent);
  void pass_time(TimeMs now);
  void say(Turn& turn);

  std::map<std::pair<RegionCode, Lane>, Held> held_;

  Id next_id_ = 1;
  std::unordered_map<Id, Waiting> waiting_;
  std::array<std::set<std::pair<Offset, Id>>, kLaneCount> by_last_;
  std::set<std::pair<std::int64_t, Id>> by_deadline_;
  std::map<RangeKey, Id> by_range_;  // a repeat takes the place of what it repeats
  std::map<Connection, std::set<Id>> by_connection_;
  std::map<AgentId, std::size_t> of_agent_;  // with those of the open turn

  std::vector<Asked> asked_;                                         // of the open turn
  std::map<std::pair<Connection, SessionId>, Replicated> outcomes_;  // to be said when it closes
  std::int64_t elapsed_ = 0;  // what Ticks and turns have seen pass: a clock that is set does not end or prolong a wait
  std::optional<TimeMs> last_now_;
  std::uint64_t reached_ = 0, late_ = 0;
};

}  // namespace lianxi::core
