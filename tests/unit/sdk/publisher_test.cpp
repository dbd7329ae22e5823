// The rules of publishing with time in the test's hand.
#include "agents/sdk/publisher.h"

#include <gtest/gtest.h>

#include "schemas/codec/event_codec.h"
#include "tests/unit/sdk/scripted_node.h"

namespace lianxi::sdk {
namespace {

constexpr LaneMask kNormal = mask_of(Lane::normal);

class Rules : public ::testing::Test {
 protected:
  void SetUp() override { (void)publisher.welcomed(welcome(0, 0), kNormal); }

  Welcome welcome(std::uint64_t high_water, std::uint64_t answered) {
    Welcome welcome;
    welcome.session = outbox->session();
    welcome.region = RegionCode{330800};
    welcome.lanes = {{Lane::normal, Sequence(high_water), Sequence(answered)}};
    return welcome;
  }
  void store(const std::string& text) {
    bodies.push_back(encode_event(report(text)));
    const NewEvent event{next_ticket++, Lane::normal, bodies.back()};
    ASSERT_TRUE(outbox->append(std::span(&event, 1)));
  }
  Answers receipt(std::uint64_t first, std::uint32_t count, bool right_body = true) {
    ReceiptRange range{Lane::normal,    Audience::conference(), Sequence(first), count, Epoch{1},
                       Sequence(first), Ordinal(first),         Offset(first),   {}};
    for (std::uint32_t i = 0; i < count; ++i) {
      range.body_hashes.push_back(right_body ? body_hash(bodies.at(first + i - 1)) : BodyHash{});
    }
    return {outbox->session(), {range}, {}};
  }
  Answers refusal(std::uint64_t sequence, RefusalCode code, std::uint32_t retry_after_ms = 0) {
    return {outbox->session(), {}, {{Lane::normal, Sequence(sequence), {code, "", "why", retry_after_ms}, {}}}};
  }

