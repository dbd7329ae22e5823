#include "broker/net/router_endpoint.h"
#include "tests/unit/net/net_fixture.h"

namespace lianxi::net {
namespace {

class ZapTest : public NetTest {
 protected:
  void SetUp() override {
    NetTest::SetUp();
    auto opened = RouterEndpoint::open(context, table, {"data", "tcp://127.0.0.1:*", node, IoThread::rest, 32, 64, 1 << 20});
    ASSERT_TRUE(opened) << opened.error().detail;
    endpoint = std::move(*opened);
  }
  Received receive(std::chrono::milliseconds patience = kPatience) {
    Received got;
    eventually(
        [&] {
          std::array items = {endpoint->readable()};
          wait(items, std::chrono::milliseconds(20));
          got = endpoint->receive();
          return !std::holds_alternative<std::monostate>(got);
        },
        patience);
    return got;
  }
  std::unique_ptr<RouterEndpoint> endpoint;
};

TEST_F(ZapTest, AMessageCarriesTheAgentOfItsKey) {
  auto socket = client(zmq::socket_type::dealer, fire);
  socket.connect(endpoint->endpoint());
  send(socket, {header, "payload"});
  const Received got = receive();
  ASSERT_TRUE(std::holds_alternative<Inbound>(got));
  EXPECT_EQ(std::get<Inbound>(got).agent, "330800.fire.dispatch");
}

TEST_F(ZapTest, AnUnknownKeyIsTurnedAwayAndCounted) {
  auto socket = client(zmq::socket_type::dealer, stranger);
  socket.connect(endpoint->endpoint());
  send(socket, {header, "payload"});
  EXPECT_TRUE(eventually([&] {
    std::array items = {endpoint->readable()};
    wait(items, std::chrono::milliseconds(20));
    return rejections > 0;
  }));
  EXPECT_TRUE(std::holds_alternative<std::monostate>(endpoint->receive()));
}

TEST_F(ZapTest, AConnectionWithoutCurveSendsNothing) {
  zmq::socket_t socket(client_context, zmq::socket_type::dealer);
  socket.set(zmq::sockopt::linger, 0);
  socket.connect(endpoint->endpoint());
  send(socket, {header, "payload"});
  EXPECT_TRUE(eventually([&] {
    std::array items = {endpoint->readable()};
    wait(items, std::chrono::milliseconds(20));
    return endpoint->sweep(0).failed_handshakes > 0;
  }));
  EXPECT_TRUE(std::holds_alternative<std::monostate>(endpoint->receive()));
}

TEST_F(ZapTest, AKeyAddedLaterIsAdmitted) {
  table.replace({{stranger.public_key, "330800.emergency.duty"}});
  auto socket = client(zmq::socket_type::dealer, stranger);
  socket.connect(endpoint->endpoint());
  send(socket, {header, "payload"});
  const Received got = receive();
  ASSERT_TRUE(std::holds_alternative<Inbound>(got));
  EXPECT_EQ(std::get<Inbound>(got).agent, "330800.emergency.duty");
}

TEST_F(ZapTest, AKeyTakenAwayIsRefusedOnItsOpenConnection) {
  auto socket = client(zmq::socket_type::dealer, police);
  socket.connect(endpoint->endpoint());
  send(socket, {header, "payload"});
  ASSERT_TRUE(std::holds_alternative<Inbound>(receive()));
  table.replace({{fire.public_key, "330800.fire.dispatch"}});
  send(socket, {header, "payload"});
  const Received got = receive();
  ASSERT_TRUE(std::holds_alternative<Rejected>(got));
  EXPECT_EQ(std::get<Rejected>(got).refusal.code, RefusalCode::unknown_key);
}

}  // namespace
}  // namespace lianxi::net
