// A mobilisation's thread is one question; what is held of a resource follows from the owner's words alone.
#include <gmock/gmock.h>

#include <SQLiteCpp/Database.h>

#include <random>

#include "tests/support/mobilisation_events.h"
#include "tests/unit/store/view_kit.h"

namespace lianxi::store::test {
namespace {

using lianxi::test::MessageOf;
using testing::ElementsAre;

const RegionCode kOwner = kHuangshan;
const std::string kMasks = resource_entity(kOwner, "masks");
const std::string kThread = mobilisation_entity(kQuzhou, "R1");

class MobilisationViewTest : public testing::Test {
 protected:
  MessageOf of(ResourceMessage message, const std::string& id, std::vector<lianxi::test::ItemOf> items) {
    return {.message = message, .id = id, .thread = "R1", .home = kQuzhou, .items = std::move(items), .preceding = "R1"};
  }
  void say(RegionCode region, const MessageOf& message) { bench.publish({lianxi::test::mobilisation(message)}, region); }
  void ask(std::optional<TimeMs> answer_by = std::nullopt, std::vector<RegionCode> to = {}) {
    MessageOf request = of(ResourceMessage::RequestResource, "R1", {{"", 500'000}});
    request.preceding.clear();
    request.answer_by = answer_by;
    request.to = std::move(to);
    say(kQuzhou, request);
  }
  void commit(std::int64_t quantity) { say(kOwner, of(ResourceMessage::CommitResource, "C1", {{kMasks, quantity}})); }
  void report(const std::string& id, Deployment deployment) {
    MessageOf message = of(ResourceMessage::ReportResourceDeploymentStatus, id, {{.resource = kMasks, .deployment = deployment}});
    message.preceding.clear();
    say(kOwner, message);
  }
  MobilisationRows rows(const AskMobilisations& ask = {}, TimeMs now = kNoon) {
    const std::vector<RegionCode> members{kQuzhou, kHuangshan, kNanping, RegionCode(361100)};
    auto found = bench.read().mobilisations(ask, now, members, admit_all);
    EXPECT_TRUE(found);
    return std::move(*found);
  }
  std::vector<std::string> sums() {
    std::vector<std::string> lines;
    SQLite::Database db(bench.options.path);
    SQLite::Statement select(db, "SELECT entity, status, held_milli, state FROM holding_sum");
    while (select.executeStep())
      lines.push_back(select.getColumn(0).getString() + " " + select.getColumn(1).getString() + " " +
                      select.getColumn(2).getString() + " " + select.getColumn(3).getString());
    return lines;
  }

  const TempFolder folder;
  ViewBench bench{folder.path("view.db")};
};

TEST_F(MobilisationViewTest, AWholeThreadIsOneQuestion) {
  ask();
  commit(320'000);
  report("D1", Deployment::departed);
  AskMobilisations one;
  one.entity = kThread;
  const MobilisationRows found = rows(one);
  ASSERT_EQ(found.rows.size(), 1U);
  const MobilisationRow& row = found.rows[0];
  EXPECT_EQ(row.state, MobilisationState::departed);
  EXPECT_TRUE(row.open);
  EXPECT_EQ(row.region, kQuzhou);
  ASSERT_EQ(row.messages.size(), 3U);
  EXPECT_EQ(row.messages[1].message.message, ResourceMessage::CommitResource);
  EXPECT_EQ(row.messages[1].region, kOwner);
  ASSERT_EQ(row.needs.size(), 1U);
  EXPECT_EQ(row.needs[0].deployed_milli, 320'000);
  ASSERT_EQ(row.holdings.size(), 1U);
  EXPECT_EQ(row.holdings[0].resource, kMasks);
  EXPECT_THAT(sums(), ElementsAre(kMasks + " 0 320000 2"));
  report("D2", Deployment::returned);
  EXPECT_TRUE(sums().empty());
}

TEST_F(MobilisationViewTest, WhoHasNotAnsweredWaitsAndBehindTheDeadlineTheAnswerIsUnknown) {
  ask(kNoon + 1'000, {kOwner, kNanping});
  commit(1'000);
  const auto states = [&](TimeMs now) {
    std::vector<std::string> lines;
    const MobilisationRows found = rows({}, now);
    for (const AddresseeRow& member : found.rows.at(0).members)
      lines.push_back(to_text(member.region) + " " + std::string(to_word(member.state)));
    return lines;
  };
  EXPECT_THAT(states(kNoon), ElementsAre("341000 answered", "350700 waiting"));
  EXPECT_THAT(states(kNoon + 1'000), ElementsAre("341000 answered", "350700 answer_unknown"));
}

TEST_F(MobilisationViewTest, WhereNobodyIsNamedAllMembersAreAsked) {
  ask();
  EXPECT_EQ(rows().rows.at(0).members.size(), 3U) << "all but who asks";
}

TEST_F(MobilisationViewTest, APromiseWithAnEndHoldsNothingBehindIt) {
  ask();
  say(kOwner, of(ResourceMessage::ResponseToRequestResource, "P1",
                 {{.resource = kMasks, .quantity = 100'000, .response = Response::Provisional, .until = kNoon + 5'000}}));
  EXPECT_TRUE(rows({}, kNoon).rows.at(0).holdings.at(0).held);
  EXPECT_EQ(rows({}, kNoon).rows[0].needs.at(0).provisional_milli, 100'000);
  EXPECT_FALSE(rows({}, kNoon + 5'000).rows.at(0).holdings.at(0).held);
  EXPECT_EQ(rows({}, kNoon + 5'000).rows[0].needs.at(0).provisional_milli, 0);
}

TEST_F(MobilisationViewTest, ListsGoOnBehindACursor) {
  for (int i = 0; i < 5; ++i) {
    MessageOf request{.message = ResourceMessage::RequestResource,
                      .id = "T" + std::to_string(i),
                      .thread = "T" + std::to_string(i),
                      .home = kQuzhou,
                      .items = {{}},
                      .at = kNoon + i / 2};
    say(kQuzhou, request);
  }
  AskMobilisations ask;
  ask.limit = 2;
  std::vector<std::string> seen;
  for (bool more = true; more;) {
    const MobilisationRows page = rows(ask);
    for (const MobilisationRow& row : page.rows) seen.push_back(row.id.substr(row.id.size() - 2));
    more = page.truncated;
    if (more) ask.after = cursor_of(page.rows.back());
  }
  EXPECT_THAT(seen, ElementsAre("T4", "T2", "T3", "T0", "T1"));
}

TEST_F(MobilisationViewTest, FiltersByRegionIncidentPlaceAndDrill) {
  ask({}, {kOwner});
  MessageOf drill = of(ResourceMessage::RequestResource, "X1", {{}});
  drill.thread = "X1";
  drill.preceding.clear();
  drill.status = Status::Exercise;
  say(kQuzhou, drill);
  const auto count = [&](auto change) {
    AskMobilisations ask;
    change(ask);
    return rows(ask).rows.size();
  };
  EXPECT_EQ(count([](auto&) {}), 1U);
  EXPECT_EQ(count([](auto& ask) { ask.drills = true; }), 2U);
  EXPECT_EQ(count([](auto& ask) { ask.region = kOwner; }), 1U);
  EXPECT_EQ(count([](auto& ask) { ask.region = kNanping; }), 0U);
  EXPECT_EQ(count([](auto& ask) { ask.incident = "330800:incident:x"; }), 0U);
  EXPECT_EQ(count([](auto& ask) { ask.place = PlaceCode::of(kQuzhou); }), 1U);
  EXPECT_EQ(count([](auto& ask) { ask.place = PlaceCode::of(kNanping); }), 0U);
}

TEST_F(MobilisationViewTest, WithheldMessagesDoNotShow) {
  ask();
  commit(320'000);
  const std::vector<RegionCode> members{kQuzhou, kOwner};
  std::size_t asked = 0;
  const auto found = bench.read().mobilisations(
      {}, kNoon, members, [&](const Envelope& envelope) { return envelope.audience == Audience::conference() && ++asked == 1; });
  ASSERT_TRUE(found);
  ASSERT_EQ(found->rows.size(), 1U);
  EXPECT_TRUE(found->rows[0].holdings.empty());
}

TEST_F(MobilisationViewTest, AStartIsGivenWhatIsOpenAndTheNamesOfWhatIsOver) {
  ask();
  commit(500'000);
  std::vector<std::string> open, over;
  const auto look = [&] {
    open.clear();
    over.clear();
    ASSERT_TRUE(bench.view->each_mobilisation([&](const View::MessageOf& message) { open.push_back(to_text(message.region)); },
                                              [&](const std::string& entity, Status) { over.push_back(entity); }));
  };
  look();
  EXPECT_THAT(open, ElementsAre("330800", "341000"));
  EXPECT_TRUE(over.empty());
  report("D1", Deployment::returned);
  look();
  EXPECT_TRUE(open.empty());
  EXPECT_THAT(over, ElementsAre(kThread));
}

TEST_F(MobilisationViewTest, WhatIsNotOverHoldsARetentionBack) {
  ask();
  commit(500'000);
  const auto survey = [&] { return bench.read().retention(feed_of(kOwner, Lane::flash), Ordinal(100), kNoon).value(); };
  EXPECT_EQ(survey().allowed.value, 0U);
  EXPECT_THAT(survey().held_by, ElementsAre(kThread));
  report("D1", Deployment::returned);
  EXPECT_EQ(survey().allowed.value, 100U);
}

TEST_F(MobilisationViewTest, AStartIsGivenTheStock) {
  bench.publish(
      {lianxi::test::stock(kOwner, "masks", 500'000), lianxi::test::stock(kOwner, "masks", 400'000, ResourceChange::quantity)});
  std::vector<std::int64_t> quantities;
  ASSERT_TRUE(bench.view->each_stock(kOwner, [&](const View::StockOf& of) { quantities.push_back(of.quantity_milli); }));
  EXPECT_THAT(quantities, ElementsAre(400'000));
  Event kept = lianxi::test::stock(kOwner, "masks", 0);
  std::get<Resource>(kept.body).keeps = {0x0F};
  bench.publish({kept});
  ASSERT_TRUE(bench.view->each_stock(kOwner, [&](const View::StockOf& of) {
    EXPECT_EQ(of.quantity_milli, 400'000);
    EXPECT_LT(of.record_state_version, of.record) << "the state is of the first record";
  }));
}

}  // namespace
}  // namespace lianxi::store::test
