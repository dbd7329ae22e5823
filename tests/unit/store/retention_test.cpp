// What a retention may cut, what it cuts, and what it says of the rest.
#include <gmock/gmock.h>

#include "schemas/codec/event_codec.h"
#include "schemas/decision.h"
#include "tests/unit/store/view_kit.h"

namespace lianxi::store::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class RetentionTest : public testing::Test {
 protected:
  RetentionSurvey survey(Lane lane, std::uint64_t through, TimeMs now = kNoon + 100'000) {
    auto found = bench.read().retention(feed_of(kQuzhou, lane), Ordinal(through), now);
    if (!found) throw std::runtime_error(found.error().detail);
    return std::move(*found);
  }
  // Published behind all that is there, with what the view says of itself unless another digest is given.
  void retain(Lane lane, std::uint64_t through, std::optional<Hash> digest = std::nullopt) {
    const FeedId feed = feed_of(kQuzhou, lane);
    const RetentionSurvey now = survey(lane, through);
    Retention retention{Epoch(1), lane,         {Sequence(1), Hash{1}},     Ordinal(through),
                        kNoon,    now.position, digest.value_or(now.digest)};
    Event event;
    event.envelope = {Kind::retention, retention_entity(kQuzhou, lane, feed.audience),
                      Status::Actual,  PlaceCode::of(kQuzhou),
                      "emergency",     Level::none,
                      feed.audience,   kNoon};
    event.body = retention;
    bench.publish_bytes(feed, encode_event(event));
  }
  std::vector<std::string> incidents() {
    const auto rows = bench.read().incidents({}, admit_all);
    std::vector<std::string> names;
    for (const IncidentRow& row : rows->rows) names.push_back(row.id + " " + std::to_string(row.reports.size()));
    std::sort(names.begin(), names.end());
    return names;
  }

  TempFolder folder;
  ViewBench bench{folder.path("view.db")};
};

TEST_F(RetentionTest, ReportsGoAndAnIncidentWithItsLast) {
  bench.publish({report_event({.case_reference = "old", .state = IncidentState::closed}),
                 report_event({.case_reference = "both", .state = IncidentState::responding}),
                 report_event({.case_reference = "both", .state = IncidentState::closed})});
  const RetentionSurvey before = survey(Lane::normal, 2);
  EXPECT_EQ(before.allowed, Ordinal(2));
  EXPECT_EQ(before.reports, 2U);
  EXPECT_EQ(before.incidents, 1U);
  retain(Lane::normal, 2);
  EXPECT_THAT(incidents(), ElementsAre("330800:incident:both 1"));
  EXPECT_THAT(bench.view->mismatches(), IsEmpty());
  EXPECT_EQ(survey(Lane::normal, 2).held_already, Ordinal(2));
}

TEST_F(RetentionTest, WhatWasLetGoOfIsKnownAtTheNextStart) {
  bench.publish({report_event({.case_reference = "a", .state = IncidentState::closed}),
                 report_event({.case_reference = "b", .state = IncidentState::closed}),
                 resource_event({.name = "masks", .state = ResourceState::available})});
  retain(Lane::normal, 1);
  retain(Lane::normal, 2);
  using Cut = std::tuple<std::string, Lane, std::int64_t>;
  const auto cuts_of = [&](RegionCode region) {
    std::vector<Cut> cuts;
    EXPECT_TRUE(
        bench.view->each_cut(region, [&](const View::CutOf& of) { cuts.emplace_back(of.audience, of.lane, of.through); }));
    return cuts;
  };
  EXPECT_THAT(cuts_of(kQuzhou), ElementsAre(Cut("conference", Lane::normal, *decision_of(Epoch(1), Ordinal(2)))));
  EXPECT_THAT(cuts_of(kHuangshan), IsEmpty());
}

