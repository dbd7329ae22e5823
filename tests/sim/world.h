// Virtual time, chance, and the record of what happened: everything that the simulated parts share. One thread; events at
// the same time run in the order in which they were asked for.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/ids.h"
#include "tests/sim/faults.h"
#include "tests/sim/prng.h"

namespace lianxi::sim {

class World {
 public:
  explicit World(std::uint64_t seed, bool verbose);

  [[nodiscard]] TimeMs now() const { return now_; }
  [[nodiscard]] TimeMs elapsed_ms() const { return now_ - kStart; }
  void after(TimeMs delay_ms, std::function<void()> what);
  // Runs what is due until `time`, or until something failed.
  void run_until(TimeMs time);

  [[nodiscard]] Prng& random() { return random_; }

  // A line of the transcript; its bytes are part of the run's hash.
  void note(std::string line);
  void mix(BytesView bytes);  // into the hash alone
  void count(std::string_view what, std::uint64_t more = 1) { counts_[std::string(what)] += more; }
  [[nodiscard]] const std::map<std::string, std::uint64_t>& counts() const { return counts_; }
  void fired(Fault fault, std::uint64_t times = 1) { faults_[static_cast<std::size_t>(fault)] += times; }
  [[nodiscard]] const FaultCounts& faults() const { return faults_; }
  // An alarm that some fault of this run may cause; all others are failures.
  void expect_alarm(std::string what) { alarms_.insert(std::move(what)); }
  [[nodiscard]] bool expects_alarm(const std::string& what) const { return alarms_.contains(what); }
  // A promise is broken: the run ends here.
  void fail(std::string promise);
  [[nodiscard]] bool failed() const { return !failure_.empty(); }
  [[nodiscard]] const std::string& failure() const { return failure_; }
  [[nodiscard]] std::string transcript() const;  // its last lines
  [[nodiscard]] std::uint64_t transcript_hash() const { return hash_; }

 private:
  static constexpr TimeMs kStart = 1'604'880'000'000;  // 2020-11-09 in Beijing
  static constexpr std::size_t kTailLines = 90;
  struct Due {
    TimeMs time;
    std::uint64_t order;
    std::function<void()> what;
    bool operator<(const Due& other) const { return time != other.time ? time > other.time : order > other.order; }
  };

  TimeMs now_ = kStart;
  std::uint64_t order_ = 0;
  std::vector<Due> due_;  // a heap
  Prng random_;
  bool verbose_;
  std::deque<std::string> tail_;
  std::uint64_t hash_ = 0xCBF29CE484222325ULL;
  std::map<std::string, std::uint64_t> counts_;
  FaultCounts faults_{};
  std::set<std::string> alarms_;
  std::string failure_;
};

}  // namespace lianxi::sim
