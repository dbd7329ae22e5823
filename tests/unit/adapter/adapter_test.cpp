#include "agents/adapter/adapter.h"

#include <gmock/gmock.h>

#include "tests/unit/adapter/fake_client.h"
#include "tests/unit/adapter/folder.h"

namespace lianxi::adapter {
namespace {

using namespace std::chrono_literals;

AdapterOptions options(const Folder& folder) {
  return {.spool = folder.path().string(), .settle = 0ms, .look = 5ms, .retry = 5ms};
}
TimeMs noon() {
  return 1604894400000;
}
std::string sample(const std::string& file) {
  return text_of(kAgencies + file);
}

TEST(Adapter, OnceOverAFolderOfThreeFormats) {
  const Folder folder;
  folder.put("1.cap", sample("emergency/samples/warning.cap"));
  folder.put("2.jsonl", sample("emergency/samples/reports.jsonl"));
  folder.put("3.csv", sample("emergency/samples/resources.csv"));
  folder.put("4.doc", "?");
  FakeOutbox outbox;
  FakeClient client(outbox);
  const auto mapping = mapping_of("emergency");
  Adapter adapter(client, mapping, options(folder), noon);
  adapter.run_once({});
  EXPECT_EQ(adapter.tally().files, 4U);
  EXPECT_EQ(adapter.tally().accepted, 6U);
  EXPECT_EQ(adapter.tally().refused, 1U);
  for (const char* name : {"done/1.cap", "done/2.jsonl", "done/3.csv", "refused/4.doc", "refused/4.doc.reason.json"}) {
    EXPECT_TRUE(folder.has(name)) << name;
  }
  EXPECT_EQ(outbox.events.size(), 6U);
  EXPECT_TRUE(outbox.answered.empty()) << "keys of finished files are forgotten";
}

TEST(Adapter, AWarningDoesNotWaitBehindAnImport) {
  const Folder folder;
  folder.put("1.csv", sample("emergency/samples/resources.csv"));
  FakeOutbox outbox;
  FakeClient client(outbox);
  client.holds = [](const Event& event) { return event.envelope.kind == Kind::resource; };
  const auto mapping = mapping_of("emergency");
  Adapter adapter(client, mapping, options(folder), noon);
  std::jthread runner([&](const std::stop_token& stop) { adapter.run(stop); });
  EXPECT_TRUE(eventually([&] { return client.pending() > 0; }));
  folder.put(".9.cap", sample("emergency/samples/warning.cap"));
  std::filesystem::rename(folder.path(".9.cap"), folder.path("9.cap"));
  EXPECT_TRUE(eventually([&] { return folder.has("done/9.cap"); }));
  EXPECT_FALSE(folder.has("done/1.csv"));
  client.release();
  EXPECT_TRUE(eventually([&] { return folder.has("done/1.csv"); }));
}

TEST(Adapter, AFileThatIsRenamedInIsTakenAtOnceAndAGrowingOneIsNot) {
  const Folder folder;
  FakeOutbox outbox;
  FakeClient client(outbox);
  const auto mapping = mapping_of("police");
  AdapterOptions slow = options(folder);
  slow.settle = std::chrono::hours(1);
  Adapter adapter(client, mapping, slow, noon);
  folder.put("growing.jsonl", police_line("1"));
  std::jthread runner([&](const std::stop_token& stop) { adapter.run(stop); });
  // The watch begins with the first look, so the file is renamed in again until it is seen.
  folder.put(".whole.jsonl", police_line("2"));
  EXPECT_TRUE(eventually([&] {
    std::error_code gone;
    std::filesystem::rename(folder.path(".whole.jsonl"), folder.path("whole.jsonl"), gone);
    std::filesystem::rename(folder.path("whole.jsonl"), folder.path(".whole.jsonl"), gone);
    std::filesystem::rename(folder.path(".whole.jsonl"), folder.path("whole.jsonl"), gone);
    return folder.has("done/whole.jsonl");
  }));
  EXPECT_TRUE(folder.has("growing.jsonl"));
}

TEST(Adapter, StoppedAndStartedAgainInTheMiddleNothingIsDoubled) {
  constexpr std::size_t kRecords = 4000;  // more than three runs send before they are stopped
  const Folder folder;
  std::string content;
  for (std::size_t i = 0; i < kRecords; ++i) content += police_line(std::to_string(i));
  folder.put("a.jsonl", content);
  FakeOutbox outbox;
  const auto mapping = mapping_of("police");
  for (std::size_t run = 1; run <= 3; ++run) {
    FakeClient client(outbox);
    client.holds = [&outbox, run](const Event&) { return outbox.events.size() + outbox.unanswered.size() > run * 300; };
    Adapter adapter(client, mapping, options(folder), noon);
    std::jthread runner([&](const std::stop_token& stop) { adapter.run(stop); });
    EXPECT_TRUE(eventually([&] { return client.pending() > 0; }));
  }
  EXPECT_TRUE(folder.has("a.jsonl"));
  FakeClient client(outbox);
  Adapter adapter(client, mapping, options(folder), noon);
  adapter.run_once({});
  EXPECT_TRUE(folder.has("done/a.jsonl"));
  ASSERT_EQ(outbox.events.size(), kRecords);
  std::set<std::string> references;
  for (const Event& event : outbox.events) references.insert(std::get<IncidentReport>(event.body).own_reference);
  EXPECT_EQ(references.size(), kRecords);
}

TEST(Adapter, AFolderThatComesBackIsWorkedOnAgain) {
  const Folder folder;
  FakeOutbox outbox;
  FakeClient client(outbox);
  const auto mapping = mapping_of("police");
  AdapterOptions missing = options(folder);
  missing.spool = folder.path("spool").string();
  Adapter adapter(client, mapping, missing, noon);
  std::jthread runner([&](const std::stop_token& stop) { adapter.run(stop); });
  EXPECT_TRUE(eventually([&] { return adapter.tally().failures == 1; }));
  std::filesystem::create_directory(folder.path("spool"));
  folder.put("spool/a.jsonl", police_line("1"));
  EXPECT_TRUE(eventually([&] { return folder.has("spool/done/a.jsonl"); }));
  EXPECT_EQ(adapter.tally().failures, 1U) << "said once";
}

TEST(Adapter, WhileTheFolderForDoneCannotBeWrittenTheFileStaysAndIsNotDoubled) {
  const Folder folder;
  folder.put("done", "a file where the folder should be");
  folder.put("a.jsonl", police_line("1"));
  FakeOutbox outbox;
  FakeClient client(outbox);
  const auto mapping = mapping_of("police");
  Adapter adapter(client, mapping, options(folder), noon);
  std::jthread runner([&](const std::stop_token& stop) { adapter.run(stop); });
  EXPECT_TRUE(eventually([&] { return adapter.tally().failures >= 3; }));
  EXPECT_TRUE(folder.has("a.jsonl"));
  std::filesystem::remove(folder.path("done"));
  EXPECT_TRUE(eventually([&] { return folder.has("done/a.jsonl"); }));
  const std::scoped_lock lock(outbox.mutex);
  EXPECT_EQ(outbox.events.size(), 1U);
}

}  // namespace
}  // namespace lianxi::adapter
