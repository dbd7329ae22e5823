#include "broker/net/link_socket.h"

#include "broker/net/router_endpoint.h"
#include "tests/support/port.h"
#include "tests/unit/net/net_fixture.h"

namespace lianxi::net {
namespace {

class LinkSocketTest : public NetTest {
 protected:
  void SetUp() override {
    NetTest::SetUp();
    open("tcp://127.0.0.1:*");
  }
  void open(const std::string& address) {
    auto opened = RouterEndpoint::open(context, table, {"flash", address, node, IoThread::flash, 32, 64, 1 << 20});
    ASSERT_TRUE(opened) << opened.error().detail;
    peer = std::move(*opened);
  }
  LinkOptions options(const CurveKeys& keys) {
    return {peer->endpoint(), node.public_key, keys, IoThread::flash, 32, 64, 1 << 20};
  }
  std::unique_ptr<LinkSocket> connect(const LinkOptions& with) {
    auto link = LinkSocket::connect(context, with);
    EXPECT_TRUE(link);
    return link ? std::move(*link) : nullptr;
  }
  std::string lost_reason(LinkSocket& link) {
    std::string reason;
    eventually([&] {
      std::array items = {link.readable()};
      wait(items, std::chrono::milliseconds(10));
      (void)link.receive();
      auto swept = link.sweep();
      reason = swept.reason;
      return swept.lost;
    });
    return reason;
  }
  Received receive() {
    Received got;
    eventually([&] {
      std::array items = {peer->readable()};
      wait(items, std::chrono::milliseconds(10));
      got = peer->receive();
      return !std::holds_alternative<std::monostate>(got);
    });
    return got;
  }
  std::unique_ptr<RouterEndpoint> peer;
};

TEST_F(LinkSocketTest, SpeaksWithThePeersEndpoint) {
  auto link = connect(options(police));
  ASSERT_TRUE(link->send({Bytes(kHeaderBytes, 'h'), Bytes{'a'}}));
  const Received got = receive();
  ASSERT_TRUE(std::holds_alternative<Inbound>(got));
  ASSERT_EQ(peer->send(std::get<Inbound>(got).routing, {Bytes(kHeaderBytes, 'p'), Bytes{'b'}}), SendOutcome::sent);
  LinkReceived answer;
  EXPECT_TRUE(eventually([&] {
    std::array items = {link->readable()};
    wait(items, std::chrono::milliseconds(10));
    answer = link->receive();
    return std::holds_alternative<LinkInbound>(answer);
  }));
  EXPECT_EQ(std::get<LinkInbound>(answer).payload, Bytes{'b'});
}

TEST_F(LinkSocketTest, ARefusedKeyIsALossWithItsReason) {
  auto link = connect(options(stranger));
  EXPECT_EQ(lost_reason(*link), "the peer does not know this node's key");
}

TEST_F(LinkSocketTest, AClosedPeerIsALoss) {
  auto link = connect(options(police));
  ASSERT_TRUE(link->send({Bytes(kHeaderBytes, 'h'), Bytes{'a'}}));
  (void)receive();
  (void)link->sweep();
  peer.reset();
  EXPECT_EQ(lost_reason(*link), "the connection was closed by the peer or the network");
}

TEST_F(LinkSocketTest, WhatADroppedLinkHadQueuedNeverComesOverTheNewOne) {
  const test::Port reserved;
  const std::string address = reserved.endpoint();
  LinkOptions with{address, node.public_key, police, IoThread::flash, 32, 64, 1 << 20};
  auto link = connect(with);
  ASSERT_TRUE(link->send({Bytes(kHeaderBytes, 'h'), Bytes{'o', 'l', 'd'}}));
  link.reset();
  link = connect(with);
  ASSERT_TRUE(link->send({Bytes(kHeaderBytes, 'h'), Bytes{'n', 'e', 'w'}}));
  open(address);
  // libzmq closes in its own time: the old connection may still be made and say its word, but it stays another one.
  std::string old_routing;
  Received got = receive();
  ASSERT_TRUE(std::holds_alternative<Inbound>(got));
  if (std::get<Inbound>(got).payload == Bytes{'o', 'l', 'd'}) {
    old_routing = std::get<Inbound>(got).routing;
    got = receive();
    ASSERT_TRUE(std::holds_alternative<Inbound>(got));
  }
  EXPECT_EQ(std::get<Inbound>(got).payload, (Bytes{'n', 'e', 'w'}));
  EXPECT_NE(std::get<Inbound>(got).routing, old_routing);
}

}  // namespace
}  // namespace lianxi::net
