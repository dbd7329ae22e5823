#include "agents/adapter/publish.h"

#include <gmock/gmock.h>

#include "tests/support/source_tree.h"
#include "tests/unit/adapter/fake_client.h"
#include "tests/unit/adapter/folder.h"

namespace lianxi::adapter {
namespace {

using testing::ElementsAre;

std::vector<std::string> references(const FakeOutbox& outbox) {
  std::vector<std::string> all;
  for (const Event& event : outbox.events) all.push_back(std::get<IncidentReport>(event.body).own_reference);
  return all;
}

std::string reference(const Event& event) {
  return std::get<IncidentReport>(event.body).own_reference;
}

TEST(FilePublisher, EveryRecordIsPublishedInOrderWithItsReceipt) {
  FakeOutbox outbox;
  FakeClient client(outbox);
  const auto mapping = mapping_of("police");
  const FileResult result =
      FilePublisher(client).publish(mapping.sources[0], "a.jsonl", police_line("1") + police_line("2") + police_line("3"), 0, {});
  EXPECT_THAT(references(outbox), ElementsAre("1", "2", "3"));
  EXPECT_EQ(result.accepted(), 3U);
  EXPECT_EQ(result.refusals(), 0U);
  EXPECT_EQ(result.records[2].outcome->sequence, Sequence(3));
  EXPECT_EQ(result.records[2].line, 3U);
}

TEST(FilePublisher, BadRecordsAndTheNodesRefusalsStandAtTheirLines) {
  FakeOutbox outbox;
  FakeClient client(outbox);
  client.refuses = [](const Event& event) -> std::optional<Refusal> {
    if (reference(event) != "3") return std::nullopt;
    return Refusal{RefusalCode::not_allowed, "place", "not your city", 0};
  };
  const auto mapping = mapping_of("police");
  const FileResult result = FilePublisher(client).publish(
      mapping.sources[0], "a.jsonl", police_line("1") + police_line("2", "gestern") + police_line("3"), 0, {});
  EXPECT_EQ(result.accepted(), 1U);
  EXPECT_EQ(result.refusals(), 2U);
  EXPECT_EQ(result.records[1].outcome.error().code, RefusalCode::invalid_field);
  EXPECT_EQ(result.records[2].outcome.error().code, RefusalCode::not_allowed);
  EXPECT_FALSE(result.whole);
}

TEST(FilePublisher, AFullDiskIsWaitedOut) {
  FakeOutbox outbox;
  FakeClient client(outbox);
  int full = 3;
  client.refuses = [&](const Event&) -> std::optional<Refusal> {
    if (full-- <= 0) return std::nullopt;
    return Refusal{RefusalCode::disk_full, "outbox", "no space", 0};
  };
  const auto mapping = mapping_of("police");
  const FilePublisher publisher(client, std::chrono::milliseconds(1));
  const FileResult result = publisher.publish(mapping.sources[0], "a.jsonl", police_line("1"), 0, {});
  EXPECT_EQ(result.accepted(), 1U);
  EXPECT_FALSE(result.interrupted);
}

TEST(FilePublisher, ReadAgainAfterACrashNothingIsDoubledAndTheFirstReceiptsComeBack) {
  FakeOutbox outbox;
  const auto mapping = mapping_of("police");
  const std::string content = police_line("1") + police_line("2") + police_line("3");
  std::vector<RecordResult> before;
  {
    FakeClient client(outbox);
    client.holds = [](const Event& event) { return reference(event) == "3"; };
    std::stop_source stop;
    std::jthread crash([&] {
      EXPECT_TRUE(eventually([&] { return client.pending() == 1; }));
      stop.request_stop();
    });
    const FileResult result = FilePublisher(client).publish(mapping.sources[0], "a.jsonl", content, 0, stop.get_token());
    EXPECT_TRUE(result.interrupted);
    before = result.records;
  }
  FakeClient client(outbox);
  const FilePublisher publisher(client);
  const FileResult result = publisher.publish(mapping.sources[0], "a.jsonl", content, 0, {});
  EXPECT_THAT(references(outbox), ElementsAre("1", "2", "3"));
  EXPECT_EQ(result.accepted(), 3U);
  for (std::size_t i = 0; i < before.size(); ++i) EXPECT_EQ(result.records[i].outcome->offset, before[i].outcome->offset);
  publisher.forget("a.jsonl", content);
  EXPECT_TRUE(outbox.answered.empty());
}

TEST(FilePublisher, AnotherContentUnderTheSameNameIsAnotherFile) {
  FakeOutbox outbox;
  FakeClient client(outbox);
  const auto mapping = mapping_of("police");
  const FilePublisher publisher(client);
  (void)publisher.publish(mapping.sources[0], "a.jsonl", police_line("1"), 0, {});
  (void)publisher.publish(mapping.sources[0], "a.jsonl", police_line("2"), 0, {});
  EXPECT_THAT(references(outbox), ElementsAre("1", "2"));
}

TEST(FilePublisher, ABrokenDocumentPublishesNothing) {
  FakeOutbox outbox;
  FakeClient client(outbox);
  const auto mapping = mapping_of("emergency");
  const std::string broken = text_of(test::source_tree("tests/data/cap/invalid.cap"));
  const FileResult result = FilePublisher(client).publish(*mapping.of_file("a.cap"), "a.cap", broken, 0, {});
  ASSERT_EQ(result.refused.size(), 1U);
  EXPECT_EQ(result.refused[0].code, RefusalCode::cap_rule);
  EXPECT_TRUE(outbox.events.empty());
}

}  // namespace
}  // namespace lianxi::adapter
