#include "broker/core/policy.h"

#include <algorithm>

#include "schemas/places.h"
#include "schemas/vocabulary.h"

namespace lianxi::core {

bool admits_kind(const Rule& rule, Kind kind) {
  if (rule.kinds.empty() && rule.kind_words.empty()) return true;
  return std::find(rule.kinds.begin(), rule.kinds.end(), kind) != rule.kinds.end() ||
         std::find(rule.kind_words.begin(), rule.kind_words.end(), to_word(kind)) != rule.kind_words.end();
}

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

// To publish: the rule's places with all below.
bool admits_place(const Rule& rule, const PlaceCode& place) {
  return rule.places.empty() ||
         std::any_of(rule.places.begin(), rule.places.end(), [&](const PlaceCode& p) { return p.covers(place); });
}
// To read: what strikes them from above too.
bool shows_place(const Rule& rule, const PlaceCode& place) {
  return rule.places.empty() ||
         std::any_of(rule.places.begin(), rule.places.end(), [&](const PlaceCode& p) { return meet(p, place); });
}

bool admits_rest(const Rule& rule, const Envelope& e) {
  return admits_kind(rule, e.kind) && admits_value(rule.agencies, e.agency) && admits_value(rule.levels, e.level) &&
         admits_value(rule.audiences, e.audience);
}
bool lets_publish(const Rule& rule, const Envelope& e) {
  return admits_place(rule, e.place) && admits_rest(rule, e);
}
bool shows(const Rule& rule, const Envelope& e) {
  return shows_place(rule, e.place) && admits_rest(rule, e);
}

void add_word(std::vector<std::string>& words, std::string word) {
  if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(std::move(word));
}

void tell_kinds(const Rule& rule, std::vector<std::string>& out) {
  for (const Kind k : rule.kinds) add_word(out, std::string(to_word(k)));
  for (const auto& w : rule.kind_words) add_word(out, w);
}
void tell_places(const Rule& rule, std::vector<std::string>& out) {
  for (const auto& p : rule.places) add_word(out, p.text());
}
void tell_agencies(const Rule& rule, std::vector<std::string>& out) {
  for (const auto& a : rule.agencies) add_word(out, a);
}
void tell_levels(const Rule& rule, std::vector<std::string>& out) {
  for (const Level l : rule.levels) add_word(out, std::string(to_word(l)));
}
void tell_audiences(const Rule& rule, std::vector<std::string>& out) {
  for (const auto& a : rule.audiences) add_word(out, a.text());
}

// One list of a rule: its name, the value asked for, whether the rule admits it, and what the rule would admit.
template <class Asked>
struct ListCheck {
  const char* field;
  std::string asked;
  bool (*admits)(const Rule&, const Asked&);
  void (*tell)(const Rule&, std::vector<std::string>&);
};

std::vector<ListCheck<Envelope>> list_checks(const Envelope& e) {
  return {
      {"kind", std::string(to_word(e.kind)), [](const Rule& r, const Envelope& x) { return admits_kind(r, x.kind); }, tell_kinds},
      {"place", e.place.text(), [](const Rule& r, const Envelope& x) { return admits_place(r, x.place); }, tell_places},
      {"agency", e.agency, [](const Rule& r, const Envelope& x) { return admits_value(r.agencies, x.agency); }, tell_agencies},
      {"level", std::string(to_word(e.level)), [](const Rule& r, const Envelope& x) { return admits_value(r.levels, x.level); },
       tell_levels},
      {"audience", e.audience.text(), [](const Rule& r, const Envelope& x) { return admits_value(r.audiences, x.audience); },
       tell_audiences},
  };
}

std::string join(const std::vector<std::string>& words) {
  constexpr std::size_t kShown = 12;
  std::string out;
  for (std::size_t i = 0; i < words.size() && i < kShown; ++i) out += (i == 0 ? "" : ", ") + words[i];
  if (words.size() > kShown) out += ", and " + std::to_string(words.size() - kShown) + " more";
  return out;
}

// The first list on which all rules that are left fail, and what they would admit; the rules that pass every list, if any do.
template <class Asked>
Result<std::vector<const Rule*>> narrowed(const std::vector<ListCheck<Asked>>& checks, const Asked& asked,
                                          std::vector<const Rule*> rules, const std::string& who) {
  for (const ListCheck<Asked>& check : checks) {
    std::vector<const Rule*> left;
    for (const Rule* rule : rules)
      if (check.admits(*rule, asked)) left.push_back(rule);
    if (left.empty()) {
      std::vector<std::string> admitted;
      for (const Rule* rule : rules) check.tell(*rule, admitted);
      return refuse(RefusalCode::not_allowed, check.field,
                    who + " " + check.field + " " + check.asked + "; the policy admits " + join(admitted));
    }
    rules = std::move(left);
  }
  return rules;
}

// Why no rule lets the envelope be published.
Refusal explain(const Agent& agent, const Envelope& envelope, std::vector<const Rule*> rules) {
  if (rules.empty()) return {RefusalCode::not_allowed, "agent", "the policy lets " + agent.id.text() + " publish nothing", 0};
  auto checks = list_checks(envelope);
  for (auto& check : checks) check.asked = "\"" + check.asked + "\" here";
  auto left = narrowed(checks, envelope, std::move(rules), agent.id.text() + " may not publish");
  if (!left) return std::move(left.error());
  return {RefusalCode::not_allowed, "", "no rule of the policy lets " + agent.id.text() + " publish this", 0};
}

// --- filters of follows ---

template <class T, class Admits>
bool any_asked(const std::vector<T>& asked, const Admits& admits) {
  return asked.empty() || std::any_of(asked.begin(), asked.end(), admits);
}

template <class T, class Text>
std::string told(const std::vector<T>& asked, const Text& text) {
  std::vector<std::string> words;
  for (const T& one : asked) add_word(words, std::string(text(one)));
  return join(words);
}

std::vector<ListCheck<Filter>> filter_checks(const Filter& f) {
  const auto word = [](const auto& value) { return to_word(value); };
  const auto text = [](const auto& value) { return value.text(); };
  return {
      {"filter.kinds", told(f.kinds, word),
       [](const Rule& r, const Filter& x) { return any_asked(x.kinds, [&](Kind k) { return admits_kind(r, k); }); }, tell_kinds},
      {"filter.places", told(f.places, text),
       [](const Rule& r, const Filter& x) { return any_asked(x.places, [&](const PlaceCode& p) { return shows_place(r, p); }); },
       tell_places},
      {"filter.agencies", told(f.agencies, [](const std::string& a) { return a; }),
       [](const Rule& r, const Filter& x) {
         return any_asked(x.agencies, [&](const std::string& a) { return admits_value(r.agencies, a); });
       },
       tell_agencies},
      {"filter.levels", told(f.levels, word),
       [](const Rule& r, const Filter& x) { return any_asked(x.levels, [&](Level l) { return admits_value(r.levels, l); }); },
       tell_levels},
      {"filter.audiences", told(f.audiences, text),
       [](const Rule& r, const Filter& x) {
         return any_asked(x.audiences, [&](const Audience& a) { return admits_value(r.audiences, a); });
       },
       tell_audiences},
  };
}

// --- live topics: "<kind>/<place>/<agency>" cut anywhere ---

// Every kind whose topic word begins so (exactly, if `whole`) is in the rule's list.
bool covers_kinds(const Rule& rule, std::string_view word, bool whole) {
  if (rule.kinds.empty() && rule.kind_words.empty()) return true;
  bool any = false;
  for (std::uint16_t number = 0; number <= static_cast<std::uint16_t>(kLastKind); ++number) {
    const Kind kind{number};
    const auto candidate = to_word(kind);
    if (whole ? candidate != word : !candidate.starts_with(word)) continue;
    if (!admits_kind(rule, kind)) return false;
    any = true;
  }
  return any;
}

// Every place whose code begins so (the one place of this code, if `whole`) is shown by the rule.
bool covers_places(const Rule& rule, std::string_view digits, bool whole) {
  if (rule.places.empty()) return true;
  if (std::any_of(rule.places.begin(), rule.places.end(), [&](const PlaceCode& p) { return digits.starts_with(p.prefix()); }))
    return true;
  const auto place = PlaceCode::parse(digits);
  return whole && place && place->text() == digits && shows_place(rule, *place);
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
  const auto second = rest.find('/');
  return covers_places(rule, rest.substr(0, second), second != std::string_view::npos);
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
      if (lets_publish(rule, envelope)) return {};
  std::vector<const Rule*> rules;
  for (const Grant* grant : grants)
    for (const Rule& rule : grant->publish) rules.push_back(&rule);
  return tl::unexpected(explain(agent, envelope, std::move(rules)));
}

bool Policy::may_follow(const Agent& agent, const Envelope& envelope) const {
  for (const Grant* grant : grants_of(agent.id))
    for (const Rule& rule : grant->follow)
      if (shows(rule, envelope)) return true;
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
      if (shows(rule, envelope)) return true;
  return false;
}

Result<void> Policy::may_follow_some(const Agent& agent, const Filter& filter) const {
  auto rules = follow_rules(agent);
  if (rules.empty()) return refuse(RefusalCode::not_allowed, "agent", "the policy lets " + agent.id.text() + " follow nothing");
  auto left = narrowed(filter_checks(filter), filter, std::move(rules), agent.id.text() + " may not follow");
  if (!left) return tl::unexpected(std::move(left.error()));
  return {};
}

Verdict Policy::judge_reading(const Agent& agent, const Envelope& envelope, std::vector<Rule> Grant::*right) const {
  std::vector<const Rule*> rules;
  for (const Grant* grant : grants_of(agent.id))
    for (const Rule& rule : grant->*right) {
      if (shows(rule, envelope))
        return {true, "\"" + grant->agents + "\"" + (rule.line == 0 ? "" : " at line " + std::to_string(rule.line))};
      rules.push_back(&rule);
    }
  if (rules.empty()) return {false, "no grant names it for this"};
  auto checks = list_checks(envelope);
  for (auto& check : checks)
    if (check.field == std::string_view("place"))
      check.admits = [](const Rule& r, const Envelope& x) { return shows_place(r, x.place); };
  const auto left = narrowed(checks, envelope, std::move(rules), "no rule admits");
  return {false, left ? "no single rule admits all of it" : left.error().reason};
}

Verdict Policy::judge_follow(const Agent& agent, const Envelope& envelope) const {
  return judge_reading(agent, envelope, &Grant::follow);
}
Verdict Policy::judge_query(const Agent& agent, const Envelope& envelope) const {
  return judge_reading(agent, envelope, &Grant::query);
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
