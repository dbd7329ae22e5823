// Which resources would cover what an incident needs soonest. Pure and greedy: for each need the nearest that is free, until it
// is covered. Nothing is promised or asked for by it.
#pragma once

#include <string>
#include <vector>

#include "agents/operator/mobilise_message.h"

namespace lianxi::cli {

// On mountain roads: the way is longer than the crow's, and a column drives so fast on average. Said beside each figure.
inline constexpr double kDetourFactor = 1.4;
inline constexpr double kConvoy_km_h = 50;
inline constexpr std::int64_t kTurnOut_ms = 15LL * 60 * 1000;  // from the call until a team is on the road

struct Suggestion {
  std::size_t need = 0;  // index
  ResourceRow resource;
  std::int64_t quantity_milli = 0;
  std::int64_t arrives_in_ms = 0;
  std::size_t passed_over = 0;  // nearer ones that are not free
};
struct Coverage {
  std::vector<Suggestion> picks;            // by need, soonest first
  std::vector<std::int64_t> lacking_milli;  // of each need
};

[[nodiscard]] std::int64_t arrives_in_ms(double distance_m);

// `candidates`: for each need what could meet it, nearest first, whatever its state. A resource that one need takes is not free
// for the next beyond what is left of it.
[[nodiscard]] Coverage cover(const std::vector<Need>& needs, const std::vector<std::vector<ResourceRow>>& candidates);

}  // namespace lianxi::cli
