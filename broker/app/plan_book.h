// Retentions that the query thread has worked out, and those that the view has read, on their way to the rules: the broker's
// thread takes them before it steps what it has received, so whoever publishes one after its answer finds it known. Any thread.
#pragma once

#include <mutex>
#include <utility>
#include <vector>

#include "broker/core/input.h"

namespace lianxi::app {

class PlanBook {
 public:
  void add(core::RetentionPlanned plan) {
    const std::lock_guard lock(mutex_);
    if (plans_.size() < kMaxPlans) plans_.push_back(std::move(plan));
  }
  // Retentions that the view has read; the view thread's.
  void add(std::vector<RetainedFeed> retained) {
    const std::lock_guard lock(mutex_);
    retained_.insert(retained_.end(), retained.begin(), retained.end());
  }
  [[nodiscard]] std::vector<RetainedFeed> take_retained() {
    const std::lock_guard lock(mutex_);
    return std::exchange(retained_, {});
  }
  [[nodiscard]] std::vector<core::RetentionPlanned> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(plans_, {});
  }

 private:
  static constexpr std::size_t kMaxPlans = 64;  // more than a turn's time works out
  std::mutex mutex_;
  std::vector<core::RetentionPlanned> plans_;
  std::vector<RetainedFeed> retained_;
};

}  // namespace lianxi::app
