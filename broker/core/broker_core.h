// The rules of a node: sessions and answers, sequencing and stamps, followers, links, and the rules of each kind.
// No sockets, files, clock, threads or randomness. One thread. Equal inputs give equal effects.
//
// A turn: begin(now, entropy), step(input) for each input, finish() -> Effects. If the commit then fails, the process ends:
// the core has moved on and is not rolled back.
#pragma once

#include <map>
#include <memory>
#include <set>

#include "broker/core/durability.h"
#include "broker/core/effects.h"
#include "broker/core/input.h"
#include "broker/core/mobilisations.h"
#include "schemas/retained.h"

namespace lianxi::core {

// What a decision needs and the disk knows; made by the ring at start, after the view has reached the journal's head.
struct LoadedState {
  Offset next_offset{1};
  FeedVector heads;      // every feed held, own and peers'
  Ordinal last_ordinal;  // of this region's epoch
  Hlc last_time;
  std::vector<SessionRow> sessions;
  std::vector<AnswerRun> answers;
  std::vector<CursorRow> cursors;
  std::optional<Fence> fence;
  std::vector<Quarantined> quarantined;
  std::vector<Beginning> beginnings;   // of feeds that are not held from their first event on
  std::vector<RetainedFeed> retained;  // where feeds may begin for others
  std::map<std::string, Hash> alerts;  // own alert_memory_key -> alert_content_hash, all audiences
  Stock stock;                         // of the own resources
  // Every message of the mobilisations that are not over, the own ones first, and the names of those that are.
  std::vector<std::pair<Envelope, HeardMessage>> mobilisations;
  std::vector<ThreadKey> finished;
};

struct CoreConfig {
  RegionCode region;
  Epoch epoch{1};
  Incarnation incarnation;
  std::shared_ptr<const Policy> policy;
  std::shared_ptr<const Members> members;
  std::string software;  // "lianxi 0.1.0"
  std::shared_ptr<const LinkSettings> links;
  bool whole_feeds = false;  // asks peers for their feeds from the first event on, retained or not
};

struct LinkView {  // for status
  LinkId link;
  std::string state;  // down, connecting, following, refused, retired
  std::optional<TimeMs> last_contact;
  std::string reason;
  std::uint64_t received_events = 0;        // taken into the journal
  std::uint64_t delivered_events = 0;       // that came, also what was held already
  std::optional<std::uint64_t> lag_events;  // what the peer is known to hold of its own, and this node does not
  std::optional<TimeMs> in_step_at;         // this node held all that the peer had then
  std::optional<TimeMs> round_trip_ms;
  std::optional<TimeMs> clock_ahead_ms;  // the peer's clock before this node's
  RegionCode detour;                     // whom its feeds are asked of instead; 0: nobody
  std::uint64_t plain_bytes = 0;         // of deliveries
  std::uint64_t wire_bytes = 0;          // as they came, compressed
  std::uint64_t bytes_per_second = 0;    // the bound that is set; 0: none
  MembersVersion members = {};           // that the peer runs; 0: it has not said
};

// What a peer said last that it holds of this region's feeds.
struct PeerSight {
  RegionCode region;
  FeedVector held;
  TimeMs said_at = 0;
};

class BrokerCore {
 public:
  BrokerCore(CoreConfig config, LoadedState loaded);
  ~BrokerCore();
  BrokerCore(BrokerCore&&) noexcept;
  BrokerCore& operator=(BrokerCore&&) noexcept;

  void begin(TimeMs now, const Hash& entropy);
  // The ring has found and keeps another history of a feed. Between turns.
  void contradicted(const Quarantined& row);
  // Publishes' bodies are borrowed until finish(): keep the input until then.
  void step(const Input& input);
  // Closes the turn's segments and hands out deliveries for whoever has credit and is behind the new head.
  [[nodiscard]] Effects finish();

  // Where everything stands after the last finish().
  [[nodiscard]] FeedVector heads() const;
  [[nodiscard]] Offset next_offset() const;
  [[nodiscard]] std::vector<LinkView> links() const;
  [[nodiscard]] std::vector<PeerSight> peers() const;
  // Alarms that stand.
  [[nodiscard]] std::vector<AlarmRow> alarms() const;
  // What holds commitments back after a restore; none: nothing does.
  [[nodiscard]] std::optional<FenceRow> fence() const;
  [[nodiscard]] std::size_t follower_count() const;
  // As they stand in the open or last turn; another object whenever somebody has come or gone.
  [[nodiscard]] const std::shared_ptr<const Members>& members() const;
  // When a follower whose connection was full is to be tried again: come back then, with or without inputs.
  [[nodiscard]] std::optional<TimeMs> retry_at() const;
  // Whether a delivery made for this follow may still be sent.
  [[nodiscard]] bool follows(const Connection& connection, SessionId follow) const;
  [[nodiscard]] DurabilityView durability() const;
  // Events bytes taken into the open turn; the caller closes the turn at kMaxBatchBytes or when `flash_pending`.
  [[nodiscard]] std::size_t pending_bytes() const;
  [[nodiscard]] bool flash_pending() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The content hash that decides whether "the same triple" carries other content.
[[nodiscard]] Hash alert_content_hash(const Event& event);

}  // namespace lianxi::core
