// What is promised is promised once: by the owner's node alone, against what it has, whatever others say.
#include <gmock/gmock.h>

#include "schemas/limits.h"
#include "tests/support/mobilisation_events.h"
#include "tests/unit/core/link_rig.h"

namespace lianxi::core {
namespace {

using test::ItemOf;
using test::MessageOf;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string kMasks = resource_entity(kShangrao, "masks");
const std::string kTeam = resource_entity(kShangrao, "hazmat-1");

// Quzhou asks, Shangrao owns.
class MobilisationTest : public testing::Test {
 protected:
  MobilisationTest() {
    for (const RegionCode region : {kQuzhou, kShangrao}) hello(region);
    net.pass(500);
    EXPECT_EQ(say(kShangrao, test::stock(kShangrao, "masks", 500'000)), "ok");
    Event squad = team("hazmat-1", kShangrao);
    squad.envelope.agency = "emergency";
    EXPECT_EQ(say(kShangrao, squad), "ok");
  }
  static Agent officer(RegionCode region) { return agent_named(to_text(region) + ".emergency.duty", Role::operator_); }
  void hello(RegionCode region) {
    Hello hello;
    hello.session = SessionId{session_[region] = session_[region] + 1};
    (void)net.at(region, {net.node(region).says(officer(region), hello)});
    std::erase_if(sent_, [&](const auto& entry) { return entry.first.first == region; });
  }
  std::vector<std::string> say(RegionCode region, const std::vector<Event>& events) {
    const Lane lane = lane_of(events.front());
    auto& sent = sent_[{region, lane}];
    const auto message = CoreRig::publish_message(session_[region], lane, sent + 1, events);
    sent += events.size();
    const Effects effects = net.at(region, {net.node(region).says(officer(region), message)});
    std::vector<std::string> verdicts(events.size(), "ok");
    for (const Answers& answers : messages<Answers>(effects.sends))
      for (const SequenceRefusal& refused : answers.refusals) {
        verdicts[refused.sequence.value - message.first_sequence.value] =
            std::string(to_word(refused.refusal.code)) + " " + refused.refusal.field;
        reason = refused.refusal.reason;
      }
    return verdicts;
  }
  std::string say(RegionCode region, const Event& event) { return say(region, std::vector{event}).front(); }
  // A request of Quzhou.
  std::string ask(const std::string& thread, std::int64_t quantity, std::optional<TimeMs> answer_by = std::nullopt,
                  Status status = Status::Actual) {
    const std::string verdict = say(kQuzhou, test::mobilisation({.message = ResourceMessage::RequestResource,
                                                                 .id = thread,
                                                                 .thread = thread,
                                                                 .home = kQuzhou,
                                                                 .items = {{"", quantity}},
                                                                 .answer_by = answer_by,
                                                                 .status = status}));
    net.pass(500);
    return verdict;
  }
  static Event answer(const std::string& thread, const std::string& id, ResourceMessage message, ItemOf item,
                      Status status = Status::Actual) {
    return test::mobilisation({.message = message,
                               .id = id,
                               .thread = thread,
                               .home = kQuzhou,
                               .items = {std::move(item)},
                               .preceding = message == ResourceMessage::ReportResourceDeploymentStatus ? "" : thread,
                               .status = status});
  }
  static Event commit(const std::string& thread, const std::string& id, std::int64_t quantity,
                      const std::string& resource = kMasks, Status status = Status::Actual) {
    return answer(thread, id, ResourceMessage::CommitResource, {resource, quantity}, status);
  }
  static Event report(const std::string& thread, const std::string& id, Deployment deployment) {
    return answer(thread, id, ResourceMessage::ReportResourceDeploymentStatus, {.resource = kMasks, .deployment = deployment});
  }
  static Event provisional(const std::string& thread, const std::string& id, std::int64_t quantity,
                           std::optional<TimeMs> until = std::nullopt) {
    return answer(thread, id, ResourceMessage::ResponseToRequestResource,
                  {.resource = kMasks, .quantity = quantity, .response = Response::Provisional, .until = until});
  }
  static Event release(const std::string& thread, const std::string& id) {
    return test::mobilisation(
        {.message = ResourceMessage::ReleaseResource, .id = id, .thread = thread, .home = kQuzhou, .items = {{kMasks}}});
  }
  static Event cancel(const std::string& thread, const std::string& id, ResourceMessage message, const std::string& recalled) {
    return test::mobilisation({.message = message,
                               .id = id,
                               .thread = thread,
                               .home = kQuzhou,
                               .preceding = message == ResourceMessage::CommitResource ? thread : "",
                               .recalled = recalled});
  }

  LinkRig net{{kQuzhou, kShangrao, kNanping}};
  std::string reason;

 private:
  std::map<RegionCode, std::uint64_t> session_;
  std::map<std::pair<RegionCode, Lane>, std::uint64_t> sent_;
};

TEST_F(MobilisationTest, TwoRequestsInOnePublishForTheLast320Of500GetThemOnce) {
  (void)ask("a", 180'000);
  (void)ask("b", 320'000);
  (void)ask("c", 320'000);
  EXPECT_EQ(say(kShangrao, commit("a", "m0", 180'000)), "ok");
  EXPECT_THAT(say(kShangrao, {commit("b", "m1", 320'000), commit("c", "m2", 320'000)}), ElementsAre("ok", "conflict items"));
  EXPECT_THAT(reason, HasSubstr("0 are free here, 320 are asked for; there are 500"));
  EXPECT_THAT(reason, HasSubstr("320 committed by 330800:mobilisation:b"));
}

TEST_F(MobilisationTest, AllItemsOfAMessageOrNone) {
  (void)ask("a", 400'000);
  (void)ask("b", 400'000);
  EXPECT_EQ(say(kShangrao, commit("a", "m0", 400'000)), "ok");
  Event both = test::mobilisation({.message = ResourceMessage::CommitResource,
                                   .id = "m1",
                                   .thread = "b",
                                   .home = kQuzhou,
                                   .items = {{kTeam, 1'000}, {kMasks, 101'000}},
                                   .preceding = "b"});
  EXPECT_EQ(say(kShangrao, both), "conflict items");
  EXPECT_EQ(say(kShangrao, commit("b", "m2", 1'000, kTeam)), "ok") << "the team was not promised with it";
}

TEST_F(MobilisationTest, ATeamGoesOnceWhateverQuantityIsSaid) {
  (void)ask("a", 1'000);
  (void)ask("b", 1'000);
  EXPECT_EQ(say(kShangrao, commit("a", "m0", 1, kTeam)), "ok");
  EXPECT_EQ(say(kShangrao, commit("b", "m1", 1, kTeam)), "conflict items");
  EXPECT_THAT(reason, HasSubstr("goes as a whole"));
}

TEST_F(MobilisationTest, ARestartForgetsNoPromise) {
  (void)ask("a", 320'000);
  (void)ask("b", 320'000);
  EXPECT_EQ(say(kShangrao, commit("a", "m0", 320'000)), "ok");
  net.restart(kShangrao);
  hello(kShangrao);
  EXPECT_EQ(say(kShangrao, commit("b", "m1", 181'000)), "conflict items");
  EXPECT_EQ(say(kShangrao, commit("b", "m2", 180'000)), "ok");
  EXPECT_EQ(say(kShangrao, commit("a", "m0", 1'000)), "conflict message_id");
}

TEST_F(MobilisationTest, OnlyTheOwnersNodePromises) {
  (void)ask("a", 320'000);
  EXPECT_EQ(say(kQuzhou, commit("a", "m0", 320'000)), "not_home items[0].resource");
  EXPECT_EQ(say(kShangrao, commit("a", "m0", 320'000, resource_entity(kShangrao, "unknown"))), "not_found items");
  EXPECT_EQ(say(kShangrao, commit("x", "m0", 320'000)), "not_found originating_id");
}

TEST_F(MobilisationTest, WhatIsOutOfServiceOrRemovedIsNotPromised) {
  (void)ask("a", 1'000);
  EXPECT_EQ(say(kShangrao, test::stock(kShangrao, "masks", 0, ResourceChange::state, ResourceState::out_of_service)), "ok");
  EXPECT_EQ(say(kShangrao, commit("a", "m0", 1'000)), "conflict items");
  EXPECT_THAT(reason, HasSubstr("out_of_service"));
  EXPECT_EQ(say(kShangrao, test::stock(kShangrao, "masks", 0, ResourceChange::remove)), "ok");
  EXPECT_EQ(say(kShangrao, commit("a", "m0", 1'000)), "not_found items");
}

TEST_F(MobilisationTest, AnInventoryThatKeepsStateAndQuantityChangesNeither) {
  (void)ask("a", 1'000);
  Event kept = test::stock(kShangrao, "masks", 0);
  std::get<Resource>(kept.body).keeps = {0x0F};
  EXPECT_EQ(say(kShangrao, kept), "ok");
  EXPECT_EQ(say(kShangrao, commit("a", "m0", 501'000)), "conflict items");
  EXPECT_THAT(reason, HasSubstr("500 are free"));
  EXPECT_EQ(say(kShangrao, test::stock(kShangrao, "masks", 0, ResourceChange::state, ResourceState::out_of_service)), "ok");
  EXPECT_EQ(say(kShangrao, kept), "ok");
  net.restart(kShangrao);
  hello(kShangrao);
  EXPECT_EQ(say(kShangrao, commit("a", "m0", 1'000)), "conflict items");
  EXPECT_THAT(reason, HasSubstr("out_of_service"));
}

TEST_F(MobilisationTest, AnInventoryCannotTakeAwayWhatIsPromised) {
  (void)ask("a", 320'000);
  EXPECT_EQ(say(kShangrao, commit("a", "m0", 320'000)), "ok");
  EXPECT_EQ(say(kShangrao, test::stock(kShangrao, "masks", 319'000, ResourceChange::quantity)), "conflict quantity");
  EXPECT_THAT(reason, HasSubstr("319 would be less than the 320"));
  EXPECT_EQ(say(kShangrao, test::stock(kShangrao, "masks", 319'000)), "conflict quantity");
  EXPECT_EQ(say(kShangrao, test::stock(kShangrao, "masks", 0, ResourceChange::remove)), "conflict change");
  EXPECT_EQ(say(kShangrao, test::stock(kShangrao, "masks", 0, ResourceChange::state, ResourceState::out_of_service)),
            "conflict state");
  EXPECT_EQ(say(kShangrao, test::stock(kShangrao, "masks", 320'000, ResourceChange::quantity)), "ok");
}

TEST_F(MobilisationTest, TheLifeCycleFreesTheStockWhenTheOwnerSaysThatItIsHome) {
  (void)ask("a", 500'000);
  (void)ask("b", 500'000);
  EXPECT_EQ(say(kShangrao, commit("a", "m0", 500'000)), "ok");
  EXPECT_EQ(say(kShangrao, report("a", "m1", Deployment::arrived)), "ok");
  EXPECT_EQ(say(kShangrao, report("a", "m2", Deployment::departed)), "conflict items[0].resource");
  EXPECT_THAT(reason, HasSubstr("a report of departed is for what is committed"));
  EXPECT_EQ(say(kShangrao, cancel("a", "m3", ResourceMessage::CommitResource, "m0")), "conflict recalled_id");
  net.pass(500);
  EXPECT_EQ(say(kQuzhou, release("a", "q1")), "ok");
  net.pass(500);
  EXPECT_EQ(say(kShangrao, commit("b", "m4", 1'000)), "conflict items") << "a release brings nothing home";
  EXPECT_EQ(say(kShangrao, report("a", "m5", Deployment::returning)), "ok");
  EXPECT_EQ(say(kShangrao, report("a", "m6", Deployment::returned)), "ok");
  EXPECT_EQ(say(kShangrao, commit("b", "m7", 500'000)), "ok");
  EXPECT_EQ(say(kShangrao, report("a", "m8", Deployment::returning)), "conflict items[0].resource") << "it is home";
}

TEST_F(MobilisationTest, ARecalledCommitmentIsFreeAgain) {
  (void)ask("a", 500'000);
  (void)ask("b", 500'000);
  EXPECT_EQ(say(kShangrao, commit("a", "m0", 500'000)), "ok");
  EXPECT_EQ(say(kShangrao, cancel("a", "m1", ResourceMessage::CommitResource, "m0")), "ok");
  EXPECT_EQ(say(kShangrao, commit("b", "m2", 500'000)), "ok");
}

TEST_F(MobilisationTest, AnUpdateTakesThePlaceOfWhatItRecalls) {
  (void)ask("a", 500'000);
  EXPECT_EQ(say(kShangrao, commit("a", "m0", 300'000)), "ok");
  Event more = commit("a", "m1", 500'000);
  std::get<Mobilisation>(more.body).recall = Recall::Update;
  std::get<Mobilisation>(more.body).recalled_id = "m0";
  EXPECT_EQ(say(kShangrao, more), "ok") << "300 are its own";
  Event beyond = commit("a", "m2", 501'000);
  std::get<Mobilisation>(beyond.body).recall = Recall::Update;
  std::get<Mobilisation>(beyond.body).recalled_id = "m1";
  EXPECT_EQ(say(kShangrao, beyond), "conflict items");
}

TEST_F(MobilisationTest, AProvisionalPromiseHoldsUntilItsEndAsTheOwnerJudgesIt) {
  (void)ask("a", 500'000);
  (void)ask("b", 500'000);
  const TimeMs until = net.node(kShangrao).now + 60'000;
  EXPECT_EQ(say(kShangrao, provisional("a", "m0", 400'000, until)), "ok");
  EXPECT_EQ(say(kShangrao, commit("b", "m1", 101'000)), "conflict items");
  EXPECT_THAT(reason, HasSubstr("400 provisional"));
  net.pass(61'000);
  EXPECT_EQ(say(kShangrao, commit("b", "m2", 101'000)), "ok");
  EXPECT_EQ(say(kShangrao, commit("a", "m3", 400'000)), "conflict items") << "it has lapsed, and some of it is gone";
  EXPECT_EQ(say(kShangrao, commit("a", "m4", 399'000)), "ok");
  EXPECT_EQ(say(kShangrao, provisional("a", "m5", 1'000, until)), "conflict items[0].resource");
}

TEST_F(MobilisationTest, ACommitmentOfWhatIsHeldProvisionallyTakesNothingMore) {
  (void)ask("a", 500'000);
  EXPECT_EQ(say(kShangrao, provisional("a", "m0", 500'000)), "ok");
  EXPECT_EQ(say(kShangrao, commit("a", "m1", 500'000)), "ok");
}

TEST_F(MobilisationTest, TheDeadlineIsJudgedByTheOwner) {
  (void)ask("a", 500'000, net.node(kQuzhou).now + 60'000);
  EXPECT_EQ(say(kShangrao, provisional("a", "m0", 100'000)), "ok");
  net.pass(61'000);
  EXPECT_EQ(say(kShangrao, commit("a", "m1", 100'000)), "ok") << "it was answered in time";
  Event late = answer("a", "m2", ResourceMessage::CommitResource, {kTeam, 1'000});
  EXPECT_EQ(say(kShangrao, late), "deadline answer_by");
  Event longer = test::mobilisation({.message = ResourceMessage::RequestResource,
                                     .id = "a2",
                                     .thread = "a",
                                     .home = kQuzhou,
                                     .items = {{"", 500'000}},
                                     .recalled = "a",
                                     .recall = Recall::Update,
                                     .answer_by = net.node(kQuzhou).now + 60'000});
  EXPECT_EQ(say(kQuzhou, longer), "ok");
  net.pass(500);
  EXPECT_EQ(say(kShangrao, late), "ok");
}

TEST_F(MobilisationTest, OnlyTheRequesterRequisitionsAndReleases) {
  (void)ask("a", 500'000);
  EXPECT_EQ(say(kShangrao, provisional("a", "m0", 500'000)), "ok");
  net.pass(500);
  Event requisition = answer("a", "q0", ResourceMessage::RequisitionResource, {kMasks, 500'000});
  EXPECT_EQ(say(kShangrao, requisition), "not_home message");
  EXPECT_EQ(say(kQuzhou, requisition), "ok");
  EXPECT_EQ(say(kQuzhou, answer("a", "q1", ResourceMessage::RequestExtendedDeploymentDuration, {kMasks})),
            "conflict items[0].resource");
  EXPECT_EQ(say(kShangrao, release("a", "m1")), "not_home message");
}

TEST_F(MobilisationTest, WhoIsNotAskedHasNothingToAnswer) {
  EXPECT_EQ(say(kQuzhou, test::mobilisation({.message = ResourceMessage::RequestResource,
                                             .id = "a",
                                             .thread = "a",
                                             .home = kQuzhou,
                                             .items = {{}},
                                             .to = {kNanping}})),
            "ok");
  net.pass(500);
  EXPECT_EQ(say(kShangrao, commit("a", "m0", 1'000)), "not_allowed message");
}

TEST_F(MobilisationTest, ARecalledRequestTakesNoMorePromises) {
  (void)ask("a", 500'000);
  EXPECT_EQ(say(kQuzhou, cancel("a", "q0", ResourceMessage::RequestResource, "a")), "ok");
  net.pass(500);
  EXPECT_EQ(say(kShangrao, commit("a", "m0", 1'000)), "conflict originating_id");
  EXPECT_EQ(ask("a", 1'000), "conflict message_id") << "its name is used up";
}

TEST_F(MobilisationTest, ADrillHoldsNothingOfTheActualStock) {
  (void)ask("a", 500'000, std::nullopt, Status::Exercise);
  (void)ask("b", 500'000);
  EXPECT_EQ(say(kShangrao, commit("a", "m0", 500'000, kMasks, Status::Exercise)), "ok");
  EXPECT_EQ(say(kShangrao, commit("b", "m1", 500'000)), "ok");
  (void)ask("c", 500'000, std::nullopt, Status::Exercise);
  EXPECT_EQ(say(kShangrao, commit("c", "m2", 1'000, kMasks, Status::Exercise)), "conflict items") << "it has holdings of its own";
}

TEST_F(MobilisationTest, APeersClaimToHaveCommittedOurResourceCountsForNothing) {
  (void)ask("a", 500'000);
  hello(kNanping);
  net.pass(500);
  // What a hostile node would let pass: its own rules are not asked.
  net.tamper = {};
  Mobilisations memory(kShangrao);
  Event claim = commit("a", "n0", 500'000);
  for (const RegionCode liar : {kNanping, kQuzhou}) {
    std::int64_t version = 1;
    for (const std::int64_t quantity : {std::int64_t{500'000}, INT64_MAX, INT64_MAX}) {
      std::get<Mobilisation>(claim.body).items[0].quantity_milli = quantity;
      std::get<Mobilisation>(claim.body).message_id = "n" + std::to_string(version);
      memory.remember(claim.envelope, {liar, version++, Hlc(1), std::get<Mobilisation>(claim.body)});
    }
  }
  EXPECT_EQ(memory.held(kMasks, Status::Actual, kNoon).count, 0U);
}

TEST_F(MobilisationTest, APeersFloodPushesOutItsOwnOldThreadsAndNoPromise) {
  Mobilisations memory(kShangrao);
  const Event mine = commit("a", "m0", 500'000);
  memory.remember(mine.envelope, {kShangrao, 1, Hlc(1), std::get<Mobilisation>(mine.body)});
  for (int i = 0; i < 20'000; ++i) {
    const std::string thread = "t" + std::to_string(i);
    const Event event = test::mobilisation(
        {.message = ResourceMessage::RequestResource, .id = thread, .thread = thread, .home = kQuzhou, .items = {{}}});
    memory.remember(event.envelope, {kQuzhou, i + 1, Hlc(static_cast<std::uint64_t>(i) + 2), std::get<Mobilisation>(event.body)});
  }
  EXPECT_LE(memory.threads(), kMaxHeardItems / 2 + 1);
  EXPECT_EQ(memory.held(kMasks, Status::Actual, kNoon).quantity_milli, 500'000);
  EXPECT_NE(memory.find({Status::Actual, mobilisation_entity(kQuzhou, "t19999")}), nullptr);
  EXPECT_EQ(memory.find({Status::Actual, mobilisation_entity(kQuzhou, "t0")}), nullptr);
}

TEST_F(MobilisationTest, ARestoredNodePromisesNothingUnseen) {
  (void)ask("a", 500'000);
  const Disk backup = net.node(kShangrao).disk;
  EXPECT_EQ(say(kShangrao, commit("a", "m0", 500'000)), "ok");
  net.pass(500);
  net.cut(kShangrao, kQuzhou);
  net.cut(kShangrao, kNanping);
  net.node(kShangrao).restore(backup);
  hello(kShangrao);
  EXPECT_EQ(say(kShangrao, commit("a", "m1", 500'000)), "fenced state");
}

TEST_F(MobilisationTest, APromiseThatComesBackBehindARestoreToAThreadThatIsOverIsBroughtHome) {
  (void)ask("a", 500'000);
  (void)ask("b", 500'000);
  const Disk backup = net.node(kShangrao).disk;
  EXPECT_EQ(say(kShangrao, commit("a", "m0", 500'000)), "ok");
  net.pass(500);
  // The restored node hears that the request is recalled before it hears what it has promised.
  net.cut(kShangrao, kNanping);
  net.cut(kShangrao, kQuzhou);
  net.node(kShangrao).restore(backup);
  hello(kShangrao);
  EXPECT_EQ(say(kQuzhou, cancel("a", "q0", ResourceMessage::RequestResource, "a")), "ok");
  bool late = true;
  net.tamper = [&](RegionCode, RegionCode to, Deliver& deliver) {
    if (!late || to != kShangrao) return;
    const auto segments = parse_segments(deliver.segments);
    if (segments && !segments->empty() && segments->front().info().feed.region == kShangrao) deliver.segments.clear();
  };
  net.mend(kShangrao, kQuzhou);
  net.pass(20'000);
  late = false;
  net.cut(kShangrao, kQuzhou);
  net.pass(kPeerSilenceMs + 1'000);
  net.mend(kShangrao, kQuzhou);
  net.mend(kShangrao, kNanping);
  net.pass(30'000);
  EXPECT_EQ(say(kShangrao, commit("b", "m1", 1'000)), "conflict items");
  EXPECT_EQ(say(kShangrao, report("a", "m2", Deployment::returned)), "ok");
}

TEST_F(MobilisationTest, TheSameMessageIdNamesOneMessage) {
  (void)ask("a", 500'000);
  EXPECT_EQ(say(kShangrao, commit("a", "m0", 100'000)), "ok");
  EXPECT_EQ(say(kShangrao, commit("a", "m0", 100'000)), "conflict message_id");
  EXPECT_THAT(reason, HasSubstr("nothing was added"));
  EXPECT_EQ(say(kShangrao, commit("a", "m0", 200'000)), "conflict message_id");
  EXPECT_THAT(reason, HasSubstr("other content"));
}

}  // namespace
}  // namespace lianxi::core
