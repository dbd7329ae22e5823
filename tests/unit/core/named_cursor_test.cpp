// Named cursors: the node keeps where an agent's follow stands, moved by what the follower is done with.
#include <gmock/gmock.h>

#include "broker/core/cursors.h"
#include "schemas/limits.h"
#include "tests/unit/core/core_rig.h"

namespace lianxi::core {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Follow follow(std::uint64_t id, const std::string& name, FollowFrom from = FollowFrom::named) {
  Follow f;
  f.follow = SessionId{id};
  f.from = from;
  f.cursor_name = name;
  f.credit_bytes = 1024 * 1024;
  f.credit_messages = 100;
  return f;
}

class NamedCursorTest : public testing::Test {
 protected:
  NamedCursorTest() { (void)rig.hello(police(), 1); }
  Effects say(const std::string& text) {
    return rig.turn({rig.says(police(), CoreRig::publish_message(1, Lane::normal, ++sent_, {report(text)}))});
  }
  Effects ask(Message message, const std::string& connection = "one") {
    return rig.turn({rig.says(fire(), std::move(message), connection)});
  }
  // Begins the follow, serves it, and says where it began.
  std::uint64_t begins_at(const Follow& f, const std::string& connection = "one") {
    const Effects effects = ask(f, connection);
    const auto followed = messages<Followed>(effects.sends);
    (void)rig.serve(effects);
    return followed.size() == 1 ? followed[0].offset.value : 0;
  }
  // Credit moves the cursor; then so much time passes that it is written, though nothing else is.
  void done_with(std::uint64_t id, std::uint64_t below, const std::string& connection = "one") {
    (void)ask(Credit{SessionId{id}, 0, 0, Offset{below}}, connection);
    (void)rig.pass(kCursorFlushMs + 100);
  }
  [[nodiscard]] std::uint64_t on_disk(const std::string& name) const {
    const auto found = rig.disk.cursors.find({fire().id, name});
    return found == rig.disk.cursors.end() ? 0 : found->second.offset.value;
  }

  CoreRig rig;

