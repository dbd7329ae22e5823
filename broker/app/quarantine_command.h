// lianxi-broker quarantine: the other histories of feeds that a node keeps as evidence.
#pragma once

#include <iosfwd>

#include "broker/app/config.h"

namespace lianxi::app {

// One line a segment, or one JSON object. The node may run. Exit status: 0 told, 1 the journal cannot be read.
[[nodiscard]] int run_quarantine(const BrokerConfig& config, bool as_json, std::ostream& out, std::ostream& errors);

}  // namespace lianxi::app
