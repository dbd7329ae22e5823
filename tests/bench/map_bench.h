// `lianxi-bench map`: questions to a map of a million resources, ours beside PostGIS, both through their clients on loopback.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/bench/histogram.h"
#include "tests/bench/map_data.h"

namespace lianxi::bench {

// One side. Its connections are its own; each is used by one thread.
class MapSide {
 public:
  class Connection {
   public:
    virtual ~Connection() = default;
    // Ids in the order of the answer.
    [[nodiscard]] virtual std::vector<std::string> ask(const MapAsk& ask) = 0;
  };
  virtual ~MapSide() = default;
  // All resources, until a question finds them. Seconds.
  [[nodiscard]] virtual double load(std::uint64_t resources) = 0;
  [[nodiscard]] virtual std::unique_ptr<Connection> connect() = 0;
  // Changes `first` to `first + count`, as one batch; returns when they are durable.
  virtual void change(std::uint64_t first, std::uint64_t count, std::uint64_t resources) = 0;
  // Until every question sees them.
  virtual void settle() = 0;
  struct Memory {
    double anonymous_mb = 0;  // the process's own, shared buffers with it
    double mapped_mb = 0;     // of files
    double disk_mb = 0;
  };
  [[nodiscard]] virtual Memory memory() = 0;
};

[[nodiscard]] std::unique_ptr<MapSide> our_map(const std::filesystem::path& broker);
// Null if PostGIS is not installed, or this was built without libpq.
[[nodiscard]] std::unique_ptr<MapSide> postgis_map();
[[nodiscard]] std::vector<std::string> postgis_indexes();

struct MapOptions {
  std::uint64_t resources = 1'000'000;
  int rounds = 5;
  double seconds = 3;  // of each measurement
  std::size_t clients = 8;
  std::uint64_t changes_per_second = 5'000;
  bool alone = false;  // without PostGIS beside it
  std::filesystem::path broker;
};
// Json; throws std::runtime_error if a side fails, or the sides' answers differ.
[[nodiscard]] std::string run_map_bench(const MapOptions& options, const std::function<void(const std::string&)>& progress);

}  // namespace lianxi::bench
