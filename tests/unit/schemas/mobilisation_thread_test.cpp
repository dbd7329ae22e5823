// What messages add up to is a function of their set.
#include "schemas/mobilisation_thread.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <random>

#include "tests/support/mobilisation_events.h"
#include "tests/support/sample_events.h"

namespace lianxi {
namespace {

using test::kNoon;
using test::kQuzhou;
using test::MessageOf;
using State = MobilisationState;

const RegionCode kShangrao{361100};
const RegionCode kNanping{350700};
const std::string kMasks = resource_entity(kShangrao, "masks");

class ThreadTest : public testing::Test {
 protected:
  // The next decision of its region, a second later.
  void say(RegionCode region, MessageOf of) {
    of.thread = "R1";
    of.home = kQuzhou;
    messages_.push_back(std::make_unique<Mobilisation>(std::get<Mobilisation>(test::mobilisation(of).body)));
    now_ += 1'000;
    said.push_back({region, ++versions_[region], Hlc(static_cast<std::uint64_t>(now_) << 16U), messages_.back().get()});
  }
  void ask(std::int64_t quantity = 500'000, std::vector<RegionCode> to = {}) {
    say(kQuzhou, {.message = ResourceMessage::RequestResource, .id = "R1", .items = {{"", quantity}}, .to = std::move(to)});
  }
  void commit(std::int64_t quantity, const std::string& id = "C1") {
    say(kShangrao, {.message = ResourceMessage::CommitResource, .id = id, .items = {{kMasks, quantity}}, .preceding = "R1"});
  }
  void report(Deployment deployment) {
    say(kShangrao, {.message = ResourceMessage::ReportResourceDeploymentStatus,
                    .id = "D" + std::to_string(said.size()),
                    .items = {{.resource = kMasks, .deployment = deployment}}});
  }
  void release() { say(kQuzhou, {.message = ResourceMessage::ReleaseResource, .id = "L1", .items = {{kMasks}}}); }
  [[nodiscard]] Thread sum() const { return add_up(kQuzhou, said); }
  [[nodiscard]] State state() const { return sum().holdings.at(0).row.state; }

  std::vector<ThreadSaid> said;

 private:
  std::vector<std::unique_ptr<Mobilisation>> messages_;
  std::map<RegionCode, std::int64_t> versions_;
  TimeMs now_ = kNoon;
};

TEST_F(ThreadTest, GoesThroughTheLifeCycle) {
  ask();
  EXPECT_EQ(sum().state, State::requested);
  say(kShangrao, {.message = ResourceMessage::ResponseToRequestResource,
                  .id = "P1",
                  .items = {{.resource = kMasks, .quantity = 320'000, .response = Response::Provisional}},
                  .preceding = "R1"});
  EXPECT_EQ(state(), State::provisional);
  EXPECT_EQ(sum().needs.at(0).provisional_milli, 320'000);
  say(kQuzhou, {.message = ResourceMessage::RequisitionResource, .id = "Q1", .items = {{kMasks, 320'000}}});
  EXPECT_EQ(state(), State::requisitioned);
  commit(320'000);
  EXPECT_EQ(state(), State::committed);
  report(Deployment::departed);
  report(Deployment::arrived);
  EXPECT_EQ(state(), State::arrived);
  say(kShangrao, {.message = ResourceMessage::ResponseToRequestExtendedDeploymentDuration,
                  .id = "E1",
                  .items = {{.resource = kMasks, .response = Response::Accept, .until = kNoon + 9'000'000}},
                  .preceding = "Q2"});
  EXPECT_EQ(state(), State::extended);
  EXPECT_EQ(sum().holdings.at(0).row.until, kNoon + 9'000'000);
  release();
  EXPECT_EQ(state(), State::released);
  EXPECT_EQ(sum().needs.at(0).deployed_milli, 320'000);
  report(Deployment::returning);
  EXPECT_EQ(state(), State::returning);
  EXPECT_TRUE(sum().holdings.at(0).row.held);
  report(Deployment::returned);
  EXPECT_EQ(state(), State::returned);
  EXPECT_FALSE(sum().holdings.at(0).row.held);
  EXPECT_FALSE(sum().over) << "180 are still asked for";
  EXPECT_EQ(sum().state, State::requested);
  say(kQuzhou, {.message = ResourceMessage::RequestResource, .id = "R2", .recalled = "R1"});
  EXPECT_TRUE(sum().over);
  EXPECT_EQ(sum().state, State::returned);
}

TEST_F(ThreadTest, AnyOrderOfArrivalGivesTheSame) {
  ask();
  commit(100'000);
  say(kNanping, {.message = ResourceMessage::ResponseToRequestResource,
                 .id = "N1",
                 .items = {{.resource = "", .response = Response::Decline}},
                 .preceding = "R1"});
  report(Deployment::departed);
  release();
  report(Deployment::returned);
  commit(200'000, "C2");
  const Thread first = sum();
  std::mt19937 random(7);
  for (int i = 0; i < 50; ++i) {
    std::shuffle(said.begin(), said.end(), random);
    const Thread again = sum();
    ASSERT_EQ(again.holdings.size(), first.holdings.size());
    for (std::size_t k = 0; k < first.holdings.size(); ++k) EXPECT_EQ(again.holdings[k].row, first.holdings[k].row);
    EXPECT_EQ(again.needs, first.needs);
    EXPECT_EQ(again.state, first.state);
    EXPECT_EQ(again.over, first.over);
  }
}

TEST_F(ThreadTest, AReleaseIsOfThePromiseBeforeItAndNotOfTheNextOne) {
  ask();
  commit(100'000);
  release();
  report(Deployment::returned);
  commit(100'000, "C2");
  EXPECT_EQ(state(), State::committed);
}

TEST_F(ThreadTest, AClaimOnAnotherRegionsResourceCountsForNothing) {
  ask();
  say(kNanping, {.message = ResourceMessage::CommitResource, .id = "C1", .items = {{kMasks, 500'000}}, .preceding = "R1"});
  EXPECT_TRUE(sum().holdings.empty());
}

TEST_F(ThreadTest, WhenAllWhoWereAskedDeclineItIsOver) {
  ask(500'000, {kShangrao, kNanping});
  for (const RegionCode region : {kShangrao, kNanping}) {
    EXPECT_FALSE(sum().over);
    say(region, {.message = ResourceMessage::ResponseToRequestResource,
                 .id = "N1",
                 .items = {{.resource = "", .response = Response::Decline}},
                 .preceding = "R1"});
  }
  EXPECT_TRUE(sum().over);
  EXPECT_EQ(sum().state, State::declined);
}

TEST_F(ThreadTest, WithoutItsFirstMessageItStandsByWhatHasCome) {
  ask();
  commit(100'000);
  said.erase(said.begin());
  EXPECT_EQ(sum().first, nullptr);
  EXPECT_EQ(state(), State::committed);
  EXPECT_FALSE(sum().over);
}

TEST_F(ThreadTest, AFloodOfOneRegionMovesNothingBeyondItsBound) {
  ask();
  for (int i = 0; i < 3'000; ++i) commit(1'000 + i, "C" + std::to_string(i));
  EXPECT_LT(sum().holdings.at(0).row.quantity_milli, 1'000 + 600);
}

}  // namespace
}  // namespace lianxi
