// Promise 1, ack level peers(k): the receipt first, then how many other nodes hold the event on disk.
#include "broker/core/durability.h"

#include <gmock/gmock.h>

#include "schemas/limits.h"
#include "tests/unit/core/link_rig.h"

namespace lianxi::core {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// "1+2 2/3": of sequence 1 on, two events, held by 2 of 3 wanted.
std::vector<std::string> outcomes(const std::vector<Send>& sends) {
  std::vector<std::string> lines;
  for (const Replicated& message : messages<Replicated>(sends))
    for (const ReplicatedRange& range : message.ranges)
      lines.push_back(std::to_string(range.first_sequence.value) + "+" + std::to_string(range.count) + " " +
                      std::to_string(range.held) + "/" + std::to_string(range.wanted));
  return lines;
}

Publish asking(Publish publish, unsigned peers, std::uint32_t deadline_ms = 10'000) {
  publish.peers = static_cast<std::uint8_t>(peers);
  publish.deadline_ms = deadline_ms;
  return publish;
}

class DurabilityTest : public testing::Test {
 protected:
  DurabilityTest() {
    Hello hello;
    hello.session = SessionId{1};
    (void)net.at(kQuzhou, {node().says(police(), hello)});
    net.pass(500);
  }
  CoreRig& node() { return net.node(kQuzhou); }
  Effects publish(std::uint64_t first, const std::vector<Event>& events, unsigned peers, std::uint32_t deadline_ms = 10'000) {
    net.said.clear();
    return net.at(kQuzhou,
                  {node().says(police(), asking(CoreRig::publish_message(1, Lane::normal, first, events), peers, deadline_ms))});
  }
  std::vector<std::string> heard() { return outcomes(std::exchange(net.said, {})); }
  void settle_links() { net.pass(kPeerSilenceMs + 2 * kMaxReconnectMs); }

