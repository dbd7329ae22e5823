// What a run of a prepared statement borrows, and what it copies.
#include "broker/store/sqlite.h"

#include <gtest/gtest.h>

namespace lianxi::store {
namespace {

TEST(StatementRun, ATextMadeForTheCallOutlivesIt) {
  SQLite::Database db(":memory:");
  SQLite::Statement echo(db, "SELECT ?");
  store::Run run(echo);
  run.put(std::string(100, 'a'));
  const std::string in_its_place(100, 'b');
  ASSERT_TRUE(run.next());
  EXPECT_EQ(run.text(0), std::string(100, 'a'));
}

TEST(StatementRun, ATextOfTheCallersIsBorrowed) {
  SQLite::Database db(":memory:");
  SQLite::Statement echo(db, "SELECT ?");
  std::string text = "before";
  store::Run run(echo);
  run.put(text);
  text = "behind";
  ASSERT_TRUE(run.next());
  EXPECT_EQ(run.text(0), "behind");
}

}  // namespace
}  // namespace lianxi::store
