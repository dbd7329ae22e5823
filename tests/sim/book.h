// What was promised, and whether it holds: every answer that an agent got, every digest that a node showed.
#pragma once

#include <bitset>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "broker/core/policy.h"
#include "broker/store/journal.h"
#include "schemas/codec/segment.h"
#include "schemas/protocol.h"
#include "tests/sim/world.h"

namespace lianxi::sim {

struct Asked {  // one publish of one event
  AgentId agent;
  SessionId session;
  Lane lane{};
  Sequence sequence;
  auto operator<=>(const Asked&) const = default;
};

struct Answered {
  bool accepted = false;
  BodyHash hash{};
  // accepted:
  FeedId feed;
  Sequence feed_sequence;
  Ordinal ordinal;
  Offset offset;
  // refused:
  RefusalCode code{};
  bool operator==(const Answered&) const = default;
};

using HostId = std::size_t;

// What is said of a host holds for its disk: a node that was cloned has one history on two of them.
class Book {
 public:
  explicit Book(World& world) : world_(world) {}

  // Promise 2: the first answer stays the answer.
  void answer(const Asked& asked, const Answered& answered, HostId by);
  // Promise 1, ack level peers(k): `held` other nodes have it on disk. Its receipt came before.
  void replicated(const Asked& asked, std::uint8_t held);
  void set_members(std::shared_ptr<const core::Members> members) { members_ = std::move(members); }
  // Promises 1 and 2, for a journal as it stands: offsets and sequences dense, chains whole, every acknowledged event where
  // its receipt says, no event twice; what so many peers were said to hold is missing at no more than the rest of them.
  // What a disk was seen to hold it holds as it was.
  void check_journal(RegionCode region, HostId host, store::JournalReader& journal);
  // Promise 5: a digest is a function of its audience and vector, whoever shows it and whenever.
  void digest(RegionCode region, const DigestRow& row);

  // Promises 6 and 8, for what a node has just committed: one history under each place of a feed, whoever holds it; resources
  // by their home region alone.
  void committed(RegionCode region, HostId host, const store::JournalSegment& stored);
  // The node goes on from a backup that ends before `kept`. What it answered since is not held against it, and counts as
  // never said; but what comes back must be the same.
  void restored(RegionCode region, HostId host, Offset kept);

  // --- promise 8: forks; book_forks.cpp ---
  // A copy of the node's disk, with these heads, is about to go on by itself: beyond them the region may have two histories.
  void branched(RegionCode region, Epoch epoch, FeedVector heads);
  // The copy runs beside its node on a disk of its own.
  void cloned(HostId node, HostId clone, Offset kept);
  // The disk is gone for good.
  void gone(HostId host);
  void alarmed(const std::string& what, const std::string& reason);
  // Whether a copy of a node explains an alarm.
  [[nodiscard]] bool explains(const std::string& what, const std::string& reason) const;
  // Copies of a node may have given one ordinal to two events, of different feeds: its journal proves that, and it was reported.
  [[nodiscard]] bool explains_finding(RegionCode region, const std::string& finding) const;
  // Feeds of two histories, each on some disk.
  [[nodiscard]] std::set<FeedId> forks() const;
  // Of those, the ones that no alarm has named.
  [[nodiscard]] std::set<FeedId> silent_forks() const;
  // Both disks hold the same place of the feed, one otherwise than the other.
  [[nodiscard]] bool differ(const FeedId& feed, HostId one, HostId other) const;

  // Promise 9: nobody may find this in a journal.
  void never(const BodyHash& body) { never_.insert(body); }
  // Likewise, as long as the region's node knows what it answered: a restored one may take what it would have refused.
  void never_while_known(RegionCode region, const BodyHash& body);
  // An outbox that was restored from a copy says it again under a new session.
  void may_stand_twice(const BodyHash& body) { twice_.insert(body); }
  // A closed session may be opened again from such a copy; what it was answered before still stands.
  void begins_anew(const AgentId& agent, SessionId session);

