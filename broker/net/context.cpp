#include "broker/net/context.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "broker/net/zmq_socket.h"
#include "schemas/limits.h"

namespace lianxi::net {

namespace {
constexpr int kIoThreads = 2;
// Endpoints, links of some dozens of members, their monitors, and the sessions of the ZAP handler.
constexpr int kMaxSockets = 1024;
}  // namespace

struct Context::State {
  zmq::context_t context;
};

Context::Context() : state_(std::make_unique<State>()) {
  state_->context.set(zmq::ctxopt::io_threads, kIoThreads);
  state_->context.set(zmq::ctxopt::max_sockets, kMaxSockets);
  state_->context.set(zmq::ctxopt::blocky, false);
}
Context::~Context() = default;

void* Context::handle() const {
  return &state_->context;
}

zmq::context_t& context_of(const Context& context) {
  return *static_cast<zmq::context_t*>(context.handle());
}

Wakeup::Wakeup() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
}
Wakeup::~Wakeup() {
  ::close(fd_);
}
void Wakeup::signal() const noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(fd_, &one, sizeof one);  // full means signalled already
}
void Wakeup::drain() const noexcept {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(fd_, &count, sizeof count);
}

void wait(std::span<WaitItem> items, std::chrono::milliseconds timeout) {
  std::vector<zmq_pollitem_t> polled;
  polled.reserve(items.size());
  for (const WaitItem& item : items) polled.push_back({item.socket, item.fd, ZMQ_POLLIN, 0});
  const int got = zmq_poll(polled.data(), static_cast<int>(polled.size()), timeout.count());
  for (std::size_t i = 0; i < items.size(); ++i) items[i].ready = got > 0 && (polled[i].revents & ZMQ_POLLIN) != 0;
}

}  // namespace lianxi::net
