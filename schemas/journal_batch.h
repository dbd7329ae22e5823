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

struct JournalBatch {
  Offset first_offset;                  // of the first event; dense from there
  std::vector<StoredSegment> segments;  // in offset order
  std::vector<SessionRow> sessions;
  std::vector<AnswerRun> answers;
  std::vector<SessionKey> closed;  // sessions to forget with their answers
  std::vector<CursorRow> cursors;
  std::vector<CursorKey> cursors_gone;
  [[nodiscard]] bool empty() const {
    return segments.empty() && sessions.empty() && answers.empty() && closed.empty() && cursors.empty() && cursors_gone.empty();
  }
};

// AnswerRun <-> the blob of its row.
[[nodiscard]] Bytes encode_answers(const std::vector<StoredAnswer>& answers);
[[nodiscard]] Result<std::vector<StoredAnswer>> decode_answers(BytesView blob);

}  // namespace lianxi
