// Who may have what of the journal: a follow's own wishes and its agent's rights, as they are at one moment. Followers whose
// wishes and rights are equal share one plan, and with it their deliveries.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>

#include "broker/app/held_segment.h"
#include "broker/core/effects.h"
#include "broker/core/sieve.h"

namespace lianxi::app {

// Immutable: any thread.
class DeliveryPlan {
 public:
  DeliveryPlan(std::shared_ptr<const core::FollowSpec> spec, std::shared_ptr<const core::Policy> policy,
               std::shared_ptr<const core::Members> members);

  [[nodiscard]] FollowMode mode() const { return spec_->mode; }
  [[nodiscard]] bool made_of(const std::shared_ptr<const core::FollowSpec>& spec) const { return spec_ == spec; }
  // Whether any event of the feed may reach the follower.
  [[nodiscard]] bool feed_admitted(const FeedId& feed) const;
  // Whether all of an admitted feed does, but for what is redacted.
  [[nodiscard]] bool everything() const { return sieve_.admits_all(); }
  // Of an admitted feed, for each event of the segment.
  [[nodiscard]] std::vector<bool> admitted(const HeldSegment& segment) const;
  // What the follower holds of the feed by the vector that it began with.
  [[nodiscard]] Sequence held(const FeedId& feed) const;
  // With this vector JournalReader::first_beyond finds the first event that may concern the follower; `heads`: of all feeds
  // held here.
  [[nodiscard]] FeedVector passed_over(const FeedVector& heads) const;

 private:
  std::shared_ptr<const core::FollowSpec> spec_;
  std::shared_ptr<const core::Policy> policy_;
  std::shared_ptr<const core::Members> members_;
  core::Sieve sieve_;
};
using SharedPlan = std::shared_ptr<const DeliveryPlan>;

// One thread.
class DeliveryPlans {
 public:
  // Every plan made before is of the past: narrowed rights hold at once.
  void rights(std::shared_ptr<const core::Policy> policy, std::shared_ptr<const core::Members> members);
  [[nodiscard]] SharedPlan plan_of(const std::shared_ptr<const core::FollowSpec>& spec);
  [[nodiscard]] bool current(const SharedPlan& plan) const { return in_force_.contains(plan); }

 private:
  void sweep();

  std::shared_ptr<const core::Policy> policy_;
  std::shared_ptr<const core::Members> members_;
  std::map<std::shared_ptr<const core::FollowSpec>, SharedPlan> of_spec_;
  std::map<std::string, SharedPlan> shared_;  // by what makes plans equal
  std::set<SharedPlan> in_force_;
  std::size_t sweep_at_ = 64;
};

}  // namespace lianxi::app
