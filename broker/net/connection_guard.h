// Bounds what waits on a socket while the socket's thread cannot: it may stand in an fsync for seconds, and libzmq's I/O threads
// go on taking in messages that have no end. So a thread of its own compares the bytes that each connection has received with
// those that came out as messages, and cuts.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "broker/net/context.h"
#include "broker/net/descriptor_watch.h"

namespace zmq {
class socket_t;
}

namespace lianxi::net {

struct SocketEvent;

// Own thread.
class ConnectionGuard {
 public:
  // Hears the monitor of `socket` from now on; both outlive it.
  ConnectionGuard(Context& context, zmq::socket_t& socket, int events, std::uint64_t waiting_bytes);
  ~ConnectionGuard();
  ConnectionGuard(const ConnectionGuard&) = delete;
  ConnectionGuard& operator=(const ConnectionGuard&) = delete;

  // All of the rest: any thread.

  // What the monitor has told since the last call, up to now.
  [[nodiscard]] std::vector<SocketEvent> take_events();
  // Where the socket's thread counts what comes out of a connection.
  [[nodiscard]] std::shared_ptr<HandedOut> handed_out(int fd, std::uint64_t cookie);
  // Whose connection it is: cut is the largest of the agent that has the most waiting.
  void named(int fd, std::uint64_t cookie, const std::string& agent);
  // Connections cut since the last call.
  [[nodiscard]] std::size_t take_cut();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace lianxi::net