  const Audience pair = audience("qu-huang");
  LinkRig net{{kQuzhou, kHuangshan, kNanping}, four_cities({Group{pair, {kQuzhou, kHuangshan}}})};
};

TEST_F(DurabilityTest, TheReceiptComesFirstAndTheOutcomeOnceThePeersHaveCommitted) {
  const Effects effects = publish(1, {report("一"), report("二")}, 2);
  EXPECT_THAT(lines_of(effects.sends), ElementsAre("1 ok conference#1 @1", "2 ok conference#2 @2"));
  EXPECT_THAT(outcomes(effects.sends), IsEmpty());
  EXPECT_THAT(heard(), ElementsAre("1+2 2/2"));
  EXPECT_EQ(node().core.durability().waiting, 0U);
  EXPECT_EQ(node().core.durability().reached, 1U);
}

TEST_F(DurabilityTest, WithAckLevelLocalNothingFollowsTheReceipt) {
  publish(1, {report("一")}, 0);
  net.pass(20'000);
  EXPECT_THAT(heard(), IsEmpty());
}

TEST_F(DurabilityTest, WithAPeerCutOffTheOutcomeComesAtTheDeadlineAndTheEventStays) {
  net.cut(kQuzhou, kNanping);
  publish(1, {report("一")}, 2, 3'000);
  net.pass(2'800);
  EXPECT_THAT(heard(), ElementsAre());
  net.pass(300);
  EXPECT_THAT(heard(), ElementsAre("1+1 1/2"));
  EXPECT_EQ(node().core.durability().late, 1U);
  net.mend(kQuzhou, kNanping);
  settle_links();
  EXPECT_THAT(words(net.node(kNanping).disk.events(kQuzhou)), ElementsAre("一"));
  EXPECT_THAT(heard(), IsEmpty()) << "an outcome is said once";
}

TEST_F(DurabilityTest, AHealBeforeTheDeadlineReachesTheLevel) {
  net.cut(kQuzhou, kNanping);
  publish(1, {report("一")}, 2, 60'000);
  EXPECT_THAT(heard(), IsEmpty());
  net.mend(kQuzhou, kNanping);
  settle_links();
  EXPECT_THAT(heard(), ElementsAre("1+1 2/2"));
}

TEST_F(DurabilityTest, ARepeatGetsTheReceiptAndTodaysCount) {
  net.cut(kQuzhou, kNanping);
  publish(1, {report("一")}, 2, 0);
  EXPECT_THAT(heard(), ElementsAre("1+1 0/2")) << "no time to wait: nobody had it yet";
  const Effects again = publish(1, {report("一")}, 2, 0);
  EXPECT_THAT(lines_of(again.sends), ElementsAre("1 ok conference#1 @1"));
  EXPECT_THAT(heard(), ElementsAre("1+1 1/2"));
  net.mend(kQuzhou, kNanping);
  settle_links();
  publish(1, {report("一")}, 2);
  EXPECT_THAT(heard(), ElementsAre("1+1 2/2"));
  publish(1, {report("一")}, 9);
  EXPECT_THAT(heard(), ElementsAre("1+1 2/9")) << "it can never be reached: no wait";
}

TEST_F(DurabilityTest, ARepeatAfterARestartIsCountedFromWhatThePeersFollowBy) {
  publish(1, {report("一")}, 2);
  (void)heard();
  net.restart(kQuzhou);
  settle_links();
  publish(1, {report("一")}, 2);
  EXPECT_THAT(heard(), ElementsAre("1+1 2/2"));
  net.restart(kNanping);
  settle_links();
  publish(1, {report("一")}, 2, 0);
  EXPECT_THAT(heard(), ElementsAre("1+1 2/2"));
}

TEST_F(DurabilityTest, MoreThanTheOtherNodesOfTheAudienceIsRefusedAndNamesThem) {
  const Effects effects = publish(1, {to(report("一"), pair)}, 2);
  EXPECT_THAT(lines_of(effects.sends), ElementsAre("1 invalid_field peers"));
  EXPECT_THAT(messages<Answers>(effects.sends)[0].refusals[0].refusal.reason, testing::HasSubstr("1 other node"));
  EXPECT_THAT(lines_of(publish(2, {to(report("二"), Audience::local())}, 1).sends), ElementsAre("2 invalid_field peers"));
  EXPECT_THAT(lines_of(publish(1, {to(report("一"), pair)}, 0).sends), ElementsAre("1 invalid_field peers"))
      << "a refusal is an answer, and a repeat gets the first";
}

TEST_F(DurabilityTest, OnlyMembersOfTheAudienceCount) {
  net.cut(kQuzhou, kHuangshan);
  publish(1, {to(report("只给两市"), pair), report("给所有人")}, 1, 60'000);
  EXPECT_THAT(heard(), ElementsAre("2+1 1/1")) << "Nanping is past both, and holds the second";
  net.mend(kQuzhou, kHuangshan);
  settle_links();
  EXPECT_THAT(heard(), ElementsAre("1+1 1/1"));
}

TEST_F(DurabilityTest, WhoIsGoneIsForgotten) {
  net.cut(kQuzhou, kNanping);
  publish(1, {report("一")}, 2);
  EXPECT_EQ(node().core.durability().waiting, 1U);
  (void)net.at(kQuzhou, {node().input(ConnectionLost{{1, police().id.text()}})});
  EXPECT_EQ(node().core.durability().waiting, 0U);
  net.pass(11'000);
  EXPECT_THAT(heard(), IsEmpty());
}

TEST_F(DurabilityTest, AClockSetBackDoesNotProlongTheWait) {
  net.cut(kQuzhou, kNanping);
  publish(1, {report("一")}, 2, 3'000);
  net.pass(1'000);
  node().now -= 24 * 3'600'000;
  net.pass(2'200);
  EXPECT_THAT(heard(), ElementsAre("1+1 1/2"));
}

TEST_F(DurabilityTest, TooManyThatWaitAreHeldBackAndConsumeNothing) {
  net.cut(kQuzhou, kNanping);
  net.cut(kQuzhou, kHuangshan);
  std::vector<Input> inputs;
  for (std::uint64_t i = 1; i <= kMaxWaitingPerAgent; ++i)
    inputs.push_back(node().says(police(), asking(CoreRig::publish_message(1, Lane::normal, i, {report("一")}), 1)));
  (void)net.at(kQuzhou, std::move(inputs));
  EXPECT_EQ(node().core.durability().waiting, kMaxWaitingPerAgent);
  const std::uint64_t next = kMaxWaitingPerAgent + 1;
  EXPECT_THAT(lines_of(publish(next, {report("多")}, 1).sends), ElementsAre(std::to_string(next) + " busy sequence retry"));
  net.pass(10'200);
  EXPECT_EQ(node().core.durability().waiting, 0U);
  EXPECT_THAT(lines_of(publish(next, {report("多")}, 1).sends), ElementsAre(testing::HasSubstr(" ok ")));
}

TEST_F(DurabilityTest, ARepeatTakesThePlaceOfWhatItRepeats) {
  net.cut(kQuzhou, kNanping);
  for (int i = 0; i < 5; ++i) publish(1, {report("一")}, 2);
  EXPECT_EQ(node().core.durability().waiting, 1U);
  net.pass(10'200);
  EXPECT_THAT(heard(), ElementsAre("1+1 1/2"));
}

TEST_F(DurabilityTest, WhereAsMuchWaitsAsMayARepeatGetsTodaysCountAtOnce) {
  net.cut(kQuzhou, kNanping);
  net.cut(kQuzhou, kHuangshan);
  std::vector<Input> inputs;
  for (std::uint64_t i = 1; i <= kMaxWaitingPerAgent; ++i)
    inputs.push_back(node().says(police(), asking(CoreRig::publish_message(1, Lane::normal, i, {report("一")}), 1)));
  (void)net.at(kQuzhou, std::move(inputs));
  (void)heard();
  const auto again = [&](const std::string& connection) {
    net.said.clear();
    (void)net.at(kQuzhou,
                 {node().says(police(), asking(CoreRig::publish_message(1, Lane::normal, 1, {report("一")}), 1), connection)});
    return heard();
  };
  EXPECT_THAT(again("another connection"), ElementsAre("1+1 0/1"));
  EXPECT_EQ(node().core.durability().waiting, kMaxWaitingPerAgent);
}

TEST_F(DurabilityTest, APeerWithAnotherHistoryOfTheFeedIsNotCounted) {
  publish(1, {report("一")}, 0);
  net.cut(kQuzhou, kHuangshan);
  const Disk backup = node().disk;
  publish(2, {report("给南平的二")}, 0);
  const Disk original = node().disk;
  net.cut(kQuzhou, kNanping);
  node().disk = backup;  // a copy of the node publishes, and Huangshan takes its history
  net.restart(kQuzhou);
  publish(2, {report("给黄山的二")}, 0);
  net.mend(kQuzhou, kHuangshan);
  settle_links();
  net.cut(kQuzhou, kHuangshan);
  node().disk = original;
  net.restart(kQuzhou);
  publish(3, {report("三")}, 0);  // longer than Huangshan's: its vector alone does not show the fork
  net.mend(kQuzhou, kHuangshan);
  net.mend(kQuzhou, kNanping);
  settle_links();
  for (const std::uint64_t sequence : {std::uint64_t{2}, std::uint64_t{3}}) {
    publish(sequence, {report(sequence == 2 ? "给南平的二" : "三")}, 2, 0);
    EXPECT_THAT(heard(), ElementsAre(std::to_string(sequence) + "+1 1/2")) << "Nanping alone holds it";
  }
}

// --- what a node says, one word at a time ---

class HolderTest : public testing::Test {
 protected:
  HolderTest() {
    (void)rig.hello(police(), 1);
    for (std::uint64_t i = 1; i <= 3; ++i) (void)rig.publish(police(), 1, i, {report("一")});
  }
  void follow(std::uint64_t id, FeedVector vector, const std::string& connection = "link") {
    Follow follow;
    follow.follow = SessionId{id};
    follow.mode = FollowMode::feeds;
    follow.from = FollowFrom::vector;
    follow.vector = std::move(vector);
    follow.regions = {kQuzhou};
    (void)rig.turn({rig.says(node_of(kHuangshan), follow, connection)});
  }
  std::vector<std::string> credit(std::uint64_t id, std::uint64_t offset, const std::string& connection = "link") {
    return outcomes(rig.turn({rig.says(node_of(kHuangshan), Credit{SessionId{id}, 1000, 1, Offset{offset}}, connection)}).sends);
  }
  std::vector<std::string> publish(std::uint64_t sequence) {
    return outcomes(
        rig.turn({rig.says(police(), asking(CoreRig::publish_message(1, Lane::normal, sequence, {report("一")}), 1))}).sends);
  }
  const FeedId feed{kQuzhou, Epoch{1}, Lane::normal, Audience::conference()};
  CoreRig rig;
};

TEST_F(HolderTest, AVectorAtTheHeadCountsAtOnce) {
  follow(1, rig.core.heads());
  EXPECT_THAT(publish(2), ElementsAre("2+1 1/1"));
}

TEST_F(HolderTest, AVectorThatCannotBeComparedCountsOnceItsFeedHasGoneOn) {
  follow(1, {{feed, {Sequence{2}, Hash{1}}}});
  EXPECT_THAT(publish(1), IsEmpty());
  EXPECT_THAT(credit(1, 3), IsEmpty()) << "below the head of that moment: its chain is not proven";
  EXPECT_THAT(credit(1, 4), ElementsAre("1+1 1/1"));
}

TEST_F(HolderTest, AVectorThatShowsMoreOfAFeedThanIsHereOrAnotherHeadProvesNothingOfIt) {
  follow(1, {{feed, {Sequence{4}, Hash{1}}}});
  EXPECT_THAT(publish(1), IsEmpty());
  EXPECT_THAT(credit(1, 4), IsEmpty()) << "nothing of the feed was sent to it, and its history may be another";
  follow(2, {{feed, {Sequence{3}, Hash{1}}}}, "link again");
  EXPECT_THAT(credit(2, 4, "link again"), IsEmpty());
}

TEST_F(HolderTest, OnlyTheLastFollowOfANodeCounts) {
  follow(1, rig.core.heads());
  follow(2, {}, "link again");
  EXPECT_THAT(publish(4), IsEmpty());
  EXPECT_THAT(credit(1, 5), IsEmpty());
  EXPECT_THAT(credit(2, 5, "link again"), ElementsAre("4+1 1/1"));
}

TEST_F(HolderTest, ACreditOfAnAgentCountsForNothing) {
  Follow all;
  all.follow = SessionId{1};
  all.credit_bytes = 1000;
  all.credit_messages = 1;
  (void)rig.turn({rig.says(fire(), all)});
  EXPECT_THAT(publish(4), IsEmpty());
  EXPECT_THAT(outcomes(rig.turn({rig.says(fire(), Credit{SessionId{1}, 0, 0, Offset{5}})}).sends), IsEmpty());
}

TEST_F(HolderTest, ANodeThatJoinsAnAudienceHoldsNothingOfBefore) {
  const Audience pair = audience("qu-huang");
  const auto joined = [&](std::vector<RegionCode> regions) {
    return PolicyChanged{nullptr, four_cities({Group{pair, std::move(regions)}})};
  };
  (void)rig.step(joined({kQuzhou, kNanping}));
  follow(1, rig.core.heads());
  const auto ask = [&](std::uint64_t sequence, const std::string& text) {
    const Publish publish = asking(CoreRig::publish_message(1, Lane::normal, sequence, {to(report(text), pair)}), 1);
    return outcomes(rig.turn({rig.says(police(), publish)}).sends);
  };
  EXPECT_THAT(ask(4, "前"), IsEmpty());
  EXPECT_THAT(credit(1, 5), IsEmpty()) << "Huangshan is past it, and not of the group";
  (void)rig.step(joined({kQuzhou, kHuangshan}));
  EXPECT_THAT(ask(5, "后"), IsEmpty());
  EXPECT_THAT(credit(1, 6), ElementsAre("5+1 1/1"));
}

}  // namespace
}  // namespace lianxi::core
