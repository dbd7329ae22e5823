#include "agents/operator/members_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <sstream>

namespace lianxi::cli {
namespace {

namespace fs = std::filesystem;

std::string z85(int n) {
  return std::string(38, '0') + static_cast<char>('0' + n / 9) + static_cast<char>('1' + n % 9);
}
std::string hex(int n) {
  std::ostringstream out;
  out << std::string(60, 'a') << 1000 + n;
  return out.str();
}
MemberEntry entry(std::uint32_t region, int n) {
  MemberEntry entry;
  entry.region = RegionCode(region);
  entry.name_zh = "某市";
  entry.name_en = "City";
  entry.seal_key = hex(n);
  entry.curve_key = z85(n);
  for (int i = 0; i < 5; ++i)
    entry.endpoints[kMemberEndpoints[i]] = "tcp://n" + std::to_string(n) + ".example:" + std::to_string(7301 + i);
  return entry;
}
std::string block(const MemberEntry& e, const std::string& more = "") {
  std::string text = "[[member]]\nregion = \"" + to_text(e.region) + "\"\nname_zh = \"" + e.name_zh + "\"\nname_en = \"" +
                     e.name_en + "\"\nseal_key = \"" + e.seal_key + "\"\ncurve_key = \"" + e.curve_key + "\"\n";
  for (const char* name : kMemberEndpoints) text += std::string(name) + " = \"" + e.endpoints.at(name) + "\"\n";
  return text + more;
}
MembersFile file_of(const std::string& text) {
  auto file = parse_members_file("members.toml", text);
  EXPECT_TRUE(file) << (file ? "" : file.error().reason);
  return file.value_or(MembersFile{});
}
std::string two() {
  return "# who they are\n" + block(entry(330800, 1)) + "\n# the second\n" +
         block(entry(341000, 2), "since = \"2026-01-01\"  # joined\n") +
         "\n# a set\n[[group]]\nname = \"upstream\"\nmembers = [\"330800\", \"341000\"]\n";
}
std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(MembersFile, AMemberIsAppendedAndAllElseStays) {
  const MembersFile before = file_of(two());
  const auto after = with_member(before, entry(361100, 3));
  ASSERT_TRUE(after) << after.error().reason;
  EXPECT_TRUE(after->text.starts_with(before.text));
  EXPECT_EQ(after->members.size(), 3U);
  EXPECT_EQ(after->members.back(), entry(361100, 3));
  EXPECT_EQ(after->groups, before.groups);
  EXPECT_NE(after->version(), before.version());
}

TEST(MembersFile, AnEndIsOneLineMoreInItsBlock) {
  const MembersFile before = file_of(two());
  const auto after = with_until(before, RegionCode(341000), "2026-12-31");
  ASSERT_TRUE(after) << after.error().reason;
  auto lines = lines_of(after->text);
  const auto added = std::find(lines.begin(), lines.end(), "until = \"2026-12-31\"");
  ASSERT_NE(added, lines.end());
  EXPECT_EQ(*(added - 1), "since = \"2026-01-01\"  # joined");
  lines.erase(added);
  EXPECT_EQ(lines, lines_of(before.text));
  EXPECT_EQ(after->find(RegionCode(341000))->until, "2026-12-31");
}

TEST(MembersFile, AnotherEndTakesThePlaceOfTheFirstAndItsCommentStays) {
  const std::string text = block(entry(330800, 1), "until = \"2026-06-30\" # by agreement\n");
  const auto after = with_until(file_of(text), RegionCode(330800), "2026-12-31T18:00:00+08:00");
  ASSERT_TRUE(after) << after.error().reason;
  EXPECT_NE(after->text.find("until = \"2026-12-31T18:00:00+08:00\" # by agreement\n"), std::string::npos);
  EXPECT_EQ(lines_of(after->text).size(), lines_of(text).size());
}

TEST(MembersFile, LineEndingsAndAMissingLastOneAreKept) {
  std::string dos;
  for (const char c : two()) dos += c == '\n' ? std::string("\r\n") : std::string(1, c);
  const auto added = with_member(file_of(dos), entry(361100, 3));
  ASSERT_TRUE(added) << added.error().reason;
  EXPECT_EQ(std::count(added->text.begin(), added->text.end(), '\n'), std::count(added->text.begin(), added->text.end(), '\r'));
  EXPECT_EQ(file_of(dos).version(), file_of(two()).version());
  std::string open = block(entry(330800, 1));
  open.pop_back();
  for (const auto& changed :
       {with_member(file_of(open), entry(361100, 3)), with_until(file_of(open), RegionCode(330800), "2026-12-31")})
    ASSERT_TRUE(changed) << changed.error().reason;
}

TEST(MembersFile, WhatCannotBeAMemberIsRefusedWithTheFieldAndTheMend) {
  const MembersFile file = file_of(two());
  struct Case {
    const char* name;
    std::function<void(MemberEntry&)> spoil;
    const char *field, *words;
  };
  const std::vector<Case> cases{
      {"no such province", [](MemberEntry& e) { e.region = RegionCode(991100); }, "region", "no province 99"},
      {"a county", [](MemberEntry& e) { e.region = RegionCode(330802); }, "region", "county"},
      {"a province", [](MemberEntry& e) { e.region = RegionCode(330000); }, "region", "province"},
      {"there already", [](MemberEntry& e) { e.region = RegionCode(341000); }, "region", "already"},
      {"another's seal", [](MemberEntry& e) { e.seal_key = hex(1); }, "seal_key", "330800"},
      {"short seal", [](MemberEntry& e) { e.seal_key.pop_back(); }, "seal_key", "64 hex"},
      {"another's key", [](MemberEntry& e) { e.curve_key = z85(2); }, "curve_key", "341000"},
      {"no Z85", [](MemberEntry& e) { e.curve_key[3] = '"'; }, "curve_key", "Z85"},
      {"beyond 32 bits", [](MemberEntry& e) { e.curve_key = std::string(40, '#'); }, "curve_key", "Z85"},
      {"another's endpoint", [](MemberEntry& e) { e.endpoints["data"] = "tcp://n1.example:7303"; }, "follow", "330800"},
      {"twice", [](MemberEntry& e) { e.endpoints["data"] = e.endpoints["flash"]; }, "data", "twice"},
      {"no port", [](MemberEntry& e) { e.endpoints["live"] = "tcp://host:0"; }, "live", "1 to 65535"},
      {"every address", [](MemberEntry& e) { e.endpoints["live"] = "tcp://*:7305"; }, "live", "host:port"},
      {"a quote", [](MemberEntry& e) { e.name_zh = "衢\"州"; }, "name", "quotes"},
      {"no date", [](MemberEntry& e) { e.since = "soon"; }, "since", "2026-12-31"}};
  for (const Case& each : cases) {
    MemberEntry bad = entry(361100, 3);
    each.spoil(bad);
    const auto refused = with_member(file, bad);
    ASSERT_FALSE(refused) << each.name;
    EXPECT_EQ(refused.error().field, each.field) << each.name;
    EXPECT_NE(refused.error().reason.find(each.words), std::string::npos) << each.name << ": " << refused.error().reason;
  }
  EXPECT_TRUE(with_member(file, entry(110000, 3)));  // Beijing is a city
  EXPECT_EQ(with_until(file, RegionCode(361100), "2026-12-31").error().code, RefusalCode::not_found);
  EXPECT_EQ(with_until(file, RegionCode(341000), "2025-12-31").error().field, "until");
}

TEST(MembersFile, AFormThatLinesCannotChangeIsLeftAlone) {
  const std::string inline_form = "member = [{region = \"330800\"}]\n";
  EXPECT_NE(parse_members_file("m.toml", inline_form).error().reason.find("[[member]] block"), std::string::npos);
  const auto escaped = file_of(block(entry(330800, 1), "until = \"2026-12-\\u0033\\u0031\"\n"));
  EXPECT_FALSE(with_until(escaped, RegionCode(330800), "2027-12-31"));
}

// Files as people write them: comments, blank lines, groups between, keys in any order; then a chain of edits. After each,
// the file reads as was meant, and every line of before is still there in its order.
TEST(MembersFile, AnyChainOfEditsReadsAsMeantAndKeepsEveryLine) {
  std::mt19937 random(7);
  const auto chance = [&](unsigned of) { return random() % of == 0; };
  for (int round = 0; round < 200; ++round) {
    std::string text = chance(2) ? "# 成员\n\n" : "";
    int n = 0;
    for (; n < 2 + round % 4; ++n) {
      std::vector<std::string> lines = lines_of(block(entry(static_cast<std::uint32_t>(330100 + n * 100), n)));
      std::shuffle(lines.begin() + 1, lines.end(), random);
      for (std::string& line : lines)
        text += line + (chance(4) ? "  # \"note\" = [" : "") + "\n" + (chance(6) ? "\n# between\n" : "");
      if (chance(3)) text += "[[group]]\nname = \"g" + std::to_string(n) + "\" # set\nmembers = [\n  \"330100\", # one\n]\n";
    }
    MembersFile file = file_of(text);
    for (int edit = 0; edit < 6; ++edit) {
      const std::vector<std::string> before = lines_of(file.text);
      std::vector<MemberEntry> meant = file.members;
      Result<MembersFile> next = refuse(RefusalCode::internal, "", "");
      if (chance(2)) {
        meant.push_back(entry(static_cast<std::uint32_t>(330100 + n * 100), n));
        next = with_member(file, meant.back());
        ++n;
      } else {
        MemberEntry& one = meant[random() % meant.size()];
        one.until = chance(2) ? "2027-01-31" : "2027-02-01T08:00:00+08:00";
        next = with_until(file, one.region, one.until);
      }
      ASSERT_TRUE(next) << next.error().reason << "\n" << file.text;
      EXPECT_EQ(next->members, meant);
      EXPECT_EQ(next->groups, file.groups);
      const std::vector<std::string> after = lines_of(next->text);
      std::size_t kept = 0;
      for (const std::string& line : after)
        if (kept < before.size() && (line == before[kept] || (line.starts_with("until") && before[kept].starts_with("until"))))
          ++kept;
      EXPECT_EQ(kept, before.size()) << next->text;
      file = std::move(*next);
    }
  }
}

TEST(MembersFile, IsReplacedWholeAndKeepsItsMode) {
  std::string name = (fs::temp_directory_path() / "lianxi-members-XXXXXX").string();
  const fs::path folder = ::mkdtemp(name.data());
  const fs::path path = folder / "members.toml", link = folder / "link.toml";
  std::ofstream(path) << two();
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read);
  fs::create_symlink("members.toml", link);
  const auto file = read_members_file(link.string());
  ASSERT_TRUE(file);
  const auto changed = with_member(*file, entry(361100, 3));
  ASSERT_TRUE(changed);
  ASSERT_TRUE(write_members_file(*changed));
  EXPECT_EQ(read_members_file(path.string())->text, changed->text);
  EXPECT_TRUE(fs::is_symlink(link));
  EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 2);  // nothing is left behind
  fs::remove_all(folder);
}

}  // namespace
}  // namespace lianxi::cli
