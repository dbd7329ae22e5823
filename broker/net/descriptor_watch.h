// Keeps memory bounded against what peers send and libzmq holds. libzmq bounds the messages that wait, not their bytes; it
// shows nothing of a multipart message until its last part, and bounds neither its parts nor the number of connections. What
// can be seen is how many bytes the kernel has given for a connection, and how many of them came out as messages.
//
// Descriptors are numbers that the kernel gives out again, and libzmq closes them in its own threads. So each is known by its
// socket cookie, and is cut through a duplicate whose cookie was compared: another connection is never shut by mistake.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace lianxi::net {

// The kernel's number of a connection, never reused; 0 if `fd` is no connected TCP socket.
[[nodiscard]] std::uint64_t connection_cookie(int fd);
// Shuts both directions if `fd` still is that connection.
bool cut_connection(int fd, std::uint64_t cookie);

// What the kernel has received for a connection; 0 if `fd` is none.
[[nodiscard]] std::uint64_t bytes_received(int fd);
// Of that, what libzmq has not read yet.
[[nodiscard]] std::uint64_t bytes_unread(int fd);

// What came out of a connection as messages, or was forgiven. Written by the watch's thread, read by any.
struct HandedOut {
  std::atomic<std::uint64_t> bytes{0};
};
class ConnectionGuard;

struct WatchBounds {
  std::uint64_t message_bytes = 0;                    // of one connection, in no whole message
  std::uint64_t waiting_bytes = 96ULL * 1024 * 1024;  // of all connections, in messages or not
  std::size_t connections = 512;
  std::size_t connections_of_agent = 128;
};

// Connections cut, by reason.
struct WatchCuts {
  std::size_t endless = 0;  // a message without end
  std::size_t waiting = 0;  // its agent had the most waiting when too much waited in all
  std::size_t crowded = 0;  // too many connections, of its agent or in all
  [[nodiscard]] std::size_t all() const { return endless + waiting + crowded; }
};

// One thread: that of the watched socket.
class DescriptorWatch {
 public:
  // `bounds.message_bytes`: what one message may take, with room for what the kernel and libzmq hold back.
  // `guard`, if any, is told what came out, and outlives the watch.
  explicit DescriptorWatch(const WatchBounds& bounds, ConnectionGuard* guard = nullptr) : bounds_(bounds), guard_(guard) {}

  // The monitor tells of a connection.
  void opened(int fd);
  // A message came out; `wire_bytes` is what it took on the wire, as near as can be said.
  void yielded(int fd, std::size_t wire_bytes, const std::string& agent);
  // The watched socket had nothing to read: all that is whole has been handed out.
  void drained();
  // The connection that a message read now came from; 0 if it may have been an earlier one of the same number. Call it when
  // all that the monitor knows was told.
  [[nodiscard]] std::uint64_t sender(int fd) const;

  // Forgets what is closed, cuts what is over a bound. Call it at least every 200 ms.
  WatchCuts sweep();
  // True if some bound is half reached: sweep again soon.
  [[nodiscard]] bool suspicious() const { return suspicious_; }
  [[nodiscard]] std::size_t size() const;                                       // open connections
  [[nodiscard]] std::uint64_t waiting_bytes() const { return waiting_bytes_; }  // at the last sweep
  // Connections that ended without a word since the last call: most of them proved no key.
  [[nodiscard]] std::size_t take_silent_ends();
  void cut_all();

 private:
  struct Descriptor {
    std::uint64_t cookie = 0;
    std::uint64_t number = 0;  // in order of appearance
    std::shared_ptr<HandedOut> handed = std::make_shared<HandedOut>();
    std::uint64_t sampled_bytes = 0;  // received at the last sweep, and read by libzmq
    std::uint64_t waiting_bytes = 0;  // received at the last sweep, and not handed out
    std::string agent;                // empty: has said nothing yet
    bool told = false;                // by the monitor, and not only by a message
    bool yielded = false;             // since the last sweep
    bool doubtful = false;            // messages of an earlier connection of this number may still come out
    bool closed = false;
    bool cut = false;
  };
  using Entry = std::map<int, Descriptor>::iterator;
  Descriptor& note(int fd, std::uint64_t cookie);
  void look(int fd, Descriptor& known, WatchCuts& cuts);
  void bound_waiting(WatchCuts& cuts);
  void bound_connections(WatchCuts& cuts);
  static bool cut(int fd, Descriptor& known);

  WatchBounds bounds_;
  ConnectionGuard* guard_ = nullptr;
  std::map<int, Descriptor> descriptors_;
  std::uint64_t opened_ = 0;
  std::uint64_t waiting_bytes_ = 0;
  std::size_t silent_ends_ = 0;
  bool drained_ = false;  // since the last sweep
  bool suspicious_ = false;
};

}  // namespace lianxi::net
