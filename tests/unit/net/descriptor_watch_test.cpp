#include "broker/net/descriptor_watch.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

namespace lianxi::net {
namespace {

constexpr std::uint64_t kBound = 100'000;

// Two ends of a TCP connection: `near` is the watched one.
class DescriptorWatchTest : public ::testing::Test {
 protected:
  void SetUp() override {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address_), sizeof address_), 0);
    ASSERT_EQ(::listen(listener_, 4), 0);
    socklen_t size = sizeof address_;
    ASSERT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address_), &size), 0);
    connect();
  }
  void TearDown() override {
    ::close(far_);
    ::close(near_);
    ::close(listener_);
  }
  void connect() {
    far_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ASSERT_EQ(::connect(far_, reinterpret_cast<sockaddr*>(&address_), sizeof address_), 0);
    near_ = ::accept(listener_, nullptr, nullptr);
    ASSERT_GE(near_, 0);
  }
  // Sends and takes out so many bytes, as libzmq's I/O thread does.
  void flow(std::size_t bytes) {
    std::vector<char> buffer(bytes, 'x');
    ASSERT_EQ(::send(far_, buffer.data(), bytes, 0), static_cast<ssize_t>(bytes));
    ASSERT_EQ(::recv(near_, buffer.data(), bytes, MSG_WAITALL), static_cast<ssize_t>(bytes));
  }
  bool far_end_is_closed() {
    pollfd item{far_, POLLIN, 0};
    if (::poll(&item, 1, 5000) != 1) return false;
    char byte = 0;
    return ::recv(far_, &byte, 1, 0) == 0;
  }
  int listener_ = -1, far_ = -1, near_ = -1;
  sockaddr_in address_{};
  DescriptorWatch watch_{{.message_bytes = kBound}};
};

TEST_F(DescriptorWatchTest, BytesWithoutAMessageAreCutAboveTheBound) {
  watch_.opened(near_);
  flow(kBound + 1);
  EXPECT_EQ(watch_.sweep().all(), 0U) << "a sweep judges what the sweep before saw";
  watch_.drained();
  EXPECT_EQ(watch_.sweep().all(), 1U);
  EXPECT_TRUE(far_end_is_closed());
}

TEST_F(DescriptorWatchTest, BytesUpToTheBoundAreNotCut) {
  watch_.opened(near_);
  flow(kBound);
  for (int i = 0; i < 5; ++i) {
    watch_.drained();
    EXPECT_EQ(watch_.sweep().all(), 0U);
  }
  EXPECT_TRUE(watch_.suspicious());
}

TEST_F(DescriptorWatchTest, AMessageTakenOutStartsTheCountAnew) {
  watch_.opened(near_);
  for (int i = 0; i < 10; ++i) {
    flow(kBound / 2);
    watch_.yielded(near_, 0, "agent");
    watch_.drained();
    EXPECT_EQ(watch_.sweep().all(), 0U);
  }
}

TEST_F(DescriptorWatchTest, NothingIsCutWhileMessagesStillWaitToBeRead) {
  watch_.opened(near_);
  flow(3 * kBound);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(watch_.sweep().all(), 0U);
}

TEST_F(DescriptorWatchTest, ADescriptorGivenOutAgainIsAnotherConnection) {
  watch_.opened(near_);
  const std::uint64_t cookie = connection_cookie(near_);
  const int number = near_;
  ::close(near_);
  ::close(far_);
  connect();
  ASSERT_EQ(::dup2(near_, number), number);
  EXPECT_NE(connection_cookie(number), cookie);
  EXPECT_FALSE(cut_connection(number, cookie));
  EXPECT_EQ(watch_.sweep().all(), 0U);
  EXPECT_EQ(watch_.size(), 0U);
  if (number != near_) ::close(number);
}

TEST_F(DescriptorWatchTest, WhatIsNoConnectionHasNoCookie) {
  EXPECT_EQ(connection_cookie(-1), 0U);
  EXPECT_EQ(connection_cookie(listener_), 0U);
  int pipe_ends[2];
  ASSERT_EQ(::pipe(pipe_ends), 0);
  EXPECT_EQ(connection_cookie(pipe_ends[0]), 0U);
  ::close(pipe_ends[0]);
  ::close(pipe_ends[1]);
}

TEST_F(DescriptorWatchTest, WhoHasTheMostWaitingLosesItsLargestConnectionWhenTooMuchWaitsInAll) {
  DescriptorWatch watch({.message_bytes = 10 * kBound, .waiting_bytes = 2 * kBound});
  const int modest_far = far_, modest = near_;
  watch.opened(modest);
  watch.yielded(modest, 0, "modest");
  flow(kBound / 2);
  connect();
  const int greedy_far = far_, greedy = near_;
  watch.opened(greedy);
  watch.yielded(greedy, 0, "greedy");
  flow(kBound);
  EXPECT_EQ(watch.sweep().all(), 0U);
  EXPECT_GE(watch.waiting_bytes(), kBound);
  flow(kBound);
  EXPECT_EQ(watch.sweep().waiting, 1U);
  EXPECT_TRUE(far_end_is_closed());
  far_ = modest_far;
  EXPECT_EQ(::recv(far_, &address_, 1, MSG_DONTWAIT), -1) << "the modest one stays";
  ::close(greedy_far);
  ::close(modest);
}

