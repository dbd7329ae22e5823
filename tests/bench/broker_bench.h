// `lianxi-bench broker`: our broker and those of other makes on the same work in the same run, in interleaved rounds.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <set>

#include "tests/bench/flash_bench.h"
#include "tests/bench/load.h"
#include "tests/bench/sync_count.h"

namespace lianxi::bench {

struct BrokerOptions {
  int rounds = 5;
  double seconds = 2;  // of each measurement
  std::size_t window = 1'024;
  std::size_t publishers = 8;
  double rate = 1'000;         // of the paced rows
  std::set<std::string> only;  // names of peers, "lianxi", "lianxi_curve", "fdatasync"; empty: all
  std::filesystem::path broker;
};

enum class Measure : std::uint8_t { durable_256, durable_1k, paced, incident, fanout };
inline constexpr std::size_t kFanoutFollowers = 16;
[[nodiscard]] const char* to_word(Measure measure);

struct Contestant {
  PeerInfo info;
  std::string version;
  std::string trouble;  // why there are no figures, or fewer
  std::optional<SyncCount> syncs;
  std::map<Measure, std::vector<Figures>> rounds;
};

struct BrokerResult {
  std::vector<Contestant> contestants;  // ours first
  std::vector<Histogram> disk;          // paced fdatasync, by round
  std::vector<FlashFigures> flash;      // by round
  std::string disk_trouble, flash_trouble;
  std::size_t light_bytes = 0, incident_bytes = 0;  // of an encoded event
};

// A peer that cannot be measured has its reason; the others go on. `progress` hears of each measurement.
[[nodiscard]] BrokerResult run_broker_bench(const BrokerOptions& options,
                                            const std::function<void(const std::string&)>& progress);

// The object `ratios`: nothing where one side was not measured.
using Ratios = std::vector<std::pair<std::string, std::optional<double>>>;
[[nodiscard]] Ratios ratios_of(const BrokerResult& result);
[[nodiscard]] std::string table_of(const BrokerResult& result, const BrokerOptions& options);
[[nodiscard]] std::string json_of(const BrokerResult& result, const BrokerOptions& options);

}  // namespace lianxi::bench
