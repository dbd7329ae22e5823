// Keeps memory bounded against a peer that sends a multipart message without end: libzmq counts neither its parts nor their
// bytes, and shows nothing until the last part. What can be seen is a descriptor that takes bytes and yields no message.
//
// Descriptors are numbers that the kernel gives out again, and libzmq closes them in its own threads. So each is known by its
// socket cookie, and is cut through a duplicate whose cookie was compared: another connection is never shut by mistake.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

namespace lianxi::net {

// The kernel's number of a connection, never reused; 0 if `fd` is no connected TCP socket.
[[nodiscard]] std::uint64_t connection_cookie(int fd);
// Shuts both directions if `fd` still is that connection.
bool cut_connection(int fd, std::uint64_t cookie);

// One thread: that of the watched socket.
class DescriptorWatch {
 public:
  // `max_unyielded_bytes`: what one message may take, with room for what the kernel and libzmq hold back.
  explicit DescriptorWatch(std::uint64_t max_unyielded_bytes) : max_unyielded_bytes_(max_unyielded_bytes) {}

  void opened(int fd);
  void yielded(int fd);
  // The watched socket had nothing to read: all that is whole has been handed out.
  void drained() { drained_ = true; }

  // Forgets what is closed, cuts what is over the bound; gives the number cut. Call it at least every 200 ms.
  std::size_t sweep();
  // True if some descriptor is halfway to the bound: sweep again soon.
  [[nodiscard]] bool suspicious() const { return suspicious_; }
  [[nodiscard]] std::size_t size() const { return descriptors_.size(); }
  void cut_all();

 private:
  struct Descriptor {
    std::uint64_t cookie = 0;
    std::uint64_t baseline_bytes = 0;  // received when a message was last seen
    std::uint64_t sampled_bytes = 0;   // received at the last sweep
    bool yielded = false;              // since the last sweep
  };
  std::uint64_t max_unyielded_bytes_;
  std::map<int, Descriptor> descriptors_;
  bool drained_ = false;  // since the last sweep
  bool suspicious_ = false;
};

}  // namespace lianxi::net
