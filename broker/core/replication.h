// This node as a follower of its peers: one link for each member and lane. Asks by feed vector, takes what verifies, and
// comes back by itself after a cut. While a member cannot be reached its feeds are asked of another that can (a detour), so
// two cut-off cities still meet through a third; the seals say whose the events are, whoever carries them.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "broker/core/ground.h"
#include "broker/core/peer_feed.h"
#include "broker/core/repairs.h"
#include "schemas/limits.h"

namespace lianxi::core {

// Epochs, lanes and audiences of one peer; a peer that opens more is refused.
inline constexpr std::size_t kMaxFeedsOfRegion = 512;
// A link that does not follow for so long has its feeds asked of another peer.
inline constexpr TimeMs kDetourAfterMs = 2'000;
// A detour that brought nothing for so long is taken through the next peer: this one may be cut off as well.
inline constexpr TimeMs kDetourPatienceMs = 10'000;
inline constexpr TimeMs kMaxDetourPatienceMs = 3'600'000;  // of a member that has gone, doubled each time nothing came
// What a member published before it went is fetched from its own node for so long; from then on from whoever has it.
inline constexpr TimeMs kLastFetchMs = 7 * 86'400'000LL;
// Proofs of retentions that wait for the first events behind them: so much of each region; beyond that, feeds come whole.
inline constexpr std::size_t kMaxShownProofBytes = 4 * 1024 * 1024;
// A claim is shown from so many events before this node's head on.
inline constexpr std::uint64_t kShownBack = 4'096;
// A peer may run another members file for so long before a person is told: files are changed city by city.
inline constexpr TimeMs kMembersDifferMs = 600'000;

// What a link tells of itself; kept over its connections.
struct LinkSight {
  std::uint64_t received_events = 0, delivered_events = 0;
  std::uint64_t plain_bytes = 0, wire_bytes = 0;
  std::optional<TimeMs> in_step_at;
  std::optional<TimeMs> round_trip_ms, clock_ahead_ms;  // of the connection that stands
};

class Replication {
 public:
  void tick(Ground& ground, Turn& turn);
  void message(Ground& ground, Turn& turn, const PeerMessage& from);
  void lost(const Ground& ground, Turn& turn, const LinkLost& lost);
  void members_changed(const Ground& ground);
  void damaged(const Turn& turn, const Damaged& damaged) { repairs_.damaged(turn, damaged.ranges); }
  [[nodiscard]] std::vector<LinkView> links(const Ground& ground) const;
  [[nodiscard]] std::vector<PeerSight> peers() const;

 private:
  enum class State : std::uint8_t { down, connecting, following, refused, retired };
  struct Beginnings {          // how feeds are asked for of which nothing is held
    bool asked = false;        // they may begin behind a retention
    bool proofs = false;       // nothing was delivered yet: proofs come first, if any do
    bool whole = false;        // what came so did not hold: the next question is for whole feeds, the one after is as the first
    bool asked_whole = false;  // therefore
  };
  struct Detour {  // of what a link that is down should bring
    RegionCode via;
    SessionId follow;  // on the link to `via`
    bool open = false;
    TimeMs moved_at = 0;     // opened, or brought something
    TimeMs retry_at = 0;     // while it is not open
    std::uint32_t vain = 0;  // peers asked since it last brought something
    bool given_up = false;   // what was delivered is no answer
    Beginnings beginnings;
  };
  // Own feeds of epochs that a restore has ended: what it lost is asked of every peer, once on each connection.
  struct Former : Detour {
    std::optional<Offset> until;  // where the peer's journal ended when it began
    std::set<FeedId> claimed;     // asked for because the peer claims to hold them otherwise
    bool done = false;
  };
  struct Link {
    State state = State::down;
    SessionId follow;       // of the last opening; what carries another is of a connection before, or a detour's
    SessionId last_follow;  // given out on this link
    Beginnings beginnings;
    bool passed_over = false;  // something of this follow was not taken, though it goes on: a forked or ended feed
    TimeMs down_since = 0;     // while it is not `following`
    std::uint32_t attempt = 0;
    TimeMs retry_at = 0;
    TimeMs heard = 0;
    TimeMs sent = 0;
    std::optional<TimeMs> last_contact;
    std::string reason = "not yet tried";
    MembersVersion members;
    std::optional<TimeMs> differs_since;  // from our members file
    bool all_here = false;                // of a member that has gone: it has shown that nothing is missing here
    TimeMs opened_at = 0;
    TimeMs back_at = 0;                     // when it was opened, or heard again after a silence
    std::optional<TimeMs> renewed_at;       // when it was left because it hung
    std::map<FeedId, Sequence> peer_heads;  // of its own feeds, as it said last; bounded by a heartbeat's vector
    bool heads_known = false;
    LinkSight sight;
    // On a thin link: messages of credit that are held back, by follow, and since when.
    std::map<SessionId, std::uint32_t> owed;
    TimeMs owed_since = 0;
    Former former;
  };
  // What a delivery is judged against: a link's own follow, or a detour on it.
  struct Source {
    const LinkId& id;  // who delivers
    Link& link;
    RegionCode of;   // whose feeds were asked for
    Detour* detour;  // null: the member's own feeds, by the link's own follow
  };

