// The feeds that this node holds: where each stands, and what a turn adds. Own events get their stamps when they are accepted
// and their place in the journal when the turn closes (segment by segment, so that a segment's offsets are dense).
#pragma once

#include <map>
#include <optional>
#include <span>
#include <vector>

#include "broker/core/clock.h"
#include "broker/core/turn.h"
#include "schemas/journal_batch.h"

namespace lianxi::core {

// Own events of a feed, the last ones, whose hashes are kept in memory: 32 KiB a feed.
inline constexpr std::size_t kRecentHashes = 1024;

class Sequencer {
 public:
  // Names an accepted event of the open turn.
  using Ticket = std::uint32_t;
  struct Position {
    const FeedId* feed = nullptr;  // lives as long as the sequencer
    Sequence sequence;
    Ordinal ordinal;
    Offset offset;  // known when the turn is closed
  };
  struct Author {
    const AgentId* agent = nullptr;
    SessionId session;
    Sequence sequence;
  };

  Sequencer(RegionCode region, Epoch epoch, Offset next, const FeedVector& heads, Ordinal last_ordinal, Hlc last_time);

  [[nodiscard]] FeedId own_feed(Lane lane, const Audience& audience) const { return {region_, epoch_, lane, audience}; }
  // Borrows the author's id and the body until the turn is closed.
  Ticket accept(const Turn& turn, const FeedId& feed, const Author& author, BytesView body);
  [[nodiscard]] const Position& position(Ticket ticket) const { return positions_[ticket]; }

  // The head of a feed, with what the open turn has taken from peers; own feeds move when the turn closes.
  [[nodiscard]] FeedHead head(const FeedId& feed) const;
  // The hash of an own event, if it is among the last kRecentHashes that were accepted since the start.
  [[nodiscard]] std::optional<Hash> recent_hash(const FeedId& feed, Sequence sequence) const;
  // The last sequence of an own feed, with what the open turn has accepted.
  [[nodiscard]] Sequence last_sequence(const FeedId& feed) const;
  [[nodiscard]] const std::map<FeedId, FeedHead>& heads() const { return heads_; }
  // What is held of the feed begins behind this sequence, by a retention of its region; 0: at its beginning.
  [[nodiscard]] Sequence begins(const FeedId& feed) const;
  // A peer's feed of which nothing is held is taken up behind a retention: its next segment goes on from there, in this turn.
  void begin_peer(Beginning beginning);
  // Of before the start.
  void begun(const std::vector<Beginning>& beginnings);
  // Where a peer's next segment of this turn will stand. Peers' segments come before the own ones.
  [[nodiscard]] Offset peer_offset() const { return peer_offset_; }
  // `segment.info.first_offset` is peer_offset(); its chain continues head(). Checked by the caller.
  void append_peer(StoredSegment segment);

  [[nodiscard]] HybridClock& clock() { return clock_; }
  [[nodiscard]] const HybridClock& clock() const { return clock_; }
  [[nodiscard]] Offset next_offset() const { return next_; }  // as of the last closed turn
  // True if nothing of these regions (empty: all) and lanes was added from `cursor` on. Knows what was added since the start:
  // ask only for a cursor that stood at the head since.
  [[nodiscard]] bool nothing_behind(Offset cursor, const std::vector<RegionCode>& regions, LaneMask lanes) const;

  // Writes the turn's segments and the heads to seal.
  void close(Turn& turn);
  // Forgets the closed turn's tickets.
  void open() { positions_.clear(); }

 private:
  struct Pending {
    Ticket ticket;
    Hlc time;
    Author author;
    BytesView body;
  };
  struct Recent {
    Sequence first;            // accepted since the start
    std::vector<Hash> hashes;  // a ring, by sequence
  };
  void write_feed(Turn& turn, const FeedId& feed, const std::vector<Pending>& events, std::span<const Salt> salts);

  RegionCode region_;
  Epoch epoch_;
  Offset next_;
  Offset peer_offset_;
  Ordinal last_ordinal_;
  HybridClock clock_;
  std::map<FeedId, FeedHead> heads_;
  std::map<FeedId, Sequence> begins_;                   // of feeds that are not held from their first event on
  std::map<std::pair<RegionCode, Lane>, Offset> ends_;  // behind the last event of a region's lane, since the start
  std::map<FeedId, std::vector<Pending>> pending_;      // of every own feed; flash first: lanes order feeds of one epoch
  std::map<FeedId, Recent> recent_;                     // own feeds
  std::vector<StoredSegment> from_peers_;
  std::vector<Beginning> beginnings_;
  std::vector<Position> positions_;  // of the open turn; their ordinals are dense
};

}  // namespace lianxi::core
