#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <SQLiteCpp/Database.h>

#include <algorithm>
#include <random>

#include "tests/unit/store/view_kit.h"

namespace lianxi::store::test {
namespace {

using States = std::map<std::string, std::string>;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class AView : public ::testing::Test {
 protected:
  TempFolder folder_;
  ViewBench bench_{folder_.path("view.db")};
};

TEST_F(AView, AnAlertStandsUntilAnUpdateOrACancel) {
  bench_.publish({alert_event({"a"}), alert_event({"bb"}), alert_event({"ccc"})});
  EXPECT_EQ(bench_.alert_states(), (States{{"a", "active"}, {"bb", "active"}, {"ccc", "active"}}));
  bench_.publish({alert_event({"dddd", MsgType::Update, {"a"}}), alert_event({"eeeee", MsgType::Cancel, {"bb"}})});
  EXPECT_EQ(bench_.alert_states(),
            (States{{"a", "superseded"}, {"bb", "cancelled"}, {"ccc", "active"}, {"dddd", "active"}, {"eeeee", "cancelled"}}));
  bench_.publish({alert_event({"ffffff", MsgType::Cancel, {"a", "dddd"}})});
  EXPECT_EQ(bench_.alert_states(kNoon, false), (States{{"ccc", "active"}}));
}

TEST_F(AView, AnUpdateWhoseAlertHasNotArrivedIsDangling) {
  bench_.publish({alert_event({"bb", MsgType::Update, {"a"}}), alert_event({"ccc", MsgType::Ack, {"a"}})});
  EXPECT_EQ(bench_.alert_states(), (States{{"bb", "dangling"}, {"ccc", "dangling"}}));
  bench_.publish({alert_event({"a"})});
  EXPECT_EQ(bench_.alert_states(), (States{{"a", "superseded"}, {"bb", "active"}, {"ccc", "superseded"}}));
}

TEST_F(AView, OnlyTheHomeRegionEndsAnAlert) {
  bench_.publish({alert_event({"a"})});
  // Huangshan's own message, which names the same sender and identifier: its reference is to an alert of Huangshan.
  bench_.publish({alert_event({.identifier = "bb", .type = MsgType::Cancel, .refers = {"a"}, .home = kHuangshan})});
  EXPECT_EQ(bench_.alert_states(), (States{{"a", "active"}, {"bb", "dangling"}}));
  // An event for Quzhou's entity in Huangshan's feed leaves no row.
  bench_.publish({alert_event({"ccc", MsgType::Cancel, {"a"}})}, kHuangshan);
  EXPECT_EQ(bench_.alert_states().count("ccc"), 0U);
  EXPECT_EQ(bench_.alert_states()["a"], "active");
}

TEST_F(AView, ADrillNeverTouchesTheActual) {
  bench_.publish({alert_event({"a"})});
  bench_.publish({alert_event({.identifier = "bb", .type = MsgType::Cancel, .refers = {"a"}, .status = Status::Exercise})});
  bench_.publish({alert_event({.identifier = "ccc", .status = Status::Test})});
  EXPECT_EQ(bench_.alert_states(kNoon, false), (States{{"a", "active"}}));
  bench_.publish({resource_event({.name = "team"}), report_event({.case_reference = "c1"})});
  bench_.publish({resource_event({.name = "team", .change = ResourceChange::remove, .status = Status::Exercise}),
                  resource_event({.name = "drill team", .status = Status::Exercise}),
                  report_event({.case_reference = "c1", .state = IncidentState::closed, .status = Status::Exercise}),
                  report_event({.case_reference = "c2", .status = Status::Exercise})});
  EXPECT_THAT(bench_.resource_names({}), ElementsAre("team"));
  const auto incidents = bench_.read().incidents({}, admit_all);
  ASSERT_EQ(incidents->rows.size(), 1U);
  EXPECT_EQ(incidents->rows[0].state, IncidentState::reported);
}

TEST_F(AView, AnAlertExpiresByItsLatestInfoAndNotIfExpiresIsNotAfterSent) {
  bench_.publish({alert_event({.identifier = "a", .expires = kNoon + 60'000}),
                  alert_event({.identifier = "bb", .expires = kNoon + 2000}),
                  alert_event({.identifier = "ccc", .expires = kNoon})});
  EXPECT_EQ(bench_.alert_states(kNoon + 59'999),
            (States{{"a", "active"}, {"bb", "active"}, {"ccc", "active"}}));  // bb: expires = sent
  EXPECT_EQ(bench_.alert_states(kNoon + 60'000), (States{{"a", "expired"}, {"bb", "active"}, {"ccc", "active"}}));
  EXPECT_EQ(bench_.alert_states(kNoon + 60'000, false).count("a"), 0U);
}

TEST_F(AView, AnAlertRowSaysWhatItIsInChinese) {
  bench_.publish({alert_event({"a"}), alert_event({.identifier = "bb", .place = "341002"})});
  AskAlerts ask;
  ask.place = PlaceCode::parse("3308").value();
  const auto rows = bench_.read().alerts(ask, kNoon, admit_all);
  ASSERT_EQ(rows->rows.size(), 1U);
  const AlertRow& row = rows->rows[0];
  EXPECT_EQ(row.id, alert_id("a"));
  EXPECT_EQ(row.event, "危化品事故");
  EXPECT_EQ(row.headline, "危化品泄漏");
  EXPECT_EQ(row.area, "衢江区、柯城区");
  EXPECT_EQ(row.region, kQuzhou);
  EXPECT_EQ(row.level, Level::orange);
  EXPECT_EQ(row.sent, kNoon + 1000);
}

TEST_F(AView, AlertsComeNewestFirstAndALimitIsTold) {
  bench_.publish({alert_event({"a"}), alert_event({"ccc"}), alert_event({"bb"})});
  AskAlerts ask;
  ask.limit = 2;
  const auto rows = bench_.read().alerts(ask, kNoon, admit_all);
  ASSERT_EQ(rows->rows.size(), 2U);
  EXPECT_TRUE(rows->truncated);
  EXPECT_EQ(rows->rows[0].identifier, "ccc");
  EXPECT_EQ(rows->rows[1].identifier, "bb");
}

TEST_F(AView, TheNarrowerAudiencesRowWinsForWhoMaySeeIt) {
  bench_.publish({alert_event({"a"}), alert_event({.identifier = "a", .audience = "local", .headline = "内部口径"})});
  auto rows = bench_.read().alerts({}, kNoon, admit_all);
  ASSERT_EQ(rows->rows.size(), 1U);
  EXPECT_EQ(rows->rows[0].headline, "内部口径");
  rows = bench_.read().alerts({}, kNoon, [](const Envelope& e) { return !e.audience.is_local(); });
  ASSERT_EQ(rows->rows.size(), 1U);
  EXPECT_EQ(rows->rows[0].headline, "危化品泄漏");
}

TEST_F(AView, ACancelToTheConferenceEndsNarrowerRowsAndALocalOneOnlyItsOwn) {
  bench_.publish({alert_event({"a"}), alert_event({.identifier = "a", .audience = "local"}), alert_event({.identifier = "bb"}),
                  alert_event({.identifier = "bb", .audience = "local"})});
  bench_.publish({alert_event({"ccc", MsgType::Cancel, {"a"}}),
                  alert_event({.identifier = "dddd", .type = MsgType::Cancel, .refers = {"bb"}, .audience = "local"})});
  const auto shared = bench_.read().alerts({}, kNoon, [](const Envelope& e) { return !e.audience.is_local(); });
  ASSERT_EQ(shared->rows.size(), 1U);
  EXPECT_EQ(shared->rows[0].identifier, "bb");
  EXPECT_TRUE(bench_.alert_states(kNoon, false).empty());
}

TEST_F(AView, OwnAlertsAreVisitedWithTheirBytes) {
  bench_.publish({alert_event({"a"}), alert_event({.identifier = "bb", .home = kHuangshan})});
  std::map<std::string, Bytes> seen;
  ASSERT_TRUE(bench_.view->each_alert(
      kQuzhou, [&](const std::string& entity, BytesView event) { seen[entity] = Bytes(event.begin(), event.end()); }));
  EXPECT_EQ(seen, (std::map<std::string, Bytes>{{alert_id("a"), encode_event(alert_event({"a"}))}}));
}

TEST_F(AView, ReportsOfThreeAgenciesLandOnOneIncident) {
  bench_.publish(
      {report_event({.case_reference = "c1", .agency = "police", .title = "大火"}),
       report_event({.case_reference = "c1", .agency = "fire", .incident_class = IncidentClass::accident, .level = Level::red}),
       report_event({.case_reference = "c1", .agency = "emergency", .state = IncidentState::verified, .place = "330802"})});
  // A neighbour's statement is kept, and decides nothing that the home region has said.
  bench_.publish({report_event({.case_reference = "c1", .agency = "medical", .state = IncidentState::closed, .title = "其他"})},
                 kHuangshan);
  const auto rows = bench_.read().incidents({}, admit_all);
  ASSERT_EQ(rows->rows.size(), 1U);
  const IncidentRow& row = rows->rows[0];
  EXPECT_EQ(row.title, "大火");
  EXPECT_EQ(row.incident_class, IncidentClass::accident);
  EXPECT_EQ(row.level, Level::red);
  EXPECT_EQ(row.state, IncidentState::verified);
  EXPECT_EQ(row.place.text(), "330802");
  EXPECT_EQ(row.region, kQuzhou);
  ASSERT_EQ(row.reports.size(), 4U);
  EXPECT_EQ(row.reports[1].agency, "fire");
  EXPECT_EQ(row.reports[1].report.text, "in the words of fire");
  EXPECT_EQ(row.reports[3].region, kHuangshan);
}

TEST_F(AView, AWithheldReportShowsInNothing) {
  bench_.publish({report_event({.case_reference = "c1", .agency = "fire", .level = Level::blue}),
                  report_event({.case_reference = "c1", .agency = "police", .level = Level::red, .title = "线人"})});
  const auto fire_only = [](const Envelope& e) { return e.agency == "fire"; };
  const auto rows = bench_.read().incidents({}, fire_only);
  ASSERT_EQ(rows->rows.size(), 1U);
  EXPECT_EQ(rows->rows[0].title, "");
  EXPECT_EQ(rows->rows[0].level, Level::blue);
  EXPECT_EQ(rows->rows[0].reports.size(), 1U);
  EXPECT_THAT(bench_.read().incidents({}, [](const Envelope&) { return false; })->rows, IsEmpty());
}

TEST_F(AView, AResourcesFieldGroupsChangeByThemselves) {
  const LonLat here{118.9, 28.9};
  const LonLat there{118.0, 29.0};
  bench_.publish({resource_event({.name = "t", .location = here, .capabilities = {"hazmat"}})});
  bench_.publish({resource_event({.name = "t", .change = ResourceChange::state, .state = ResourceState::deployed}),
                  resource_event({.name = "t", .change = ResourceChange::quantity, .quantity_milli = 7500}),
                  resource_event({.name = "t", .change = ResourceChange::place, .location = there, .place = "341002"})});
  const auto rows = bench_.read().resources({}, admit_all);
  ASSERT_EQ(rows->rows.size(), 1U);
  const ResourceRow& row = rows->rows[0];
  EXPECT_EQ(row.name, "t");
  EXPECT_EQ(row.state, ResourceState::deployed);
  EXPECT_EQ(row.quantity_milli, 7500);
  EXPECT_EQ(row.location, there);
  EXPECT_EQ(row.place.text(), "341002");
  EXPECT_THAT(row.capabilities, ElementsAre("hazmat"));
}

TEST_F(AView, AnUpsertLeavesTheGroupsThatItKeeps) {
  const LonLat here{118.9, 28.9};
  bench_.publish({resource_event({.name = "t",
                                  .location = here,
                                  .state = ResourceState::out_of_service,
                                  .quantity_milli = 7500,
                                  .more =
                                      [](Resource& r) {
                                        r.contact = "王";
                                        r.owner = "甲";
                                      }}),
                  kept_event("t", {0x0F}), kept_event("new", {0x0F})});
  const auto rows = bench_.read().resources({}, admit_all);
  ASSERT_EQ(rows->rows.size(), 2U);
  const ResourceRow& fresh = rows->rows[0].id.ends_with(":t") ? rows->rows[1] : rows->rows[0];
  const ResourceRow& row = rows->rows[0].id.ends_with(":t") ? rows->rows[0] : rows->rows[1];
  EXPECT_EQ(row.state, ResourceState::out_of_service);
  EXPECT_EQ(row.quantity_milli, 7500);
  EXPECT_EQ(row.location, here);
  EXPECT_EQ(row.place.text(), "330803");
  EXPECT_EQ(row.contact, "王");
  EXPECT_EQ(row.owner, "") << "a part of the record, which has no groups";
  EXPECT_EQ(fresh.state, ResourceState::available);
  EXPECT_EQ(fresh.quantity_milli, 0);
  EXPECT_EQ(fresh.place.text(), "330800") << "its home region's";
}

TEST_F(AView, AChangeOfStateBeforeAnUpsertThatKeepsItCounts) {
  bench_.publish({resource_event({.name = "t"}),
                  resource_event({.name = "t", .change = ResourceChange::state, .state = ResourceState::out_of_service}),
                  kept_event("t", {1})});
  EXPECT_EQ(bench_.read().resources({}, admit_all)->rows.at(0).state, ResourceState::out_of_service);
  bench_.publish({resource_event({.name = "t"})});
  EXPECT_EQ(bench_.read().resources({}, admit_all)->rows.at(0).state, ResourceState::available);
}

TEST_F(AView, ARemovalIsATombstoneAndALaterUpsertRevives) {
  const LonLat here{118.9, 28.9};
  AskResources near;
  near.near = here;
  bench_.publish({resource_event({.name = "t", .location = here, .capabilities = {"hazmat"}})});
  bench_.publish({resource_event({.name = "t", .change = ResourceChange::remove})});
  EXPECT_THAT(bench_.resource_names({}), IsEmpty());
  EXPECT_THAT(bench_.resource_names(near), IsEmpty());
  bench_.publish({resource_event({.name = "t", .change = ResourceChange::state, .state = ResourceState::available})});
  EXPECT_THAT(bench_.resource_names({}), IsEmpty());
  bench_.publish({resource_event({.name = "t", .location = here, .capabilities = {"diving"}})});
  near.capability = "diving";
  EXPECT_THAT(bench_.resource_names(near), ElementsAre("t"));
  near.capability = "hazmat";
  EXPECT_THAT(bench_.resource_names(near), IsEmpty());
}

TEST_F(AView, PoisonIsCountedAndStopsNothing) {
  bench_.publish_bytes(feed_of(kQuzhou), body_of(100, 1));
  Event unknown = report_event({.case_reference = "c1"});
  unknown.envelope.kind = Kind::plan;
  unknown.envelope.entity = "330800:plan:p1";
  unknown.body = std::monostate{};
  bench_.publish_bytes(feed_of(kQuzhou), encode_event(unknown));
  bench_.publish_bytes(feed_of(kQuzhou, Lane::normal, "local"), encode_event(report_event({.case_reference = "c1"})));
  bench_.publish_bytes(feed_of(kHuangshan, Lane::bulk), encode_event(resource_event({.name = "stolen"})));
  bench_.publish({report_event({.case_reference = "c2"})});
  EXPECT_EQ(bench_.read().incidents({}, admit_all)->rows.size(), 1U);
  EXPECT_THAT(bench_.resource_names({}), IsEmpty());
  SQLite::Database db(bench_.options.path);
  EXPECT_EQ(db.execAndGet("SELECT sum(events) FROM unread").getInt(), 4);
  EXPECT_EQ(db.execAndGet("SELECT count(*) FROM unread").getInt(), 4);
}

TEST_F(AView, WhatIsAppliedAlreadyIsSkippedAndAGapIsRefused) {
  const Event first = report_event({.case_reference = "c1"});
  const StoredSegment segment = bench_.regions.segment(feed_of(kQuzhou), {encode_event(first), encode_event(first)}, Offset(1));
  const JournalSegment stored{Offset(1), segment.bytes, segment.seal};
  bench_.apply(stored);
  const auto digests = bench_.digests();
  bench_.apply(stored);
  EXPECT_EQ(bench_.digests(), digests);
  EXPECT_EQ(bench_.view->offset(), Offset(3));
  const auto gap = bench_.view->apply({JournalSegment{Offset(9), segment.bytes, segment.seal}});
  ASSERT_FALSE(gap);
  EXPECT_EQ(gap.error().code, StoreError::corrupt);
  EXPECT_EQ(bench_.view->offset(), Offset(3));
}

TEST_F(AView, ASegmentAppliedInPartGoesOnWithItsRest) {
  const std::vector<Bytes> bodies{encode_event(report_event({.case_reference = "c1"})),
                                  encode_event(report_event({.case_reference = "c1"}))};
  Regions alone;
  const StoredSegment first = alone.segment(feed_of(kQuzhou), {bodies[0]}, Offset(1));
  const StoredSegment both = bench_.regions.segment(feed_of(kQuzhou), bodies, Offset(1));
  bench_.apply({Offset(1), first.bytes, first.seal});
  bench_.apply({Offset(1), both.bytes, both.seal});
  EXPECT_EQ(bench_.view->offset(), Offset(3));
  EXPECT_EQ(bench_.read().incidents({}, admit_all)->rows.at(0).reports.size(), 2U);
}

TEST_F(AView, ReopensWhereItStoodAndIsRebuiltForAnotherJournal) {
  bench_.publish({resource_event({.name = "t"})});
  const auto digests = bench_.digests();
  bench_.reopen(identity_of());
  EXPECT_EQ(bench_.view->offset(), Offset(2));
  EXPECT_EQ(bench_.digests(), digests);
  JournalIdentity restored = identity_of();
  restored.incarnation = Incarnation(5);
  bench_.reopen(restored);
  EXPECT_EQ(bench_.view->offset(), Offset(1));
  EXPECT_THAT(bench_.resource_names({}), IsEmpty());
}

TEST_F(AView, OneThatCannotBeReadIsRebuilt) {
  bench_.publish({resource_event({.name = "t"})});
  bench_.view.reset();
  write_file(bench_.options.path, body_of(5000, 3));
  bench_.reopen(identity_of());
  EXPECT_EQ(bench_.view->offset(), Offset(1));
}

TEST_F(AView, CatchesUpWithItsJournal) {
  const TempFolder other;
  JournalBench journal(other.path(), 40'000);
  for (int i = 0; i < 20; ++i) {
    JournalBatch batch;
    batch.first_offset = journal.next;
    const Event event = resource_event({.name = "team " + std::to_string(i)});
    batch.segments.push_back(
        journal.regions.segment(feed_of(kQuzhou, Lane::bulk), std::vector<Bytes>(5, encode_event(event)), journal.next));
    journal.next = Offset(journal.next.value + 5);
    ASSERT_TRUE(journal.journal->commit(batch));
  }
  const auto reader = open_reader(journal.options);
  ASSERT_TRUE(catch_up(*bench_.view, **reader, 10'000));
  EXPECT_EQ(bench_.view->offset(), journal.next);
  EXPECT_EQ(bench_.resource_names({}).size(), 20U);
  const auto digests = bench_.digests();
  ASSERT_EQ(digests.size(), 1U);
  EXPECT_EQ(digests[0].vector, journal.regions.heads());

  const TempFolder empty;
  const JournalBench fresh(empty.path());
  const auto behind = catch_up(*bench_.view, **open_reader(fresh.options), 10'000);
  ASSERT_FALSE(behind);
  EXPECT_EQ(behind.error().code, StoreError::corrupt);
}

}  // namespace
}  // namespace lianxi::store::test