  void open(const Ground& ground, Turn& turn, const LinkId& id, Link& link);
  void tend(const Ground& ground, Turn& turn, const LinkId& id, Link& link);
  // Of a member that has gone: whether its own node is still asked for what it published before.
  [[nodiscard]] bool still_fetches(const Ground& ground, const Turn& turn, const LinkId& id, const Link& link) const;
  void end_link(Turn& turn, const LinkId& id, Link& link, const std::string& reason);
  // How long a link may say nothing.
  [[nodiscard]] TimeMs silence_ms(const Ground& ground, const Turn& turn, const LinkId& id) const;
  // Whether the link is silent though another lane of its peer came back since.
  [[nodiscard]] bool hangs(const Ground& ground, const Turn& turn, const LinkId& id, const Link& link) const;
  void lane_is_back(const Turn& turn, const LinkId& id, Link& link);
  void look_at_ends(Ground& ground, Turn& turn);
  void heartbeat(Ground& ground, Turn& turn, const LinkId& id, Link& link, const Heartbeat& heartbeat);
  [[nodiscard]] TimeMs patience(const Ground& ground, const LinkId& id, const Detour& detour) const;
  // Leaves the link for a time that grows with the attempts, up to `most`.
  void back_off(const Ground& ground, Turn& turn, const LinkId& id, Link& link, std::string reason,
                TimeMs most = kMaxReconnectMs);
  // Leaves it for long: what is wrong does not mend by trying again.
  void give_up(Turn& turn, const LinkId& id, Link& link, RefusalCode code, std::string reason);
  // The link follows no more from here on.
  static void left(const Turn& turn, Link& link);
  // To be asked of `peer`.
  [[nodiscard]] static Follow question(const Ground& ground, RegionCode peer, SessionId follow, const LinkId& of, FeedVector held,
                                       bool from_retention = false);
  void say_unfollow(Turn& turn, const LinkId& id, const Link& link, const std::string& reason);
  [[nodiscard]] static FeedVector held_of(const Ground& ground, const LinkId& id);
  void ask_former(const Ground& ground, Turn& turn, const LinkId& id, Link& link);
  // A segment of this region's own that no former epoch explains. False: the source was left.
  bool take_own(Ground& ground, Turn& turn, const Source& source, const Segment& segment);
  // The question for own feeds has ended, or goes on.
  void judge_former(Ground& ground, Turn& turn, const Source& source, const Message& said, Offset through);
  // --- feeds that begin behind a retention, replication_begin.cpp ---
  // For the next question; true if it says that feeds may begin behind a retention.
  static bool may_begin(const Ground& ground, Beginnings& beginnings, const FeedVector& held);
  [[nodiscard]] static Beginnings& beginnings_of(const Source& source) {
    return source.detour == nullptr ? source.link.beginnings : source.detour->beginnings;
  }
  // True if the segment is a proof that its feed may begin in its middle: it is kept until the events behind come, but for a
  // feed that has begun to come another way since it was asked for.
  bool take_proof(const FeedHead& held, const Segment& segment, const SealPublicKey& key);
  // What proves that the feed may begin with this segment; null: nothing yet.
  [[nodiscard]] const Beginning* shown_for(const Segment& segment) const;
  // The feed is taken up there; what was shown of it is used up.
  void begin(Ground& ground, const Beginning& beginning);

  // What the peer holds of an own feed begins behind a gap: this stands until the peer has shown all, and it is asked seldom.
  void former_gap(Ground& ground, Turn& turn, const Source& source, const Segment& segment);
  void former_gaps_over(Ground& ground, Turn& turn, const LinkId& id);

  static void suspect(Turn& turn, const Source& source, const Segment& segment);

