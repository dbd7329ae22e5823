// A full mesh of ever more members, on virtual time, with nothing broken but one cut: what it costs, and how fast it is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace lianxi::sim {

inline constexpr std::int64_t kScaleDelayLowMs = 20, kScaleDelayHighMs = 60;  // one way, between any two
inline constexpr std::int64_t kScaleCutMs = 60'000;
inline constexpr std::size_t kMaxScaleMembers = 120;

struct ScaleOptions {
  std::uint64_t seed = 1;
  std::size_t members = 4;
  std::size_t events = 400;  // that all members together publish in each of the two stretches, about; at least two each
};

struct Quantiles {
  std::int64_t p50 = 0, p99 = 0, most = 0;
};

struct ScaleResult {
  std::string failure;  // empty: it was measured
  std::size_t members = 0;
  std::uint64_t seed = 0, events = 0;  // published in the healthy stretch
  // Virtual ms from the home's disk to another member's, of each event; and to the last member's.
  Quantiles flash_to_each, flash_to_all, other_to_each, other_to_all;
  // The healthy stretch: times that a member was sent an event of another, to the times that it took one.
  double copies = 0;
  double payload_bytes_per_event = 0;  // in deliveries, to one member
  // Nothing is published: a link is one direction between two members, with its lanes.
  double idle_bytes_per_link_second = 0, idle_bytes_per_member_second = 0, idle_messages_per_member_second = 0;
  // Half of the members are cut from the others for a minute while all publish; virtual ms from its end until all hold all.
  std::int64_t heal_ms = 0;
  std::uint64_t behind_the_cut = 0;  // events that crossed after it
  // Of this process, with its simulated disks and network; the events' own bytes are in files.
  double memory_per_member_mb = 0;
  double cpu_us_per_event_and_member = 0, idle_cpu_ms_per_member_second = 0;
};

[[nodiscard]] ScaleResult measure_scale(const ScaleOptions& options);

// Prints a line for each size as it is done, and writes all as JSON to `path`, if one is given. 0: all were measured.
int run_scale(const std::vector<std::size_t>& sizes, const ScaleOptions& options, const std::string& path);

}  // namespace lianxi::sim
