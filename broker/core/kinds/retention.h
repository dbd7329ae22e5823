// Retentions: a region's own word that events of a feed count no more. The node accepts only what it has itself worked out from
// its view and journal (input RetentionPlanned): so hash, ordinal and digest are true, and all that still counts was stated
// again.
#pragma once

#include "broker/core/kinds/registry.h"

namespace lianxi::core {

inline constexpr std::size_t kMaxPlansOfFeed = 8;

[[nodiscard]] Result<void> judge_retention(const Candidate& candidate, RegionCode own, const Members& members,
                                           const KindMemory& memory);
void remember_retention(const Said& said, KindMemory& memory);
void remember_plan(const Audience& audience, const Retention& plan, KindMemory& memory);

}  // namespace lianxi::core
