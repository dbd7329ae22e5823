#include "broker/net/live_socket.h"

#include "tests/unit/net/net_fixture.h"

namespace lianxi::net {
namespace {

class LiveSocketTest : public NetTest {
 protected:
  void SetUp() override {
    NetTest::SetUp();
    auto opened = LiveSocket::open(
        context, table, {"tcp://127.0.0.1:*", node, 100},
        [](const std::string& agent, std::string_view prefix) -> std::optional<Refusal> {
          if (agent == "330800.police.dispatch" && prefix.substr(0, 6) != "alert/")
            return Refusal{RefusalCode::not_allowed, "topic", "only alerts", 0};
          return std::nullopt;
        },
        [](const Refusal& refusal) { return "{\"error\":\"" + refusal.reason + "\"}"; });
    ASSERT_TRUE(opened) << opened.error().detail;
    live = std::move(*opened);
  }
  zmq::socket_t subscribe(const CurveKeys& keys, const std::string& topic) {
    auto socket = client(zmq::socket_type::sub, keys);
    socket.set(zmq::sockopt::subscribe, topic);
    socket.connect(live->endpoint());
    return socket;
  }
  // Serves requests until so many subscriptions stand.
  bool stands(std::size_t subscriptions) {
    return serves([&] { return live->subscriptions() == subscriptions; });
  }
  bool serves(const std::function<bool()>& done) {
    return eventually([&] {
      std::array items = {live->readable()};
      wait(items, std::chrono::milliseconds(10));
      live->serve([this](const Refusal& refusal) { refusals.push_back(refusal); });
      live->sweep();
      return done();
    });
  }
  std::vector<Refusal> refusals;
  std::unique_ptr<LiveSocket> live;
};

TEST_F(LiveSocketTest, AnAdmittedSubscriberHearsItsPrefixAndNothingElse) {
  auto socket = subscribe(police, "alert/3308");
  ASSERT_TRUE(stands(1));
  live->publish("alert/341000/fire", "1");
  live->publish("alert/330802/fire", "2");
  EXPECT_EQ(read(socket), (std::vector<std::string>{"alert/330802/fire", "2"}));
}

TEST_F(LiveSocketTest, ARefusedSubscriberIsToldOnItsOwnTopicAndHearsNoEvents) {
  auto socket = subscribe(police, "mobilisation/");
  ASSERT_TRUE(serves([&] { return !refusals.empty(); }));
  EXPECT_EQ(refusals[0].code, RefusalCode::not_allowed);
  live->publish("mobilisation/330800/emergency", "secret");
  EXPECT_EQ(read(socket),
            (std::vector<std::string>{"mobilisation/!refused/330800.police.dispatch", "{\"error\":\"only alerts\"}"}));
  live->publish("mobilisation/330800/emergency", "secret");
  // Something that it may hear marks the end of what it could have heard.
  socket.set(zmq::sockopt::subscribe, "alert/");
  ASSERT_TRUE(stands(1));
  live->publish("alert/330800/fire", "last");
  EXPECT_EQ(read(socket), (std::vector<std::string>{"alert/330800/fire", "last"}));
}

TEST_F(LiveSocketTest, TheSameTopicIsAdmittedForOneAgentAndRefusedForAnother) {
  auto refused = subscribe(police, "mobilisation/");
  auto admitted = subscribe(fire, "mobilisation/");
  ASSERT_TRUE(serves([&] { return !refusals.empty() && live->subscriptions() == 1; }));
  live->publish("mobilisation/330800/emergency", "call");
  EXPECT_EQ(read(refused)[0], "mobilisation/!refused/330800.police.dispatch");
  // A notice for another may come first: it begins with the same topic.
  auto got = read(admitted);
  if (got[0].find("!refused") != std::string::npos) got = read(admitted);
  EXPECT_EQ(got, (std::vector<std::string>{"mobilisation/330800/emergency", "call"}));
  // The next that it hears is what it may hear: the call was not on its way to it.
  refused.set(zmq::sockopt::subscribe, "alert/");
  ASSERT_TRUE(stands(2));
  live->publish("alert/330800/fire", "permitted");
  EXPECT_EQ(read(refused), (std::vector<std::string>{"alert/330800/fire", "permitted"}));
}

TEST_F(LiveSocketTest, AnEndedSubscriptionIsForgotten) {
  auto socket = subscribe(police, "alert/");
  ASSERT_TRUE(stands(1));
  EXPECT_TRUE(live->wanted("alert/330800/fire"));
  EXPECT_FALSE(live->wanted("incident/330800/fire"));
  socket.set(zmq::sockopt::unsubscribe, "alert/");
  ASSERT_TRUE(stands(0));
  EXPECT_FALSE(live->wanted("alert/330800/fire"));
}

TEST_F(LiveSocketTest, AClosedConnectionIsForgotten) {
  auto socket = subscribe(police, "alert/");
  ASSERT_TRUE(stands(1));
  socket.close();
  EXPECT_TRUE(stands(0));
}

TEST_F(LiveSocketTest, OneConnectionsEndLeavesTheOthersSubscription) {
  auto stays = subscribe(fire, "alert/");
  auto goes = subscribe(police, "alert/");
  ASSERT_TRUE(stands(2));
  goes.close();
  ASSERT_TRUE(stands(1));
  live->publish("alert/330800/fire", "1");
  EXPECT_EQ(read(stays), (std::vector<std::string>{"alert/330800/fire", "1"}));
}

TEST_F(LiveSocketTest, SubscriptionsOfOneConnectionAreBounded) {
  auto socket = client(zmq::socket_type::sub, police);
  for (std::size_t i = 0; i <= kMaxSubscriptionsPerConnection; ++i)
    socket.set(zmq::sockopt::subscribe, "alert/" + std::to_string(i));
  socket.connect(live->endpoint());
  ASSERT_TRUE(serves([&] { return !refusals.empty(); }));
  EXPECT_EQ(refusals[0].code, RefusalCode::too_many_followers);
  EXPECT_EQ(live->subscriptions(), kMaxSubscriptionsPerConnection);
}

TEST_F(LiveSocketTest, AfterACutTheSubscriberComesBackAndIsJudgedAnew) {
  auto socket = subscribe(fire, "alert/");
  ASSERT_TRUE(stands(1));
  table.replace({{fire.public_key, "330800.police.dispatch"}});
  live->cut_all();
  auto other = subscribe(fire, "mobilisation/");
  std::vector<std::string> got;
  ASSERT_TRUE(serves([&] {
    live->publish("alert/330800/fire", "again");
    got = read(socket, std::chrono::milliseconds(5));  // a SUB asks again only while its owner uses it
    return !refusals.empty() && !got.empty();
  }));
  EXPECT_EQ(got, (std::vector<std::string>{"alert/330800/fire", "again"}));
}

TEST_F(LiveSocketTest, ASubscriberThatDoesNotReadDoesNotStopTheOthers) {
  auto deaf = subscribe(police, "alert/");
  auto keen = subscribe(fire, "alert/");
  ASSERT_TRUE(stands(2));
  const std::string json(16 * 1024, 'j');
  for (int i = 0; i < 5000; ++i) {
    live->publish("alert/330800/fire", json);
    (void)read(keen, std::chrono::milliseconds(0));
  }
  live->publish("alert/330800/last", "end");
  EXPECT_TRUE(eventually([&] {
    live->publish("alert/330800/last", "end");
    return read(keen, std::chrono::milliseconds(20)) == std::vector<std::string>{"alert/330800/last", "end"};
  }));
}

TEST_F(LiveSocketTest, AConnectionThatPilesUpRefusalsIsCut) {
  auto socket = client(zmq::socket_type::sub, police);
  for (std::size_t i = 0; i < 3 * kMaxSubscriptionsPerConnection; ++i)
    socket.set(zmq::sockopt::subscribe, "mobilisation/" + std::to_string(i));
  socket.connect(live->endpoint());
  std::size_t cut = 0;
  EXPECT_TRUE(serves([&] {
    cut += live->take_cuts().crowded;
    return cut > 0;
  }));
  EXPECT_GE(refusals.size(), kMaxSubscriptionsPerConnection);
}

TEST_F(LiveSocketTest, MoreTopicBytesThanAnySubscriberHasToSayAreCutByTheGuard) {
  auto socket = client(zmq::socket_type::sub, police);
  for (std::size_t i = 0; i < 2'000; ++i)
    socket.set(zmq::sockopt::subscribe, "alert/" + std::to_string(i) + std::string(200, 'x'));
  socket.connect(live->endpoint());
  // libzmq takes them in while the socket is looked at. None is served, so that nobody but the guard can count and cut.
  EXPECT_TRUE(eventually([&] {
    std::array items = {live->readable()};
    wait(items, std::chrono::milliseconds(10));
    live->sweep();
    return live->take_cuts().crowded > 0;
  }));
  EXPECT_EQ(live->subscriptions(), 0U);
}

}  // namespace
}  // namespace lianxi::net
