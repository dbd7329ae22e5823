// kill -9 in the middle of publishing: what was acknowledged is there, once.
#include <gtest/gtest.h>
#include <signal.h>

#include <map>
#include <random>
#include <set>

#include "schemas/codec/event_codec.h"
#include "schemas/codec/segment.h"
#include "tests/integration/raw_client.h"

namespace lianxi::test {
namespace {

constexpr const char* kHere = "330800";
constexpr int kKills = 20;
constexpr std::size_t kEventsInPublish = 8;
constexpr std::size_t kWindow = 16;  // publishes under way

// A client as the SDK is one: dense sequences, sends again what has no answer, keeps every receipt.
class PatientClient {
 public:
  explicit PatientClient(const City& city) : publisher_(city, "police", SessionId(77)) {}

  bool connect() {
    if (!publisher_.connect()) return false;
    sent_ = answered_;
    return true;
  }
  // Sends until the window is full, then takes what answers there are.
  void work(std::chrono::milliseconds patience) {
    while (sent_ < answered_ + kWindow * kEventsInPublish) {
      std::vector<Bytes> events;
      for (std::size_t i = 0; i < kEventsInPublish; ++i) events.push_back(incident_event(kHere, "police", sent_ + 1 + i));
      publisher_.publish(Lane::normal, Sequence(sent_ + 1), std::move(events), Sequence(answered_));
      sent_ += kEventsInPublish;
    }
    const auto answers = publisher_.answers(patience);
    if (!answers) return;
    ASSERT_TRUE(answers->refusals.empty()) << answers->refusals[0].refusal.reason;
    for (const ReceiptRange& range : answers->receipts) {
      for (std::uint32_t i = 0; i < range.count; ++i) {
        const std::uint64_t sequence = range.first_sequence.value + i;
        const Offset offset(range.first_offset.value + i);
        const auto [known, fresh] = receipts_.emplace(sequence, offset);
        EXPECT_EQ(known->second, offset) << "sequence " << sequence << " got two receipts";
        if (sequence == answered_ + 1) ++answered_;
      }
    }
    while (receipts_.contains(answered_ + 1)) ++answered_;
  }
  [[nodiscard]] const std::map<std::uint64_t, Offset>& receipts() const { return receipts_; }

 private:
  Publisher publisher_;
  std::uint64_t sent_ = 0, answered_ = 0;
  std::map<std::uint64_t, Offset> receipts_;  // by sequence
};

// All that the node holds, by a follow from the beginning: case reference -> offset.
std::map<std::string, Offset> everything(const City& city, Offset head, std::size_t& doubled) {
  std::map<std::string, Offset> found;
  RawClient follower(city, "follow", city.agents.at("emergency"));
  Follow follow;
  follow.follow = SessionId(5);
  follow.credit_bytes = kMaxCreditBytes;
  follow.credit_messages = 10'000;
  follower.send(follow);
  Offset next(1);
  while (next < head) {
    const auto deliver = follower.receive_a<Deliver>();
    if (!deliver) break;
    next = deliver->next;
    const auto segments = parse_segments(deliver->segments);
    EXPECT_TRUE(segments);
    if (!segments) break;
    for (const Segment& segment : *segments)
      for (std::size_t i = 0; i < segment.records().size(); ++i) {
        const auto event = decode_event(segment.records()[i].body);
        EXPECT_TRUE(event);
        if (!event) continue;
        const auto [known, fresh] = found.emplace(event->envelope.entity, Offset(segment.info().first_offset.value + i));
        if (!fresh) ++doubled;
      }
  }
  return found;
}

TEST(CrashTest, KilledTwentyTimesInTheMiddleOfPublishingNothingAcknowledgedIsLostAndNothingIsDoubled) {
  Cities cities({kHere});
  City& city = cities.city(kHere);
  PatientClient client(city);
  std::mt19937 random(20201109);
  for (int kill = 0; kill < kKills; ++kill) {
    ASSERT_TRUE(cities.start(kHere)) << city.process->output();
    ASSERT_TRUE(client.connect());
    // Some answers, a random number, and the next ones under way.
    const std::size_t before = client.receipts().size();
    const std::size_t wanted = before + 1 + random() % 400;
    ASSERT_TRUE(eventually([&] {
      client.work(std::chrono::milliseconds(1000));
      return client.receipts().size() >= wanted || ::testing::Test::HasFailure();
    }));
    ASSERT_FALSE(HasFailure());
    cities.kill(kHere);
  }
  ASSERT_TRUE(cities.start(kHere)) << city.process->output();
  const auto status = status_of(city);
  ASSERT_TRUE(status);
  std::size_t doubled = 0;
  const auto held = everything(city, status->head, doubled);
  EXPECT_EQ(doubled, 0U);
  for (const auto& [sequence, offset] : client.receipts()) {
    const auto found = held.find(incident_entity(*parse_region(kHere), "case-" + std::to_string(sequence)));
    ASSERT_NE(found, held.end()) << "acknowledged sequence " << sequence << " is lost";
    EXPECT_EQ(found->second, offset) << "sequence " << sequence;
  }
  RecordProperty("acknowledged", static_cast<int>(client.receipts().size()));
  const auto proof =
      run_program({LIANXI_BROKER, "verify", cities.data_dir(kHere) + "/journal", "--members", cities.members_file()},
                  cities.folder() + "/verify.log");
  EXPECT_EQ(proof.status, 0) << proof.output;
}

}  // namespace
}  // namespace lianxi::test
