// What the rules want done. The ring performs a turn's effects in this order: seal and commit `batch`; then send `sends`
// and `link_sends` in order; then perform `deliveries`. Nothing is said before it is on disk.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/core/input.h"
#include "schemas/damage.h"
#include "schemas/journal_batch.h"

namespace lianxi::core {

struct Send {
  Connection connection;
  Message message;
};
struct LinkSend {
  LinkId link;
  Message message;
};
struct LinkReset {  // close the connection with all that it has queued, and open a new one
  LinkId link;
  std::string reason;
};

// What a follow asks for; shared by all its orders.
struct FollowSpec {
  Agent agent;
  FollowMode mode{};
  LaneMask lanes = kAllLanes;
  Filter filter;
  std::vector<RegionCode> regions;  // empty: all
  FeedVector have;                  // ordered by feed: skip what is at or below
  bool zstd = false;                // whole feeds, compressed where it pays
};

// Read the journal from `from`, send what the follower may have, in up to `max_messages` messages, report with input
// Delivered. Each order is performed and reported exactly once, also when nothing could be sent: until then the follower gets
// no other order. An order from the head on asks to be told that the follower stands there.
struct DeliverOrder {
  Connection connection;
  SessionId follow;
  std::shared_ptr<const FollowSpec> spec;
  Offset from;
  Offset head;                     // all below is committed
  std::uint64_t max_bytes = 0;     // credit left; the first event (or segment, in mode feeds) must fit into it
  std::uint32_t max_messages = 1;  // likewise
  bool search = false;             // from a vector, at its start: jump ahead to JournalReader::first_beyond
  std::vector<Offset> proofs;      // retentions that go first, each with what follows up to its seal, in a message of their own
  bool quiet = false;              // need not be told that it stands at the head if there was nothing for it
  std::uint64_t step_bytes = 0;    // of a message, past its first sealed run; 0: as large as they go
};

struct Counted {  // for metrics: a refusal, by code
  RefusalCode code{};
};
struct Alarm {  // for a person: a fork, a broken feed, a clock that is ahead
  std::string what;
  std::string reason;
};

// A segment that contradicts, or may contradict, what this node holds of its feed, under the seal of the feed's own region. The
// ring looks where they part, and what does contradict is quarantined with this turn's batch.
struct Suspect {
  FeedId feed;
  RegionCode by;
  Bytes segment;  // with its seal
};

struct Effects {
  JournalBatch batch;
  // Heads to seal: one for each own segment of the batch, in their order; it equals that segment's `last`. A feed that
  // fills more than one segment stands here more than once, so that every stored segment can be checked by itself.
  std::vector<FeedPosition> touched;
  std::vector<Send> sends;
  std::vector<LinkReset> link_resets;  // performed before link_sends
  std::vector<LinkSend> link_sends;
  std::vector<DeliverOrder> deliveries;
  std::vector<Counted> counted;
  std::vector<Alarm> alarms;
  std::vector<Suspect> suspects;
  std::vector<RepairedRange> repairs;  // to be written in the place of what is damaged
  std::size_t throttled = 0;           // events held back, for their agents publish faster than they may
  bool flash = false;                  // a flash event is in the batch: close it now
};

}  // namespace lianxi::core