  // Whether every member has shown on its connection of today what it holds of this region's former epochs.
  [[nodiscard]] bool former_shown(const Ground& ground) const;
  void take_detours(const Ground& ground, Turn& turn);
  // The next peer behind the one before that may be asked for what link `id` should bring.
  [[nodiscard]] std::optional<RegionCode> next_via(const Ground& ground, const LinkId& id, RegionCode before) const;
  void open_detour(const Ground& ground, Turn& turn, const LinkId& id, Detour& detour);
  void close_detour(Turn& turn, LaneClass lanes, Detour& detour, const std::string& reason);
  // The detour whose follow on this link it is, and whose feeds it asks for; null if there is none.
  [[nodiscard]] std::pair<RegionCode, Detour*> detour_of(const Ground& ground, const LinkId& via, Link& link, SessionId follow);
  void detour_message(Ground& ground, Turn& turn, const PeerMessage& from, const Source& source);
  void ask_repairs(Ground& ground, Turn& turn);
  void repair_message(Ground& ground, Turn& turn, const PeerMessage& from, Link& link);

  // What its heartbeat tells of the link: round trip, clock, lag.
  static void sighted(const Ground& ground, const Turn& turn, const LinkId& id, Link& link, const Heartbeat& beat);
  // Own events of the peer that this node does not hold.
  [[nodiscard]] static std::uint64_t lag_of(const Ground& ground, const Link& link);
  // Pays for a delivery with credit; over a thin link its message is paid when the link has carried it.
  void pay(const Ground& ground, Turn& turn, const LinkId& id, Link& link, Credit credit, std::size_t wire_bytes);
  void pay_owed(const Ground& ground, Turn& turn, const LinkId& id, Link& link);

  void refused(const Ground& ground, Turn& turn, const LinkId& id, Link& link, const Refused& refused);
  void deliver(Ground& ground, Turn& turn, const Source& source, const Deliver& deliver, std::size_t wire_bytes);
  // False: the source was left.
  bool take(Ground& ground, Turn& turn, const Source& source, const Segment& segment);
  // Whether the segment is of what the source was asked for.
  [[nodiscard]] static Result<void> may_deliver(const Ground& ground, const Source& source, const Segment& segment);
  // False: gives the source up.
  bool leave(Turn& turn, const Source& source, Refusal why);
  // `beginning`: the verdict is on a feed that begins with the segment, behind a retention. False: the source was left.
  bool act_on(const SegmentVerdict& verdict, Ground& ground, Turn& turn, const Source& source, const Segment& segment,
              const Beginning* beginning);
  bool take_new(Ground& ground, Turn& turn, const Source& source, const Segment& segment, const Beginning* beginning);
  bool forked(Ground& ground, Turn& turn, const Source& source, const Segment& segment, const std::string& reason);
  void gap(Ground& ground, Turn& turn, const Source& source, const Segment& segment, const std::string& reason);
  void append(Ground& ground, Turn& turn, const Source& source, const Segment& segment);
  // Why the segment's feed ends before the segment does; empty if it does not.
  [[nodiscard]] static std::string behind_the_end(const Ground& ground, const Segment& segment);
  // The source goes on without this feed.
  static void pass_over(const Source& source);
  // As give_up and back_off; of a detour only itself is left.
  void give_up(Turn& turn, const Source& source, RefusalCode code, std::string reason);
  void back_off(const Ground& ground, Turn& turn, const Source& source, const std::string& reason);
  static void remember(Ground& ground, const Segment& segment);
  void merge_clock(Ground& ground, Turn& turn, RegionCode peer, const Segment& segment);
  // Tells an alarm, but the same one at most once in kAlarmRepeatMs.
  void alarm(Turn& turn, const std::string& what, const std::string& about, std::string reason);

  std::map<LinkId, Link> links_;
  Repairs repairs_;
  std::map<std::pair<FeedId, Sequence>, Beginning> shown_;  // by the last event that is not held; bounded: kMaxShownProofBytes
  std::map<RegionCode, PeerSight> sights_;                  // of whoever has a link
  LinkBudget asked_;                                        // of each peer
  std::map<LinkId, Detour> detours_;                        // by the link that is down
  std::set<FeedId> forked_;                                 // peers' feeds of which another history was shown
  std::map<FeedId, std::optional<TimeMs>> ended_;           // those that go on behind their end, and that end
  std::map<std::pair<std::string, std::string>, TimeMs> alarms_;  // what and about whom -> when told
};

}  // namespace lianxi::core
