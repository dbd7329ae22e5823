// The parts of the broker process that need neither process nor socket.
#include <gmock/gmock.h>

#include "broker/app/directory.h"
#include "broker/app/intake.h"
#include "broker/app/live_feed.h"
#include "broker/app/log.h"
#include "broker/app/metrics.h"
#include "broker/app/query_service.h"

namespace lianxi::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

BrokerConfig config_with(std::vector<core::Rule> police_follows, std::vector<core::Group> groups = {}) {
  BrokerConfig config;
  config.file.region = RegionCode(330800);
  core::Grant grant;
  grant.agents = "*.police.*";
  grant.follow = std::move(police_follows);
  config.policy = std::make_shared<core::Policy>(std::vector<core::Grant>{grant});
  std::vector<core::Member> members(3);
  members[0].region = RegionCode(330800);
  members[1].region = RegionCode(341000);
  members[2].region = RegionCode(331100);
  config.members = std::make_shared<core::Members>(members, std::move(groups));
  for (const char* id : {"330800.police.desk", "341000.police.desk"})
    config.agents.push_back({std::string("key of ") + id, {*AgentId::parse(id), "police", core::Role::agent}});
  return config;
}

core::Rule rule(std::vector<Kind> kinds, std::vector<Audience> audiences = {}) {
  core::Rule made;
  made.kinds = std::move(kinds);
  made.audiences = std::move(audiences);
  return made;
}

Envelope at(const std::string& place) {
  Envelope envelope;
  envelope.kind = Kind::alert;
  envelope.place = *PlaceCode::parse(place);
  envelope.agency = "fire";
  return envelope;
}

TEST(LiveRightsTest, AWholeKindIsAdmitted) {
  const Directory directory(config_with({rule({Kind::alert})}));
  EXPECT_TRUE(may_subscribe(*directory.rights(), "330800.police.desk", "alert/3308"));
}

TEST(LiveRightsTest, AnotherKindIsNotAllowed) {
  const Directory directory(config_with({rule({Kind::alert})}));
  const auto refused = may_subscribe(*directory.rights(), "330800.police.desk", "mobilisation/");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, RefusalCode::not_allowed);
  EXPECT_THAT(refused.error().reason, HasSubstr("mobilisation/"));
}

TEST(LiveRightsTest, WhoMayReadConferenceEventsOnlyIsRefusedBecauseLiveCarriesLocalOnesToo) {
  const Directory directory(config_with({rule({Kind::alert}, {Audience::conference()})}));
  EXPECT_FALSE(may_subscribe(*directory.rights(), "330800.police.desk", "alert/"));
}

TEST(LiveRightsTest, TwoRulesMayAdmitTheAudiencesBetweenThem) {
  const Directory directory(
      config_with({rule({Kind::alert}, {Audience::conference()}), rule({Kind::alert}, {Audience::local()})}));
  EXPECT_TRUE(may_subscribe(*directory.rights(), "330800.police.desk", "alert/"));
}

TEST(LiveRightsTest, AGroupThatThisRegionBelongsToMustBeAdmittedToo) {
  const core::Group group{*Audience::parse("upstream"), {RegionCode(330800), RegionCode(341000)}};
  const std::vector<core::Rule> rules = {rule({Kind::alert}, {Audience::conference(), Audience::local()})};
  EXPECT_FALSE(may_subscribe(*Directory(config_with(rules, {group})).rights(), "330800.police.desk", "alert/"));
  const core::Group others{*Audience::parse("upstream"), {RegionCode(341000), RegionCode(331100)}};
  EXPECT_TRUE(may_subscribe(*Directory(config_with(rules, {others})).rights(), "330800.police.desk", "alert/"));
}

TEST(LiveRightsTest, AnAgentOfAnotherRegionIsRefused) {
  const Directory directory(config_with({rule({})}));
  EXPECT_FALSE(may_subscribe(*directory.rights(), "341000.police.desk", "alert/"));
}

TEST(LiveRightsTest, AnAgentThatIsNoLongerKnownIsRefused) {
  const Directory directory(config_with({rule({})}));
  EXPECT_EQ(may_subscribe(*directory.rights(), "330800.fire.desk", "alert/").error().code, RefusalCode::unknown_key);
}

