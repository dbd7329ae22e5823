#include "broker/core/kinds/registry.h"

#include <algorithm>
#include <charconv>

#include "broker/core/kinds/alert.h"
#include "broker/core/kinds/incident.h"
#include "broker/core/kinds/mobilisation.h"
#include "broker/core/kinds/override.h"
#include "broker/core/kinds/resource.h"
#include "broker/core/kinds/retention.h"
#include "schemas/vocabulary.h"

namespace lianxi::core {
namespace {

constexpr KindRules kRegistry[] = {
    {Kind::alert, judge_alert, remember_alert, nullptr, nullptr},
    {Kind::incident, judge_incident, nullptr, nullptr, nullptr},
    {Kind::resource, judge_resource, remember_resource, resource_promises, nullptr},
    {Kind::mobilisation, judge_mobilisation, remember_mobilisation, mobilisation_promises, remember_mobilisation},
    {Kind::retention, judge_retention, remember_retention, nullptr, nullptr},
    {Kind::override, judge_override, remember_override, nullptr, nullptr},
};

}  // namespace

// The decoder has checked the entity's form: its first six digits are its home.
bool is_of(std::string_view entity, RegionCode region) {
  std::uint32_t home = 0;
  const auto [end, error] = std::from_chars(entity.data(), entity.data() + std::min<std::size_t>(entity.size(), 6), home);
  return error == std::errc{} && end == entity.data() + 6 && home == region.value;
}

const KindRules* rules_of(Kind kind) {
  for (const KindRules& rules : kRegistry)
    if (rules.kind == kind) return &rules;
  return nullptr;
}

bool promises(const KindRules& rules, const Candidate& candidate) {
  return rules.promises != nullptr && candidate.event.envelope().status == Status::Actual && rules.promises(candidate);
}

Result<void> home_is(const Envelope& envelope, RegionCode own) {
  if (is_of(envelope.entity, own)) return {};
  const auto home = home_region(envelope.entity);
  if (!home) return tl::unexpected(home.error());
  if (*home == own) return {};
  return refuse(RefusalCode::not_home, "entity",
                "only the node of " + to_text(*home) + " decides about this " + std::string(to_word(envelope.kind)) +
                    "; this is the node of " + to_text(own));
}

Result<void> entity_is(const Envelope& envelope, const std::string& expected) {
  if (envelope.entity == expected) return {};
  return refuse(RefusalCode::invalid_field, "entity", "the body names the entity \"" + expected + "\"");
}

tl::unexpected<Refusal> body_missing(const Envelope& envelope) {
  return refuse(RefusalCode::missing_field, "body",
                "a published " + std::string(to_word(envelope.kind)) + " must carry its body");
}

}  // namespace lianxi::core
