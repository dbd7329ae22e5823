// How the node stands with its peers, in words for whoever is on watch.
#pragma once

#include <string>

#include "agents/operator/say.h"
#include "agents/operator/table.h"
#include "schemas/queries.h"

namespace lianxi::cli {

// One line for `status`: how many follow, and what is wrong.
[[nodiscard]] std::string links_summary(const StatusReport& status, const Say& say);
// One row a peer and lane.
[[nodiscard]] Table links_table(const StatusReport& status, const Say& say);

[[nodiscard]] std::string duration_text(TimeMs ms, const Say& say);  // "40 ms", "3 s", "12 min", "2 h 5 min", "3 d"
[[nodiscard]] std::string bytes_text(std::uint64_t bytes);           // "512 B", "12.3 KB", "4.0 MB"

}  // namespace lianxi::cli
