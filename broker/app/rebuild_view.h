// lianxi-broker --rebuild-view: the view is what the journal adds up to, so it can always be made anew.
#pragma once

#include <iosfwd>

#include "broker/app/config.h"

namespace lianxi::app {

// Returns the exit status: 0 done, 1 failed.
[[nodiscard]] int run_rebuild_view(const BrokerConfig& config, std::ostream& out, std::ostream& errors);

}  // namespace lianxi::app
