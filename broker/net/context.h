// The sockets' common ground: one ZeroMQ context with two I/O threads, so that bulk in one of them cannot delay flash.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "broker/net/net_result.h"

namespace lianxi::net {

struct CurveKeys {  // Z85, 40 characters each
  std::string public_key;
  std::string secret_key;
};

// Which I/O thread serves a socket.
enum class IoThread : std::uint8_t { flash = 0, rest = 1 };

// Outlives every socket made from it. Any thread may make sockets from it; each socket belongs to one thread.
class Context {
 public:
  Context();
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  [[nodiscard]] void* handle() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Wakes a thread that waits in wait(): signal() from any thread and from signal handlers.
class Wakeup {
 public:
  Wakeup();
  ~Wakeup();
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;
  void signal() const noexcept;
  void drain() const noexcept;
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_ = -1;
};

struct WaitItem {
  void* socket = nullptr;  // or
  int fd = -1;
  bool ready = false;  // set by wait(): something to read
};
// Until something is readable or the time is over.
void wait(std::span<WaitItem> items, std::chrono::milliseconds timeout);

}  // namespace lianxi::net
