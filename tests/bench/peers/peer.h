// One broker of some make under the bench: it is started by us on loopback in a folder of its own, publishers hand it events
// and count its answers, followers take them out again. One .cpp for each make.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/bench/child_process.h"
#include "tests/bench/histogram.h"
#include "tests/bench/payloads.h"

namespace lianxi::bench {

struct Answer {
  std::uint64_t number = 0;
  Clock::time_point at;
};

// One client that publishes. One thread calls it.
class Publisher {
 public:
  virtual ~Publisher() = default;
  // Hands one event over, by the client library's own way of pipelining; flush() lets go what is buffered.
  virtual void send(std::uint64_t number) = 0;
  virtual void flush() {}
  // Takes the answers that have come, each with the time at which it came, until `until`; `some`: no longer than until there
  // is one. Throws if the broker refuses or is gone.
  virtual void collect(std::vector<Answer>& out, Clock::time_point until, bool some) = 0;
};

// One client that takes events out and hands each to its checker. One thread calls it.
class Consumer {
 public:
  virtual ~Consumer() = default;
  virtual void step() = 0;  // what is there, waiting for a few hundredths of a second at most
};

// What an answer of this broker is worth.
struct Worth {
  bool stored = false;
  bool synced = false;  // before it answers
  std::string words;    // by which settings, or by which page of its documentation
};

struct PeerInfo {
  std::string name;   // in files and options
  std::string title;  // in tables
  Worth worth;
};

class Peer {
 public:
  virtual ~Peer() = default;
  virtual void start() = 0;  // throws std::runtime_error with the reason
  virtual void stop() = 0;
  [[nodiscard]] virtual pid_t pid() const = 0;
  [[nodiscard]] virtual std::string version() const = 0;
  // Makes the place where one measurement's events go: stream, queue, table. At most `publishers` will publish.
  virtual void open_topic(const std::string& topic, std::size_t publishers) = 0;
  virtual std::unique_ptr<Publisher> open_publisher(const std::string& topic, std::size_t index, Payloads payloads,
                                                    std::size_t window) = 0;
  // Returns once it is sure to hear whatever is published from now on. `checker` outlives it.
  virtual std::unique_ptr<Consumer> open_consumer(const std::string& topic, std::size_t index, Checker& checker) = 0;
  // After the last publisher is opened and before the first sends.
  virtual void settle() {}
};

struct PeerSource {
  PeerInfo info;
  std::string missing;  // why it cannot be measured here: a program or a library; empty: it can
  std::unique_ptr<Peer> (*make)() = nullptr;
};

// For clients whose library answers on a thread of its own.
class AnswerBox {
 public:
  void put(std::uint64_t number) {
    const auto now = Clock::now();
    const std::lock_guard lock(mutex_);
    answers_.push_back({number, now});
    if (!waiting_) return;
    waiting_ = false;
    come_.notify_one();
  }
  void fail(const std::string& why) {
    const std::lock_guard lock(mutex_);
    if (failure_.empty()) failure_ = why;
    come_.notify_one();
  }
  void collect(std::vector<Answer>& out, Clock::time_point until, bool some) {
    std::unique_lock lock(mutex_);
    waiting_ = some;
    come_.wait_until(lock, until, [&] { return !failure_.empty() || (some && !answers_.empty()); });
    waiting_ = false;
    if (!failure_.empty()) throw std::runtime_error(failure_);
    out.insert(out.end(), answers_.begin(), answers_.end());
    answers_.clear();
  }

 private:
  std::mutex mutex_;
  std::condition_variable come_;
  std::vector<Answer> answers_;
  std::string failure_;
  bool waiting_ = false;
};

// Until the descriptor can be read, or the time is over. False: it is over.
[[nodiscard]] bool wait_readable(int fd, Clock::time_point until);

inline constexpr std::chrono::milliseconds kConsumerWait{50};
inline constexpr std::chrono::seconds kPeerPatience{20};

// All makes that the bench knows, in the order of the tables. Those whose library was not found when this was built say so.
[[nodiscard]] std::vector<PeerSource> peer_sources();
PeerSource redis_always();
PeerSource redis_none();
PeerSource nats_jetstream();
PeerSource rabbitmq_quorum();
PeerSource mosquitto_qos1();
PeerSource postgresql();
PeerSource zmq_proxy_peer();  // stores nothing, answers nothing: for fan-out alone

// What `lianxi-bench proxy FRONT BACK` does, as a process of its own.
[[nodiscard]] int run_zmq_proxy(int front, int back);

}  // namespace lianxi::bench
