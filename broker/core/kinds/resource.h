// Resources: committed by their owner's node alone.
#pragma once

#include "broker/core/kinds/registry.h"

namespace lianxi::core {

[[nodiscard]] Result<void> judge_resource(const Candidate& candidate, RegionCode own, const Members& members,
                                          const KindMemory& memory);
void remember_resource(BytesView event, KindMemory& memory);

}  // namespace lianxi::core
