// Alerts: decided by their home region's node; one triple (sender, identifier, sent) names one content.
#pragma once

#include "broker/core/kinds/registry.h"

namespace lianxi::core {

[[nodiscard]] Result<void> judge_alert(const Candidate& candidate, RegionCode own, const Members& members,
                                       const KindMemory& memory);
void remember_alert(const Said& said, KindMemory& memory);

// Under what an alert is remembered: its triple with its status, so that an exercise never stands in the way of the real alert.
[[nodiscard]] std::string alert_memory_key(const Event& event);

}  // namespace lianxi::core
