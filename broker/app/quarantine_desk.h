// What a turn was shown of other histories: held against the journal, and kept as evidence with the turn's batch. Of the
// broker's thread.
#pragma once

#include <deque>
#include <memory>
#include <set>

#include "broker/core/broker_core.h"
#include "broker/store/quarantine.h"

namespace lianxi::app {

inline constexpr std::size_t kMaxQuarantinedOfFeed = 64;  // segments
inline constexpr std::uint64_t kMaxQuarantinedBytesOfFeed = 4ULL * 1024 * 1024;
inline constexpr std::size_t kMaxQuarantined = 512;
inline constexpr std::size_t kJudgedATurn = 16;  // each is a search in the journal; the others wait, up to kMaxTurnBytes of them

class QuarantineDesk {
 public:
  QuarantineDesk(store::JournalOptions journal, std::vector<Quarantined> kept)
      : journal_(std::move(journal)), kept_(std::move(kept)) {}
  // Adds to the batch what contradicts the journal or the batch itself, and an alarm for each history that is new. `heads`: with
  // the batch.
  void judge(core::Effects& effects, const FeedVector& heads, const core::Members& members, TimeMs now);
  // True if some wait for the next turn.
  [[nodiscard]] bool waits() const { return !waiting_.empty(); }
  [[nodiscard]] std::size_t kept() const { return kept_.size(); }

 private:
  void judge_one(core::Suspect& suspect, core::Effects& effects, const FeedVector& heads, const core::Members& members,
                 TimeMs now);
  [[nodiscard]] std::optional<Quarantined> evidence(const core::Suspect& suspect, const Segment& segment, core::Effects& effects,
                                                    const FeedVector& heads);
  void tell_full(core::Effects& effects, const FeedId& feed);
  [[nodiscard]] bool has_room(const FeedId& feed, std::uint64_t more_bytes) const;

  store::JournalOptions journal_;
  std::unique_ptr<store::JournalReader> reader_;  // made when it is first needed
  std::vector<Quarantined> kept_;
  std::deque<core::Suspect> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::set<FeedId> told_full_;
};

}  // namespace lianxi::app
