// `lianxi-bench publish`: durable acknowledged events a second and the time from publish to receipt, through the real client
// and a real broker process over CURVE on loopback.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "agents/sdk/profile.h"

namespace lianxi::bench {

struct PublishOptions {
  int rounds = 5;
  double seconds = 2;  // of each measurement
  std::size_t body_bytes = 256;
  double paced_per_second = 1'000;
};

struct Sample {  // one round of one row
  double events_per_second = 0;
  double p50_us = 0, p90_us = 0, p99_us = 0, max_us = 0;
};
struct Row {
  std::string name;
  std::string what;  // in words, for the reader
  std::vector<Sample> samples;
};

// Rounds are interleaved over the rows. `progress` is told before each measurement.
// Throws std::runtime_error if the node does not answer or refuses an event.
[[nodiscard]] std::vector<Row> run_publish(const sdk::Profile& profile, const std::filesystem::path& scratch,
                                           const PublishOptions& options,
                                           const std::function<void(const std::string&)>& progress);

[[nodiscard]] std::string table_of(const std::vector<Row>& rows);
[[nodiscard]] std::string json_of(const std::vector<Row>& rows, const PublishOptions& options);

}  // namespace lianxi::bench
