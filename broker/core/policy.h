// Who may publish, follow and query what. A value: built from config by app, replaced whole by an input; read by core, the
// query thread and the live socket, each with its own shared copy. Nothing is allowed that no grant allows.
#pragma once

#include <limits>
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
  std::uint32_t line = 0;  // of policy.toml; 0: not read from a file
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

// Whether a rule admits something, and which, or what is lacking.
struct Verdict {
  bool admitted = false;
  std::string why;
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
  // The same as may_follow and may_query, with the reason: "*.fire.*" at line 27, or the first list that no rule passes.
  [[nodiscard]] Verdict judge_follow(const Agent& agent, const Envelope& envelope) const;
  [[nodiscard]] Verdict judge_query(const Agent& agent, const Envelope& envelope) const;
  [[nodiscard]] bool may_query_kind(const Agent& agent, Kind kind) const;
  // Of the first grant that names some; else the node's.
  [[nodiscard]] const PublishRates& rates(const AgentId& agent) const;
  // A `live` subscription prefix ("alert/3308", "incident/330803/fire"): admitted only if, for each of the audiences, some
  // follow rule admits every event whose topic begins so, whatever its level. "alert/330000/" is one place, and a rule for a
  // city in it admits it; "alert/33" is all of the province.
  [[nodiscard]] bool may_subscribe(const Agent& agent, std::string_view topic_prefix,
                                   const std::vector<Audience>& audiences = {Audience::conference()}) const;

 private:
  [[nodiscard]] Verdict judge_reading(const Agent& agent, const Envelope& envelope, std::vector<Rule> Grant::*right) const;
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
  Window window;                                 // what it sealed stays proven and readable behind its end
};
struct Group {  // its set is fixed for ever; it may only begin and end as a whole
  Audience audience;
  std::vector<RegionCode> members;
  Window window;
};
// members.toml as it stands at an instant. A value that `at` did not give stands for no instant: everybody counts as a member.
class Members {
 public:
  Members() = default;
  Members(std::vector<Member> members, std::vector<Group> groups, MembersVersion version = {});
  [[nodiscard]] Members at(TimeMs now) const;
  // False: ask at(now) for the value of `now`. Nothing changes without it.
  [[nodiscard]] bool stands_at(TimeMs now) const { return from_ <= now && now < to_; }
  [[nodiscard]] MembersVersion version() const { return version_; }

  // Whoever stands in the file, also who comes later or has gone: whose seals are to be trusted.
  [[nodiscard]] const Member* find(RegionCode region) const;
  [[nodiscard]] const std::vector<Member>& all() const { return members_; }
  [[nodiscard]] const std::vector<Group>& groups() const { return groups_; }
  [[nodiscard]] Standing standing(RegionCode region) const;
  [[nodiscard]] bool active(RegionCode region) const { return standing(region) == Standing::member; }
  // Why it is none now, for a person: "341000 is no member since 2026-12-31T24:00...".
  [[nodiscard]] std::string why_not(RegionCode region) const;
  // Refused: an agent of a member that has not begun, or has gone, at another region's node.
  [[nodiscard]] Result<void> takes_part(RegionCode agent, RegionCode node) const;

  [[nodiscard]] const Group* group(const Audience& audience) const;
  [[nodiscard]] bool is_audience(const Audience& audience) const;                  // known here
  [[nodiscard]] bool entitled(const Audience& audience, RegionCode region) const;  // of its set, at whatever time
  [[nodiscard]] bool holds(const Audience& audience, RegionCode region) const;     // may `region` be sent such events now
  // No event of this audience that its region's node has stamped at or after this instant is taken.
  [[nodiscard]] std::optional<TimeMs> closes(const Audience& audience, RegionCode home) const;

 private:
  std::vector<Member> members_;
  std::vector<Group> groups_;
  std::vector<Standing> standings_;  // of members_
  MembersVersion version_;
  TimeMs from_ = std::numeric_limits<TimeMs>::min();
  TimeMs to_ = std::numeric_limits<TimeMs>::max();
};

}  // namespace lianxi::core
