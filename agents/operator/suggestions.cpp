#include "agents/operator/suggestions.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace lianxi::cli {

std::int64_t arrives_in_ms(double distance_m) {
  constexpr double kMsPerHour = 3'600'000;
  return kTurnOut_ms + std::llround(distance_m / 1000 * kDetourFactor / kConvoy_km_h * kMsPerHour);
}

Coverage cover(const std::vector<Need>& needs, const std::vector<std::vector<ResourceRow>>& candidates) {
  Coverage coverage;
  std::map<std::string, std::int64_t> taken;
  for (std::size_t i = 0; i < needs.size(); ++i) {
    std::int64_t lacking = needs[i].quantity_milli;
    std::size_t passed_over = 0;
    for (const ResourceRow& row : candidates[i]) {
      if (lacking <= 0) break;
      const std::int64_t free = row.free_milli - taken[row.id];
      const bool usable = row.state == ResourceState::available && free > 0 && row.distance_m.has_value();
      if (!usable) {
        ++passed_over;
        continue;
      }
      const std::int64_t take = std::min(lacking, free);
      coverage.picks.push_back({i, row, take, arrives_in_ms(*row.distance_m), passed_over});
      taken[row.id] += take;
      lacking -= take;
    }
    coverage.lacking_milli.push_back(std::max<std::int64_t>(0, lacking));
  }
  return coverage;
}

}  // namespace lianxi::cli
