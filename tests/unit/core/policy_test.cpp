#include "broker/core/policy.h"

#include <gmock/gmock.h>

#include "tests/unit/core/core_rig.h"

namespace lianxi::core {
namespace {

using testing::HasSubstr;

Rule rule(std::vector<Kind> kinds, std::vector<std::string> places = {}, std::vector<std::string> agencies = {}) {
  Rule r;
  r.kinds = std::move(kinds);
  for (const std::string& digits : places) r.places.push_back(place(digits));
  r.agencies = std::move(agencies);
  return r;
}

Policy follow_policy(std::vector<Rule> rules) {
  return Policy({Grant{"*.police.*", {}, std::move(rules), {}}});
}

TEST(Policy, NothingIsAllowedThatNoGrantAllows) {
  const Policy nothing;
  const auto refused = nothing.may_publish(police(), report("浓烟").envelope);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, RefusalCode::not_allowed);
  EXPECT_EQ(refused.error().field, "agent");
  EXPECT_THAT(refused.error().reason, HasSubstr("330800.police.dispatch"));
  EXPECT_FALSE(nothing.may_follow(police(), report("浓烟").envelope));
  EXPECT_FALSE(nothing.may_follow_some(police(), {}));
  EXPECT_FALSE(nothing.may_query(police(), report("浓烟").envelope));
  EXPECT_FALSE(nothing.may_query_kind(police(), Kind::alert));
  EXPECT_FALSE(nothing.may_subscribe(police(), "alert"));
}

TEST(Policy, AStarStandsForOnePartOfTheAgentsName) {
  const auto admits = [](const char* pattern, const char* agent) {
    return Policy({Grant{pattern, {Rule{}}, {}, {}}}).may_publish(agent_named(agent), report("x").envelope).has_value();
  };
  EXPECT_TRUE(admits("*.police.*", "330800.police.dispatch"));
  EXPECT_TRUE(admits("330800.*.*", "330800.fire.dispatch"));
  EXPECT_TRUE(admits("330800.police.dispatch", "330800.police.dispatch"));
  EXPECT_FALSE(admits("*.police.*", "330800.fire.dispatch"));
  EXPECT_FALSE(admits("330800.*.*", "341000.police.dispatch"));
  EXPECT_FALSE(admits("330800.police.dispatch", "330800.police.dispatch2"));
  EXPECT_FALSE(admits("*.police", "330800.police.dispatch"));
  EXPECT_FALSE(admits("*", "330800.police.dispatch"));
}

TEST(Policy, ARefusalNamesTheListThatFailedAndWhatWouldBeAdmitted) {
  const Policy policy({Grant{"*.police.*", {rule({Kind::incident}, {"330803", "330802"})}, {}, {}}});
  const auto kind = policy.may_publish(police(), alert("a1").envelope);
  ASSERT_FALSE(kind);
  EXPECT_EQ(kind.error().field, "kind");
  EXPECT_THAT(kind.error().reason, HasSubstr("admits incident"));
  Event elsewhere = report("x");
  elsewhere.envelope.place = place("341002");
  const auto where = policy.may_publish(police(), elsewhere.envelope);
  ASSERT_FALSE(where);
  EXPECT_EQ(where.error().field, "place");
  EXPECT_THAT(where.error().reason, HasSubstr("341002"));
  EXPECT_THAT(where.error().reason, HasSubstr("330803, 330802"));
}

TEST(Policy, OneRuleMustAdmitAllOfAnEvent) {
  // Incidents in one county, and anything but incidents in another: neither rule admits an incident in the other county.
  const Policy policy({Grant{"*.police.*", {rule({Kind::incident}, {"330803"}), rule({Kind::alert}, {"330802"})}, {}, {}}});
  Event event = report("x");
  EXPECT_TRUE(policy.may_publish(police(), event.envelope));
  event.envelope.place = place("330802");
  EXPECT_FALSE(policy.may_publish(police(), event.envelope));
}

TEST(Policy, LevelsAndAudiencesCount) {
  Rule r;
  r.levels = {Level::yellow, Level::blue};
  r.audiences = {Audience::local()};
  const Policy policy({Grant{"*.police.*", {r}, {}, {}}});
  Event event = report("x");
  EXPECT_EQ(policy.may_publish(police(), event.envelope).error().field, "level");
  event.envelope.level = Level::blue;
  EXPECT_EQ(policy.may_publish(police(), event.envelope).error().field, "audience");
  EXPECT_TRUE(policy.may_publish(police(), to(event, Audience::local()).envelope));
}

TEST(Policy, FollowAndQueryAreJudgedByTheirOwnRules) {
  const Policy policy({Grant{"*.police.*", {}, {rule({Kind::alert})}, {rule({Kind::resource}, {"33"})}}});
  EXPECT_TRUE(policy.may_follow_some(police(), {}));
  EXPECT_TRUE(policy.may_follow(police(), alert("a1").envelope));
  EXPECT_FALSE(policy.may_follow(police(), report("x").envelope));
  EXPECT_TRUE(policy.may_query(police(), team("t1").envelope));
  EXPECT_FALSE(policy.may_query(police(), team("t1", kHuangshan).envelope));
  EXPECT_TRUE(policy.may_query_kind(police(), Kind::resource));
  EXPECT_FALSE(policy.may_query_kind(police(), Kind::alert));
}

TEST(Policy, ARightToReadACityShowsWhatIsPlacedAboveItAndARightToPublishDoesNot) {
  const Policy policy({Grant{"*.police.*", {rule({}, {"3308"})}, {rule({}, {"3308"})}, {rule({}, {"3308"})}}});
  Event event = alert("a1");
  for (const char* code : {"330800", "330803", "330803001", "330000"}) {
    event.envelope.place = place(code);
    EXPECT_TRUE(policy.may_follow(police(), event.envelope)) << code;
    EXPECT_TRUE(policy.may_query(police(), event.envelope)) << code;
    EXPECT_EQ(policy.may_publish(police(), event.envelope).has_value(), std::string(code) != "330000") << code;
  }
  event.envelope.place = place("330900");
  EXPECT_FALSE(policy.may_follow(police(), event.envelope));
  EXPECT_FALSE(policy.may_query(police(), event.envelope));
}

TEST(Policy, AFilterMustMeetSomeFollowRuleInAllItsLists) {
  const Policy policy = follow_policy({rule({Kind::alert}, {"3308"}), rule({Kind::incident}, {"330803"}, {"fire"})});
  const auto asks = [&](const Filter& filter) {
    const auto answer = policy.may_follow_some(police(), filter);
    return answer ? std::string("met") : answer.error().field + ": " + answer.error().reason;
  };
  EXPECT_EQ(asks({}), "met");
  EXPECT_EQ(asks({.kinds = {Kind::mobilisation, Kind::alert}}), "met");  // in part
  EXPECT_EQ(asks({.places = {place("33")}}), "met");                     // the rule's place lies within
  EXPECT_EQ(asks({.kinds = {Kind::alert}, .places = {place("330802")}}), "met");
  EXPECT_EQ(asks({.places = {place("3410"), place("3308")}}), "met");
  EXPECT_EQ(asks({.kinds = {Kind::mobilisation, Kind::resource}}),
            "filter.kinds: 330800.police.dispatch may not follow filter.kinds mobilisation, resource; the policy admits alert, "
            "incident");
  EXPECT_EQ(asks({.places = {place("3410")}}),
            "filter.places: 330800.police.dispatch may not follow filter.places 341000; the policy admits 330800, 330803");
  // Alerts of this county may be followed, its incidents may not.
  EXPECT_EQ(asks({.kinds = {Kind::incident}, .places = {place("330802")}}),
            "filter.places: 330800.police.dispatch may not follow filter.places 330802; the policy admits 330803");
  EXPECT_EQ(asks({.kinds = {Kind::incident}, .agencies = {"police"}}),
            "filter.agencies: 330800.police.dispatch may not follow filter.agencies police; the policy admits fire");
}

TEST(LivePrefix, IsAdmittedIfARuleCoversEveryTopicUnderIt) {
  const Policy city = follow_policy({rule({Kind::alert}, {"3308"})});
  EXPECT_TRUE(city.may_subscribe(police(), "alert/3308"));
  EXPECT_TRUE(city.may_subscribe(police(), "alert/33080"));
  EXPECT_TRUE(city.may_subscribe(police(), "alert/330803/"));
  EXPECT_TRUE(city.may_subscribe(police(), "alert/330803/emergency"));
  EXPECT_TRUE(city.may_subscribe(police(), "alert/330000/"));  // the province's own alerts strike the city
  EXPECT_TRUE(city.may_subscribe(police(), "alert/330000/emergency"));
  EXPECT_FALSE(city.may_subscribe(police(), "alert/330000"));  // 330000xxx as well
  EXPECT_FALSE(city.may_subscribe(police(), "alert/340000/"));
  EXPECT_FALSE(city.may_subscribe(police(), "alert/33"));
  EXPECT_FALSE(city.may_subscribe(police(), "alert/3307"));
  EXPECT_FALSE(city.may_subscribe(police(), "alert/"));
  EXPECT_FALSE(city.may_subscribe(police(), "alert"));
  EXPECT_FALSE(city.may_subscribe(police(), ""));
  EXPECT_FALSE(city.may_subscribe(fire(), "alert/3308"));
}

TEST(LivePrefix, APartOfAKindMustLeadOnlyToAdmittedKinds) {
  const Policy some = follow_policy({rule({Kind::alert, Kind::response_level, Kind::roll_call, Kind::incident})});
  EXPECT_TRUE(some.may_subscribe(police(), "alert"));
  EXPECT_TRUE(some.may_subscribe(police(), "alert/"));
  EXPECT_TRUE(some.may_subscribe(police(), "in"));
  EXPECT_TRUE(some.may_subscribe(police(), "ro"));
  EXPECT_FALSE(some.may_subscribe(police(), "a"));   // attachment as well
  EXPECT_FALSE(some.may_subscribe(police(), "re"));  // resource and redaction as well
  EXPECT_FALSE(some.may_subscribe(police(), "mobilisation/"));
  EXPECT_FALSE(some.may_subscribe(police(), "nosuchkind/33"));
  EXPECT_FALSE(some.may_subscribe(police(), "aler/33"));
}

TEST(LivePrefix, AnythingIsAdmittedWhereNothingIsListed) {
  const Policy all = follow_policy({Rule{}});
  for (const char* prefix : {"", "a", "alert", "alert/", "alert/33", "incident/330803/fi", "incident/330803/fire"})
    EXPECT_TRUE(all.may_subscribe(police(), prefix)) << prefix;
}

TEST(LivePrefix, ARuleThatNamesAgenciesCoversNoPrefixForATopicHasNoEndMark) {
  const Policy fire_only = follow_policy({rule({Kind::incident}, {"3308"}, {"fire"})});
  EXPECT_FALSE(fire_only.may_subscribe(police(), "incident/330803/fi"));
  EXPECT_FALSE(fire_only.may_subscribe(police(), "incident/330803/fire"));  // "fire-x" begins so too
}

TEST(LivePrefix, ARuleForSomeLevelsOrNotForTheConferenceCoversNothing) {
  Rule red = rule({Kind::alert});
  red.levels = {Level::red};
  EXPECT_FALSE(follow_policy({red}).may_subscribe(police(), "alert/33"));
  Rule every = rule({Kind::alert});
  every.levels = {Level::none, Level::red, Level::orange, Level::yellow, Level::blue};
  EXPECT_TRUE(follow_policy({every}).may_subscribe(police(), "alert/33"));
  Rule local = rule({Kind::alert});
  local.audiences = {Audience::local()};
  EXPECT_FALSE(follow_policy({local}).may_subscribe(police(), "alert/33"));
}

TEST(Members, HoldWhatIsForThem) {
  const auto members = four_cities({Group{audience("qu-huang"), {kQuzhou, kHuangshan}}});
  EXPECT_TRUE(members->holds(Audience::conference(), kNanping));
  EXPECT_FALSE(members->holds(Audience::conference(), RegionCode{110000}));
  EXPECT_FALSE(members->holds(Audience::local(), kQuzhou));
  EXPECT_TRUE(members->holds(audience("qu-huang"), kHuangshan));
  EXPECT_FALSE(members->holds(audience("qu-huang"), kNanping));
  EXPECT_TRUE(members->is_audience(audience("qu-huang")));
  EXPECT_TRUE(members->is_audience(Audience::local()));
  EXPECT_FALSE(members->is_audience(audience("others")));
}

}  // namespace
}  // namespace lianxi::core
