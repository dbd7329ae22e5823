// Sessions of agents and the first answers given in them. A session's lane knows how far it is answered (high water), how far
// the client holds the answers, and every answer between.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "broker/core/sequencer.h"
#include "schemas/journal_batch.h"

namespace lianxi::core {

// StoredAnswer in fewer bytes: up to kMaxAnswersHeld of them stand in a lane.
struct HeldAnswer {
  BodyHash hash{};
  std::unique_ptr<const Refusal> refusal;  // null: accepted
  const FeedId* feed = nullptr;            // accepted; interned in Sessions or Sequencer
  Sequence feed_sequence;
  Ordinal ordinal;
  Offset offset;                 // zero until the turn closes
  Sequencer::Ticket ticket = 0;  // while the turn is open
};

struct SessionLane {
  Sequence high_water;
  Sequence answered_through;
  Sequence committed;           // high water when the turn began: answers beyond cannot be with the client yet
  std::deque<HeldAnswer> held;  // of answered_through + 1 ... high_water
  std::size_t weight = 0;       // kRefusalWeight for a refusal, 1 for a receipt
  bool dirty = false;

  [[nodiscard]] const HeldAnswer& answer(Sequence sequence) const {
    return held[static_cast<std::size_t>(sequence.value - answered_through.value - 1)];
  }
  [[nodiscard]] bool full() const;
};

// A volatile session is closed by the next Hello of its agent once its client was not heard for so long.
inline constexpr std::int64_t kVolatileSilenceMs = 600'000;

struct Session {
  std::array<SessionLane, kLaneCount> lanes;
  TimeMs used_at = 0;
  bool is_volatile = false;             // its client said so: what it has not heard by its end, it never asks again
  std::vector<Connection> connections;  // of a volatile session: any word on them keeps it
  // As its client's Hello says.
  void keep_for(bool volatile_outbox, const Connection& connection);
  [[nodiscard]] SessionLane& lane(Lane lane) { return lanes[static_cast<std::size_t>(lane)]; }
};

class Sessions {
 public:
  Sessions(const std::vector<SessionRow>& rows, const std::vector<AnswerRun>& answers);
  Sessions(Sessions&&) noexcept = default;
  Sessions& operator=(Sessions&&) noexcept = default;

  // Null: not open. What is changed in it is written when the turn closes.
  [[nodiscard]] Session* use(const SessionKey& key);
  Session& open(const SessionKey& key, TimeMs now);
  bool close(const SessionKey& key);  // false: was not open
  [[nodiscard]] std::vector<std::pair<SessionId, TimeMs>> of(const AgentId& agent) const;

  // The agent's session that was used least lately among those whose client holds every answer.
  [[nodiscard]] std::optional<SessionId> oldest_answered(const AgentId& agent) const;

  // A word came over the connection.
  void heard(const AgentId& agent, const Connection& connection, TimeMs now);
  // The volatile session of the agent whose client was silent longest, and longer than `silence_ms`.
  [[nodiscard]] std::optional<SessionId> oldest_silent(const AgentId& agent, TimeMs now, std::int64_t silence_ms);

  // The client holds all answers up to here; what it cannot hold yet stays.
  void answered(SessionLane& lane, Sequence through);
  // The next sequence's first answer.
  void accepted(Session& session, Lane lane, TimeMs now, const BodyHash& hash, Sequencer::Ticket ticket,
                const Sequencer& sequencer);
  void refused(Session& session, Lane lane, TimeMs now, const BodyHash& hash, Refusal refusal);

  // Fills in offsets, and writes the rows of what the turn changed.
  void close_turn(JournalBatch& batch, const Sequencer& sequencer);

 private:
  void load_answers(const AnswerRun& run);
  void write_lane(JournalBatch& batch, const SessionKey& key, const Session& session, Lane lane, SessionLane& state,
                  const Sequencer& sequencer);

  std::map<SessionKey, Session> sessions_;
  std::set<SessionKey> touched_;
  std::vector<SessionKey> closed_;
  std::set<FeedId> feeds_;  // interned; of loaded answers; bounded by the own feeds ever used
};

}  // namespace lianxi::core
