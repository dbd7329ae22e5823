#include <gtest/gtest.h>

#include <atomic>

#include "agents/sdk/client.h"
#include "tests/unit/sdk/scripted_node.h"

namespace lianxi::sdk {
namespace {

class Following : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = Client::open(node.profile(), {});
    ASSERT_TRUE(opened);
    client = std::move(*opened);
  }
  void TearDown() override { client.reset(); }

  FollowCallbacks callbacks() {
    return {.started = [this](const Followed& followed) { change([&] { started.push_back(followed); }); },
            .event =
                [this](const Delivery& delivery) {
                  change([&] { texts.push_back(text_of(delivery.record.body)), offsets.push_back(delivery.offset); });
                },
            .progress = [this](Offset offset, bool at_head) { change([&] { next = offset, caught_up = at_head; }); },
            .refused = [this](const Refusal& refusal) { change([&] { refusals.push_back(refusal); }); }};
  }
  void change(const std::function<void()>& what) {
    const std::scoped_lock lock(mutex);
    what();
    changed.notify_all();
  }
  bool until(const std::function<bool()>& holds) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, kPatience, holds);
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<Followed> started;
  std::vector<std::string> texts;
  std::vector<Offset> offsets;
  int others = 0;  // events of a second follow
  std::vector<Refusal> refusals;
  Offset next;
  bool caught_up = false;
  ScriptedNode node;
  std::unique_ptr<Client> client;
};

TEST_F(Following, EventsOfTheJournalComeFirstThenLiveOnes) {
  node.append("一");
  node.append("二");
  ASSERT_TRUE(client->follow({.from = FollowFrom::beginning}, callbacks()));
  ASSERT_TRUE(until([&] { return texts.size() == 2 && caught_up; }));
  EXPECT_EQ(started.size(), 1U);
  node.append("三");
  ASSERT_TRUE(until([&] { return texts.size() == 3 && next == Offset{4}; }));
  EXPECT_EQ(texts, (std::vector<std::string>{"一", "二", "三"}));
  EXPECT_EQ(offsets, (std::vector<Offset>{Offset{1}, Offset{2}, Offset{3}}));
}

TEST_F(Following, ALostConnectionResumesAtTheCursorEachEventOnce) {
  for (int i = 0; i < 5; ++i) node.append(std::to_string(i));
  ASSERT_TRUE(client->follow({.from = FollowFrom::beginning}, callbacks()));
  ASSERT_TRUE(until([&] { return texts.size() == 5; }));
  for (int round = 0; round < 3; ++round) {
    node.restart();
    const std::size_t before = 5 + static_cast<std::size_t>(round);
    node.append(std::to_string(before));
    ASSERT_TRUE(until([&] { return texts.size() == before + 1; }));
  }
  for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(texts[i], std::to_string(i));
  EXPECT_EQ(started.size(), 1U);
  const Follow last = node.seen().follows.back();
  EXPECT_EQ(last.from, FollowFrom::cursor);
  EXPECT_EQ(last.incarnation, Incarnation{7});
}

TEST_F(Following, FromNowMissesNothingThatComesWhileTheConnectionIsLost) {
  node.append("老");
  ASSERT_TRUE(client->follow({.from = FollowFrom::now}, callbacks()));
  ASSERT_TRUE(until([&] { return started.size() == 1; }));
  node.stop();
  node.append("新");
  node.start();
  ASSERT_TRUE(until([&] { return texts.size() == 1; }));
  EXPECT_EQ(texts.front(), "新");
}

TEST_F(Following, ARefusedFollowIsOverAndSaysWhy) {
  node.set([](auto& s) { s.refuse_follow = Refusal{RefusalCode::cursor_unknown, "cursor", "another incarnation", 0}; });
  FollowOptions options;
  options.from = FollowFrom::cursor;
  options.node = RegionCode{330800};
  options.incarnation = Incarnation{3};
  options.offset = Offset{9};
  ASSERT_TRUE(client->follow(options, callbacks()));
  ASSERT_TRUE(until([&] { return refusals.size() == 1; }));
  EXPECT_EQ(refusals.front().code, RefusalCode::cursor_unknown);
  EXPECT_EQ(node.seen().follows.front().offset, Offset{9});
}

