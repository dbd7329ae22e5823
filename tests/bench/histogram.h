// Latencies in buckets that are a thousandth apart (as HdrHistogram has them): any count of values in fixed memory.
#pragma once

#include <bit>
#include <chrono>
#include <cstdint>
#include <vector>

namespace lianxi::bench {

using Clock = std::chrono::steady_clock;

class Histogram {
 public:
  void add(Clock::duration latency) {
    const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(latency).count();
    const std::size_t at = index_of(ns < 0 ? 0 : static_cast<std::uint64_t>(ns));
    if (at >= counts_.size()) counts_.resize(at + 1);
    ++counts_[at];
    ++count_;
  }
  void add(const Histogram& other) {
    if (other.counts_.size() > counts_.size()) counts_.resize(other.counts_.size());
    for (std::size_t i = 0; i < other.counts_.size(); ++i) counts_[i] += other.counts_[i];
    count_ += other.count_;
  }
  [[nodiscard]] std::uint64_t count() const { return count_; }
  // Microseconds; 0 without values.
  [[nodiscard]] double quantile_us(double share) const {
    if (count_ == 0) return 0;
    auto left = static_cast<std::uint64_t>(share * static_cast<double>(count_ - 1)) + 1;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      if (counts_[i] >= left) return static_cast<double>(value_of(i)) / 1'000;
      left -= counts_[i];
    }
    return static_cast<double>(value_of(counts_.size() - 1)) / 1'000;
  }

 private:
  static constexpr unsigned kFine = 10;  // bits kept of a value
  static std::size_t index_of(std::uint64_t value) {
    if (value < (1U << kFine)) return value;
    const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - kFine;
    return (std::size_t{shift} << kFine) + static_cast<std::size_t>(value >> shift);
  }
  static std::uint64_t value_of(std::size_t index) {
    const std::size_t shift = index >> kFine;
    if (shift == 0) return index;
    const std::uint64_t low = (index & ((1U << kFine) - 1)) << shift;
    return low + (std::uint64_t{1} << shift) / 2;
  }
  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
};

}  // namespace lianxi::bench
