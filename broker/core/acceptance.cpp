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
  if (audience.is_local() || audience == Audience::conference() || ground.members().entitled(audience, ground.region()))
    return {};
  return refuse(
      RefusalCode::not_allowed, "audience",
      "the group \"" + audience.text() + "\" does not hold " + to_text(ground.region()) + ", so it cannot publish to it");
}

// Whether the audience takes anything at the time that the event would be stamped with: peers judge by the stamp.
Result<void> audience_is_open(const Ground& ground, const Audience& audience, TimeMs now) {
  if (audience.is_local()) return {};
  const Members& members = ground.members();
  const TimeMs stamp = ground.sequencer.clock().next_ms(now);
  const Group* group = members.group(audience);
  if (group != nullptr && standing_of(group->window, stamp) == Standing::not_yet)
    return refuse(RefusalCode::not_allowed, "audience",
                  "the group \"" + audience.text() + "\" begins at " + to_iso8601(*group->window.since));
  const Standing own = members.standing(ground.region());
  const auto closes = members.closes(audience, ground.region());
  const bool closed = closes && stamp >= *closes;
  if (!closed && (own == Standing::member || own == Standing::stranger)) return {};
  if (own == Standing::not_yet || own == Standing::retired)
    return refuse(RefusalCode::not_allowed, "audience",
                  members.why_not(ground.region()) + "; nothing of it is taken elsewhere, only the audience local is open to it");
  return refuse(RefusalCode::not_allowed, "audience",
                "the audience \"" + audience.text() + "\" of " + to_text(ground.region()) + " ends at " + to_iso8601(*closes));
}

Result<void> envelope_is_fit(const Ground& ground, const Agent& agent, const Envelope& envelope, TimeMs now) {
  if (auto part = ground.members().takes_part(agent.id.region(), ground.region()); !part) return part;
  if (envelope.place.text().empty()) return refuse(RefusalCode::missing_field, "place", "every event says where it is");
  if (auto own = agency_is_own(agent, envelope); !own) return own;
  if (auto known = audience_is_known(ground, envelope); !known) return known;
  if (auto open = audience_is_open(ground, envelope.audience, now); !open) return open;
  return ground.policy().may_publish(agent, envelope);
}

// What it says of the feed must still be so: the digest is of what stands before it.
Result<void> fits_now(const Ground& ground, const FeedId& feed, const Retention& retention) {
  if (retention.epoch != feed.epoch)
    return refuse(RefusalCode::invalid_field, "epoch", "a retention is of the epoch that it stands in");
  if (retention.position != ground.sequencer.last_sequence(feed))
    return refuse(RefusalCode::conflict, "position",
                  "the feed has moved on to sequence " + std::to_string(ground.sequencer.last_sequence(feed).value) +
                      " since the retention was worked out; ask again");
  if (ground.config.epoch > Epoch{1} && !ground.former_shown)
    return refuse(RefusalCode::conflict, "epoch",
                  "not every member has shown since the restore what it holds of this region's former epochs, and none of it "
                  "would count behind a retention; wait until `lianxi status` shows every link following");
  return {};
}

}  // namespace

void Judge::begin(const Agent& agent, Lane lane, TimeMs now) {
  agent_ = &agent;
  lane_ = lane;
  now_ = now;
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
    if (auto fit = envelope_is_fit(ground, *agent_, envelope, now_); !fit) return tl::unexpected(std::move(fit.error()));
    feed_ = ground.sequencer.own_feed(lane_, envelope.audience);
  }
  fit_ = true;
  // A rule of the policy that names no kinds admits every kind, those too that came after it was written.
  if (envelope.kind == Kind::retention && agent_->role != Role::operator_)
    return refuse(RefusalCode::not_allowed, "agent", "only an operator may say that events count no more");
  if (envelope.kind == Kind::override && agent_->role != Role::operator_)
    return refuse(RefusalCode::not_allowed, "agent", "only an operator may override what the node holds back");
  if (auto rule = rules->judge({reader_, body}, ground.region(), ground.members(), memory); !rule)
    return tl::unexpected(std::move(rule.error()));
  if (const Retention* retention = reader_.retention(); retention != nullptr) {
    if (auto now = fits_now(ground, feed_, *retention); !now) return tl::unexpected(std::move(now.error()));
  }
  if (memory.fenced && promises(*rules, {reader_, body}))
    return refuse(RefusalCode::fenced, "state", ground.fence.reason(ground.members()));
  if (const std::string* stopped = ground.forks.stopped(feed_)) return refuse(RefusalCode::feed_forked, "audience", *stopped);
  if (const std::string* doubted = ground.forks.doubted(feed_))
    return tl::unexpected(Refusal{RefusalCode::busy, "audience", "it is being asked whether " + *doubted, kRetryAfterMs});
  return Accepted{rules, &feed_, &reader_};
}

}  // namespace lianxi::core
