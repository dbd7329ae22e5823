// members.toml: from when to when somebody belongs, which file runs, and which changes may be taken in.
#include <gtest/gtest.h>

#include "broker/app/directory.h"
#include "broker/app/group_book.h"
#include "broker/app/members_watch.h"
#include "tests/unit/app/config_folder.h"

namespace lianxi::app {
namespace {

constexpr RegionCode kQuzhou{330800}, kHuangshan{341000};

core::Members read(const ConfigFolder& folder) {
  Reading<core::Members> reading = read_members(folder.path("members.toml"));
  EXPECT_TRUE(reading.value) << (reading.findings.empty() ? "" : to_text(reading.findings.front()));
  return std::move(reading.value).value_or(core::Members{});
}

TEST(MembersFileReading, SinceAndUntilOfMembersAndGroupsAreRead) {
  const ConfigFolder folder;
  folder.replace("members.toml", "live = \"tcp://127.0.0.1:9705\"\n",
                 "live = \"tcp://127.0.0.1:9705\"\nsince = \"2026-01-01\"\nuntil = \"2026-12-31\"\n");
  folder.replace("members.toml", "name = \"upstream\"", "name = \"upstream\"\nuntil = \"2026-06-30T12:00:00+08:00\"");
  const core::Members members = read(folder);
  EXPECT_EQ(members.find(kHuangshan)->window.since, parse_iso8601("2026-01-01T00:00:00+08:00").value());
  EXPECT_EQ(members.find(kHuangshan)->window.until, parse_iso8601("2027-01-01T00:00:00+08:00").value());
  EXPECT_EQ(members.find(kQuzhou)->window, Window{});
  EXPECT_EQ(members.groups().front().window.until, parse_iso8601("2026-06-30T12:00:00+08:00").value());
  EXPECT_EQ(members.version(), members_version(folder.read("members.toml")));
}

TEST(MembersFileReading, AnyOtherTextIsAnotherVersion) {
  const ConfigFolder folder;
  const MembersVersion before = read(folder).version();
  folder.replace("members.toml", "[[group]]", "# a set\n[[group]]");
  EXPECT_NE(read(folder).version(), before);
}

TEST(MembersFileReading, WhatNobodyAskedForDropsNobody) {
  const ConfigFolder folder;
  const core::Members before = read(folder);
  const std::string whole = folder.read("members.toml");
  EXPECT_EQ(cannot_follow(before, before, false), "");

  folder.write("members.toml", whole.substr(0, whole.find("[[group]]")));
  EXPECT_NE(cannot_follow(before, read(folder), false).find("\"upstream\" is gone"), std::string::npos);
  EXPECT_EQ(cannot_follow(before, read(folder), true), "");

  folder.write("members.toml", whole.substr(0, whole.rfind("[[member]]")));
  const core::Members one = read(folder);
  EXPECT_NE(cannot_follow(before, core::Members(one.all(), before.groups()), false).find("341000 is gone"), std::string::npos);
  EXPECT_EQ(cannot_follow(before, one, true), "");
}

TEST(GroupBook, AGroupKeepsItsSetOverRestartsToo) {
  const ConfigFolder folder;
  const std::string path = folder.path("groups.toml");
  {
    GroupBook book = GroupBook::open(path).value();
    EXPECT_EQ(book.refuses(read(folder)), "");
    EXPECT_EQ(book.keep(read(folder)), "");
  }
  const std::string as_it_was = folder.read("members.toml");
  folder.replace("members.toml", "members = [\"330800\", \"341000\"]", "members = [\"330800\"]");
  const core::Members less = read(folder);
  GroupBook book = GroupBook::open(path).value();
  EXPECT_NE(book.refuses(less).find("\"upstream\" has another set"), std::string::npos) << book.refuses(less);
  EXPECT_NE(book.refuses(less).find(path + " keeps it: [330800, 341000]"), std::string::npos) << book.refuses(less);

  // Gone for a while, it may come back as it was alone.
  folder.write("members.toml", as_it_was.substr(0, as_it_was.find("[[group]]")));
  EXPECT_EQ(book.refuses(read(folder)), "");
  EXPECT_EQ(book.keep(read(folder)), "");
  book = GroupBook::open(path).value();
  EXPECT_NE(book.refuses(less), "");
  folder.write("members.toml", as_it_was);
  EXPECT_EQ(book.refuses(read(folder)), "");
}

TEST(GroupBook, WhatCannotBeReadIsNoEmptyBook) {
  const ConfigFolder folder;
  folder.write("groups.toml", "[[group]]\nname = \"upstream\"\n");
  const auto book = GroupBook::open(folder.path("groups.toml"));
  ASSERT_FALSE(book);
  EXPECT_NE(book.error().find("groups.toml"), std::string::npos) << book.error();
  EXPECT_NE(book.error().find("remove the file"), std::string::npos) << book.error();
}

TEST(GroupBook, WhatCannotBeWrittenIsSaid) {
  const ConfigFolder folder;
  GroupBook book = GroupBook::open(folder.path("no/such/folder/groups.toml")).value();
  EXPECT_NE(book.keep(read(folder)), "");
}

TEST(MembersFileReading, AGroupKeepsItsSetHoweverItIsAsked) {
  const ConfigFolder folder;
  const core::Members before = read(folder);
  folder.replace("members.toml", "members = [\"330800\", \"341000\"]", "members = [\"341000\", \"330800\"]");
  EXPECT_EQ(cannot_follow(before, read(folder), false), "") << "the order is none of the set";
  folder.replace("members.toml", "members = [\"341000\", \"330800\"]", "members = [\"330800\"]");
  for (const bool asked : {false, true})
    EXPECT_NE(cannot_follow(before, read(folder), asked).find("another set"), std::string::npos);
}

TEST(MembersWatch, TellsOfAChangeOnceAndWhenTheFileLiesStill) {
  const ConfigFolder folder;
  MembersWatch watch(folder.path("members.toml"));
  EXPECT_FALSE(watch.changed());
  folder.write("members.toml", "half");
  EXPECT_FALSE(watch.changed()) << "it may still be written";
  folder.write("members.toml", "half and half");
  EXPECT_FALSE(watch.changed());
  EXPECT_TRUE(watch.changed());
  EXPECT_FALSE(watch.changed());
  folder.write("members.toml", "another text");
  watch.taken();
  EXPECT_FALSE(watch.changed()) << "it was read already";
  EXPECT_FALSE(watch.changed());
  watch.refused();
  for (int i = 1; i < kLooksBetween; ++i) EXPECT_FALSE(watch.changed());
  EXPECT_TRUE(watch.changed()) << "what was wrong may have been another file";
  EXPECT_FALSE(watch.changed());
}

TEST(Reach, AMemberThatHasGoneReadsAtHomeAndItsNodeIsSentNothing) {
  core::Member quzhou, huangshan;
  quzhou.region = kQuzhou;
  huangshan.region = kHuangshan;
  huangshan.window.until = 1000;
  const core::Members members = core::Members({quzhou, huangshan}, {}).at(2000);
  const core::Agent desk{AgentId::parse("341000.fire.desk").value(), "fire", core::Role::agent};
  const core::Agent node{AgentId::parse("341000.broker.node").value(), "broker", core::Role::node};
  EXPECT_TRUE(reaches(Audience::conference(), kQuzhou, desk, members));
  EXPECT_FALSE(reaches(Audience::conference(), kQuzhou, node, members));
  EXPECT_TRUE(members.takes_part(kHuangshan, kHuangshan));
  EXPECT_EQ(members.takes_part(kHuangshan, kQuzhou).error().code, RefusalCode::not_allowed);
}

}  // namespace
}  // namespace lianxi::app