  // A region has had two nodes.
  [[nodiscard]] bool has_copies() const { return !branches_.empty(); }

  [[nodiscard]] std::size_t acknowledged() const { return acknowledged_; }
  [[nodiscard]] std::size_t refused() const { return refused_; }

 private:
  struct Found {
    Asked asked;
    BodyHash hash{};
    Ordinal ordinal;
    Offset offset;
  };
  using Hosts = std::bitset<128>;  // a bit for each; see bit_of
  struct Version {                 // what stands at a place of a feed, by whoever showed it first
    Hash hash{};
    BodyHash body{};
    RegionCode by;
    Hosts held;  // on whose disks it is
    Hosts seen;  // in the reading of a whole journal
    bool judged = false;
  };
  struct Given {
    Answered answered;
    HostId by = 0;
  };
  struct Branch {
    Epoch epoch;
    FeedVector heads;
  };
  struct Heir {
    HostId of = 0;
    Offset kept;
  };
  using Place = std::pair<FeedId, Sequence>;
  Version* check_record(RegionCode region, HostId host, const FeedId& feed, const RecordView& record, const BodyHash& body);
  void judge_event(const std::string& where, const FeedId& feed, const RecordView& record, const BodyHash& body);
  [[nodiscard]] Version* version_at(const Place& place, const RecordView& record, const BodyHash& body, RegionCode by);
  [[nodiscard]] bool may_fork(const Place& place) const;
  void check_kept(RegionCode region, HostId host);
  void forget_disk(HostId host);
  [[nodiscard]] Hosts bit_of(HostId host);
  [[nodiscard]] Hosts known_bit(HostId host) const;
  using Events = std::map<Place, Found>;
  struct OwnEvent {
    Epoch epoch;
    Ordinal ordinal;
    TimeMs at = 0;  // of its stamp
    Bytes body;
  };
  bool take_segment(RegionCode region, HostId host, const store::JournalSegment& stored, Offset& next,
                    std::map<FeedId, FeedHead>& heads, Events& events, std::vector<OwnEvent>& own);
  void check_promises(RegionCode region, std::vector<OwnEvent> events);  // book_promises.cpp
  bool check_receipt(const Asked& asked, const Answered& answered, const Events& events);
  void check_unique(RegionCode region, const Events& events);
  void check_acknowledged(HostId host, const Events& events);
  void check_come_back(RegionCode region, const Events& events);
  void check_replicated(RegionCode region, const Events& events);

  World& world_;
  std::map<Asked, Given> answers_;
  std::map<Place, Version> history_;
  std::map<Place, std::vector<Version>> others_;  // histories beside it
  std::map<RegionCode, std::vector<Branch>> branches_;
  std::map<HostId, Heir> heirs_;
  std::map<HostId, std::size_t> bits_;
  std::set<std::string> alarms_;  // about forks
  std::set<FeedId> forked_;
  std::set<BodyHash> never_, twice_;
  std::vector<std::pair<Asked, Given>> former_;  // answers of sessions that began anew
  std::set<std::pair<AgentId, SessionId>> began_anew_;
  std::vector<std::pair<Asked, Answered>> lost_;  // receipts behind the backup that a node was restored from
  std::map<RegionCode, std::vector<BodyHash>> never_while_known_;
  std::set<RegionCode> restored_;
  std::set<std::tuple<FeedId, Sequence, Hash>> retained_;  // where feeds may begin: what their region let go of ends there
  std::size_t acknowledged_ = 0, refused_ = 0;
  std::shared_ptr<const core::Members> members_;
  struct Spread {
    std::uint8_t held = 0;         // the most that was said
    std::set<RegionCode> missing;  // seen without it since
  };
  std::map<std::pair<Place, BodyHash>, Spread> spread_;
  struct Shown {
    Hash digest{};
    RegionCode by;
  };
  std::map<std::string, Shown> digests_;  // "audience vector" -> first seen
};

[[nodiscard]] std::string to_text(const Asked& asked);
[[nodiscard]] std::string to_text(const FeedVector& vector);

}  // namespace lianxi::sim
