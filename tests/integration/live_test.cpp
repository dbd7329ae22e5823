// `live`, heard by a plain SUB.
#include <gmock/gmock.h>
#include <signal.h>

#include "tests/integration/raw_client.h"

namespace lianxi::test {
namespace {

constexpr const char* kHere = "330800";

class LiveTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(cities.start(kHere)) << city().process->output(); }
  City& city() { return cities.city(kHere); }
  RawClient subscriber(const std::string& agency, const std::string& topic) {
    RawClient client(city(), "live", city().agents.at(agency), zmq::socket_type::sub);
    client.socket().set(zmq::sockopt::subscribe, topic);
    return client;
  }
  // Publishes alerts until one is heard: a subscription takes its time to arrive.
  std::vector<std::string> hear(RawClient& subscriber) {
    Publisher emergency(city(), "emergency", SessionId(++sessions), "flash");
    EXPECT_TRUE(emergency.connect());
    std::vector<std::string> got;
    Sequence sequence(1);
    eventually([&] {
      emergency.publish(Lane::flash, sequence, {alert_event(kHere, 1000 * sessions + sequence.value)});
      EXPECT_TRUE(emergency.answers());
      sequence = Sequence(sequence.value + 1);
      got = subscriber.receive_parts(std::chrono::milliseconds(200));
      return !got.empty();
    });
    return got;
  }
  std::uint64_t sessions = 100;
  Cities cities{{kHere}};
};

TEST_F(LiveTest, AnAllowedTopicArrivesAsJson) {
  auto police = subscriber("police", "alert/3308");
  const auto got = hear(police);
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0], "alert/330800/emergency");
  EXPECT_THAT(got[1], ::testing::HasSubstr("\"kind\":\"alert\""));
  EXPECT_THAT(got[1], ::testing::StartsWith("{"));
}

TEST_F(LiveTest, ATopicOutsideTheRightsIsRefusedHeardAndCounted) {
  auto police = subscriber("police", "mobilisation/");
  const auto got = police.receive_parts();
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0], "mobilisation/!refused/330800.police.desk");
  EXPECT_THAT(got[1], ::testing::HasSubstr("\"code\":\"not_allowed\""));
  EXPECT_TRUE(cities.metric_comes_to(kHere, "lianxi_live_refusals_total", 1));
  EXPECT_TRUE(cities.metric_comes_to(kHere, "lianxi_refusals_total{code=\"not_allowed\"}", 1));
}

TEST_F(LiveTest, EverythingIsRefusedForWhoMayNotReadEverything) {
  auto police = subscriber("police", "");
  const auto got = police.receive_parts();
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0], "!refused/330800.police.desk");
}

TEST_F(LiveTest, RightsTakenAwayByAReloadAreTakenFromALiveSubscriberToo) {
  auto police = subscriber("police", "alert/");
  ASSERT_FALSE(hear(police).empty());
  std::string policy = read_text(cities.policy_file());
  const std::string follows = "kinds = [\"alert\", \"incident\", \"resource\"]\n[[grant.query]]";
  policy.replace(policy.find(follows), follows.size(), "kinds = [\"incident\"]\n[[grant.query]]");
  write_text(cities.policy_file(), policy);
  city().process->signal(SIGHUP);
  std::vector<std::string> got;
  EXPECT_TRUE(eventually([&] {
    got = police.receive_parts(std::chrono::milliseconds(100));
    return !got.empty() && got[0].find("!refused") != std::string::npos;
  }));
  ASSERT_FALSE(got.empty());
  EXPECT_EQ(got[0], "alert/!refused/330800.police.desk");
}

}  // namespace
}  // namespace lianxi::test
