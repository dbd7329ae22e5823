// What the rules want done. The ring performs a turn's effects in this order: seal and commit `batch`; then send `sends`
// and `link_sends` in order; then perform `deliveries`. Nothing is said before it is on disk.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/core/input.h"
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

// Read the journal from `from`, send what the follower may have, report with input Delivered.
struct DeliverOrder {
  Connection connection;
  Agent agent;
  SessionId follow;
  FollowMode mode{};
  LaneMask lanes = kAllLanes;
  Filter filter;
  std::vector<RegionCode> regions;  // empty: all
  FeedVector have;                  // skip what is at or below (mode feeds, or from vector)
  Offset from;
  Offset head;                  // all below is committed
  std::uint64_t max_bytes = 0;  // credit left; the first event (or segment, in mode feeds) must fit into it
};

struct Counted {  // for metrics: a refusal, by code
  RefusalCode code{};
};
struct Alarm {  // for a person: a fork, a broken feed, a clock that is ahead
  std::string what;
  std::string reason;
};

struct Effects {
  JournalBatch batch;
  std::vector<FeedPosition> touched;  // own feeds to seal: head after the batch
  std::vector<Send> sends;
  std::vector<LinkReset> link_resets;  // performed before link_sends
  std::vector<LinkSend> link_sends;
  std::vector<DeliverOrder> deliveries;
  std::vector<Counted> counted;
  std::vector<Alarm> alarms;
  bool flash = false;  // a flash event is in the batch: close it now
};

}  // namespace lianxi::core
