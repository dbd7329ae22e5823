// Where the bench was built without libpq.
#include "tests/bench/map_bench.h"

namespace lianxi::bench {

std::unique_ptr<MapSide> postgis_map() {
  return nullptr;
}
std::vector<std::string> postgis_indexes() {
  return {};
}

}  // namespace lianxi::bench
