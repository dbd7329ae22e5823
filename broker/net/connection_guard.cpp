#include "broker/net/connection_guard.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "broker/net/zmq_socket.h"

namespace lianxi::net {

namespace {
constexpr std::chrono::milliseconds kLookEvery{20};
constexpr std::chrono::milliseconds kIdle{100};  // nobody is connected
}  // namespace

struct ConnectionGuard::State {
  State(Context& context, zmq::socket_t& socket, int wanted, std::uint64_t most)
      : waiting_bytes(most), monitor(context_of(context), socket, wanted), thread([this] { run(); }) {}
  ~State() {
    stop.signal();
    thread.join();
  }
  struct Connection {
    std::uint64_t cookie = 0;
    std::shared_ptr<HandedOut> handed;
    std::string agent;
  };
  struct Waiting {
    int fd = -1;
    std::uint64_t cookie = 0;
    std::shared_ptr<HandedOut> handed;
    std::string agent;
    std::uint64_t bytes = 0;
  };
  void run();
  void hear();
  Connection& note(int fd, std::uint64_t cookie);
  std::vector<Waiting> look();
  void bound(std::vector<Waiting> waiting);

  const std::uint64_t waiting_bytes;
  std::mutex mutex;  // of the next three; the monitor's socket moves between threads under it
  SocketMonitor monitor;
  std::map<int, Connection> connections;
  std::vector<SocketEvent> events;
  std::atomic<std::size_t> cut{0};
  Wakeup stop;
  std::thread thread;
};

void ConnectionGuard::State::run() {
  bool idle = true;
  for (;;) {
    std::array items = {WaitItem{nullptr, stop.fd()}};
    wait(items, idle ? kIdle : kLookEvery);
    if (items[0].ready) return;
    std::vector<Waiting> waiting = look();
    idle = waiting.empty();
    bound(std::move(waiting));
  }
}

ConnectionGuard::State::Connection& ConnectionGuard::State::note(int fd, std::uint64_t cookie) {
  Connection& known = connections[fd];
  if (known.cookie != cookie || !known.handed) known = {cookie, std::make_shared<HandedOut>(), {}};
  return known;
}

void ConnectionGuard::State::hear() {
  for (const SocketEvent& event : monitor.take()) {
    if (const std::uint64_t cookie = connection_cookie(event.value); event.event == ZMQ_EVENT_ACCEPTED && cookie != 0)
      (void)note(event.value, cookie);
    events.push_back(event);
  }
}

// What waits of each open connection. The kernel is asked without the lock: whoever counts messages never waits for it.
std::vector<ConnectionGuard::State::Waiting> ConnectionGuard::State::look() {
  std::vector<Waiting> all;
  {
    const std::lock_guard lock(mutex);
    hear();
    for (const auto& [fd, known] : connections) all.push_back({fd, known.cookie, known.handed, known.agent});
  }
  std::vector<Waiting> gone;
  for (Waiting& one : all) {
    const std::uint64_t handed = one.handed->bytes.load(std::memory_order_relaxed);  // first: it only grows
    const std::uint64_t received = bytes_received(one.fd);
    if (connection_cookie(one.fd) != one.cookie) gone.push_back(one);
    one.bytes = received - std::min(received, handed);
  }
  const std::lock_guard lock(mutex);
  for (const Waiting& one : gone) {
    std::erase_if(all, [&](const Waiting& other) { return other.fd == one.fd; });
    if (const auto found = connections.find(one.fd); found != connections.end() && found->second.cookie == one.cookie)
      connections.erase(found);
  }
  return all;
}

void ConnectionGuard::State::bound(std::vector<Waiting> waiting) {
  std::uint64_t sum = 0;
  std::map<std::string, std::uint64_t> of_agent;
  for (const Waiting& one : waiting) {
    sum += one.bytes;
    of_agent[one.agent] += one.bytes;
  }
  while (sum > waiting_bytes) {
    const auto most =
        std::max_element(of_agent.begin(), of_agent.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    const auto largest = std::max_element(waiting.begin(), waiting.end(), [&](const Waiting& a, const Waiting& b) {
      return std::pair(a.agent == most->first, a.bytes) < std::pair(b.agent == most->first, b.bytes);
    });
    if (largest->bytes == 0) return;
    cut += cut_connection(largest->fd, largest->cookie) ? 1 : 0;
    sum -= largest->bytes;
    most->second -= largest->bytes;
    waiting.erase(largest);
  }
}

ConnectionGuard::ConnectionGuard(Context& context, zmq::socket_t& socket, int events, std::uint64_t waiting_bytes)
    : state_(std::make_unique<State>(context, socket, events, waiting_bytes)) {}
ConnectionGuard::~ConnectionGuard() = default;

std::vector<SocketEvent> ConnectionGuard::take_events() {
  const std::lock_guard lock(state_->mutex);
  state_->hear();
  return std::exchange(state_->events, {});
}

std::shared_ptr<HandedOut> ConnectionGuard::handed_out(int fd, std::uint64_t cookie) {
  const std::lock_guard lock(state_->mutex);
  return state_->note(fd, cookie).handed;
}

void ConnectionGuard::named(int fd, std::uint64_t cookie, const std::string& agent) {
  const std::lock_guard lock(state_->mutex);
  state_->note(fd, cookie).agent = agent;
}

std::size_t ConnectionGuard::take_cut() {
  return state_->cut.exchange(0);
}

}  // namespace lianxi::net
