#include "agents/adapter/spool.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "agents/adapter/folder_watch.h"
#include "tests/unit/adapter/folder.h"

namespace lianxi::adapter {
namespace {

using testing::ElementsAre;

constexpr std::chrono::milliseconds kAtOnce(0);
constexpr std::chrono::milliseconds kHour(3'600'000);

std::vector<std::string> names(const SpoolResult<std::vector<SpoolFile>>& files) {
  std::vector<std::string> all;
  if (!files) return {files.error().detail};
  for (const SpoolFile& file : *files) all.push_back(file.name + (file.complete ? "" : " (growing)"));
  return all;
}

RecordResult accepted(std::size_t number) {
  return {number, number, "raw " + std::to_string(number), "330800:incident:x",
          sdk::Receipt{{RegionCode(330800), Epoch(1), Lane::normal, Audience::conference()},
                       Sequence(number),
                       Ordinal(number),
                       Offset(number)}};
}
RecordResult refused(std::size_t number) {
  return {number, number, "raw " + std::to_string(number), "", refuse(RefusalCode::invalid_field, "BJSJ", "not a time")};
}
FileResult result_of(std::vector<RecordResult> records) {
  FileResult result;
  result.records = std::move(records);
  return result;
}

TEST(Spool, FilesAreListedInNameOrderAndUnfinishedNamesLeftOut) {
  const Folder folder;
  for (const char* name : {"b.cap", "a.jsonl", ".c.cap", "d.tmp", "e.part"}) folder.put(name, "x");
  std::filesystem::create_directory(folder.path("done"));
  EXPECT_THAT(names(Spool(folder.path(), kAtOnce).list()), ElementsAre("a.jsonl", "b.cap"));
}

TEST(Spool, AFileThatChangedJustNowIsStillGrowing) {
  const Folder folder;
  folder.put("a.cap", "x");
  EXPECT_THAT(names(Spool(folder.path(), kHour).list()), ElementsAre("a.cap (growing)"));
}

TEST(Spool, AFolderThatIsGoneIsAnErrorWithItsName) {
  const auto files = Spool("/nonexistent/spool", kAtOnce).list();
  ASSERT_FALSE(files);
  EXPECT_EQ(files.error().code, SpoolError::gone);
  EXPECT_THAT(files.error().detail, testing::HasSubstr("/nonexistent/spool"));
}

TEST(Spool, AnAcceptedFileIsDoneWithItsReceipts) {
  const Folder folder;
  folder.put("a.jsonl", "the file");
  ASSERT_TRUE(Spool(folder.path(), kAtOnce).finish("a.jsonl", result_of({accepted(1), accepted(2)}), 0));
  EXPECT_EQ(folder.get("done/a.jsonl"), "the file");
  EXPECT_FALSE(folder.has("a.jsonl"));
  EXPECT_FALSE(folder.has("refused/a.jsonl"));
  std::istringstream lines(folder.get("done/a.jsonl.receipt.jsonl"));
  std::string line;
  std::size_t number = 0;
  while (std::getline(lines, line)) {
    const auto json = nlohmann::json::parse(line);
    EXPECT_EQ(json["record"], ++number);
    EXPECT_EQ(json["feed"], "330800/1/normal/conference");
    EXPECT_EQ(json["offset"], number);
  }
  EXPECT_EQ(number, 2U);
}

TEST(Spool, ARefusedFileIsKeptWithItsReason) {
  const Folder folder;
  folder.put("a.cap", "<broken>");
  FileResult result;
  result.whole = true;
  result.refused.push_back({RefusalCode::cap_rule, "alert.scope", "alert.scope is required", 0});
  ASSERT_TRUE(Spool(folder.path(), kAtOnce).finish("a.cap", result, 1604881865000));
  EXPECT_EQ(folder.get("refused/a.cap"), "<broken>");
  EXPECT_FALSE(folder.has("done/a.cap"));
  const auto reason = nlohmann::json::parse(folder.get("refused/a.cap.reason.json"));
  EXPECT_EQ(reason["accepted"], 0);
  EXPECT_EQ(reason["refused"], 1);
  EXPECT_EQ(reason["at"], "2020-11-09T08:31:05.000+08:00");
  EXPECT_EQ(reason["errors"][0]["error"]["code"], "cap_rule");
  EXPECT_EQ(reason["errors"][0]["error"]["field"], "alert.scope");
}

TEST(Spool, ThePartlyRefusedFileIsDoneAndItsBadRecordsAloneAreRefused) {
  const Folder folder;
  folder.put("a.csv", "the file");
  FileResult result = result_of({accepted(1), refused(2), accepted(3)});
  result.heading = "编号,时间";
  ASSERT_TRUE(Spool(folder.path(), kAtOnce).finish("a.csv", result, 0));
  EXPECT_EQ(folder.get("done/a.csv"), "the file");
  EXPECT_EQ(folder.get("refused/a.csv"), "编号,时间\nraw 2\n");
  const auto reason = nlohmann::json::parse(folder.get("refused/a.csv.reason.json"));
  EXPECT_EQ(reason["accepted"], 2);
  EXPECT_EQ(reason["errors"][0]["record"], 2);
  EXPECT_EQ(reason["errors"][0]["error"]["field"], "BJSJ");
}

TEST(Spool, AnImportThatTheNodeRefusedInPartIsRefusedWithReceiptsOfTheRest) {
  const Folder folder;
  folder.put("a.csv", "the file");
  FileResult result = result_of({accepted(1), refused(2)});
  result.whole = true;
  ASSERT_TRUE(Spool(folder.path(), kAtOnce).finish("a.csv", result, 0));
  EXPECT_EQ(folder.get("refused/a.csv"), "the file");
  EXPECT_TRUE(folder.has("done/a.csv.receipt.jsonl"));
}

TEST(Spool, NothingInDoneOrRefusedIsOverwritten) {
  const Folder folder;
  const Spool spool(folder.path(), kAtOnce);
  for (const char* text : {"first", "second", "third"}) {
    folder.put("a.jsonl", text);
    ASSERT_TRUE(spool.finish("a.jsonl", result_of({accepted(1)}), 0));
  }
  EXPECT_EQ(folder.get("done/a.jsonl"), "first");
  EXPECT_EQ(folder.get("done/a.2.jsonl"), "second");
  EXPECT_EQ(folder.get("done/a.3.jsonl"), "third");
  EXPECT_TRUE(folder.has("done/a.3.jsonl.receipt.jsonl"));
}

TEST(Spool, FinishingAgainAfterACrashBeforeTheLastStepMakesNoSecondCopy) {
  const Folder folder;
  const Spool spool(folder.path(), kAtOnce);
  const FileResult result = result_of({accepted(1), refused(2)});
  folder.put("a.jsonl", "the file");
  ASSERT_TRUE(spool.finish("a.jsonl", result, 0));
  std::filesystem::rename(folder.path("done/a.jsonl"), folder.path("a.jsonl"));  // as if the move had not happened
  ASSERT_TRUE(spool.finish("a.jsonl", result, 0));
  EXPECT_TRUE(folder.has("done/a.jsonl"));
  EXPECT_FALSE(folder.has("refused/a.2.jsonl"));
}

TEST(FolderWatch, ARenamedFileIsKnownByName) {
  const Folder folder;
  FolderWatch watch;
  watch.watch(folder.path().string());
  folder.put(".a.cap", "x");
  std::filesystem::rename(folder.path(".a.cap"), folder.path("a.cap"));
  std::set<std::string> moved;
  EXPECT_TRUE(eventually([&] {
    moved.merge(watch.wait(kAtOnce));
    return !moved.empty();
  }));
  EXPECT_THAT(moved, ElementsAre("a.cap"));
}

}  // namespace
}  // namespace lianxi::adapter
