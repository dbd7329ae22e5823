// What every broker carries in a measurement: real events of ours, the same bytes for all. Each holds its publisher and its
// number in the clear, so that a follower of any make can tell that none is missing.
#pragma once

#include <array>
#include <atomic>
#include <string>
#include <vector>

#include "schemas/codec/event_codec.h"

namespace lianxi::bench {

inline constexpr std::size_t kMaxPublishers = 16;

enum class PayloadKind : std::uint8_t {
  light,    // a change of state of one of a thousand resources: the lightest of our kinds
  bulk,     // the same resources' quantities: lane `bulk`
  incident  // a full report on one of a thousand incidents
};

// One publisher's events. One thread.
class Payloads {
 public:
  // `bytes`: size of an encoded event; not for incidents, which are as large as they are.
  Payloads(PayloadKind kind, std::size_t publisher, std::size_t bytes);
  // The event as our client takes it. Valid until the next call.
  [[nodiscard]] const Event& event(std::uint64_t number);
  // The same event encoded, ready made but for its number: peers' publishers spend no time on it.
  [[nodiscard]] std::string_view bytes(std::uint64_t number);
  [[nodiscard]] std::size_t size_bytes() const { return encoded_.front().size(); }

 private:
  std::size_t publisher_;
  std::vector<Event> events_;
  std::vector<std::string> encoded_;
  std::vector<std::size_t> number_at_;  // in `encoded_`
};

// What a follower does with each event: read it whole, every field with its checks, and see that every publisher's numbers are
// dense.
// One thread calls check(); any thread reads.
class Checker {
 public:
  // Throws std::runtime_error if it cannot be read or is not the next of its publisher.
  void check(std::string_view bytes);
  void check(const Result<const EventReader*>& event);  // as our client hands it over, read and checked
  [[nodiscard]] std::uint64_t received() const { return received_; }
  void fail(std::string why);
  [[nodiscard]] bool failed() const { return failed_; }
  [[nodiscard]] const std::string& failure() const { return failure_; }  // once failed()

 private:
  EventReader reader_;
  std::array<std::uint64_t, kMaxPublishers> next_{};
  std::atomic<std::uint64_t> received_{0};
  std::atomic<bool> failed_{false};
  std::string failure_;
};

}  // namespace lianxi::bench
