#include "broker/app/delivery_plan.h"

#include <algorithm>

#include "broker/app/directory.h"

namespace lianxi::app {
namespace {

constexpr std::size_t kEnvelopeBytes = 8;  // of a segment whose envelopes are read: as long as one comparison

const SegmentFacts& facts_of(const HeldSegment& segment, std::size_t& work) {
  if (!segment.has_facts()) work += segment.bytes().size() / kEnvelopeBytes;
  return segment.facts();
}

template <class T>
void add(std::string& key, const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  key.append(reinterpret_cast<const char*>(&value), sizeof value);
}
void add(std::string& key, const std::string& text) {
  add(key, text.size());
  key += text;
}
template <class List, class Write>
void add_all(std::string& key, const List& list, Write write) {
  add(key, list.size());
  for (const auto& item : list) write(item);
}

// Two follows with equal keys may have the same of every feed. Empty: this one shares with nobody.
std::string share_key(const core::FollowSpec& spec, const core::Policy& policy, const core::Members& members) {
  const Filter& filter = spec.filter;
  if (!spec.have.empty()) return {};
  std::string key;
  add(key, spec.mode);
  add(key, spec.lanes);
  add(key, spec.zstd);
  const bool node = spec.agent.role == core::Role::node;
  add(key, node);
  // Members' nodes of the same groups may hold the same: what all of them are behind is made, and compressed, once.
  if (node && spec.mode == FollowMode::feeds && members.active(spec.agent.id.region())) {
    add_all(key, members.groups(),
            [&](const core::Group& group) { add(key, members.holds(group.audience, spec.agent.id.region())); });
  } else {
    add(key, spec.agent.id.region().value);
  }
  add_all(key, spec.regions, [&](RegionCode region) { add(key, region.value); });
  add_all(key, filter.kinds, [&](Kind kind) { add(key, kind); });
  add_all(key, filter.places, [&](const PlaceCode& place) { add(key, place.text()); });
  add_all(key, filter.agencies, [&](const std::string& agency) { add(key, agency); });
  add_all(key, filter.levels, [&](Level level) { add(key, level); });
  add_all(key, filter.audiences, [&](const Audience& audience) { add(key, audience.text()); });
  add(key, filter.area.has_value());
  if (filter.area) {
    add_all(key, filter.area->ring, [&](const LonLat& point) { add(key, point); });
    add(key, filter.area->circle.has_value());
    if (filter.area->circle) add(key, *filter.area->circle);
  }
  if (spec.mode == FollowMode::events)
    add_all(key, policy.follow_rules(spec.agent), [&](const core::Rule* rule) { add(key, rule); });
  return key;
}

}  // namespace

DeliveryPlan::DeliveryPlan(std::shared_ptr<const core::FollowSpec> spec, std::shared_ptr<const core::Policy> policy,
                           std::shared_ptr<const core::Members> members)
    : spec_(std::move(spec)),
      policy_(std::move(policy)),
      members_(std::move(members)),
      sieve_(*policy_, spec_->agent, spec_->filter) {}

bool DeliveryPlan::feed_admitted(const FeedId& feed) const {
  const auto& regions = spec_->regions;
  return (spec_->lanes & mask_of(feed.lane)) != 0 &&
         (regions.empty() || std::find(regions.begin(), regions.end(), feed.region) != regions.end()) &&
         reaches(feed.audience, feed.region, spec_->agent, *members_);
}

SegmentJudge::SegmentJudge(const DeliveryPlan& plan, const HeldSegment& segment, std::size_t& work)
    : plan_(plan), segment_(segment), facts_(facts_of(segment, work)), classes_(facts_.classes.size()) {}

void SegmentJudge::judge_class(std::size_t one, std::size_t& work) {
  work += plan_.sieve_.items();
  classes_[one] = plan_.sieve_.admits(facts_.classes[one]) ? Verdict::admitted : Verdict::left_out;
}

bool SegmentJudge::in_area(std::size_t i, std::size_t& work) const {
  const core::Whereabouts* where = segment_.where(i, work);
  return where != nullptr && plan_.sieve_.admits(*where, work);
}

Sequence DeliveryPlan::held(const FeedId& feed) const {
  const auto at = std::lower_bound(spec_->have.begin(), spec_->have.end(), feed,
                                   [](const FeedPosition& p, const FeedId& wanted) { return p.feed < wanted; });
  return at == spec_->have.end() || at->feed != feed ? Sequence(0) : at->head.sequence;
}

FeedVector DeliveryPlan::passed_over(const FeedVector& heads) const {
  FeedVector out;
  for (const FeedPosition& position : heads) {
    if (!feed_admitted(position.feed))
      out.push_back(position);
    else if (const Sequence have = held(position.feed); have.value > 0)
      out.push_back({position.feed, {have, {}}});
  }
  return out;
}

void DeliveryPlans::rights(std::shared_ptr<const core::Policy> policy, std::shared_ptr<const core::Members> members) {
  policy_ = std::move(policy);
  members_ = std::move(members);
  of_spec_.clear();
  shared_.clear();
  in_force_.clear();
}

SharedPlan DeliveryPlans::plan_of(const std::shared_ptr<const core::FollowSpec>& spec) {
  if (const auto known = of_spec_.find(spec); known != of_spec_.end()) return known->second;
  if (of_spec_.size() >= sweep_at_) sweep();
  const std::string key = share_key(*spec, *policy_, *members_);
  if (!key.empty()) {
    if (const auto equal = shared_.find(key); equal != shared_.end()) return of_spec_[spec] = equal->second;
  }
  auto plan = std::make_shared<const DeliveryPlan>(spec, policy_, members_);
  if (!key.empty()) shared_[key] = plan;
  in_force_.insert(plan);
  return of_spec_[spec] = std::move(plan);
}

// Forgets the plans of follows that are gone. A plan holds the spec that it was made of.
void DeliveryPlans::sweep() {
  std::set<SharedPlan> used;
  std::erase_if(of_spec_,
                [](const auto& entry) { return entry.first.use_count() == (entry.second->made_of(entry.first) ? 2 : 1); });
  for (const auto& [spec, plan] : of_spec_) used.insert(plan);
  std::erase_if(shared_, [&](const auto& entry) { return !used.contains(entry.second); });
  in_force_ = std::move(used);
  sweep_at_ = std::max<std::size_t>(64, 2 * of_spec_.size());
}

}  // namespace lianxi::app
