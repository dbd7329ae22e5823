// Plain sockets, for measurements on one machine: the same gate, the same names, and nothing beyond loopback.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

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

// Speaks ZMTP byte by byte: a client of libzmq sends nothing of a message before its last part is given, and this one has none.
class EndlessMessage {
 public:
  EndlessMessage(const std::string& endpoint, const std::string& agent, const std::string& key)
      : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval patience{kPatience.count(), 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(endpoint.substr(endpoint.rfind(':') + 1))));
    EXPECT_EQ(::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    std::string greeting = std::string("\xFF\0\0\0\0\0\0\0\0\x7F\x03\0PLAIN", 17);
    greeting.resize(64, '\0');
    say(greeting + command("\x05HELLO" + counted(agent) + counted(key)));
    hear(64 + command("\x07WELCOME").size());
    say(
        command(std::string("\x08INITIATE\x0BSocket-Type\0\0\0\x06"
                            "DEALER\x08Identity\0\0\0\0",
                            44)));
    say(part(std::string(kHeaderBytes, 'h')));
    next_ = part_;
  }
  ~EndlessMessage() { ::close(fd_); }
  EndlessMessage(const EndlessMessage&) = delete;
  EndlessMessage& operator=(const EndlessMessage&) = delete;
  // As much of the next part as the kernel takes now.
  void go_on() {
    const ssize_t sent = ::send(fd_, next_.data(), next_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    next_.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(0, sent)));
    if (next_.empty()) next_ = part_;
  }

 private:
  static std::string counted(const std::string& text) { return static_cast<char>(text.size()) + text; }
  static std::string command(const std::string& body) { return '\x04' + counted(body); }
  static std::string part(const std::string& bytes) {
    std::string frame = "\x03";  // long, and more to come
    for (int shift = 56; shift >= 0; shift -= 8) frame.push_back(static_cast<char>(bytes.size() >> static_cast<unsigned>(shift)));
    return frame + bytes;
  }
  void say(const std::string& bytes) const {
    EXPECT_EQ(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
  }
  void hear(std::size_t bytes) const {
    std::string heard(bytes, '\0');
    EXPECT_EQ(::recv(fd_, heard.data(), bytes, MSG_WAITALL), static_cast<ssize_t>(bytes));
  }
  int fd_;
  std::string part_ = part(std::string(512 * 1024, 'x'));
  std::string_view next_;
};

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
  EXPECT_GE(rejections, 1);  // it tries again while nobody looks
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

TEST_F(PlainTest, AMessageOfTooManyPartsIsCutBeforeItsEndWhileOthersAreServed) {
  auto socket = plain_client("330800.police.dispatch", police.public_key);
  EndlessMessage flood(endpoint->endpoint(), "330800.fire.dispatch", fire.public_key);
  int answered = 0;
  std::size_t cut = 0;
  EXPECT_TRUE(eventually([&] {
    flood.go_on();  // between two sweeps, so that it gets no further ahead however slow this thread is
    send(socket, {header, "question"});
    const Received got = receive();
    EXPECT_TRUE(std::holds_alternative<Inbound>(got)) << "the flood came through";
    if (std::holds_alternative<Inbound>(got)) ++answered;
    (void)endpoint->receive();
    cut += endpoint->sweep(0).cut.endless;
    return cut > 0;
  }));
  EXPECT_GT(answered, 1);
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
