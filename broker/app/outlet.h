// What a node says things through: the broker's sockets, or a simulated network. Everything that leaves stands on disk.
#pragma once

#include <functional>
#include <memory>

#include "broker/core/input.h"

namespace lianxi::app {

// Sends a message to a connection now, or says why not. The core hears what became of a delivery; an answer that cannot be
// sent is given again when its client repeats the question.
enum class SendResult : std::uint8_t { sent, full, gone };

struct DeliveryHead {
  SessionId follow;
  Offset next;
  bool caught_up = false;
  std::shared_ptr<const Bytes> packed = {};  // the same segments, compressed: the follower takes them so, and it pays
};

class Outlet {
 public:
  virtual ~Outlet() = default;
  virtual SendResult answer(const core::Connection& to, const Message& message) = 0;
  // `segments` goes to several connections, and none of them may change it.
  virtual SendResult deliver(const core::Connection& to, const DeliveryHead& head,
                             const std::shared_ptr<const Bytes>& segments) = 0;

  // Whether what goes to this connection belongs to the flash lane, and goes first.
  [[nodiscard]] virtual bool is_flash(const core::Connection& /*to*/) const { return false; }
  // Whether a flash message waits to be taken in: then nothing of other lanes is said before it. Asked between any two
  // messages of other lanes.
  [[nodiscard]] virtual bool flash_waits() { return false; }
  // Likewise, between two pieces of work on one message, which is longer than a message takes to be said.
  [[nodiscard]] virtual bool flash_waits_now() { return flash_waits(); }
  virtual void committing() {}
  virtual void committed() {}
  // The flash events of a turn are said: their answers and their deliveries to flash followers have left.
  virtual void flash_said(std::size_t /*events*/) {}
};

// For callers that send whole messages one by one.
using Sender = std::function<SendResult(const core::Connection&, const Message&)>;
class SenderOutlet final : public Outlet {
 public:
  explicit SenderOutlet(const Sender& send) : send_(send) {}
  SendResult answer(const core::Connection& to, const Message& message) override { return send_(to, message); }
  SendResult deliver(const core::Connection& to, const DeliveryHead& head,
                     const std::shared_ptr<const Bytes>& segments) override {
    return send_(to, Message(Deliver{head.follow, head.next, head.caught_up, *segments}));
  }

 private:
  const Sender& send_;
};

}  // namespace lianxi::app