 private:
  std::uint64_t sent_ = 0;
};

TEST_F(NamedCursorTest, AFollowWithoutItsCursorBeginsAtTheBeginningAndGoesOnWhereCreditLeftIt) {
  for (const char* text : {"一", "二", "三"}) (void)say(text);
  EXPECT_EQ(begins_at(follow(7, "desk")), 1U);
  done_with(7, 3);
  EXPECT_EQ(on_disk("desk"), 3U);
  rig.restart();
  EXPECT_EQ(begins_at(follow(8, "desk")), 3U);
}

TEST_F(NamedCursorTest, ItIsWrittenWithTheNextCommitAndByItselfOnlyAfterAWhile) {
  (void)say("一");
  (void)begins_at(follow(7, "desk"));
  (void)rig.pass(kCursorFlushMs + 100);
  const auto writes = [](const Effects& effects) { return effects.batch.cursors.size(); };
  EXPECT_EQ(writes(ask(Credit{SessionId{7}, 0, 0, Offset{2}})), 1U);  // long since the last: at once
  const Effects two = say("二");
  EXPECT_EQ(writes(two), 0U);  // nothing has moved
  (void)rig.serve(two);
  EXPECT_EQ(writes(ask(Credit{SessionId{7}, 0, 0, Offset{3}})), 0U);  // waits for company
  const Effects three = say("三");
  EXPECT_EQ(writes(three), 1U);
  (void)rig.serve(three);
  EXPECT_EQ(on_disk("desk"), 3U);
}

TEST_F(NamedCursorTest, ItMovesOnlyForwardAndNotBeyondWhatWasSent) {
  for (const char* text : {"一", "二", "三"}) (void)say(text);
  (void)begins_at(follow(7, "desk"));
  done_with(7, 3);
  done_with(7, 2);
  EXPECT_EQ(on_disk("desk"), 3U);
  done_with(7, 1'000'000);
  EXPECT_EQ(on_disk("desk"), 4U);
}

TEST_F(NamedCursorTest, AFollowThatBeginsElsewhereTakesItsCursorAlong) {
  for (const char* text : {"一", "二", "三"}) (void)say(text);
  (void)begins_at(follow(7, "desk"));
  done_with(7, 3);
  (void)ask(Unfollow{SessionId{7}, ""});
  EXPECT_EQ(begins_at(follow(8, "desk", FollowFrom::beginning)), 1U);
  (void)ask(Unfollow{SessionId{8}, ""});
  EXPECT_EQ(begins_at(follow(9, "desk", FollowFrom::now)), 4U);
  (void)rig.pass(kCursorFlushMs + 100);
  EXPECT_EQ(on_disk("desk"), 4U);
}

TEST_F(NamedCursorTest, TheEndOfAFollowWritesItsCursorAtOnceAlsoPastWhatItWasSpared) {
  (void)say("一");
  Follow flash = follow(7, "desk");
  flash.lanes = mask_of(Lane::flash);
  (void)begins_at(flash);
  (void)ask(Credit{SessionId{7}, 0, 0, Offset{2}});
  (void)say("二");  // not of its lane: it is not told
  (void)ask(Unfollow{SessionId{7}, ""});
  EXPECT_EQ(on_disk("desk"), 3U);
}

TEST_F(NamedCursorTest, WhatIsRestartedTakesTheCursorOverAndTheFollowBeforeItEndsWithAWord) {
  (void)say("一");
  (void)begins_at(follow(7, "desk"), "old");
  done_with(7, 1);
  const Effects effects = ask(follow(8, "desk"), "new");
  EXPECT_THAT(lines_of(effects.sends), ElementsAre("refused conflict cursor_name"));
  EXPECT_EQ(effects.sends[0].connection.routing, "old");
  EXPECT_EQ(messages<Refused>(effects.sends)[0].session, SessionId{7});
  ASSERT_EQ(messages<Followed>(effects.sends).size(), 1U);
  (void)rig.serve(effects);
  EXPECT_EQ(rig.core.follower_count(), 1U);
  // The old one's word counts no more.
  EXPECT_THAT(lines_of(ask(Credit{SessionId{7}, 0, 0, Offset{2}}, "old").sends), ElementsAre("refused not_found follow"));
  EXPECT_EQ(on_disk("desk"), 1U);
}

TEST_F(NamedCursorTest, AFollowThatComesBackGoesOnButTakesNothingFromANewerOne) {
  (void)say("一");
  Follow back = follow(7, "desk", FollowFrom::cursor);
  back.node = kQuzhou;
  back.incarnation = Incarnation{9};
  back.offset = Offset{2};
  (void)begins_at(follow(7, "desk"), "old");
  EXPECT_EQ(begins_at(back, "again"), 2U);  // its first connection still looks alive
  EXPECT_EQ(rig.core.follower_count(), 1U);
  (void)begins_at(follow(8, "desk"), "new");
  EXPECT_THAT(lines_of(ask(back, "late").sends), ElementsAre("refused conflict cursor_name"));
  EXPECT_EQ(rig.core.follower_count(), 1U);
}

TEST_F(NamedCursorTest, WhatAFollowWasSentBeforeACutIsNotTakenForDone) {
  for (const char* text : {"一", "二", "三"}) (void)say(text);
  (void)begins_at(follow(7, "desk"), "old");
  done_with(7, 2, "old");
  Follow back = follow(7, "desk", FollowFrom::cursor);
  back.node = kQuzhou;
  back.incarnation = Incarnation{9};
  back.offset = Offset{4};  // all three were sent; it works at the second
  EXPECT_EQ(begins_at(back, "one"), 4U);
  (void)rig.pass(kCursorFlushMs + 100);
  EXPECT_EQ(on_disk("desk"), 2U);
  done_with(7, 3);
  EXPECT_EQ(on_disk("desk"), 3U);
  back.follow = SessionId{9};
  back.offset = Offset{1};
  (void)ask(Unfollow{SessionId{7}, ""});
  EXPECT_EQ(on_disk("desk"), 3U);
  EXPECT_EQ(begins_at(back), 1U);  // back by wish
  (void)rig.pass(kCursorFlushMs + 100);
  EXPECT_EQ(on_disk("desk"), 1U);
}

TEST_F(NamedCursorTest, CursorsOfOtherAgentsAndNamesAreOthers) {
  for (const char* text : {"一", "二"}) (void)say(text);
  (void)begins_at(follow(7, "desk"));
  done_with(7, 3);
  EXPECT_EQ(begins_at(follow(8, "wall"), "two"), 1U);
  const Effects others = rig.turn({rig.says(emergency(), follow(7, "desk"))});
  ASSERT_EQ(messages<Followed>(others.sends).size(), 1U);
  EXPECT_EQ(messages<Followed>(others.sends)[0].offset, Offset{1});
  EXPECT_EQ(rig.core.follower_count(), 3U);
}

TEST_F(NamedCursorTest, BeyondItsShareTheOneUsedLeastLatelyGoesAndNoneThatIsInUse) {
  (void)say("一");
  for (std::size_t i = 0; i < kMaxCursorsPerAgent; ++i) {
    rig.now += 1'000;
    (void)begins_at(follow(i + 1, "c" + std::to_string(i)));
    (void)ask(Credit{SessionId{i + 1}, 0, 0, Offset{2}});
  }
  EXPECT_THAT(lines_of(ask(follow(99, "more")).sends), ElementsAre("refused too_many_followers cursor_name"));
  // The younger one ends later, past an event of another's: that is no use of it.
  Follow flash = follow(5, "c4");
  flash.lanes = mask_of(Lane::flash);
  (void)begins_at(flash, "again");
  (void)say("二");
  (void)ask(Unfollow{SessionId{5}, ""}, "again");
  (void)ask(Unfollow{SessionId{4}, ""});
  EXPECT_EQ(begins_at(follow(99, "more")), 1U);
  (void)rig.pass(kCursorFlushMs + 100);
  EXPECT_EQ(on_disk("c3"), 0U);
  EXPECT_EQ(on_disk("c4"), 3U);
  EXPECT_EQ(rig.disk.cursors.size(), kMaxCursorsPerAgent);
  rig.restart();
  EXPECT_EQ(begins_at(follow(1, "c4")), 3U);
}

TEST_F(NamedCursorTest, ACursorOfAJournalBeforeARestoreIsGone) {
  (void)say("一");
  (void)begins_at(follow(7, "desk"));
  done_with(7, 2);
  rig.disk.cursors.begin()->second.incarnation = Incarnation{8};
  rig.restart();
  (void)rig.pass(kCursorFlushMs + 100);
  EXPECT_THAT(rig.disk.cursors, IsEmpty());
  EXPECT_EQ(begins_at(follow(8, "desk")), 1U);
}

TEST_F(NamedCursorTest, WhatCannotBeIsRefused) {
  EXPECT_THAT(lines_of(ask(follow(7, "")).sends), ElementsAre("refused missing_field cursor_name"));
  Follow feeds = follow(7, "desk", FollowFrom::vector);
  feeds.mode = FollowMode::feeds;
  EXPECT_THAT(lines_of(rig.turn({rig.says(node_of(kHuangshan), feeds)}).sends), ElementsAre("refused invalid_field cursor_name"));
}

}  // namespace
}  // namespace lianxi::core