// A view with one local incident and one for the conference.
class TwoIncidents final : public store::ReadView {
 public:
  store::StoreResult<Offset> offset() override { return Offset(3); }
  Offset seen() const override { return Offset(3); }
  store::StoreResult<ResourceRows> resources(const AskResources&, const store::MapContext&, const Admits&) override {
    return ResourceRows{};
  }
  store::StoreResult<TotalRows> totals(const AskTotals&, const store::MapContext&, const Admits&) override { return TotalRows{}; }
  store::StoreResult<void> follow() override { return {}; }
  store::StoreResult<AlertRows> alerts(const AskAlerts&, TimeMs, const Admits&) override { return AlertRows{}; }
  store::StoreResult<IncidentRows> incidents(const AskIncidents&, const Admits& admits) override {
    IncidentRows out;
    for (const Audience& audience : {Audience::local(), Audience::conference()}) {
      Envelope envelope = at("330802");
      envelope.kind = Kind::incident;
      envelope.audience = audience;
      if (admits(envelope)) out.rows.emplace_back();
    }
    return out;
  }
  store::StoreResult<MobilisationRows> mobilisations(const AskMobilisations&, TimeMs, const std::vector<RegionCode>&,
                                                     const Admits&) override {
    return MobilisationRows{};
  }
  store::StoreResult<store::RetentionSurvey> retention(const FeedId&, Ordinal, TimeMs) override {
    return store::RetentionSurvey{};
  }
  store::StoreResult<std::vector<Offset>> events_of(const std::string&, std::size_t) override { return std::vector<Offset>{}; }
  store::StoreResult<std::vector<DigestRow>> digests() override {
    return std::vector<DigestRow>{{Audience::local(), {}, {}}, {Audience::conference(), {}, {}}};
  }
};

class QueryRightsTest : public ::testing::Test {
 protected:
  QueryRightsTest() {
    StatusReport report;
    for (const Audience& audience : {Audience::local(), Audience::conference()})
      report.feeds.push_back({{RegionCode(330800), Epoch(1), Lane::normal, audience}, {}});
    board_.publish(std::move(report));
    metrics_.refused(RefusalCode::busy);
    core::Grant grant;
    grant.agents = "*.*.*";
    grant.query.push_back({});
    rights_.region = RegionCode(330800);
    rights_.policy = std::make_shared<core::Policy>(std::vector<core::Grant>{grant});
    rights_.members = config_with({}).members;
  }
  [[nodiscard]] Answer ask(const char* id, core::Role role, Ask what) {
    Query query;
    query.ask = std::move(what);
    auto answered = desk_.answer(query, {*AgentId::parse(id), "police", role}, rights_, 1);
    EXPECT_TRUE(answered);
    return std::move(*answered);
  }
  [[nodiscard]] std::size_t incidents(const char* id, core::Role role) {
    return std::get<IncidentRows>(ask(id, role, AskIncidents{}).rows).rows.size();
  }
  [[nodiscard]] StatusReport status(const char* id, core::Role role) {
    AskStatus what;
    what.counters = true;
    return std::get<StatusReport>(ask(id, role, what).rows);
  }

  StatusBoard board_;
  Metrics metrics_;
  Rights rights_;
  QueryDesk desk_{std::make_unique<TwoIncidents>(), board_, metrics_};
};

TEST_F(QueryRightsTest, LocalRowsAreForTheAgentsOfTheRegionOnly) {
  EXPECT_EQ(incidents("330800.police.desk", core::Role::agent), 2U);
  EXPECT_EQ(incidents("330800.broker.node", core::Role::node), 1U);
  EXPECT_EQ(incidents("341000.police.desk", core::Role::agent), 1U);
  EXPECT_EQ(incidents("341000.police.desk", core::Role::operator_), 1U);
  EXPECT_EQ(incidents("999900.police.desk", core::Role::agent), 0U) << "not a member";
}

TEST_F(QueryRightsTest, AgentsOfOtherRegionsGetTheSharedPartOfTheStatus) {
  for (const StatusReport& whole :
       {status("330800.police.desk", core::Role::agent), status("341000.broker.node", core::Role::node),
        status("341000.police.desk", core::Role::operator_)}) {
    EXPECT_EQ(whole.feeds.size(), 2U);
    EXPECT_EQ(whole.digests.size(), 2U);
    EXPECT_FALSE(whole.counters.empty());
  }
  const StatusReport shared = status("341000.police.desk", core::Role::agent);
  ASSERT_EQ(shared.feeds.size(), 1U);
  EXPECT_EQ(shared.feeds[0].feed.audience, Audience::conference());
  ASSERT_EQ(shared.digests.size(), 1U);
  EXPECT_EQ(shared.digests[0].audience, Audience::conference());
  EXPECT_TRUE(shared.counters.empty());
}

