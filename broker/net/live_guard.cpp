#include "broker/net/live_guard.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "broker/net/descriptor_watch.h"
#include "broker/net/zmq_socket.h"

namespace lianxi::net {

namespace {
constexpr std::chrono::milliseconds kLookEvery{20};
constexpr std::chrono::milliseconds kIdle{500};  // nobody is connected
constexpr std::size_t kForgottenAtOnce = kLiveForgottenBytesPerSecond * kLookEvery.count() / 1000;
}  // namespace

struct LiveGuard::State {
  State(Context& context, zmq::socket_t& socket)
      : monitor(context_of(context), socket, ZMQ_EVENT_ACCEPTED), thread([this] { run(); }) {}
  ~State() {
    stop.signal();
    thread.join();
  }
  struct Connection {
    std::uint64_t cookie = 0;
    std::uint64_t received = 0;
    std::size_t level = 0;  // said lately
  };
  void run();
  void hear();
  void look(std::size_t forgotten);
  void cut_largest();

  SocketMonitor monitor;
  std::map<int, Connection> connections;
  std::size_t level = 0;  // of all
  std::mutex mutex;
  std::vector<int> accepted;
  std::atomic<std::size_t> cut{0};
  Wakeup stop;
  std::thread thread;
};

void LiveGuard::State::run() {
  for (;;) {
    std::array items = {WaitItem{monitor.handle()}, WaitItem{nullptr, stop.fd()}};
    wait(items, connections.empty() ? kIdle : kLookEvery);
    if (items[1].ready) return;
    if (items[0].ready) hear();
    look(items[0].ready ? 0 : kForgottenAtOnce);
    cut_largest();
  }
}

void LiveGuard::State::hear() {
  for (const SocketEvent& event : monitor.take()) {
    if (const std::uint64_t cookie = connection_cookie(event.value); cookie != 0) {
      Connection& known = connections[event.value];
      if (known.cookie != cookie) known = {cookie, 0, 0};
    }
    const std::lock_guard lock(mutex);
    accepted.push_back(event.value);
  }
}

void LiveGuard::State::look(std::size_t forgotten) {
  level = 0;
  for (auto it = connections.begin(); it != connections.end();) {
    auto& [fd, known] = *it;
    if (connection_cookie(fd) != known.cookie) {
      it = connections.erase(it);
      continue;
    }
    const std::uint64_t received = std::max<std::uint64_t>(bytes_received(fd), kLiveHandshakeBytes);
    const std::uint64_t before = std::max<std::uint64_t>(known.received, kLiveHandshakeBytes);
    known.received = received;
    known.level += static_cast<std::size_t>(received - std::min(received, before));
    known.level -= std::min(known.level, forgotten);
    if (known.level > kLiveConnectionBytes) {
      cut += cut_connection(fd, known.cookie) ? 1 : 0;
      it = connections.erase(it);
      continue;
    }
    level += known.level;
    ++it;
  }
}

void LiveGuard::State::cut_largest() {
  while (level > kLiveBytes && !connections.empty()) {
    const auto most = std::max_element(connections.begin(), connections.end(),
                                       [](const auto& a, const auto& b) { return a.second.level < b.second.level; });
    cut += cut_connection(most->first, most->second.cookie) ? 1 : 0;
    level -= most->second.level;
    connections.erase(most);
  }
}

LiveGuard::LiveGuard(Context& context, zmq::socket_t& socket) : state_(std::make_unique<State>(context, socket)) {}
LiveGuard::~LiveGuard() = default;

std::vector<int> LiveGuard::take_accepted() {
  const std::lock_guard lock(state_->mutex);
  return std::exchange(state_->accepted, {});
}

std::size_t LiveGuard::take_cut() {
  return state_->cut.exchange(0);
}

}  // namespace lianxi::net
