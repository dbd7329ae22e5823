#include "broker/net/live_guard.h"

#include <algorithm>
#include <array>
#include <utility>

#include "broker/net/descriptor_watch.h"

namespace lianxi::net {

namespace {
constexpr std::chrono::milliseconds kLookEvery{20};
constexpr std::chrono::milliseconds kIdle{500};  // nobody is connected
constexpr std::size_t kForgottenAtOnce = kLiveForgottenBytesPerSecond * kLookEvery.count() / 1000;
}  // namespace

LiveGuard::LiveGuard(Context& context, zmq::socket_t& socket)
    : monitor_(context_of(context), socket, ZMQ_EVENT_ACCEPTED), thread_([this] { run(); }) {}

LiveGuard::~LiveGuard() {
  stop_.signal();
  thread_.join();
}

std::vector<int> LiveGuard::take_accepted() {
  const std::lock_guard lock(mutex_);
  return std::exchange(accepted_, {});
}

void LiveGuard::run() {
  for (;;) {
    std::array items = {WaitItem{monitor_.handle()}, WaitItem{nullptr, stop_.fd()}};
    wait(items, connections_.empty() ? kIdle : kLookEvery);
    if (items[1].ready) return;
    if (items[0].ready) hear();
    look(items[0].ready ? 0 : kForgottenAtOnce);
    cut_largest();
  }
}

void LiveGuard::hear() {
  for (const SocketEvent& event : monitor_.take()) {
    if (const std::uint64_t cookie = connection_cookie(event.value); cookie != 0) {
      Connection& known = connections_[event.value];
      if (known.cookie != cookie) known = {cookie, 0, 0};
    }
    const std::lock_guard lock(mutex_);
    accepted_.push_back(event.value);
  }
}

void LiveGuard::look(std::size_t forgotten) {
  level_ = 0;
  for (auto it = connections_.begin(); it != connections_.end();) {
    auto& [fd, known] = *it;
    if (connection_cookie(fd) != known.cookie) {
      it = connections_.erase(it);
      continue;
    }
    const std::uint64_t received = std::max<std::uint64_t>(bytes_received(fd), kLiveHandshakeBytes);
    const std::uint64_t before = std::max<std::uint64_t>(known.received, kLiveHandshakeBytes);
    known.received = received;
    known.level += static_cast<std::size_t>(received - std::min(received, before));
    known.level -= std::min(known.level, forgotten);
    if (known.level > kLiveConnectionBytes) {
      cut_ += cut_connection(fd, known.cookie) ? 1 : 0;
      it = connections_.erase(it);
      continue;
    }
    level_ += known.level;
    ++it;
  }
}

void LiveGuard::cut_largest() {
  while (level_ > kLiveBytes && !connections_.empty()) {
    const auto most = std::max_element(connections_.begin(), connections_.end(),
                                       [](const auto& a, const auto& b) { return a.second.level < b.second.level; });
    cut_ += cut_connection(most->first, most->second.cookie) ? 1 : 0;
    level_ -= most->second.level;
    connections_.erase(most);
  }
}

}  // namespace lianxi::net
