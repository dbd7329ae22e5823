// What waits in libzmq's queues, counted in bytes for each agent over all its connections. libzmq bounds a queue by messages
// and for one connection alone; memory is a matter of bytes and of whoever has many connections.
//
// A message is charged when it is handed to libzmq and released when libzmq lets go of it: when it was encrypted for the wire,
// or its connection is gone. So a queue of nobody who reads counts, whatever credit its agent claims to have.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace lianxi::net {

// Each has a budget of its own: an agent that is slow to read what it follows still gets its receipts.
enum class SendClass : std::uint8_t { delivery = 0, answer = 1, query = 2 };
inline constexpr std::size_t kSendClasses = 3;

// Above `agent` an agent's next message waits or is refused; one message may pass the bound. What is left of `all` is the
// bound where it is smaller: whoever has little queued is served while whoever has much must wait.
struct SendBound {
  std::int64_t agent = 0;
  std::int64_t all = 0;
};
using SendBounds = std::array<SendBound, kSendClasses>;

inline constexpr std::int64_t kSendOverheadBytes = 256;  // of a queued message beside its payload
inline constexpr std::int64_t kMegabyte = 1024 * 1024;
inline constexpr SendBounds kSendBounds{{{8 * kMegabyte, 48 * kMegabyte},    // deliveries
                                         {4 * kMegabyte, 24 * kMegabyte},    // answers, refusals, heartbeats
                                         {4 * kMegabyte, 24 * kMegabyte}}};  // answers to queries

// Any thread. Lives as long as somebody holds it or one of its queues.
class SendLedger {
  struct Counts {
    std::array<std::atomic<std::int64_t>, kSendClasses> bytes{};
  };
  struct Total : Counts {
    SendBounds bounds{};
  };

 public:
  // One connection's part. Its messages hold it, and release themselves on libzmq's threads.
  class Queue {
   public:
    Queue(std::shared_ptr<Total> total, std::shared_ptr<Counts> agent) : total_(std::move(total)), agent_(std::move(agent)) {}
    [[nodiscard]] bool has_room(SendClass what) const;
    void charge(SendClass what, std::size_t bytes);
    void release(SendClass what, std::size_t bytes);
    // The message released last was not sent: that is no sign of a peer that reads.
    void unsent() { released_ -= 1; }
    [[nodiscard]] std::int64_t bytes() const { return bytes_; }         // on this connection
    [[nodiscard]] std::uint64_t released() const { return released_; }  // messages, ever: moves while the peer reads
    [[nodiscard]] std::int64_t agent_bytes(SendClass what) const;

   private:
    std::shared_ptr<Total> total_;
    std::shared_ptr<Counts> agent_;
    std::atomic<std::int64_t> bytes_{0};
    std::atomic<std::uint64_t> released_{0};
  };

  explicit SendLedger(const SendBounds& bounds = kSendBounds);
  [[nodiscard]] std::shared_ptr<Queue> open(const std::string& agent);
  [[nodiscard]] std::int64_t bytes(SendClass what) const;

 private:
  std::shared_ptr<Total> total_;
  std::mutex mutex_;
  std::map<std::string, std::weak_ptr<Counts>> agents_;
  std::size_t forget_at_ = 64;  // entries: time to forget agents without connections
};

}  // namespace lianxi::net
