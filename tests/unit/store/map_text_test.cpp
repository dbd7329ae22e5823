#include "broker/store/map_text.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace lianxi::store::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> texts_of(const std::string& text) {
  std::vector<std::string> texts;
  for (const TextRun& run : runs_of(text)) texts.push_back((run.latin ? "*" : "") + run.text);
  return texts;
}

TEST(MapText, RunsEndAtSpacesMarksAndWhereTheScriptChanges) {
  EXPECT_THAT(texts_of("衢州市 危化品,FOAM-200泵"), ElementsAre("衢州市", "危化品", "*foam", "*200", "泵"));
  EXPECT_THAT(texts_of("「念化路」(3号)——Ａ１"), ElementsAre("念化路", "*3", "号", "*a1"));
  EXPECT_THAT(texts_of(" ,。、 "), IsEmpty());
}

TEST(MapText, ChineseIsFoundAnywhereAndOtherWordsWhereTheyBegin) {
  const std::string text = folded("衢州市危化品专业救援队\nFoam tender 水罐");
  for (const char* there : {"危化", "化品", "危化品专业", "队", "foam", "Foa", "tender", "水罐"})
    for (const TextRun& run : runs_of(there)) EXPECT_TRUE(stands_in(run, text)) << there;
  for (const char* not_there : {"化危", "队水", "oam", "ender", "foamt"})
    for (const TextRun& run : runs_of(not_there)) EXPECT_FALSE(stands_in(run, text)) << not_there;
}

class TextIndex : public ::testing::Test {
 protected:
  TextIndex() {
    EXPECT_TRUE(add_tokenizer(db_.getHandle()));
    db_.exec("CREATE VIRTUAL TABLE t USING fts5 (words, content='', columnsize=0, detail=none, tokenize='lianxi')");
  }
  void add(int row, const std::string& text, const std::vector<std::string>& capabilities = {}) {
    SQLite::Statement insert(db_, "INSERT INTO t (rowid, words) VALUES (?, ?)");
    insert.bind(1, row);
    insert.bind(2, indexed_text({text}, capabilities));
    insert.exec();
  }
  std::vector<int> rows_with(const std::string& word, const std::vector<std::string>& capabilities = {}) {
    std::vector<int> rows;
    SQLite::Statement select(db_, "SELECT rowid FROM t WHERE t MATCH ?");
    const TextRun run = runs_of(word).at(0);
    select.bind(1, match_of(run, pairs_of(run), capabilities));
    while (select.executeStep()) rows.push_back(select.getColumn(0).getInt());
    return rows;
  }
  SQLite::Database db_{":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE};
};

TEST_F(TextIndex, FindsWordsOfTwoLettersOfOneAndOfMany) {
  add(1, "衢州市危化品专业队");
  add(2, "化工园区消防队");
  add(3, "危险源");
  EXPECT_THAT(rows_with("危化"), ElementsAre(1));
  EXPECT_THAT(rows_with("化工"), ElementsAre(2));
  EXPECT_THAT(rows_with("危"), ElementsAre(1, 3));
  EXPECT_THAT(rows_with("队"), ElementsAre(1, 2)) << "also a run's last letter";
  EXPECT_THAT(rows_with("危化品专业"), ElementsAre(1));
  EXPECT_THAT(rows_with("化危"), IsEmpty());
}

TEST_F(TextIndex, FindsLatinWordsByTheirBeginningInAnyCaseAndWidth) {
  add(1, "Foam tender F-200");
  add(2, "ＦＯＡＭ泵");
  EXPECT_THAT(rows_with("foam"), ElementsAre(1, 2));
  EXPECT_THAT(rows_with("TEND"), ElementsAre(1));
  EXPECT_THAT(rows_with("20"), ElementsAre(1));
  EXPECT_THAT(rows_with("oam"), IsEmpty());
}

TEST_F(TextIndex, FindsCapabilitiesByTheNamesThatAQuestionBrings) {
  add(1, "一队", {"hazmat", "forest-fire"});
  add(2, "二队 hazmat-like", {"fire"});
  EXPECT_THAT(rows_with("危化", {"hazmat"}), ElementsAre(1));
  EXPECT_THAT(rows_with("灭火", {"fire"}), ElementsAre(2)) << "not forest-fire: the whole word counts";
  EXPECT_THAT(rows_with("hazmat"), ElementsAre(1, 2));
}

TEST(MapText, OfManyTokensTheRareOnesAreAskedFor) {
  const std::map<std::string, std::uint64_t> rows{{"青阳", 3'400}, {"阳化", 4'200}, {"化工", 100'000}, {"化学", 900}};
  const auto rows_with = [&](const std::string& token) { return rows.at(token); };
  EXPECT_THAT(worth_asking({"青阳", "阳化", "化工"}, 1'000'000, rows_with), ElementsAre("青阳", "阳化"));
  EXPECT_THAT(worth_asking({"化工", "青阳"}, 1'000'000, rows_with), ElementsAre("青阳", "化工")) << "too many would be looked at";
  EXPECT_THAT(worth_asking({"化工"}, 1'000'000, rows_with), ElementsAre("化工"));
  EXPECT_THAT(worth_asking({"化学", "化工"}, 1'000'000, [](const auto&) { return 0U; }), ElementsAre("化学", "化工"));
  EXPECT_THAT(worth_asking({}, 0, rows_with), IsEmpty());
}

TEST_F(TextIndex, ATextsOwnMarkIsNoCapability) {
  add(1, "\xEE\x80\x80hazmat");
  EXPECT_THAT(rows_with("危化", {"hazmat"}), IsEmpty());
  EXPECT_THAT(rows_with("hazmat"), ElementsAre(1));
}

TEST_F(TextIndex, WhatWasPutInIsTakenOutByItsWords) {
  add(1, "危化品");
  SQLite::Statement drop(db_, "INSERT INTO t (t, rowid, words) VALUES ('delete', 1, ?)");
  drop.bind(1, indexed_text({"危化品"}, {}));
  drop.exec();
  EXPECT_THAT(rows_with("危化"), IsEmpty());
}

TEST_F(TextIndex, NoTextBreaksAQuestion) {
  for (const char* text : {"\"", "a\"b", "NEAR(x)", "x OR y", "*", "^a", "words:x", "-x", "'"})
    for (const TextRun& run : runs_of(text)) {
      SQLite::Statement select(db_, "SELECT rowid FROM t WHERE t MATCH ?");
      select.bind(1, match_of(run, pairs_of(run), {"a-b_c"}));
      EXPECT_NO_THROW(while (select.executeStep()){}) << text;
    }
}

}  // namespace
}  // namespace lianxi::store::test