TEST_F(RetentionTest, AnIncidentThatIsNotClosedHoldsItsFirstReport) {
  bench.publish({report_event({.case_reference = "a", .state = IncidentState::closed}),
                 report_event({.case_reference = "open", .state = IncidentState::responding}),
                 report_event({.case_reference = "b", .state = IncidentState::closed}),
                 report_event({.case_reference = "open", .state = IncidentState::controlled})});
  const RetentionSurvey found = survey(Lane::normal, 4);
  EXPECT_EQ(found.allowed, Ordinal(1));
  EXPECT_THAT(found.held_by, ElementsAre("330800:incident:open"));
}

TEST_F(RetentionTest, AClosedIncidentIsNotOpenedAgainByWhatOthersSaidOfIt) {
  bench.publish({report_event({.case_reference = "a", .state = IncidentState::closed})});
  bench.publish({report_event({.case_reference = "a", .state = IncidentState::responding})}, kHuangshan);
  const RetentionSurvey found = survey(Lane::normal, 1);
  EXPECT_EQ(found.allowed, Ordinal(0));
  EXPECT_THAT(found.held_by, ElementsAre("330800:incident:a"));
}

TEST_F(RetentionTest, AnActiveAlertStaysAndWhatItRefersTo) {
  bench.publish({alert_event({.identifier = "gone", .expires = kNoon + 60'000}), alert_event({.identifier = "first"}),
                 alert_event({.identifier = "update", .type = MsgType::Update, .refers = {"first"}})});
  const RetentionSurvey found = survey(Lane::flash, 3);
  EXPECT_EQ(found.allowed, Ordinal(1));
  EXPECT_THAT(found.held_by, testing::UnorderedElementsAre(alert_id("first"), alert_id("update")));
  retain(Lane::flash, 1);
  EXPECT_EQ(bench.alert_states().size(), 2U);
  EXPECT_EQ(bench.alert_states().at("update"), "active");
}

TEST_F(RetentionTest, ACancelStaysWhileWhatItEndsStandsInAnotherFeed) {
  bench.publish({alert_event({.identifier = "a", .audience = "three-cities"}),
                 alert_event({.identifier = "c", .type = MsgType::Cancel, .refers = {"a"}})});
  EXPECT_EQ(survey(Lane::flash, 2).allowed, Ordinal(1));
  bench.publish({alert_event({.identifier = "b", .audience = "three-cities", .expires = kNoon + 60'000}),
                 alert_event({.identifier = "d", .type = MsgType::Cancel, .refers = {"b"}})});
  EXPECT_EQ(survey(Lane::flash, 4).allowed, Ordinal(1)) << "what has expired does not come back, but a would";
}

TEST_F(RetentionTest, AResourceIsStatedAgainAsItIs) {
  bench.publish({resource_event({.name = "t", .location = LonLat{118.5, 28.5}, .capabilities = {"hazmat"}, .quantity_milli = 5}),
                 resource_event({.name = "t", .change = ResourceChange::quantity, .quantity_milli = 7}),
                 resource_event({.name = "t", .change = ResourceChange::state, .state = ResourceState::deployed}),
                 resource_event({.name = "gone"}), resource_event({.name = "gone", .change = ResourceChange::remove})});
  const auto before = bench.read().resources({}, admit_all)->rows;
  RetentionSurvey found = survey(Lane::bulk, 5);
  ASSERT_EQ(found.to_restate, 1U);
  ASSERT_EQ(found.restate.size(), 1U);
  EXPECT_EQ(std::get<Resource>(found.restate[0].body).as_of, Offset(6)) << "all below is what it was read from";
  EXPECT_EQ(survey(Lane::normal, 5).to_restate, 1U) << "its state was changed in that lane";
  bench.publish({found.restate[0]});
  EXPECT_EQ(survey(Lane::bulk, 5).to_restate, 0U);
  EXPECT_EQ(survey(Lane::normal, 5).to_restate, 0U);
  retain(Lane::bulk, 5);
  retain(Lane::normal, 5);
  EXPECT_THAT(bench.view->mismatches(), IsEmpty());
  auto after = bench.read().resources({}, admit_all)->rows;
  ASSERT_EQ(after.size(), before.size());
  after[0].updated_at = before[0].updated_at;
  EXPECT_TRUE(after[0] == before[0]);
}

TEST_F(RetentionTest, WhatAnUpsertKeptOfAnOlderEventIsStatedAgain) {
  bench.publish({resource_event(
                     {.name = "t", .location = LonLat{118.5, 28.5}, .state = ResourceState::out_of_service, .quantity_milli = 5}),
                 kept_event("t", {0x0F}), kept_event("new", {0x0F})});
  const auto before = bench.read().resources({}, admit_all)->rows;
  const RetentionSurvey found = survey(Lane::bulk, 1);
  ASSERT_EQ(found.to_restate, 1U) << "of an older event nothing of the other counts";
  bench.publish({found.restate[0]});
  EXPECT_EQ(survey(Lane::bulk, 1).to_restate, 0U);
  retain(Lane::bulk, 1);
  EXPECT_THAT(bench.view->mismatches(), IsEmpty());
  auto after = bench.read().resources({}, admit_all)->rows;
  ASSERT_EQ(after.size(), before.size());
  for (std::size_t i = 0; i < after.size(); ++i) after[i].updated_at = before[i].updated_at;
  EXPECT_TRUE(after == before);
}

TEST_F(RetentionTest, AStateThatTheCutTookIsKeptByNoLaterUpsert) {
  bench.publish({resource_event({.name = "t", .state = ResourceState::out_of_service}), kept_event("t", {0x01}),
                 resource_event({.name = "t", .change = ResourceChange::remove})});
  retain(Lane::bulk, 1);
  EXPECT_THAT(bench.view->mismatches(), IsEmpty());
  bench.publish({kept_event("t", {0x01})});
  const auto rows = bench.read().resources({}, admit_all);
  ASSERT_EQ(rows->rows.size(), 1U);
  EXPECT_EQ(rows->rows[0].state, ResourceState::available) << "as at whoever began behind the cut";
}

TEST_F(RetentionTest, ADigestThatIsNotOfWhatStandsHereIsTold) {
  bench.publish({report_event({.case_reference = "a", .state = IncidentState::closed}),
                 report_event({.case_reference = "b", .state = IncidentState::closed})});
  retain(Lane::normal, 1, Hash{9});
  EXPECT_THAT(bench.view->mismatches(), ElementsAre(testing::HasSubstr("330800/1/normal/conference up to sequence 2")));
  EXPECT_THAT(incidents(), ElementsAre("330800:incident:b 1")) << "the cut holds all the same";
}

TEST_F(RetentionTest, ARetentionOfAnotherFeedOrPlaceCutsNothing) {
  bench.publish({report_event({.case_reference = "a", .state = IncidentState::closed})});
  Event event;
  const auto say = [&](Retention retention, const FeedId& feed) {
    event.envelope = {Kind::retention, retention_entity(kQuzhou, retention.lane, feed.audience),
                      Status::Actual,  PlaceCode::of(kQuzhou),
                      "emergency",     Level::none,
                      feed.audience,   kNoon};
    event.body = retention;
    bench.publish_bytes(feed, encode_event(event));
  };
  const FeedId normal = feed_of(kQuzhou);
  const FeedHead through{Sequence(1), Hash{1}};
  say({Epoch(2), Lane::normal, through, Ordinal(1), kNoon, Sequence(1), {}}, normal);   // of another epoch
  say({Epoch(1), Lane::normal, through, Ordinal(1), kNoon, Sequence(1), {}}, normal);   // not where it says that it stands
  say({Epoch(1), Lane::normal, through, Ordinal(99), kNoon, Sequence(3), {}}, normal);  // of what comes after it
  say({Epoch(1), Lane::normal, through, Ordinal(1), kNoon, Sequence(1), {}}, feed_of(kHuangshan));  // of another region
  EXPECT_THAT(incidents(), ElementsAre("330800:incident:a 1"));
}

}  // namespace
}  // namespace lianxi::store::test
