// Plain sockets, for measurements on one machine: the same gate, the same names, and nothing beyond loopback.
#include "broker/net/link_socket.h"
#include "broker/net/live_socket.h"
#include "broker/net/router_endpoint.h"
#include "tests/unit/net/net_fixture.h"

namespace lianxi::net {
namespace {

EndpointOptions plain_endpoint(const std::string& address) {
  EndpointOptions options;
  options.name = "data";
  options.endpoint = address;
  options.max_message_bytes = 1 << 20;
  options.security = Security::plain;
  return options;
}

class PlainTest : public NetTest {
 protected:
  void SetUp() override {
    table.replace({{police.public_key, "330800.police.dispatch"}, {fire.public_key, "330800.fire.dispatch"}});
    auto started = ZapHandler::start(
        context, table, [this](const ZapRejection&) { ++rejections; }, Security::plain);
    ASSERT_TRUE(started) << started.error().detail;
    zap = std::move(*started);
    auto opened = RouterEndpoint::open(context, table, plain_endpoint("tcp://127.0.0.1:*"));
    ASSERT_TRUE(opened) << opened.error().detail;
    endpoint = std::move(*opened);
  }
  zmq::socket_t plain_client(const std::string& agent, const std::string& key) {
    zmq::socket_t socket(client_context, zmq::socket_type::dealer);
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::plain_username, agent);
    socket.set(zmq::sockopt::plain_password, key);
    socket.connect(endpoint->endpoint());
    return socket;
  }
  Received receive() { return next_of(*endpoint); }
  bool turned_away() {
    return eventually([&] {
      std::array items = {endpoint->readable()};
      wait(items, std::chrono::milliseconds(20));
      return endpoint->sweep(0).failed_handshakes > 0;
    });
  }
  std::unique_ptr<RouterEndpoint> endpoint;
};

TEST_F(PlainTest, AMessageCarriesTheAgentOfItsKey) {
  auto socket = plain_client("330800.fire.dispatch", fire.public_key);
  send(socket, {header, "payload"});
  const Received got = receive();
  ASSERT_TRUE(std::holds_alternative<Inbound>(got));
  EXPECT_EQ(std::get<Inbound>(got).agent, "330800.fire.dispatch");
}

TEST_F(PlainTest, AnotherAgentsNameIsTurnedAway) {
  auto socket = plain_client("330800.police.dispatch", fire.public_key);
  send(socket, {header, "payload"});
  EXPECT_TRUE(turned_away());
  EXPECT_EQ(rejections, 1);
  EXPECT_TRUE(std::holds_alternative<std::monostate>(endpoint->receive()));
}

TEST_F(PlainTest, AClientWithoutAnyNameIsTurnedAway) {
  zmq::socket_t socket(client_context, zmq::socket_type::dealer);
  socket.set(zmq::sockopt::linger, 0);
  socket.connect(endpoint->endpoint());
  send(socket, {header, "payload"});
  EXPECT_TRUE(turned_away());
}

TEST_F(PlainTest, AKeyTakenAwayIsRefusedOnItsOpenConnection) {
  auto socket = plain_client("330800.police.dispatch", police.public_key);
  send(socket, {header, "payload"});
  ASSERT_TRUE(std::holds_alternative<Inbound>(receive()));
  table.replace({});
  send(socket, {header, "payload"});
  const Received got = receive();
  ASSERT_TRUE(std::holds_alternative<Rejected>(got));
  EXPECT_EQ(std::get<Rejected>(got).refusal.code, RefusalCode::unknown_key);
}

TEST_F(PlainTest, ALinkSpeaksInItsNodesName) {
  LinkOptions options;
  options.endpoint = endpoint->endpoint();
  options.keys = police;
  options.security = Security::plain;
  options.agent = "330800.police.dispatch";
  options.max_message_bytes = 1 << 20;
  auto link = LinkSocket::connect(context, options);
  ASSERT_TRUE(link);
  ASSERT_TRUE((*link)->send({Bytes(kHeaderBytes, 'h'), Bytes{'a'}}));
  const Received got = receive();
  ASSERT_TRUE(std::holds_alternative<Inbound>(got));
  EXPECT_EQ(std::get<Inbound>(got).agent, "330800.police.dispatch");
}

TEST_F(PlainTest, WhatOtherMachinesReachIsNeitherBoundNorConnected) {
  for (const std::string address : {"tcp://*:*", "tcp://0.0.0.0:*", "tcp://localhost:*"}) {
    const auto opened = RouterEndpoint::open(context, table, plain_endpoint(address));
    ASSERT_FALSE(opened) << address;
    EXPECT_EQ(opened.error().code, NetError::bad_endpoint);
    EXPECT_NE(opened.error().detail.find("not loopback"), std::string::npos) << opened.error().detail;
    LiveSocket::Options live;
    live.endpoint = address;
    live.security = Security::plain;
    EXPECT_FALSE(LiveSocket::open(context, table, live, {}, {})) << address;
  }
  LinkOptions link;
  link.endpoint = "tcp://192.0.2.1:7301";
  link.security = Security::plain;
  const auto connected = LinkSocket::connect(context, link);
  ASSERT_FALSE(connected);
  EXPECT_EQ(connected.error().code, NetError::bad_endpoint);
}

}  // namespace
}  // namespace lianxi::net