  std::vector<Bytes> bodies;
  std::vector<Ticket> told;
  std::vector<std::string> reports;
  std::uint64_t sessions = 1;
  Ticket next_ticket = 1;
  std::unique_ptr<Outbox> outbox = make_memory_outbox(SessionId{1}, 64 * 1024 * 1024);
  Publisher publisher{*outbox,
                      {.events = 8},
                      {.answered = [this](Lane, std::span<const Ticket> tickets,
                                          const Outcome&) { told.insert(told.end(), tickets.begin(), tickets.end()); },
                       .report = [this](const std::string& text) { reports.push_back(text); },
                       .fresh_session = [this] { return SessionId(++sessions); }}};
};

TEST_F(Rules, NothingIsSentBeforeTheWelcome) {
  publisher.lost(kNormal);
  store("一");
  EXPECT_FALSE(publisher.next(Lane::normal, 0));
  ASSERT_EQ(publisher.welcomed(welcome(0, 0), kNormal), Publisher::Next::go_on);
  EXPECT_TRUE(publisher.next(Lane::normal, 0));
}

TEST_F(Rules, AnAnswerThatDoesNotComeIsAskedForAgain) {
  store("一");
  ASSERT_TRUE(publisher.next(Lane::normal, 0));
  EXPECT_FALSE(publisher.next(Lane::normal, 4'000));
  ASSERT_TRUE(publisher.due(Lane::normal));
  const auto again = publisher.next(Lane::normal, *publisher.due(Lane::normal));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->first_sequence, Sequence{1});
}

TEST_F(Rules, AHeldSequenceWaitsAsLongAsItIsTold) {
  store("一");
  store("二");
  ASSERT_EQ(publisher.next(Lane::normal, 0)->events.size(), 2U);
  ASSERT_EQ(publisher.answered(receipt(1, 1), 10), Publisher::Next::go_on);
  ASSERT_EQ(publisher.answered(refusal(2, RefusalCode::disk_full, 500), 10), Publisher::Next::go_on);
  EXPECT_FALSE(publisher.next(Lane::normal, 509));
  const auto again = publisher.next(Lane::normal, 510);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->first_sequence, Sequence{2});
  EXPECT_EQ(told.size(), 1U);
}

TEST_F(Rules, ANodeThatTakesNothingIsToldOnceAndAgainWhenItTakesSomething) {
  store("一");
  for (const std::int64_t now : {0, 500, 1'000, 1'500, 2'000}) {
    ASSERT_TRUE(publisher.next(Lane::normal, now));
    ASSERT_EQ(publisher.answered(refusal(1, RefusalCode::disk_full, 500), now), Publisher::Next::go_on);
    ASSERT_TRUE(publisher.held_back());
    EXPECT_EQ(publisher.held_back()->code, RefusalCode::disk_full);
  }
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_NE(reports.front().find("disk_full: why"), std::string::npos);
  ASSERT_TRUE(publisher.next(Lane::normal, 2'500));
  (void)publisher.answered(receipt(1, 1), 2'501);
  EXPECT_FALSE(publisher.held_back());
  EXPECT_EQ(reports.size(), 2U);
}

TEST_F(Rules, AMomentOfBusyTroublesNobody) {
  store("一");
  for (const std::int64_t now : {0, 500}) {
    ASSERT_TRUE(publisher.next(Lane::normal, now));
    (void)publisher.answered(refusal(1, RefusalCode::busy, 500), now);
  }
  EXPECT_TRUE(publisher.held_back());
  publisher.lost(kNormal);
  EXPECT_FALSE(publisher.held_back()) << "what a gone connection said";
  EXPECT_TRUE(reports.empty());
}

TEST_F(Rules, AnotherBodyUnderOurSequenceEndsTheSession) {
  store("一");
  publisher.lost(kNormal);
  ASSERT_EQ(publisher.welcomed(welcome(1, 0), kNormal), Publisher::Next::go_on);  // somebody has sent one before
  ASSERT_TRUE(publisher.next(Lane::normal, 0));
  EXPECT_EQ(publisher.answered(receipt(1, 1, false), 1), Publisher::Next::hello);
  EXPECT_EQ(outbox->session(), SessionId{2});
  EXPECT_EQ(reports.size(), 1U);
  EXPECT_TRUE(told.empty());
  (void)publisher.welcomed(welcome(0, 0), kNormal);
  EXPECT_EQ(publisher.next(Lane::normal, 2)->first_sequence, Sequence{1});
}

TEST_F(Rules, BodiesAreComparedUpToWhatTheNodeHadTakenBefore) {
  for (const char* text : {"一", "二", "三"}) store(text);
  ASSERT_TRUE(publisher.next(Lane::normal, 0));
  publisher.lost(kNormal);
  ASSERT_EQ(publisher.welcomed(welcome(2, 0), kNormal), Publisher::Next::go_on);
  ASSERT_EQ(publisher.next(Lane::normal, 0)->events.size(), 3U);
  Answers answers = receipt(1, 3);
  answers.receipts.front().body_hashes.at(2) = {};  // of a sequence that the node did not know: it is what was sent here
  EXPECT_EQ(publisher.answered(answers, 1), Publisher::Next::go_on);
  EXPECT_EQ(told.size(), 3U);
  store("四");
  publisher.lost(kNormal);
  ASSERT_EQ(publisher.welcomed(welcome(4, 3), kNormal), Publisher::Next::go_on);
  ASSERT_TRUE(publisher.next(Lane::normal, 2));
  Answers without = receipt(4, 1);
  without.receipts.front().body_hashes.clear();
  EXPECT_EQ(publisher.answered(without, 3), Publisher::Next::hello);
  EXPECT_EQ(told.size(), 3U);
}

TEST_F(Rules, ReceiptsOfARunNameEachEventsPlace) {
  std::vector<Outcome> outcomes;
  Publisher other{*outbox,
                  {.events = 8},
                  {.answered =
                       [&](Lane, std::span<const Ticket> tickets, const Outcome& first) {
                         for (std::size_t i = 0; i < tickets.size(); ++i) outcomes.push_back(outcome_after(first, i));
                       },
                   .report = [](const std::string&) {},
                   .fresh_session = [] { return SessionId{9}; }}};
  (void)other.welcomed(welcome(0, 0), kNormal);
  for (const char* text : {"一", "二", "三", "四"}) store(text);
  ASSERT_EQ(other.next(Lane::normal, 0)->events.size(), 4U);
  Answers answers = receipt(2, 3);
  answers.receipts.front().first_feed_sequence = Sequence{71};
  answers.receipts.front().first_offset = Offset{500};
  ASSERT_EQ(other.answered(receipt(3, 1), 1), Publisher::Next::go_on);  // 三 first, out of turn
  ASSERT_EQ(other.answered(answers, 1), Publisher::Next::go_on);
  ASSERT_EQ(outcomes.size(), 3U);
  EXPECT_EQ(outcomes[1]->sequence, Sequence{71});
  EXPECT_EQ(outcomes[2]->sequence, Sequence{73}) << "the one answered before is passed over, its place is not";
  EXPECT_EQ(outcomes[2]->offset, Offset{502});
}

TEST_F(Rules, WhatComesWhileMessagesAreOnTheirWayGathers) {
  for (int i = 0; i < 6; ++i) {
    store(std::to_string(i));
    ASSERT_TRUE(publisher.next(Lane::normal, 0)) << "few messages on their way: it goes at once";
  }
  store("6");
  EXPECT_FALSE(publisher.next(Lane::normal, 0));
  (void)publisher.answered(receipt(1, 1), 1);
  store("7");
  const auto both = publisher.next(Lane::normal, 1);
  ASSERT_TRUE(both);
  EXPECT_EQ(both->events.size(), 2U);
}

TEST_F(Rules, AlertsNeverGather) {
  Welcome flash = welcome(0, 0);
  flash.lanes.front().lane = Lane::flash;
  (void)publisher.welcomed(flash, mask_of(Lane::flash));
  for (int i = 0; i < 8; ++i) {
    const Bytes body = encode_event(alert(std::to_string(i)));
    const NewEvent event{next_ticket++, Lane::flash, body};
    ASSERT_TRUE(outbox->append(std::span(&event, 1)));
    EXPECT_TRUE(publisher.next(Lane::flash, 0)) << i;
  }
}

TEST_F(Rules, TheWindowIsBoundedInBytesToo) {
  Publisher narrow{*outbox,
                   {.events = 100, .bytes = 3'000},
                   {.answered = [](Lane, std::span<const Ticket>, const Outcome&) {},
                    .report = [](const std::string&) {},
                    .fresh_session = [] { return SessionId{9}; }}};
  (void)narrow.welcomed(welcome(0, 0), kNormal);
  for (int i = 0; i < 10; ++i) store(std::string(1'000, 'x'));
  std::size_t sent = 0;
  while (const auto publish = narrow.next(Lane::normal, 0)) sent += publish->events.size();
  EXPECT_GE(sent, 2U);
  EXPECT_LE(sent, 4U);
  (void)narrow.answered(receipt(1, 2), 1);
  EXPECT_TRUE(narrow.next(Lane::normal, 1));
}

TEST_F(Rules, ASessionInMemoryIsWorthNothingToTheNodeUnlessAnAnswerIsOnItsWay) {
  store("一");
  EXPECT_TRUE(publisher.hello("test", kNormal).volatile_outbox) << "nothing was sent yet";
  ASSERT_TRUE(publisher.next(Lane::normal, 0));
  EXPECT_FALSE(publisher.hello("test", kNormal).volatile_outbox);
  publisher.lost(kNormal);
  EXPECT_FALSE(publisher.hello("test", kNormal).volatile_outbox) << "the node may have taken it";
  (void)publisher.welcomed(welcome(1, 0), kNormal);
  ASSERT_TRUE(publisher.next(Lane::normal, 0));
  (void)publisher.answered(receipt(1, 1), 1);
  EXPECT_TRUE(publisher.hello("test", kNormal).volatile_outbox);
}

TEST_F(Rules, AnIdleSessionThatTheNodeClosedIsReplacedWithoutAWord) {
  store("一");
  ASSERT_TRUE(publisher.next(Lane::normal, 0));
  (void)publisher.answered(receipt(1, 1), 1);
  publisher.lost(kNormal);
  ASSERT_EQ(publisher.welcomed(welcome(0, 0), kNormal), Publisher::Next::hello);
  EXPECT_EQ(outbox->session(), SessionId{2});
  EXPECT_TRUE(reports.empty());
  (void)publisher.welcomed(welcome(0, 0), kNormal);
  store("二");
  EXPECT_EQ(publisher.next(Lane::normal, 2)->first_sequence, Sequence{1});
}

TEST_F(Rules, AnAnswerToARepeatThatIsDoneWithChangesNothing) {
  store("一");
  ASSERT_TRUE(publisher.next(Lane::normal, 0));
  (void)publisher.answered(receipt(1, 1), 1);
  (void)publisher.answered(receipt(1, 1), 2);
  EXPECT_EQ(publisher.answered(refusal(1, RefusalCode::sequence_reused), 3), Publisher::Next::go_on);
  EXPECT_EQ(told.size(), 1U);
  EXPECT_EQ(outbox->session(), SessionId{1});
}

TEST_F(Rules, ANewSessionSendsOnlyWhatHasNoAnswer) {
  for (const char* text : {"一", "二", "三"}) store(text);
  ASSERT_TRUE(publisher.next(Lane::normal, 0));
  (void)publisher.answered(receipt(1, 1), 1);
  (void)publisher.answered(receipt(3, 1), 1);  // out of turn
  EXPECT_EQ(publisher.welcomed(welcome(0, 0), kNormal), Publisher::Next::hello);
  (void)publisher.welcomed(welcome(0, 0), kNormal);
  const auto again = publisher.next(Lane::normal, 2);
  ASSERT_TRUE(again);
  ASSERT_EQ(again->events.size(), 1U);
  EXPECT_EQ(text_of(again->events.front()), "二");
}

TEST_F(Rules, HelloInTheMidstOfSendingSendsNothingTwice) {
  store("一");
  ASSERT_TRUE(publisher.next(Lane::normal, 0));
  EXPECT_EQ(publisher.welcomed(welcome(0, 0), kNormal), Publisher::Next::go_on);
  EXPECT_FALSE(publisher.next(Lane::normal, 1));
}

TEST_F(Rules, AMessageThatTheNodeCannotReadIsTakenApart) {
  for (const char* text : {"一", "坏", "三"}) store(text);
  ASSERT_TRUE(publisher.next(Lane::normal, 0));
  const Refusal malformed{RefusalCode::malformed, "", "cannot be read", 0};
  EXPECT_EQ(publisher.refused({SessionId{1}, 1, Lane::normal, malformed}, 0), Publisher::Next::go_on);
  auto single = publisher.next(Lane::normal, 1'000);
  ASSERT_TRUE(single);
  ASSERT_EQ(single->events.size(), 1U);
  (void)publisher.answered(receipt(1, 1), 1'000);
  while (auto next = publisher.next(Lane::normal, 1'000)) EXPECT_EQ(next->events.size(), 1U);
  EXPECT_EQ(publisher.refused({SessionId{1}, 2, Lane::normal, malformed}, 1'000), Publisher::Next::hello);
  EXPECT_EQ(told.size(), 2U);
  (void)publisher.welcomed(welcome(0, 0), kNormal);
  EXPECT_EQ(text_of(publisher.next(Lane::normal, 1'001)->events.front()), "三");
}

TEST_F(Rules, LargeEventsTravelInSeveralMessages) {
  for (int i = 0; i < 8; ++i) store(std::string(250'000, 'x') + std::to_string(i));
  std::size_t messages = 0;
  std::size_t events = 0;
  while (auto publish = publisher.next(Lane::normal, 0)) {
    EXPECT_LE(encode(*publish).payload.size(), kMaxPublishBytes);
    events += publish->events.size();
    ++messages;
  }
  EXPECT_EQ(events, 8U);
  EXPECT_GE(messages, 2U);
}

// --- ack level peers(k) ---

class PeerRules : public Rules {
 protected:
  void SetUp() override { (void)asking.welcomed(welcome(0, 0), kNormal); }
  void ask(const std::string& text, unsigned peers, int deadline_ms = 1'000) {
    if (peers > 0) {
      acks.ask(next_ticket, {static_cast<std::uint8_t>(peers), std::chrono::milliseconds(deadline_ms)},
               [this](const Result<Replication>& outcome) {
                 heard.push_back(outcome ? std::to_string(outcome->held) + "/" + std::to_string(outcome->wanted)
                                         : std::string(to_word(outcome.error().code)));
               });
    }
    store(text);
  }
  Replicated replicated(std::uint64_t first, std::uint32_t count, std::uint8_t held, std::uint8_t wanted) {
    return {outbox->session(), {{Lane::normal, Sequence(first), count, wanted, held}}};
  }

  PeerAcks acks;
  std::vector<std::string> heard;
  Publisher asking{*outbox,
                   {.events = 8},
                   {.answered = [this](Lane, std::span<const Ticket> tickets,
                                       const Outcome&) { told.insert(told.end(), tickets.begin(), tickets.end()); },
                    .report = [this](const std::string& text) { reports.push_back(text); },
                    .fresh_session = [this] { return SessionId(++sessions); }},
                   &acks};
};

TEST_F(PeerRules, AMessageAsksForOneLevel) {
  ask("一", 2);
  ask("二", 2);
  ask("三", 0);
  const auto first = asking.next(Lane::normal, 0);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->events.size(), 2U);
  EXPECT_EQ(first->peers, 2);
  EXPECT_EQ(first->deadline_ms, 1'000U);
  const auto second = asking.next(Lane::normal, 0);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->first_sequence, Sequence{3});
  EXPECT_EQ(second->peers, 0);
}

TEST_F(PeerRules, TheEventIsKeptUntilTheOutcomeHasCome) {
  ask("一", 1);
  ask("二", 0);
  (void)asking.next(Lane::normal, 0);
  (void)asking.next(Lane::normal, 0);
  (void)asking.answered(receipt(1, 2), 10);
  EXPECT_EQ(told.size(), 2U) << "the receipts are told at once";
  EXPECT_EQ(outbox->answered_through(Lane::normal), Sequence{0});
  EXPECT_TRUE(heard.empty());
  asking.replicated(replicated(1, 1, 1, 1), 20);
  EXPECT_EQ(heard, std::vector<std::string>{"1/1"});
  EXPECT_EQ(outbox->answered_through(Lane::normal), Sequence{2});
  asking.replicated(replicated(1, 1, 1, 1), 20);
  EXPECT_EQ(heard.size(), 1U) << "an outcome is told once";
}

TEST_F(PeerRules, AfterALostConnectionItIsAskedAgain) {
  ask("一", 1);
  (void)asking.next(Lane::normal, 0);
  (void)asking.answered(receipt(1, 1), 10);
  asking.lost(kNormal);
  (void)asking.welcomed(welcome(1, 0), kNormal);
  const auto again = asking.next(Lane::normal, 20);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->first_sequence, Sequence{1});
  EXPECT_EQ(again->peers, 1);
  (void)asking.answered(receipt(1, 1), 30);
  asking.replicated(replicated(1, 1, 0, 1), 40);
  EXPECT_EQ(heard, std::vector<std::string>{"0/1"});
}

TEST_F(PeerRules, AnOutcomeThatDoesNotComeIsAskedForAfterItsDeadlineAndNotBefore) {
  ask("一", 1, 60'000);
  (void)asking.next(Lane::normal, 0);
  (void)asking.answered(receipt(1, 1), 10);
  EXPECT_FALSE(asking.next(Lane::normal, 30'000));
  ASSERT_TRUE(asking.due(Lane::normal));
  EXPECT_GT(*asking.due(Lane::normal), 60'000);
  const auto again = asking.next(Lane::normal, *asking.due(Lane::normal));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->first_sequence, Sequence{1});
}

TEST_F(PeerRules, ASessionGivenUpTellsWhoWaitsAndSendsNoReceiptedEventAgain) {
  ask("一", 1);
  (void)asking.next(Lane::normal, 0);
  (void)asking.answered(receipt(1, 1), 10);
  asking.lost(kNormal);
  EXPECT_EQ(asking.welcomed(welcome(9, 0), kNormal), Publisher::Next::hello) << "the node knows more than was ever sent";
  EXPECT_EQ(heard, std::vector<std::string>{"session_unknown"});
  EXPECT_EQ(outbox->last(Lane::normal), Sequence{0});
}

TEST_F(PeerRules, ARefusalEndsTheWait) {
  ask("一", 9);
  (void)asking.next(Lane::normal, 0);
  (void)asking.answered(refusal(1, RefusalCode::invalid_field), 10);
  EXPECT_EQ(outbox->answered_through(Lane::normal), Sequence{1});
  EXPECT_FALSE(asking.due(Lane::normal));
}

}  // namespace
}  // namespace lianxi::sdk
