// The rules of each kind, found by the kind's number. A kind without a line here is refused to publishers (peers' events of
// such a kind are kept unread).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "broker/core/changed_resources.h"
#include "broker/core/mobilisations.h"
#include "broker/core/policy.h"
#include "broker/core/stock.h"
#include "schemas/codec/event_codec.h"
#include "schemas/decision.h"

namespace lianxi::core {

// What the rules of kinds remember of accepted events.
struct KindMemory {
  std::map<std::string, Hash> alerts;  // own alert_memory_key -> content
  ChangedResources resources;
  // What this node has worked out that its feeds may be cut to, by lane and audience; see kinds/retention.h.
  std::map<std::pair<Lane, Audience>, std::vector<Retention>> plans;
  std::optional<Epoch> fenced;  // nothing is promised in this epoch, see fence.h
  std::string override_reason;  // of the override that ended it
  RegionCode own;
  Stock stock;
  Mobilisations mobilisations;
  TimeMs now = 0;  // of the stamp that an event would get if it were accepted now: what promises and deadlines are judged by
};

// An event that was accepted: by this node now or before a restore, or by a peer.
struct Said {
  const EventReader& event;
  BytesView bytes;
  RegionCode region;  // of the node that accepted it
  Decision version = 0;
  Hlc time;
};

// A well-formed event that wants to become one of this node's.
struct Candidate {
  const EventReader& event;
  BytesView bytes;
};

struct KindRules {
  Kind kind{};
  // Whether this node may accept the event as things stand. Form, lane, policy and audience are checked before.
  Result<void> (*judge)(const Candidate& candidate, RegionCode own, const Members& members, const KindMemory& memory) = nullptr;
  // Called once for each accepted event.
  void (*remember)(const Said& said, KindMemory& memory) = nullptr;
  // Whether the event commits something of this region that can be committed once only; after a restore such are held back.
  bool (*promises)(const Candidate& candidate) = nullptr;
  // Called for each event of a peer as it is taken into the journal, unjudged, on the lane flash.
  void (*hear)(const Said& said, KindMemory& memory) = nullptr;
};

[[nodiscard]] const KindRules* rules_of(Kind kind);
// By the kind's rules; what is no more than a drill or a test promises nothing.
[[nodiscard]] bool promises(const KindRules& rules, const Candidate& candidate);

// True if the region is the home of this well-formed entity.
[[nodiscard]] bool is_of(std::string_view entity, RegionCode region);
// The entity's home is this node's region; else not_home.
[[nodiscard]] Result<void> home_is(const Envelope& envelope, RegionCode own);
// The entity is the one that the body names; else invalid_field.
[[nodiscard]] Result<void> entity_is(const Envelope& envelope, const std::string& expected);
[[nodiscard]] tl::unexpected<Refusal> body_missing(const Envelope& envelope);

}  // namespace lianxi::core