TEST(LiveTopicsTest, AnEventInACityHasItsOwnTopic) {
  const auto config = config_with({});
  EXPECT_THAT(live_topics(at("330802"), *config.members), ElementsAre("alert/330802/fire"));
  EXPECT_THAT(live_topics(at("330800"), *config.members), ElementsAre("alert/330800/fire"));
}

TEST(LiveTopicsTest, AnEventOfAProvinceIsHeardInEachMemberCityBelow) {
  const auto config = config_with({});
  EXPECT_THAT(live_topics(at("330000"), *config.members),
              ElementsAre("alert/330000/fire", "alert/330800/fire", "alert/331100/fire"));
}

Publish publish_of(Lane lane) {
  Publish publish;
  publish.lane = lane;
  return publish;
}
Follow follow_of(LaneMask lanes) {
  Follow follow;
  follow.lanes = lanes;
  return follow;
}

TEST(EndpointTest, EachEndpointSpeaksItsOwnMessages) {
  EXPECT_TRUE(spoken_on(EndpointKind::flash, publish_of(Lane::flash)));
  EXPECT_TRUE(spoken_on(EndpointKind::data, publish_of(Lane::normal)));
  EXPECT_TRUE(spoken_on(EndpointKind::data, publish_of(Lane::bulk)));
  EXPECT_TRUE(spoken_on(EndpointKind::follow, follow_of(kAllLanes)));
  EXPECT_TRUE(spoken_on(EndpointKind::flash, follow_of(mask_of(Lane::flash))));
  for (const auto endpoint : {EndpointKind::flash, EndpointKind::data, EndpointKind::follow})
    EXPECT_TRUE(spoken_on(endpoint, Heartbeat{}));
}

TEST(EndpointTest, WhatAnEndpointDoesNotSpeakIsNamed) {
  EXPECT_EQ(spoken_on(EndpointKind::flash, publish_of(Lane::bulk)).error().code, RefusalCode::wrong_lane);
  EXPECT_EQ(spoken_on(EndpointKind::data, publish_of(Lane::flash)).error().code, RefusalCode::wrong_lane);
  EXPECT_EQ(spoken_on(EndpointKind::follow, publish_of(Lane::normal)).error().code, RefusalCode::unknown_type);
  EXPECT_EQ(spoken_on(EndpointKind::follow, Hello{}).error().code, RefusalCode::unknown_type);
  EXPECT_EQ(spoken_on(EndpointKind::flash, follow_of(kAllLanes)).error().code, RefusalCode::wrong_lane);
  EXPECT_EQ(spoken_on(EndpointKind::data, follow_of(kAllLanes)).error().code, RefusalCode::unknown_type);
  EXPECT_EQ(spoken_on(EndpointKind::data, Credit{}).error().code, RefusalCode::unknown_type);
  EXPECT_EQ(spoken_on(EndpointKind::flash, Query{}).error().code, RefusalCode::unknown_type);
  EXPECT_EQ(spoken_on(EndpointKind::flash, Welcome{}).error().code, RefusalCode::unknown_type);
}

TEST(LogTest, AJsonLineStaysJsonWhateverAPeerCallsItself) {
  EXPECT_EQ(Log::render(LogFormat::json, "cut", {{"agent", "a\"b\n\x01"}}), "\"event\":\"cut\",\"agent\":\"a\\\"b\\n\\u0001\"");
  EXPECT_EQ(Log::render(LogFormat::json, "cut", {{"agent", "\xff"}}), "\"event\":\"cut\",\"agent\":\"\xef\xbf\xbd\"");
}

TEST(LogTest, AConsoleLineStaysOneLine) {
  EXPECT_EQ(Log::render(LogFormat::console, "cut", {{"agent", "a\nb"}, {"n", "1"}}), "cut agent=\"a\\nb\" n=1");
}

TEST(MetricsTest, CountersAreRowsForStatusAndTextForPrometheus) {
  Metrics metrics;
  metrics.refused(RefusalCode::not_allowed);
  metrics.refused(RefusalCode::not_allowed);
  metrics.accepted(Lane::flash, Kind::alert);
  EXPECT_THAT(metrics.rows(), ::testing::Contains(CounterRow{"lianxi_refusals_total{code=\"not_allowed\"}", 2}));
  EXPECT_THAT(metrics.text(), HasSubstr("lianxi_events_accepted_total{kind=\"alert\",lane=\"flash\"} 1"));
}

}  // namespace
}  // namespace lianxi::app
