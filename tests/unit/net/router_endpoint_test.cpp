#include "broker/net/router_endpoint.h"

#include "tests/unit/net/net_fixture.h"

namespace lianxi::net {
namespace {

constexpr std::size_t kTestMaxMessage = 1024 * 1024;
constexpr std::size_t kLargePayload = kTestMaxMessage - 1024;  // CURVE's own bytes count too

class RouterEndpointTest : public NetTest {
 protected:
  void SetUp() override {
    NetTest::SetUp();
    auto opened = RouterEndpoint::open(context, table,
                                       {.name = "data",
                                        .endpoint = "tcp://127.0.0.1:*",
                                        .keys = node,
                                        .send_hwm = 4,
                                        .max_message_bytes = kTestMaxMessage,
                                        .ledger = ledger});
    ASSERT_TRUE(opened) << opened.error().detail;
    endpoint = std::move(*opened);
    socket = client(zmq::socket_type::dealer, police);
    socket.connect(endpoint->endpoint());
  }
  // What comes next, sweeping as the broker's loop does.
  Received receive() { return next_of(*endpoint); }
  Inbound receive_message() {
    Received got = receive();
    if (!std::holds_alternative<Inbound>(got)) {
      ADD_FAILURE() << "no message";
      return {};
    }
    return std::get<Inbound>(std::move(got));
  }
  bool loses_a_connection() {
    return eventually([&] {
      std::array items = {endpoint->readable()};
      wait(items, std::chrono::milliseconds(10));
      (void)endpoint->receive();
      auto swept = endpoint->sweep(0);
      cut += swept.cut.all();
      return !swept.lost.empty() || swept.cut.all() > 0;
    });
  }
  static Bytes header_bytes() { return Bytes(kHeaderBytes, 'h'); }
  std::size_t cut = 0;
  std::shared_ptr<SendLedger> ledger = std::make_shared<SendLedger>();
  std::unique_ptr<RouterEndpoint> endpoint;
  zmq::socket_t socket;
};

TEST_F(RouterEndpointTest, OnePayloadGoesToSeveralConnectionsAndIsFreedWhenTheLastHasIt) {
  zmq::socket_t second = client(zmq::socket_type::dealer, fire);
  second.connect(endpoint->endpoint());
  send(socket, {header, "one"});
  send(second, {header, "two"});
  const std::string routings[] = {receive_message().routing, receive_message().routing};
  auto payload = std::make_shared<const Bytes>(100'000, std::uint8_t{'p'});
  const std::weak_ptr<const Bytes> watched = payload;
  for (const std::string& routing : routings)
    EXPECT_EQ(endpoint->send_shared(routing, Bytes(kHeaderBytes, 'd'), payload), SendOutcome::sent);
  payload.reset();
  for (zmq::socket_t* reader : {&socket, &second}) {
    const std::vector<std::string> parts = read(*reader);
    ASSERT_EQ(parts.size(), 2U);
    EXPECT_EQ(parts[1], std::string(100'000, 'p'));
  }
  EXPECT_TRUE(eventually([&] {
    (void)endpoint->has_input();  // the socket's thread frees what its I/O thread has sent
    return watched.expired();
  }));
}

TEST_F(RouterEndpointTest, SaysWhetherAMessageWaits) {
  EXPECT_FALSE(endpoint->has_input());
  send(socket, {header, "question"});
  EXPECT_TRUE(eventually([&] { return endpoint->has_input(); }));
  (void)receive_message();
  EXPECT_FALSE(endpoint->has_input());
}

TEST_F(RouterEndpointTest, BindsToAFreePortAndNamesIt) {
  EXPECT_EQ(endpoint->endpoint().find("tcp://127.0.0.1:"), 0U);
  EXPECT_EQ(endpoint->endpoint().find('*'), std::string::npos);
}

TEST_F(RouterEndpointTest, APortInUseSaysWhichEndpointAndHowToMend) {
  auto second =
      RouterEndpoint::open(context, table, {"data", endpoint->endpoint(), node, IoThread::rest, 32, 4, kTestMaxMessage});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, NetError::address_in_use);
  EXPECT_NE(second.error().detail.find(endpoint->endpoint()), std::string::npos);
  EXPECT_NE(second.error().detail.find("change data in [endpoints]"), std::string::npos);
}

TEST_F(RouterEndpointTest, AnEndpointThatIsNoAddressIsRefused) {
  auto opened = RouterEndpoint::open(context, table, {"data", "tcp:/nowhere", node, IoThread::rest, 32, 4, kTestMaxMessage});
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, NetError::bad_endpoint);
}

TEST_F(RouterEndpointTest, AnswersGoBackToTheConnectionThatAsked) {
  send(socket, {header, "question"});
  const Inbound got = receive_message();
  EXPECT_EQ(std::string(got.payload.begin(), got.payload.end()), "question");
  EXPECT_EQ(endpoint->send(got.routing, {Bytes(kHeaderBytes, 'a'), Bytes{'y', 'e', 's'}}), SendOutcome::sent);
  EXPECT_EQ(read(socket), (std::vector<std::string>{std::string(kHeaderBytes, 'a'), "yes"}));
}

TEST_F(RouterEndpointTest, AnAnswerToNobodyIsGone) {
  EXPECT_EQ(endpoint->send("nobody", {Bytes(kHeaderBytes), Bytes(1)}), SendOutcome::gone);
}

TEST_F(RouterEndpointTest, APeerThatDoesNotReadFillsItsQueueAndNothingBlocks) {
  auto idle = client(zmq::socket_type::dealer, fire);
  idle.set(zmq::sockopt::rcvhwm, 1);  // else its libzmq may take all of them in
  idle.set(zmq::sockopt::rcvbuf, 4096);
  idle.connect(endpoint->endpoint());
  send(idle, {header, "question"});
  const Inbound got = receive_message();
  SendOutcome outcome = SendOutcome::sent;
  for (int i = 0; i < 1000 && outcome == SendOutcome::sent; ++i)
    outcome = endpoint->send(got.routing, {Bytes(kHeaderBytes), Bytes(kTestMaxMessage / 2)});
  EXPECT_EQ(outcome, SendOutcome::full);
}

TEST_F(RouterEndpointTest, ALostConnectionIsReported) {
  send(socket, {header, "question"});
  const Inbound got = receive_message();
  socket.close();
  RouterEndpoint::Swept swept;
  EXPECT_TRUE(eventually([&] {
    std::array items = {endpoint->readable()};
    wait(items, std::chrono::milliseconds(10));
    swept = endpoint->sweep(0);
    return !swept.lost.empty();
  }));
  EXPECT_EQ(swept.lost, std::vector<std::string>{got.routing});
}

struct Misshapen {
  std::string name;
  std::vector<std::string> parts;
  std::string field;
};
class MisshapenTest : public RouterEndpointTest, public ::testing::WithParamInterface<Misshapen> {};

TEST_P(MisshapenTest, IsRefusedAndCutAndTheNextClientIsServed) {
  send(socket, GetParam().parts);
  const Received got = receive();
  ASSERT_TRUE(std::holds_alternative<Rejected>(got));
  const Rejected& rejected = std::get<Rejected>(got);
  EXPECT_EQ(rejected.agent, "330800.police.dispatch");
  EXPECT_EQ(rejected.refusal.code, RefusalCode::malformed);
  EXPECT_EQ(rejected.refusal.field, GetParam().field);
  // The refusal still reaches the sender before its connection is cut.
  EXPECT_EQ(endpoint->send(rejected.routing, {Bytes(kHeaderBytes, 'r'), Bytes{'n', 'o'}}), SendOutcome::sent);
  EXPECT_EQ(read(socket), (std::vector<std::string>{std::string(kHeaderBytes, 'r'), "no"}));
  EXPECT_TRUE(loses_a_connection());

  auto other = client(zmq::socket_type::dealer, fire);
  other.connect(endpoint->endpoint());
  send(other, {header, "well shaped"});
  EXPECT_EQ(receive_message().agent, "330800.fire.dispatch");
}

INSTANTIATE_TEST_SUITE_P(Messages, MisshapenTest,
                         ::testing::Values(Misshapen{"OneFrame", {std::string(kHeaderBytes, 'h')}, "frames"},
                                           Misshapen{"ThreeFrames", {std::string(kHeaderBytes, 'h'), "a", "b"}, "frames"},
                                           Misshapen{"HundredFrames",
                                                     [] {
                                                       std::vector<std::string> parts(100, "x");
                                                       parts[0] = std::string(kHeaderBytes, 'h');
                                                       return parts;
                                                     }(),
                                                     "frames"},
                                           Misshapen{"ShortHeader", {"h", "payload"}, "header"},
                                           Misshapen{"EmptyDelimiter", {"", std::string(kHeaderBytes, 'h'), "payload"}, "header"},
                                           Misshapen{"LongHeader", {std::string(kHeaderBytes + 1, 'h'), "payload"}, "header"},
                                           Misshapen{"Empty", {""}, "header"}),
                         [](const auto& tested) { return tested.param.name; });

TEST_F(RouterEndpointTest, ARoutingIdOfTheClientsOwnIsRefused) {
  auto other = client(zmq::socket_type::dealer, fire);
  other.set(zmq::sockopt::routing_id, "somebody else");
  other.connect(endpoint->endpoint());
  send(other, {header, "payload"});
  const Received got = receive();
  ASSERT_TRUE(std::holds_alternative<Rejected>(got));
  EXPECT_EQ(std::get<Rejected>(got).refusal.field, "routing");
}

TEST_F(RouterEndpointTest, AFloodIsCutThoughTheSocketsThreadStandsStill) {
  auto opened = RouterEndpoint::open(context, table,
                                     {.name = "data",
                                      .endpoint = "tcp://127.0.0.1:*",
                                      .keys = node,
                                      .max_message_bytes = kTestMaxMessage,
                                      .max_waiting_bytes = 4 * kTestMaxMessage});
  ASSERT_TRUE(opened) << opened.error().detail;
  auto hostile = client(zmq::socket_type::dealer, fire);
  ASSERT_EQ(zmq_socket_monitor(hostile.handle(), "inproc://hostile", ZMQ_EVENT_DISCONNECTED), 0);
  zmq::socket_t cuts(client_context, zmq::socket_type::pair);
  cuts.connect("inproc://hostile");
  hostile.connect((*opened)->endpoint());
  const std::string part(kTestMaxMessage / 2, 'x');
  for (int i = 0; i < 200; ++i) hostile.send(zmq::buffer(part), zmq::send_flags::sndmore);
  hostile.send(zmq::buffer(part), zmq::send_flags::none);
  // Nobody receives here, and nobody sweeps.
  EXPECT_FALSE(read(cuts).empty()) << "it was not cut";
  EXPECT_TRUE(eventually([&] { return (*opened)->sweep(0).cut.waiting > 0; })) << "it was counted";
  EXPECT_TRUE(std::holds_alternative<std::monostate>((*opened)->receive())) << "the flood came through";
  zmq_socket_monitor(hostile.handle(), nullptr, 0);
}

TEST_F(RouterEndpointTest, ALargeButWholeMessageIsNotCut) {
  for (int i = 0; i < 8; ++i) {
    send(socket, {header, std::string(kLargePayload, 'x')});
    EXPECT_EQ(receive_message().payload.size(), kLargePayload);
    EXPECT_EQ(endpoint->sweep(0).cut.all(), 0U);
  }
}

TEST_F(RouterEndpointTest, WholeMessagesThatWaitForABusyNodeAreNotCut) {
  for (int i = 0; i < 16; ++i) send(socket, {header, std::string(kLargePayload, 'x')});
  ASSERT_TRUE(eventually([&] {
    std::array items = {endpoint->readable()};
    wait(items, std::chrono::milliseconds(20));
    return items[0].ready;
  }));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(endpoint->sweep(0).cut.all(), 0U);
  for (int i = 0; i < 16; ++i) EXPECT_EQ(receive_message().payload.size(), kLargePayload);
}

TEST_F(RouterEndpointTest, ConnectionsOfATakenKeyAreCut) {
  send(socket, {header, "payload"});
  (void)receive_message();
  table.replace({});
  endpoint->cut_revoked();
  EXPECT_TRUE(loses_a_connection());
}

TEST_F(RouterEndpointTest, WhatIsQueuedForAnAgentIsBoundedOverAllItsConnections) {
  std::size_t sent = 0;
  std::vector<zmq::socket_t> others;
  const Bytes deliver = encode_frames({.type = MessageType::deliver}, Bytes(1)).header;
  for (int i = 0; i < 12; ++i) {
    auto other = client(zmq::socket_type::dealer, police);
    other.set(zmq::sockopt::rcvhwm, 1);
    other.set(zmq::sockopt::rcvbuf, 4096);
    other.connect(endpoint->endpoint());
    send(other, {header, "question"});
    const Inbound got = receive_message();
    while (sent < 1000 && endpoint->send(got.routing, {deliver, Bytes(kTestMaxMessage)}) == SendOutcome::sent) ++sent;
    others.push_back(std::move(other));
  }
  // Beside what the ledger counts, each connection has a message in libzmq's encoder and some in the kernel.
  EXPECT_LE(ledger->bytes(SendClass::delivery), kSendBounds[0].agent + static_cast<std::int64_t>(kTestMaxMessage) + 4096);
  EXPECT_EQ(ledger->bytes(SendClass::answer), 0);
  auto other = client(zmq::socket_type::dealer, fire);
  other.connect(endpoint->endpoint());
  send(other, {header, "question"});
  EXPECT_EQ(endpoint->send(receive_message().routing, {deliver, Bytes(1000)}), SendOutcome::sent) << "another agent's is its own";
  send(socket, {header, "question"});
  EXPECT_EQ(endpoint->send(receive_message().routing, {header_bytes(), Bytes(1000)}), SendOutcome::sent)
      << "answers have a budget of their own";
  others.clear();
  EXPECT_TRUE(eventually([&] {
    (void)endpoint->receive();
    (void)endpoint->sweep(0);
    return ledger->bytes(SendClass::delivery) <= 0;
  })) << "what is queued for nobody is released";
}

TEST_F(RouterEndpointTest, AConnectionThatTakesNothingIsCutAfterItsTimeAndASlowOneIsNot) {
  socket.set(zmq::sockopt::rcvhwm, 1);
  send(socket, {header, "question"});
  const Inbound got = receive_message();
  std::int64_t now = 1'000;
  const auto fill = [&] {
    while (endpoint->send(got.routing, {header_bytes(), Bytes(kTestMaxMessage / 2)}) == SendOutcome::sent) {
    }
  };
  for (int slow = 0; slow < 3; ++slow) {
    ASSERT_TRUE(eventually([&] {
      fill();
      EXPECT_TRUE(endpoint->sweep(now).stuck.empty());
      const std::int64_t queued = ledger->bytes(SendClass::answer);
      (void)read(socket, std::chrono::milliseconds(20));
      return ledger->bytes(SendClass::answer) < queued;
    }));
    fill();
    now += kStuckMs + 1;
    EXPECT_TRUE(endpoint->sweep(now).stuck.empty()) << "it has moved";
  }
  // The kernel takes what it has room for, and then no more.
  std::vector<std::string> stuck;
  ASSERT_TRUE(eventually([&] {
    fill();
    now += kStuckMs + 1;
    stuck = endpoint->sweep(now).stuck;
    return !stuck.empty();
  }));
  EXPECT_EQ(stuck, std::vector<std::string>{got.agent});
}

}  // namespace
}  // namespace lianxi::net
