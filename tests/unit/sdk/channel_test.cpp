#include "agents/sdk/channel.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <zmq.hpp>

#include "tests/unit/sdk/scripted_node.h"

namespace lianxi::sdk {
namespace {

constexpr int kPatienceMs = static_cast<int>(std::chrono::milliseconds(kPatience).count());

bool readable(int fd, int timeout_ms) {
  pollfd item{fd, POLLIN, 0};
  return ::poll(&item, 1, timeout_ms) > 0;
}

class ChannelToANode : public ::testing::Test {
 protected:
  ChannelToANode() : node_(context_, zmq::socket_type::router) {
    const CurveKeys server = make_curve_keys(), mine = make_curve_keys();
    node_.set(zmq::sockopt::curve_server, 1);
    node_.set(zmq::sockopt::curve_secretkey, server.secret_key);
    node_.set(zmq::sockopt::linger, 0);
    node_.set(zmq::sockopt::rcvtimeo, kPatienceMs);
    node_.bind("tcp://127.0.0.1:*");
    profile_.server_key = server.public_key;
    profile_.public_key = mine.public_key;
    profile_.secret_key = mine.secret_key;
    channel_ = std::make_unique<Channel>(
        context_, profile_, ChannelOptions{node_.get(zmq::sockopt::last_endpoint), false},
        ChannelEvents{.up = [] {}, .lost = [] {}, .message = [this](const Message&) { ++heard_; }, .beat = [] {}});
    channel_->step(0);  // connects
  }

  // As the client's thread does it: waits for the descriptors, and steps.
  void turn() {
    channel_->look_again();
    const auto [socket, monitor] = channel_->descriptors();
    pollfd items[] = {{socket, POLLIN, 0}, {monitor, POLLIN, 0}};
    (void)::poll(items, 2, channel_->due() == 0 ? 0 : kPatienceMs);
    channel_->note(items[0].revents != 0, items[1].revents != 0);
    channel_->step(0);
  }
  void greet() {
    ASSERT_TRUE(channel_->send(Heartbeat{}, 0));
    zmq::message_t header, payload;
    ASSERT_TRUE(node_.recv(peer_) && node_.recv(header) && node_.recv(payload));
  }
  void say() {
    const Frames frames = encode(Heartbeat{});
    (void)node_.send(zmq::buffer(peer_.data(), peer_.size()), zmq::send_flags::sndmore);
    (void)node_.send(zmq::buffer(frames.header), zmq::send_flags::sndmore);
    (void)node_.send(zmq::buffer(frames.payload), zmq::send_flags::none);
  }

  zmq::context_t context_{1};
  zmq::socket_t node_;
  zmq::message_t peer_;
  Profile profile_;
  int heard_ = 0;
  std::unique_ptr<Channel> channel_;
};

TEST_F(ChannelToANode, HearsWhatTheDescriptorsTell) {
  for (int turns = 0; turns < 100 && !channel_->up(); ++turns) turn();
  ASSERT_TRUE(channel_->up());
  greet();
  for (int said = 1; said <= 20; ++said) {
    say();
    for (int turns = 0; turns < 100 && heard_ < said; ++turns) turn();
    ASSERT_EQ(heard_, said);
  }
}

TEST_F(ChannelToANode, TriesAgainAfterAPauseOrAtOnceIfToldTo) {
  channel_->reset(0, "by the test");
  channel_->step(0);
  EXPECT_FALSE(channel_->trying());
  channel_->retry_now();
  channel_->step(0);
  EXPECT_TRUE(channel_->trying());
}

// libzmq's descriptor speaks once for what came; a send that processes it leaves nothing to wait for.
TEST_F(ChannelToANode, HearsWhatASendTookNoteOf) {
  for (int turns = 0; turns < 100 && !channel_->up(); ++turns) turn();
  ASSERT_TRUE(channel_->up());
  greet();
  channel_->look_again();
  channel_->step(0);
  say();
  const int socket = channel_->descriptors().socket;
  ASSERT_TRUE(readable(socket, kPatienceMs));
  for (int sends = 0; sends < 200'000 && readable(socket, 0); ++sends) (void)channel_->send(Heartbeat{}, 0);
  ASSERT_FALSE(readable(socket, 0)) << "no send took note of it";
  EXPECT_EQ(heard_, 0);
  channel_->look_again();
  EXPECT_EQ(channel_->due(), 0);
  channel_->step(0);
  EXPECT_EQ(heard_, 1);
}

}  // namespace
}  // namespace lianxi::sdk
