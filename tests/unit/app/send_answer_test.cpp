#include <gmock/gmock.h>

#include "broker/app/intake.h"
#include "tests/unit/net/net_fixture.h"

namespace lianxi::app {
namespace {

class SendAnswerTest : public net::NetTest {};

TEST_F(SendAnswerTest, APeerThatDoesNotReadItsAnswersIsCountedAndCut) {
  constexpr std::size_t kBytes = 512 * 1024;
  auto opened =
      net::RouterEndpoint::open(context, table, {"data", "tcp://127.0.0.1:*", node, net::IoThread::rest, 32, 4, 2 * kBytes});
  ASSERT_TRUE(opened) << opened.error().detail;
  net::RouterEndpoint& endpoint = **opened;
  zmq::socket_t socket = client(zmq::socket_type::dealer, police);
  socket.set(zmq::sockopt::rcvhwm, 1);  // else its libzmq may take all of the answers in
  socket.set(zmq::sockopt::rcvbuf, 4096);
  socket.connect(endpoint.endpoint());
  send(socket, {header, "question"});
  net::Received got;
  const auto look = [&] {
    std::array items = {endpoint.readable()};
    net::wait(items, std::chrono::milliseconds(10));
    got = endpoint.receive();
  };
  ASSERT_TRUE(net::eventually([&] {
    look();
    return std::holds_alternative<net::Inbound>(got);
  }));
  const std::string routing = std::get<net::Inbound>(got).routing;
  Metrics metrics;
  net::SendOutcome outcome = net::SendOutcome::sent;
  for (int i = 0; i < 1000 && outcome == net::SendOutcome::sent; ++i)
    outcome = send_answer(endpoint, routing, {Bytes(kHeaderBytes), Bytes(kBytes)}, metrics);
  EXPECT_EQ(outcome, net::SendOutcome::full);
  EXPECT_THAT(metrics.rows(), ::testing::Contains(CounterRow{"lianxi_answers_unsent_total", 1}));
  // Its queue has room again; what comes behind a lost answer would come out of turn.
  ASSERT_TRUE(net::eventually([&] {
    zmq::message_t read;
    while (socket.recv(read, zmq::recv_flags::dontwait)) {
    }
    return endpoint.send(routing, {Bytes(kHeaderBytes), Bytes(1)}) != net::SendOutcome::full;
  }));
  EXPECT_EQ(endpoint.send(routing, {Bytes(kHeaderBytes), Bytes(1)}), net::SendOutcome::gone);
  std::vector<std::string> lost;
  EXPECT_TRUE(net::eventually([&] {
    look();
    for (std::string& one : endpoint.sweep(0).lost) lost.push_back(std::move(one));
    return !lost.empty();
  }));
  EXPECT_EQ(lost, std::vector<std::string>{routing});
}

}  // namespace
}  // namespace lianxi::app
