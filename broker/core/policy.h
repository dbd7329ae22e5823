// Who may publish, follow and query what. A value: built from config by app, replaced whole by an input; read by core, the
// query thread and the live socket, each with its own shared copy. Nothing is allowed that no grant allows.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "broker/core/throttle.h"
#include "schemas/protocol.h"

namespace lianxi::core {

// Empty list: every value. A rule admits an envelope if each of its lists does.
struct Rule {
  std::vector<Kind> kinds;
  std::vector<std::string> kind_words;  // kinds by their topic word; filled beside `kinds` by the config reader
  std::vector<PlaceCode> places;        // with all below; to follow and query, what is placed above too (schemas/places.h)
  std::vector<std::string> agencies;
  std::vector<Level> levels;
  std::vector<Audience> audiences;
  bool operator==(const Rule&) const = default;
};

[[nodiscard]] bool admits_kind(const Rule& rule, Kind kind);

enum class Role : std::uint8_t { agent, operator_, node, volunteer };  // `node`: another member's broker

struct Grant {
  std::string agents;  // "330800.police.dispatch", or with '*' for one part: "*.police.*"
  std::vector<Rule> publish, follow, query;
  std::optional<PublishRates> rates;  // instead of the node's
};

struct Agent {
  AgentId id;
  std::string agency;
  Role role = Role::agent;
};

class Policy {
 public:
  Policy() = default;
  explicit Policy(std::vector<Grant> grants, PublishRates rates = {});
  void set_rates(PublishRates rates) { rates_ = rates; }

  [[nodiscard]] Result<void> may_publish(const Agent& agent,
                                         const Envelope& envelope) const;  // not_allowed names what is missing
  [[nodiscard]] bool may_follow(const Agent& agent, const Envelope& envelope) const;
  [[nodiscard]] bool may_query(const Agent& agent, const Envelope& envelope) const;
  // not_allowed, with what the policy admits, if no rule meets the filter: such a follow would be silent for ever. What a
  // rule meets in part is followed in part.
  [[nodiscard]] Result<void> may_follow_some(const Agent& agent, const Filter& filter) const;
  // The rules that may_follow asks, borrowed from this policy: agents with the same rules may follow the same.
  [[nodiscard]] std::vector<const Rule*> follow_rules(const Agent& agent) const;
  [[nodiscard]] bool may_query_kind(const Agent& agent, Kind kind) const;
  // Of the first grant that names some; else the node's.
  [[nodiscard]] const PublishRates& rates(const AgentId& agent) const;
  // A `live` subscription prefix ("alert/3308", "incident/330803/fire"): admitted only if, for each of the audiences, some
  // follow rule admits every event whose topic begins so, whatever its level. "alert/330000/" is one place, and a rule for a
  // city in it admits it; "alert/33" is all of the province.
  [[nodiscard]] bool may_subscribe(const Agent& agent, std::string_view topic_prefix,
                                   const std::vector<Audience>& audiences = {Audience::conference()}) const;

 private:
  [[nodiscard]] std::vector<const Grant*> grants_of(const AgentId& agent) const;
  std::vector<Grant> grants_;
  PublishRates rates_;
};

// A member city. Audiences other than `conference` and `local` are groups of members.
struct Member {
  RegionCode region;
  std::string name_zh, name_en;
  SealPublicKey seal_key{};
  std::string curve_key;                         // Z85, of its broker's sockets
  std::string flash, data, follow, query, live;  // endpoints, "tcp://host:port"
};
struct Group {
  Audience audience;
  std::vector<RegionCode> members;
};
class Members {
 public:
  Members() = default;
  Members(std::vector<Member> members, std::vector<Group> groups);
  [[nodiscard]] const Member* find(RegionCode region) const;
  [[nodiscard]] const std::vector<Member>& all() const { return members_; }
  [[nodiscard]] const std::vector<Group>& groups() const { return groups_; }
  [[nodiscard]] bool is_audience(const Audience& audience) const;               // known here
  [[nodiscard]] bool holds(const Audience& audience, RegionCode region) const;  // may `region` hold such events of others

 private:
  std::vector<Member> members_;
  std::vector<Group> groups_;
};

}  // namespace lianxi::core
