// What a restored node holds back. Its backup may lack commitments that it made before the disaster, so in the epoch that a
// restore began nothing is promised (`promises` of the kinds) until every member has shown all that it holds of this region's
// former epochs, or an officer overrides, on record. Kept in the journal: a fence that is over never stands again in its
// epoch, whoever becomes a member.
#pragma once

#include <optional>

#include "broker/core/kinds/registry.h"
#include "broker/core/standing.h"
#include "schemas/journal_batch.h"

namespace lianxi::core {

class RestoreFence {
 public:
  // `kept`: what the journal says of this or a former epoch; none: no restore began this one.
  RestoreFence(Epoch epoch, const std::optional<Fence>& kept, KindMemory& memory);

  // Begins: whom it waits for are the members of this moment. Tells that it stands.
  void tick(StandingAlarms& standing, Turn& turn, const Members& members, RegionCode own, KindMemory& memory);
  // The peer's link of these lanes has shown all that it holds.
  void seen(RegionCode peer, LaneMask lanes);
  // Why a commitment is refused. Only while memory.fenced.
  [[nodiscard]] std::string reason(const Members& members) const;
  [[nodiscard]] std::optional<FenceRow> view(const Members& members) const;
  // Writes what has changed, with the override if one was accepted in this turn.
  void close_turn(StandingAlarms& standing, Turn& turn, const KindMemory& memory);

 private:
  // Who is a member and was not seen.
  [[nodiscard]] std::vector<std::pair<RegionCode, LaneMask>> missing(const Members& members) const;
  void end(StandingAlarms& standing, Turn& turn, Fence::State how, const std::string& why);

  std::optional<Fence> fence_;
  bool changed_ = false;
};

}  // namespace lianxi::core
