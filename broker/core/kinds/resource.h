// Resources: committed by their owner's node alone.
#pragma once

#include "broker/core/kinds/registry.h"

namespace lianxi::core {

[[nodiscard]] Result<void> judge_resource(const Candidate& candidate, RegionCode own, const Members& members,
                                          const KindMemory& memory);
void remember_resource(const Said& said, KindMemory& memory);
// It states that the resource is reserved or deployed. What is left of a stock, or who is in a shelter, is counted afterwards: a
// quantity commits nothing.
[[nodiscard]] bool resource_promises(const Candidate& candidate);

}  // namespace lianxi::core
