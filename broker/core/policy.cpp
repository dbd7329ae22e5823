#include "broker/core/policy.h"

#include <algorithm>

#include "schemas/vocabulary.h"

namespace lianxi::core {
namespace {

bool matches(std::string_view pattern, std::string_view id) {
  while (true) {
    const auto p = pattern.find('.');
    const auto i = id.find('.');
    if ((p == std::string_view::npos) != (i == std::string_view::npos)) return false;
    const auto part = pattern.substr(0, p);
    if (part != "*" && part != id.substr(0, i)) return false;
    if (p == std::string_view::npos) return true;
    pattern.remove_prefix(p + 1);
    id.remove_prefix(i + 1);
  }
}

template <class T>
bool admits_value(const std::vector<T>& list, const T& value) {
  return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
}

bool admits_kind(const Rule& rule, Kind kind) {
  if (rule.kinds.empty() && rule.kind_words.empty()) return true;
  return std::find(rule.kinds.begin(), rule.kinds.end(), kind) != rule.kinds.end() ||
         std::find(rule.kind_words.begin(), rule.kind_words.end(), to_word(kind)) != rule.kind_words.end();
}

bool admits_place(const Rule& rule, const PlaceCode& place) {
  return rule.places.empty() ||
         std::any_of(rule.places.begin(), rule.places.end(), [&](const PlaceCode& p) { return p.covers(place); });
}

bool admits_all(const Rule& rule, const Envelope& e) {
  return admits_kind(rule, e.kind) && admits_place(rule, e.place) && admits_value(rule.agencies, e.agency) &&
         admits_value(rule.levels, e.level) && admits_value(rule.audiences, e.audience);
}

void add_word(std::vector<std::string>& words, std::string word) {
  if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(std::move(word));
}

// One list of a rule: its name, the value asked for, whether the rule admits it, and what the rule would admit.
struct ListCheck {
  const char* field;
  std::string asked;
  bool (*admits)(const Rule&, const Envelope&);
  void (*tell)(const Rule&, std::vector<std::string>&);
};

std::vector<ListCheck> list_checks(const Envelope& e) {
  return {
      {"kind", std::string(to_word(e.kind)), [](const Rule& r, const Envelope& x) { return admits_kind(r, x.kind); },
       [](const Rule& r, std::vector<std::string>& out) {
         for (const Kind k : r.kinds) add_word(out, std::string(to_word(k)));
         for (const auto& w : r.kind_words) add_word(out, w);
       }},
      {"place", e.place.text(), [](const Rule& r, const Envelope& x) { return admits_place(r, x.place); },
       [](const Rule& r, std::vector<std::string>& out) {
         for (const auto& p : r.places) add_word(out, p.text());
       }},
      {"agency", e.agency, [](const Rule& r, const Envelope& x) { return admits_value(r.agencies, x.agency); },
       [](const Rule& r, std::vector<std::string>& out) {
         for (const auto& a : r.agencies) add_word(out, a);
       }},
      {"level", std::string(to_word(e.level)), [](const Rule& r, const Envelope& x) { return admits_value(r.levels, x.level); },
       [](const Rule& r, std::vector<std::string>& out) {
         for (const Level l : r.levels) add_word(out, std::string(to_word(l)));
       }},
      {"audience", e.audience.text(), [](const Rule& r, const Envelope& x) { return admits_value(r.audiences, x.audience); },
       [](const Rule& r, std::vector<std::string>& out) {
         for (const auto& a : r.audiences) add_word(out, a.text());
       }},
  };
}

std::string join(const std::vector<std::string>& words) {
  constexpr std::size_t kShown = 12;
  std::string out;
  for (std::size_t i = 0; i < words.size() && i < kShown; ++i) out += (i == 0 ? "" : ", ") + words[i];
  if (words.size() > kShown) out += ", and " + std::to_string(words.size() - kShown) + " more";
  return out;
}

// Why no rule admits the envelope: the first list on which all that are left fail, and what they would admit.
Refusal explain(const Agent& agent, const Envelope& envelope, std::vector<const Rule*> rules) {
  if (rules.empty()) return {RefusalCode::not_allowed, "agent", "the policy lets " + agent.id.text() + " publish nothing", 0};
  for (const ListCheck& check : list_checks(envelope)) {
    std::vector<const Rule*> left;
    for (const Rule* rule : rules)
      if (check.admits(*rule, envelope)) left.push_back(rule);
    if (left.empty()) {
      std::vector<std::string> admitted;
      for (const Rule* rule : rules) check.tell(*rule, admitted);
      return {RefusalCode::not_allowed, check.field,
              agent.id.text() + " may not publish " + check.field + " \"" + check.asked + "\" here; the policy admits " +
                  join(admitted),
              0};
    }
    rules = std::move(left);
  }
  return {RefusalCode::not_allowed, "", "no rule of the policy lets " + agent.id.text() + " publish this", 0};
}

// --- live topics: "<kind>/<place>/<agency>" cut anywhere ---

// Every kind whose topic word begins so (exactly, if `whole`) is in the rule's list.
bool covers_kinds(const Rule& rule, std::string_view word, bool whole) {
  if (rule.kinds.empty() && rule.kind_words.empty()) return true;
  bool any = false;
  for (std::uint16_t number = 0; number <= static_cast<std::uint16_t>(Kind::redaction); ++number) {
    const Kind kind{number};
    const auto candidate = to_word(kind);
    if (whole ? candidate != word : !candidate.starts_with(word)) continue;
    if (!admits_kind(rule, kind)) return false;
    any = true;
  }
  return any;
}

bool covers_places(const Rule& rule, std::string_view digits) {
  return rule.places.empty() ||
         std::any_of(rule.places.begin(), rule.places.end(), [&](const PlaceCode& p) { return digits.starts_with(p.prefix()); });
}

bool covers_levels(const Rule& rule) {
  if (rule.levels.empty()) return true;
  for (const Level level : {Level::none, Level::red, Level::orange, Level::yellow, Level::blue})
    if (!admits_value(rule.levels, level)) return false;
  return true;
}

bool covers_topic(const Rule& rule, std::string_view prefix, const Audience& audience) {
  if (!covers_levels(rule) || !admits_value(rule.audiences, audience)) return false;
  // A topic has no end mark: what begins with ".../fire" may also be of an agency "fire-x". So a rule that names agencies
  // covers no prefix at all; its agent follows instead, where every event is judged by itself.
  if (!rule.agencies.empty()) return false;
  const auto first = prefix.find('/');
  if (!covers_kinds(rule, prefix.substr(0, first), first != std::string_view::npos)) return false;
  if (first == std::string_view::npos) return rule.places.empty();
  const auto rest = prefix.substr(first + 1);
  return covers_places(rule, rest.substr(0, rest.find('/')));
}

}  // namespace

Policy::Policy(std::vector<Grant> grants, PublishRates rates) : grants_(std::move(grants)), rates_(rates) {}

const PublishRates& Policy::rates(const AgentId& agent) const {
  for (const Grant& grant : grants_)
    if (grant.rates && matches(grant.agents, agent.text())) return *grant.rates;
  return rates_;
}

std::vector<const Grant*> Policy::grants_of(const AgentId& agent) const {
  std::vector<const Grant*> found;
  for (const Grant& grant : grants_)
    if (matches(grant.agents, agent.text())) found.push_back(&grant);
  return found;
}

Result<void> Policy::may_publish(const Agent& agent, const Envelope& envelope) const {
  const std::vector<const Grant*> grants = grants_of(agent.id);
  for (const Grant* grant : grants)
    for (const Rule& rule : grant->publish)
      if (admits_all(rule, envelope)) return {};
  std::vector<const Rule*> rules;
  for (const Grant* grant : grants)
    for (const Rule& rule : grant->publish) rules.push_back(&rule);
  return tl::unexpected(explain(agent, envelope, std::move(rules)));
}

bool Policy::may_follow(const Agent& agent, const Envelope& envelope) const {
  for (const Grant* grant : grants_of(agent.id))
    for (const Rule& rule : grant->follow)
      if (admits_all(rule, envelope)) return true;
  return false;
}

std::vector<const Rule*> Policy::follow_rules(const Agent& agent) const {
  std::vector<const Rule*> rules;
  for (const Grant* grant : grants_of(agent.id))
    for (const Rule& rule : grant->follow) rules.push_back(&rule);
  return rules;
}

bool Policy::may_query(const Agent& agent, const Envelope& envelope) const {
  for (const Grant* grant : grants_of(agent.id))
    for (const Rule& rule : grant->query)
      if (admits_all(rule, envelope)) return true;
  return false;
}

bool Policy::may_follow_anything(const Agent& agent) const {
  for (const Grant* grant : grants_of(agent.id))
    if (!grant->follow.empty()) return true;
  return false;
}

bool Policy::may_query_kind(const Agent& agent, Kind kind) const {
  for (const Grant* grant : grants_of(agent.id))
    for (const Rule& rule : grant->query)
      if (admits_kind(rule, kind)) return true;
  return false;
}

bool Policy::may_subscribe(const Agent& agent, std::string_view topic_prefix, const std::vector<Audience>& audiences) const {
  const std::vector<const Grant*> grants = grants_of(agent.id);
  return std::all_of(audiences.begin(), audiences.end(), [&](const Audience& audience) {
    return std::any_of(grants.begin(), grants.end(), [&](const Grant* grant) {
      return std::any_of(grant->follow.begin(), grant->follow.end(),
                         [&](const Rule& rule) { return covers_topic(rule, topic_prefix, audience); });
    });
  });
}

}  // namespace lianxi::core
