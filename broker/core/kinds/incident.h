// Incident reports: statements, so any member's agency may report about an incident whose home is another member.
#pragma once

#include "broker/core/kinds/registry.h"

namespace lianxi::core {

[[nodiscard]] Result<void> judge_incident(const Candidate& candidate, RegionCode own, const Members& members,
                                          const KindMemory& memory);

}  // namespace lianxi::core
