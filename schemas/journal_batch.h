// What one transaction writes into the journal: made by core, sealed by the ring, written by the store.
// A session may be closed and opened again in one batch: `closed` is performed before `sessions` and `answers`.
#pragma once

#include <optional>
#include <string>

#include "schemas/codec/chain.h"
#include "schemas/codec/segment.h"

namespace lianxi {

struct StoredSegment {
  SegmentInfo info;
  FeedHead last;             // head after it
  Bytes bytes;               // Segment::parse reads it; no seal inside
  std::optional<Seal> seal;  // own feeds: set by the ring before the commit; peers' feeds: as received
};

struct SessionKey {
  AgentId agent;
  SessionId session;
  auto operator<=>(const SessionKey&) const = default;
};

// Where a session's lane stands after the batch; written whole (upsert).
struct SessionRow {
  SessionKey key;
  Lane lane{};
  Sequence high_water;        // last sequence consumed
  Sequence answered_through;  // the client holds all answers up to here; stored answers at or below are deleted
  TimeMs used_at = 0;
};

// The first answer to one sequence, kept until the client says it has it.
struct StoredAnswer {
  BodyHash hash{};
  bool accepted = false;
  // accepted:
  FeedId feed;
  Sequence feed_sequence;
  Ordinal ordinal;
  Offset offset;
  // refused (consumed its sequence):
  Refusal refusal;
};

// Answers to a dense run of sequences; one row of the journal.
struct AnswerRun {
  SessionKey key;
  Lane lane{};
  Sequence first;
  std::vector<StoredAnswer> answers;
};

// Where an agent's named cursor stands after the batch (upsert). It is a place in the journal of this incarnation alone.
struct CursorKey {
  AgentId agent;
  std::string name;
  auto operator<=>(const CursorKey&) const = default;
};
struct CursorRow {
  CursorKey key;
  Incarnation incarnation;
  Offset offset;
  TimeMs used_at = 0;
};

// What holds commitments back after a restore: of one epoch, kept over restarts, and over once it was seen or overridden.
struct Fence {
  enum class State : std::uint8_t {
    begun = 0,  // by the restore; whom it waits for is not said yet
    waiting = 1,
    seen = 2,        // every member showed what it holds: over
    overridden = 3,  // by an officer: over
  };
  Epoch epoch;
  State state = State::begun;
  TimeMs since = 0;                                      // of the state
  std::vector<std::pair<RegionCode, LaneMask>> missing;  // who was to be seen, and has not been in these lanes
  [[nodiscard]] bool stands() const { return state == State::begun || state == State::waiting; }
  bool operator==(const Fence&) const = default;
};

// A part of another history of a feed, sealed by its own node, which somebody delivered. It is evidence and never taken.
struct Quarantined {
  FeedId feed;
  Sequence first, last;  // of the events
  Hash last_hash{};      // the head that its seal vouches for
  Sequence differs;      // the first sequence of it, or the one before, at which this node holds another hash
  Hash held{}, other{};  // here and there, at `differs`
  RegionCode by;         // who delivered it
  TimeMs at = 0;
  std::uint64_t bytes = 0;
  bool operator==(const Quarantined&) const = default;
};
struct QuarantinedSegment {
  Quarantined about;
  Bytes segment;  // with its seal
};

// Where a feed begins here that is not held from its first event on: behind what its region said in a retention counts no more.
// `proof` is a sealed segment that begins with that retention, the other events in it without their bodies.
struct Beginning {
  FeedId feed;
  FeedHead through;  // the last event that is not held
  Sequence retained_at;
  Bytes proof;  // empty where it stands in an earlier file
  bool operator==(const Beginning&) const = default;
};

struct JournalBatch {
  Offset first_offset;                  // of the first event; dense from there
  std::vector<StoredSegment> segments;  // in offset order
  std::vector<Beginning> beginnings;    // of feeds whose first segment is in the batch
  std::vector<SessionRow> sessions;
  std::vector<AnswerRun> answers;
  std::vector<SessionKey> closed;  // sessions to forget with their answers
  std::vector<CursorRow> cursors;
  std::vector<CursorKey> cursors_gone;
  std::optional<Fence> fence;  // written whole, in place of the one before
  std::vector<QuarantinedSegment> quarantined;
  [[nodiscard]] bool empty() const {
    return segments.empty() && sessions.empty() && answers.empty() && closed.empty() && cursors.empty() && cursors_gone.empty() &&
           !fence && quarantined.empty() && beginnings.empty();
  }
};

// AnswerRun <-> the blob of its row.
[[nodiscard]] Bytes encode_answers(const std::vector<StoredAnswer>& answers);
[[nodiscard]] Result<std::vector<StoredAnswer>> decode_answers(BytesView blob);

}  // namespace lianxi