TEST_F(Following, CreditIsGivenBackAsEventsAreHandled) {
  for (int i = 0; i < 200; ++i) node.append(std::to_string(i));
  ASSERT_TRUE(client->follow({.from = FollowFrom::beginning}, callbacks()));
  ASSERT_TRUE(until([&] { return texts.size() == 200; }));
  ASSERT_TRUE(node.until([](const auto& seen) { return !seen.credits.empty(); }));
  const auto seen = node.seen();
  EXPECT_GT(seen.follows.front().credit_messages, 0U);
  EXPECT_GT(seen.credits.front().messages, 0U);
  EXPECT_GT(seen.credits.front().bytes, 0U);
}

TEST_F(Following, AFollowThatWasEndedHearsNothingMore) {
  auto follow = client->follow({.from = FollowFrom::beginning}, callbacks());
  ASSERT_TRUE(follow);
  ASSERT_TRUE(until([&] { return started.size() == 1; }));
  client->unfollow(*follow);
  auto second =
      client->follow({.from = FollowFrom::now}, {.started = [this](const Followed& f) { change([&] { started.push_back(f); }); },
                                                 .event = [this](const Delivery&) { change([&] { ++others; }); }});
  ASSERT_TRUE(second);
  ASSERT_TRUE(until([&] { return started.size() == 2; }));
  // The node goes on sending to both: it has not heard that the first is over.
  for (int i = 1; i <= 10; ++i) {
    node.append("晚");
    ASSERT_TRUE(until([&] { return others == i; }));
  }
  const std::scoped_lock lock(mutex);
  EXPECT_TRUE(texts.empty());
}

TEST_F(Following, TheFlashEndpointServesItsLaneAlone) {
  EXPECT_FALSE(client->follow({.flash_endpoint = true}, callbacks()));
  ASSERT_TRUE(
      client->follow({.from = FollowFrom::beginning, .lanes = mask_of(Lane::flash), .flash_endpoint = true}, callbacks()));
  ASSERT_TRUE(until([&] { return started.size() == 1; }));
}

TEST_F(Following, AFeedThatDoesNotFollowOnItselfEndsTheFollow) {
  node.append("一");
  ASSERT_TRUE(client->follow({.from = FollowFrom::beginning}, callbacks()));
  ASSERT_TRUE(until([&] { return texts.size() == 1; }));
  node.forget_chain();
  node.append("伪");
  ASSERT_TRUE(until([&] { return refusals.size() == 1; }));
  EXPECT_EQ(refusals.front().code, RefusalCode::feed_broken);
  EXPECT_EQ(texts.size(), 1U) << "nothing of a broken feed is handed over";
}

TEST_F(Following, WhoDoesNotCheckTheChainHearsWhateverComes) {
  node.append("一");
  ASSERT_TRUE(client->follow({.from = FollowFrom::beginning, .check_chain = false}, callbacks()));
  ASSERT_TRUE(until([&] { return texts.size() == 1; }));
  node.forget_chain();
  node.append("二");
  ASSERT_TRUE(until([&] { return texts.size() == 2; }));
}

TEST_F(Following, AnEventIsReadWhereItLiesAndWhatIsNoneIsToldAsSuch) {
  std::vector<std::string> seen;
  std::vector<Event> kept;
  FollowCallbacks on = callbacks();
  on.event = [&](const Delivery& delivery) {
    const auto view = delivery.view();
    auto event = delivery.event();
    change([&] {
      EXPECT_EQ(view.has_value(), event.has_value());
      if (!view) return seen.push_back(view.error().reason);
      ASSERT_NE((*view)->report(), nullptr);
      EXPECT_EQ((*view)->envelope(), event->envelope);
      seen.emplace_back((*view)->report()->text);
      kept.push_back(std::move(*event));
    });
  };
  node.append("一");
  node.append_bytes(Bytes(64, 0xff));
  node.append("三");
  ASSERT_TRUE(client->follow({.from = FollowFrom::beginning}, on));
  ASSERT_TRUE(until([&] { return seen.size() == 3; }));
  EXPECT_EQ(seen[0], "一");
  EXPECT_EQ(seen[1], decode_event(Bytes(64, 0xff)).error().reason);
  EXPECT_EQ(seen[2], "三");
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(std::get<IncidentReport>(kept[1].body).text, "三");
}