TEST_F(DescriptorWatchTest, TooManyConnectionsOfAnAgentAreCutTheNewestFirst) {
  DescriptorWatch watch({.message_bytes = kBound, .connections = 8, .connections_of_agent = 1});
  watch.opened(near_);
  watch.yielded(near_, 0, "agent");
  const int first = far_, first_near = near_;
  connect();
  watch.opened(near_);
  watch.yielded(near_, 0, "agent");
  EXPECT_EQ(watch.sweep().crowded, 1U);
  EXPECT_TRUE(far_end_is_closed());
  EXPECT_EQ(::recv(first, &address_, 1, MSG_DONTWAIT), -1) << "the first stays";
  EXPECT_EQ(watch.sweep().all(), 0U);
  ::close(first);
  ::close(first_near);
}

TEST_F(DescriptorWatchTest, AboveTheBoundOfAllWhoeverHasSaidNothingGoesFirst) {
  DescriptorWatch watch({.message_bytes = kBound, .connections = 1, .connections_of_agent = 1});
  watch.opened(near_);
  const int silent = far_, silent_near = near_;
  connect();
  const int speaking = far_;
  watch.opened(near_);
  watch.yielded(near_, 0, "agent");
  EXPECT_EQ(watch.sweep().crowded, 1U);
  far_ = silent;
  EXPECT_TRUE(far_end_is_closed());
  ::close(speaking);
  ::close(silent_near);
}

TEST_F(DescriptorWatchTest, TheSenderOfAMessageIsInDoubtUntilTheMessagesOfTheFormerConnectionAreOut) {
  watch_.opened(near_);
  EXPECT_EQ(watch_.sender(near_), connection_cookie(near_));
  const int number = near_;
  ::close(near_);
  ::close(far_);
  connect();
  ASSERT_EQ(::dup2(near_, number), number);
  watch_.opened(number);
  EXPECT_EQ(watch_.sender(number), 0U) << "a message read now may be of the former one";
  EXPECT_EQ(watch_.sweep().all(), 0U);
  EXPECT_EQ(watch_.sender(number), 0U);
  watch_.drained();
  EXPECT_EQ(watch_.sender(number), connection_cookie(number));
  if (number != near_) ::close(number);
}

TEST_F(DescriptorWatchTest, AConnectionThatCameAndWentBetweenTwoLooksLeavesItsNumberInDoubt) {
  watch_.opened(near_);
  watch_.opened(near_);  // told of twice: of the former and of this one
  EXPECT_EQ(watch_.sender(near_), 0U);
  watch_.drained();
  EXPECT_EQ(watch_.sender(near_), connection_cookie(near_));
}

TEST_F(DescriptorWatchTest, WhatLibzmqHasNotReadIsNoMessageWithoutEnd) {
  DescriptorWatch watch({.message_bytes = kBound / 10});
  watch.opened(near_);
  std::vector<char> buffer(kBound / 5, 'x');
  ASSERT_EQ(::send(far_, buffer.data(), buffer.size(), 0), static_cast<ssize_t>(buffer.size()));
  for (int i = 0; i < 5; ++i) {
    watch.drained();
    EXPECT_EQ(watch.sweep().all(), 0U) << "its I/O thread stalls";
  }
  EXPECT_EQ(watch.waiting_bytes(), buffer.size()) << "it waits all the same";
  ASSERT_EQ(::recv(near_, buffer.data(), buffer.size(), MSG_WAITALL), static_cast<ssize_t>(buffer.size()));
  watch.drained();
  EXPECT_EQ(watch.sweep().all(), 0U) << "a message may come of it until the next sweep";
  watch.drained();
  EXPECT_EQ(watch.sweep().endless, 1U);
}

TEST_F(DescriptorWatchTest, ADoubtfulConnectionDoesNotTakeTheNameOfTheFormerOne) {
  DescriptorWatch watch({.message_bytes = kBound, .connections = 8, .connections_of_agent = 1});
  const int first_far = far_, first_near = near_;
  watch.opened(near_);
  watch.opened(near_);                // told of twice: of a former one and of this
  watch.yielded(near_, 0, "former");  // its last message
  watch.drained();
  watch.yielded(near_, 0, "newcomer");
  connect();
  watch.opened(near_);
  watch.yielded(near_, 0, "former");
  EXPECT_EQ(watch.sweep().crowded, 0U) << "each agent has one connection";
  ::close(first_far);
  ::close(first_near);
}

}  // namespace
}  // namespace lianxi::net
