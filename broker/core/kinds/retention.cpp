#include "broker/core/kinds/retention.h"

#include <algorithm>

namespace lianxi::core {

Result<void> judge_retention(const Candidate& candidate, RegionCode own, const Members&, const KindMemory& memory) {
  const Envelope& envelope = candidate.event.envelope();
  const Retention* retention = candidate.event.retention();
  if (retention == nullptr) return body_missing(envelope);
  if (auto home = home_is(envelope, own); !home) return home;
  if (envelope.status != Status::Actual)
    return refuse(RefusalCode::invalid_field, "status", "a retention takes out what is Actual, so it is Actual itself");
  const auto plans = memory.plans.find({retention->lane, envelope.audience});
  const Retention* near = nullptr;
  if (plans != memory.plans.end()) {
    for (const Retention& plan : plans->second) {
      if (plan == *retention) return {};
      if (plan.through.sequence == retention->through.sequence && plan.position == retention->position) near = &plan;
    }
  }
  if (near == nullptr)
    return refuse(RefusalCode::conflict, "through",
                  "this node has not worked out such a retention, or it was before its start; ask it with `lianxi retain`");
  const char* field = near->through.hash != retention->through.hash ? "hash"
                      : near->ordinal != retention->ordinal         ? "ordinal"
                      : near->digest != retention->digest           ? "digest"
                      : near->epoch != retention->epoch             ? "epoch"
                                                                    : "before";
  return refuse(RefusalCode::invalid_field, field,
                "this node has worked out another value for a retention through sequence " +
                    std::to_string(retention->through.sequence.value) + "; publish what it answered");
}

// Each is published once.
void remember_retention(const Said& said, KindMemory& memory) {
  const auto decoded = decode_event(said.bytes);
  const auto* retention = decoded ? std::get_if<Retention>(&decoded->body) : nullptr;
  if (retention == nullptr) return;
  const Audience& audience = decoded->envelope.audience;
  memory.plans.erase({retention->lane, audience});
  if (const auto cut = decision_of(retention->epoch, retention->ordinal)) memory.stock.retain(retention->lane, audience, *cut);
}

void remember_plan(const Audience& audience, const Retention& plan, KindMemory& memory) {
  std::vector<Retention>& plans = memory.plans[{plan.lane, audience}];
  if (plans.size() >= kMaxPlansOfFeed) plans.erase(plans.begin());
  plans.push_back(plan);
}

}  // namespace lianxi::core
