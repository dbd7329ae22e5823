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
  // Whether deliveries may be compressed.
  [[nodiscard]] bool packs() const { return spec_->zstd; }
  [[nodiscard]] bool made_of(const std::shared_ptr<const core::FollowSpec>& spec) const { return spec_ == spec; }
  // Whether any event of the feed may reach the follower.
  [[nodiscard]] bool feed_admitted(const FeedId& feed) const;
  // Whether all of an admitted feed does, but for what is redacted.
  [[nodiscard]] bool everything() const { return sieve_.admits_all(); }
  // Whether events are judged by where they are, which takes far longer than a look at the envelope.
  [[nodiscard]] bool by_area() const { return sieve_.needs_body(); }
  // What the follower holds of the feed by the vector that it began with.
  [[nodiscard]] Sequence held(const FeedId& feed) const;
  // With this vector JournalReader::first_beyond finds the first event that may concern the follower; `heads`: of all feeds
  // held here.
  [[nodiscard]] FeedVector passed_over(const FeedVector& heads) const;

 private:
  friend class SegmentJudge;
  std::shared_ptr<const core::FollowSpec> spec_;
  std::shared_ptr<const core::Policy> policy_;
  std::shared_ptr<const core::Members> members_;
  core::Sieve sieve_;
};

// A plan's look at one segment of an admitted feed: event by event, so that it can end at any. Borrows both.
class SegmentJudge {
 public:
  // `work` grows by what it took, in an area's comparisons (some 5 ns each).
  SegmentJudge(const DeliveryPlan& plan, const HeldSegment& segment, std::size_t& work);
  [[nodiscard]] bool admits(std::size_t i, std::size_t& work) {
    ++work;
    const std::uint16_t one = facts_.class_of[i];
    if (one == SegmentFacts::kNobody) return false;
    if (classes_[one] == Verdict::open) judge_class(one, work);
    return classes_[one] == Verdict::admitted && (!plan_.by_area() || in_area(i, work));
  }

 private:
  enum class Verdict : std::uint8_t { open, admitted, left_out };
  void judge_class(std::size_t one, std::size_t& work);
  [[nodiscard]] bool in_area(std::size_t i, std::size_t& work) const;

  const DeliveryPlan& plan_;
  const HeldSegment& segment_;
  const SegmentFacts& facts_;
  std::vector<Verdict> classes_;
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
