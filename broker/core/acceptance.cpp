#include "broker/core/acceptance.h"

#include <utility>

#include "schemas/codec/event_codec.h"
#include "schemas/vocabulary.h"

namespace lianxi::core {
namespace {

Result<void> agency_is_own(const Agent& agent, const Envelope& envelope) {
  if (envelope.agency == agent.agency || agent.role == Role::operator_) return {};
  return refuse(RefusalCode::not_allowed, "agency",
                agent.id.text() + " speaks for agency \"" + agent.agency + "\", not for \"" + envelope.agency + "\"");
}

Result<void> audience_is_known(const Ground& ground, const Envelope& envelope) {
  const Audience& audience = envelope.audience;
  if (!ground.members().is_audience(audience))
    return refuse(RefusalCode::invalid_field, "audience",
                  "no audience \"" + audience.text() + "\" here; there are local, conference and the groups of the members file");
  if (audience.is_local() || audience == Audience::conference() || ground.members().holds(audience, ground.region())) return {};
  return refuse(
      RefusalCode::not_allowed, "audience",
      "the group \"" + audience.text() + "\" does not hold " + to_text(ground.region()) + ", so it cannot publish to it");
}

Result<void> envelope_is_fit(const Ground& ground, const Agent& agent, const Envelope& envelope) {
  if (envelope.place.text().empty()) return refuse(RefusalCode::missing_field, "place", "every event says where it is");
  if (auto own = agency_is_own(agent, envelope); !own) return own;
  if (auto known = audience_is_known(ground, envelope); !known) return known;
  return ground.policy().may_publish(agent, envelope);
}

}  // namespace

void Judge::begin(const Agent& agent, Lane lane) {
  agent_ = &agent;
  lane_ = lane;
  fit_ = false;
}

Result<Accepted> Judge::judge(const Ground& ground, const KindMemory& memory, BytesView body) {
  if (auto read = reader_.read(body); !read) return tl::unexpected(std::move(read.error()));
  // Only an event that came as far as its rights can spare the next one.
  const bool as_before = std::exchange(fit_, false) && reader_.same_rights();
  const Envelope& envelope = reader_.envelope();
  const KindRules* rules = rules_of(envelope.kind);
  if (rules == nullptr)
    return refuse(RefusalCode::unknown_kind, "kind",
                  "this node has no rules for kind " + std::to_string(static_cast<unsigned>(envelope.kind)) + " (" +
                      std::string(to_word(envelope.kind)) + ") yet");
  if (const Lane own = reader_.lane(); own != lane_)
    return refuse(RefusalCode::wrong_lane, "lane",
                  "this event goes on lane " + std::string(to_word(own)) + ", not " + std::string(to_word(lane_)));
  if (!as_before) {
    if (auto fit = envelope_is_fit(ground, *agent_, envelope); !fit) return tl::unexpected(std::move(fit.error()));
    feed_ = ground.sequencer.own_feed(lane_, envelope.audience);
  }
  fit_ = true;
  if (auto rule = rules->judge({reader_, body}, ground.region(), ground.members(), memory); !rule)
    return tl::unexpected(std::move(rule.error()));
  if (const std::string* stopped = ground.forks.stopped(feed_)) return refuse(RefusalCode::feed_forked, "audience", *stopped);
  if (const std::string* doubted = ground.forks.doubted(feed_))
    return tl::unexpected(Refusal{RefusalCode::busy, "audience", "it is being asked whether " + *doubted, kRetryAfterMs});
  return Accepted{rules, &feed_};
}

}  // namespace lianxi::core
