// Overrides: an officer's word, on record, that a node may do what it holds back by itself.
#pragma once

#include "broker/core/kinds/registry.h"

namespace lianxi::core {

[[nodiscard]] Result<void> judge_override(const Candidate& candidate, RegionCode own, const Members& members,
                                          const KindMemory& memory);
void remember_override(const Said& said, KindMemory& memory);

}  // namespace lianxi::core