TEST_F(Following, DeliveriesOfEverySizeAndAlignmentAreRead) {
  std::vector<std::string> sent;
  for (std::size_t i = 0; i < 40; ++i) {
    sent.emplace_back(std::size_t{1} + i * i * 17, static_cast<char>('a' + i % 26));
    node.append(sent.back());
  }
  std::vector<std::string> seen;
  FollowCallbacks on = callbacks();
  on.event = [&](const Delivery& delivery) {
    const auto view = delivery.view();
    change([&] { seen.emplace_back(view && (*view)->report() != nullptr ? (*view)->report()->text : "unreadable"); });
  };
  EventStream stream = client->events({.from = FollowFrom::beginning});
  ASSERT_TRUE(client->follow({.from = FollowFrom::beginning}, on));
  ASSERT_TRUE(until([&] { return seen.size() == sent.size(); }));
  EXPECT_EQ(seen, sent);
  for (const std::string& text : sent) {
    const auto event = stream.next();
    ASSERT_TRUE(event);
    EXPECT_EQ(std::get<IncidentReport>(event->event.body).text, text);
  }
}

TEST_F(Following, ARangeGivesEveryEventInOrderAndItsCursor) {
  for (int i = 0; i < 300; ++i) node.append(std::to_string(i));
  EventStream stream = client->events({.from = FollowFrom::beginning});
  int count = 0;
  for (const FollowedEvent& seen : stream) {
    EXPECT_EQ(std::get<IncidentReport>(seen.event.body).text, std::to_string(count));
    EXPECT_EQ(seen.offset, Offset(static_cast<std::uint64_t>(count) + 1));
    if (++count == 300) break;
  }
  ASSERT_TRUE(stream.cursor());
  EXPECT_EQ(stream.cursor()->offset, Offset{301});
  EXPECT_EQ(stream.cursor()->node, RegionCode{330800});
  EXPECT_FALSE(stream.next(std::chrono::milliseconds(1)));
  EXPECT_FALSE(stream.over());
}

TEST_F(Following, ARangeThatIsNotReadHoldsOnlyItsCredit) {
  EventStream stream = client->events({.from = FollowFrom::beginning});
  for (int i = 0; i < 1'000; ++i) node.append(std::to_string(i));
  ASSERT_TRUE(stream.next());
  for (int i = 1; i < 200; ++i) ASSERT_TRUE(stream.next());
  ASSERT_TRUE(node.until([](const auto& seen) { return !seen.credits.empty(); }));
  std::uint64_t given = 0;
  for (const Credit& credit : node.seen().credits) given += credit.messages;
  EXPECT_LE(given, 200U) << "credit is for what was read";
  EXPECT_LE(node.seen().credits.back().offset, Offset{201});
  for (int i = 200; i < 1'000; ++i) {
    const auto seen = stream.next();
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->offset, Offset(static_cast<std::uint64_t>(i) + 1));
  }
}

TEST_F(Following, ARangeSurvivesALostConnection) {
  EventStream stream = client->events({.from = FollowFrom::beginning});
  for (int i = 0; i < 10; ++i) node.append(std::to_string(i));
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(stream.next());
  node.restart();
  for (int i = 10; i < 20; ++i) node.append(std::to_string(i));
  for (std::uint64_t i = 5; i < 20; ++i) {
    const auto seen = stream.next();
    ASSERT_TRUE(seen);
    EXPECT_EQ(seen->offset, Offset(i + 1));
  }
}

TEST_F(Following, ARangeEndsWithItsReason) {
  node.set([](auto& s) { s.refuse_follow = Refusal{RefusalCode::not_allowed, "filter", "not yours", 0}; });
  EventStream refused = client->events({.from = FollowFrom::beginning});
  EXPECT_TRUE(refused.begin() == refused.end());
  ASSERT_TRUE(refused.reason());
  EXPECT_EQ(refused.reason()->code, RefusalCode::not_allowed);
  EventStream impossible = client->events({.lanes = 0});
  EXPECT_TRUE(impossible.over());
  EXPECT_EQ(impossible.reason()->field, "lanes");
}

TEST_F(Following, AReaderThatWaitsIsLetGoByStopAndByTheClientsEnd) {
  EventStream stopped = client->events({.from = FollowFrom::now});
  auto waiting = std::async(std::launch::async, [&] { return stopped.next().has_value(); });
  stopped.stop();
  EXPECT_FALSE(waiting.get());
  EXPECT_TRUE(stopped.over());
  EXPECT_FALSE(stopped.reason());
  EventStream closed = client->events({.from = FollowFrom::now});
  auto until_the_end = std::async(std::launch::async, [&] { return closed.next().has_value(); });
  client.reset();
  EXPECT_FALSE(until_the_end.get());
  ASSERT_TRUE(closed.reason());
  EXPECT_EQ(closed.reason()->code, RefusalCode::busy);
}

