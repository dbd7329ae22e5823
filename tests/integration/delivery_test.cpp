// Flash before everything, and followers that cost nobody anything: told by the node's own counters, not by clocks.
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "schemas/codec/segment.h"
#include "tests/integration/raw_client.h"

namespace lianxi::test {
namespace {

constexpr const char* kHere = "330800";
constexpr std::size_t kPublishEvents = 100;

std::vector<Bytes> reports(std::uint64_t first) {
  std::vector<Bytes> events;
  for (std::uint64_t i = 0; i < kPublishEvents; ++i) events.push_back(incident_event(kHere, "fire", first + i));
  return events;
}

// Publishes as fast as it is answered, some messages ahead.
void saturate(const City& city, std::uint64_t session, const std::atomic<bool>& stop, std::atomic<std::uint64_t>& receipts) {
  constexpr std::uint64_t kAhead = 4;
  Publisher publisher(city, "fire", SessionId(session));
  if (!publisher.connect()) return;
  const std::vector<Bytes> events = reports(session * 1'000'000);
  std::uint64_t sent = 0;
  std::uint64_t answered = 0;
  while (!stop || answered < sent) {
    while (!stop && sent < answered + kAhead * kPublishEvents) {
      publisher.publish(Lane::normal, Sequence(sent + 1), events, Sequence(answered));
      sent += kPublishEvents;
    }
    const auto answers = publisher.answers();
    if (!answers || !answers->refusals.empty()) return;
    for (const ReceiptRange& range : answers->receipts) {
      answered += range.count;
      receipts += range.count;
    }
  }
}

Follow follow_all(std::uint64_t bytes, std::uint32_t messages) {
  Follow follow;
  follow.follow = SessionId(1);
  follow.from = FollowFrom::now;
  follow.credit_bytes = bytes;
  follow.credit_messages = messages;
  return follow;
}

// Reads and pays until it is told to stop, and nothing has come for a moment.
void follow_on(const City& city, const std::string& agency, const std::atomic<bool>& stop, std::atomic<std::uint64_t>& bytes,
               std::atomic<std::uint64_t>& next) {
  RawClient client(city, "follow", city.agents.at(agency));
  client.send(follow_all(8 * 1024 * 1024, 1000));
  while (true) {
    const auto deliver = client.receive_a<Deliver>(std::chrono::milliseconds(500));
    if (!deliver && stop) return;
    if (!deliver) {
      client.send(Heartbeat{});  // silent ones are ended
      continue;
    }
    bytes += deliver->segments.size();
    next = deliver->next.value;
    client.send(Credit{SessionId(1), deliver->segments.size(), 1, deliver->next});
  }
}

class DeliveryTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(cities.start(kHere)) << city().process->output(); }
  City& city() { return cities.city(kHere); }
  Cities cities{{kHere}};
};

TEST_F(DeliveryTest, AtMostOneBatchAndLittleElsePassesAFlashEventUnderSaturation) {
  constexpr std::uint64_t kAlerts = 40;
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> receipts{0}, bytes{0}, next{0};
  std::vector<std::thread> threads;
  for (std::uint64_t i = 1; i <= 8; ++i) threads.emplace_back([&, i] { saturate(city(), i, stop, receipts); });
  for (int i = 0; i < 2; ++i) threads.emplace_back([&] { follow_on(city(), "fire", stop, bytes, next); });

  RawClient follower(city(), "flash", city().agents.at("police"));
  Follow flash = follow_all(1024 * 1024, 1000);
  flash.lanes = mask_of(Lane::flash);
  follower.send(flash);
  EXPECT_TRUE(follower.receive_a<Followed>());
  Publisher emergency(city(), "emergency", SessionId(1), "flash");
  EXPECT_TRUE(emergency.connect());
  OnceASecond lives;
  const auto more_receipts_than = [&](std::uint64_t count) {
    return eventually([&] {
      if (lives.is_due()) follower.send(Heartbeat{});
      return receipts > count;
    });
  };
  EXPECT_TRUE(more_receipts_than(8 * 10 * kPublishEvents));
  const std::uint64_t before = receipts;
  for (std::uint64_t i = 1; i <= kAlerts; ++i) {
    const std::uint64_t at = receipts;
    emergency.publish(Lane::flash, Sequence(i), {alert_event(kHere, i)}, Sequence(i - 1));
    EXPECT_TRUE(emergency.answers()) << "alert " << i;
    const auto deliver = follower.receive_a<Deliver>();
    EXPECT_TRUE(deliver) << "alert " << i;
    if (!deliver) break;
    follower.send(Credit{SessionId(1), deliver->segments.size(), 1, deliver->next});  // and a sign of life
    EXPECT_TRUE(more_receipts_than(at)) << "the others go on";
  }
  EXPECT_GT(receipts, before + kAlerts);
  stop = true;
  for (std::thread& thread : threads) thread.join();

  EXPECT_TRUE(cities.metric_comes_to(kHere, "lianxi_flash_overtaken_batches_count", kAlerts));
  EXPECT_LE(cities.metric(kHere, "lianxi_flash_overtaken_batches_max"), 1);
  EXPECT_GE(cities.metric(kHere, "lianxi_flash_overtaken_batches_max"), 0);
  EXPECT_LE(cities.metric(kHere, "lianxi_flash_overtaken_bytes_max"), 64 * 1024);
  EXPECT_GT(bytes, 0U);
}

TEST_F(DeliveryTest, AFollowerThatNeverReadsIsSentItsCreditAndNothingMore) {
  constexpr std::uint64_t kCredit = 200 * 1024;
  RawClient never(city(), "follow", city().agents.at("police"));
  never.send(follow_all(kCredit, 1000));
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> receipts{0}, bytes{0}, next{0};
  std::thread good([&] { follow_on(city(), "fire", stop, bytes, next); });
  OnceASecond lives;
  const auto comes = [&](const std::function<bool()>& what) {
    return eventually([&] {
      if (lives.is_due()) never.send(Heartbeat{});  // it reads nothing, and is there all the same
      return what();
    });
  };
  EXPECT_TRUE(comes([&] { return cities.metric(kHere, "lianxi_followers") == 2; }));
  std::atomic<bool> enough{false};
  std::thread publisher([&] { saturate(city(), 1, enough, receipts); });
  EXPECT_TRUE(comes([&] { return receipts > 100 * kPublishEvents; }));
  enough = true;
  publisher.join();
  const auto at_head = [&] { return cities.metric(kHere, "lianxi_journal_next_offset") == static_cast<double>(receipts + 1); };
  EXPECT_TRUE(comes(at_head));
  const std::uint64_t head = receipts + 1;
  EXPECT_TRUE(comes([&] { return next == head; })) << "the other follower has it all";
  stop = true;
  good.join();
  const auto to_the_other = [&] {  // counted after it was sent
    return cities.metric(kHere, "lianxi_delivered_bytes_total") - static_cast<double>(bytes);
  };
  EXPECT_GT(bytes, 10 * kCredit);
  EXPECT_TRUE(eventually([&] { return to_the_other() > kCredit / 2; }));
  EXPECT_LE(to_the_other(), kCredit);
}

}  // namespace
}  // namespace lianxi::test
