// Bounds from outside what subscribers of `live` send. libzmq takes in every subscription of a connection, in the socket's own
// thread and without end, and keeps a tree node for each byte of a topic, before a caller sees the first. So a thread of its
// own looks at how many bytes each connection has sent, and cuts whoever sends more than an honest subscriber has to say.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "broker/net/context.h"

namespace zmq {
class socket_t;
}

namespace lianxi::net {

inline constexpr std::size_t kLiveHandshakeBytes = 1024;            // greeting and CURVE: not counted
inline constexpr std::size_t kLiveConnectionBytes = 96 * 1024;      // at once, from one connection
inline constexpr std::size_t kLiveBytes = 512 * 1024;               // at once, from all
inline constexpr std::size_t kLiveForgottenBytesPerSecond = 2'048;  // of each connection: what it may say in the long run

// Own thread.
class LiveGuard {
 public:
  // Hears the monitor of `socket` from now on; both outlive it.
  LiveGuard(Context& context, zmq::socket_t& socket);
  ~LiveGuard();
  LiveGuard(const LiveGuard&) = delete;
  LiveGuard& operator=(const LiveGuard&) = delete;

  // Descriptors accepted since the last call. Any thread.
  [[nodiscard]] std::vector<int> take_accepted();
  // Connections cut since the last call. Any thread.
  [[nodiscard]] std::size_t take_cut();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lianxi::net