TEST_F(Following, AQueryIsAnsweredRefusedOrTimesOut) {
  auto answer = client->query(AskAlerts{}, kPatience, Offset{});
  ASSERT_TRUE(answer);
  ASSERT_TRUE(*answer);
  node.set([](auto& s) { s.refuse_query = Refusal{RefusalCode::not_allowed, "kind", "no", 0}; });
  answer = client->query(AskAlerts{}, kPatience, Offset{});
  ASSERT_TRUE(answer);
  ASSERT_FALSE(*answer);
  EXPECT_EQ(answer->error().code, RefusalCode::not_allowed);
  node.set([](auto& s) { s.mute_query = true; });
  answer = client->query(AskAlerts{}, std::chrono::milliseconds(200), Offset{});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, SdkError::timeout);
  node.stop();
  // Until it has noticed, it cannot know better than that no answer came.
  const auto give_up = std::chrono::steady_clock::now() + kPatience;
  do {
    answer = client->query(AskAlerts{}, std::chrono::milliseconds(200), Offset{});
    ASSERT_FALSE(answer);
  } while (answer.error().code == SdkError::timeout && std::chrono::steady_clock::now() < give_up);
  EXPECT_EQ(answer.error().code, SdkError::unreachable);
  EXPECT_FALSE(answer.error().detail.empty());
}

TEST_F(Following, AQuestionAskedInTheMomentOfARestartIsAskedAgain) {
  node.set([](auto& s) { s.mute_query = true; });
  auto asked = std::async(std::launch::async, [&] { return client->query(AskAlerts{}, kPatience, Offset{}); });
  ASSERT_TRUE(node.until([](const auto& seen) { return seen.queries.size() == 1; }));
  node.set([](auto& s) { s.mute_query = false; });
  node.restart();
  const auto answer = asked.get();
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_TRUE(*answer);
}

TEST_F(Following, ANamedCursorMovesOverWhatWasHandedOver) {
  for (const char* text : {"一", "二", "三"}) node.append(text);
  ASSERT_TRUE(client->follow({.from = FollowFrom::beginning, .cursor_name = "desk"}, callbacks()));
  EXPECT_TRUE(node.until([](const auto& seen) { return !seen.credits.empty() && seen.credits.back().offset == Offset{4}; }));
  EXPECT_EQ(node.seen().follows.front().cursor_name, "desk");
  node.restart();
  node.append("四");
  EXPECT_TRUE(node.until([](const auto& seen) { return seen.credits.back().offset == Offset{5}; }));
  EXPECT_EQ(node.seen().follows.back().cursor_name, "desk");
}

TEST_F(Following, ANamedCursorMovedByHandStaysBehindWhatWasHandedOver) {
  for (const char* text : {"一", "二", "三"}) node.append(text);
  const auto follow = client->follow({.from = FollowFrom::beginning, .cursor_name = "desk", .cursor_by_hand = true}, callbacks());
  ASSERT_TRUE(follow);
  ASSERT_TRUE(until([&] { return texts.size() == 3; }));
  client->done_with(*follow, Offset{2});
  EXPECT_TRUE(node.until([](const auto& seen) { return !seen.credits.empty() && seen.credits.back().offset == Offset{2}; }));
  client->done_with(*follow, Offset{3});
  client->unfollow(*follow);  // tells it on the way out
  EXPECT_TRUE(node.until([](const auto& seen) { return seen.credits.back().offset == Offset{3}; }));
}

TEST_F(Following, AFollowOnANamedCursorNamesIt) {
  EXPECT_EQ(client->follow({.from = FollowFrom::named}, callbacks()).error().code, RefusalCode::missing_field);
  EXPECT_EQ(client->follow({.cursor_name = std::string(kMaxCursorNameBytes + 1, 'x')}, callbacks()).error().code,
            RefusalCode::oversize);
}

TEST_F(Following, AFollowWhoseCursorAnotherTookOverIsOver) {
  node.set([](auto& switches) { switches.refuse_follow = Refusal{RefusalCode::conflict, "cursor_name", "taken over", 0}; });
  ASSERT_TRUE(client->follow({.from = FollowFrom::named, .cursor_name = "desk"}, callbacks()));
  ASSERT_TRUE(until([&] { return refusals.size() == 1; }));
  EXPECT_EQ(refusals[0].code, RefusalCode::conflict);
}

}  // namespace
}  // namespace lianxi::sdk
