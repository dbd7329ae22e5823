#include <poll.h>
#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>

#include "agents/sdk/stop_signal.h"

namespace lianxi::sdk {

StopSignal::StopSignal() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signals_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals_ < 0) std::abort();  // no descriptors left at start
}

StopSignal::~StopSignal() {
  ::close(signals_);
}

StopSignal::Woken StopSignal::wait(std::chrono::milliseconds timeout) {
  std::array<pollfd, 2> items{{{signals_, POLLIN, 0}, {notices_.fd(), POLLIN, 0}}};
  const auto most = std::clamp<std::int64_t>(timeout.count(), 0, 60'000);
  if (::poll(items.data(), items.size(), static_cast<int>(most)) <= 0) return Woken::timeout;
  if ((items[0].revents & POLLIN) != 0) return Woken::stopped;
  notices_.drain();
  return Woken::notified;
}

void StopSignal::notify() {
  notices_.signal();
}

}  // namespace lianxi::sdk
