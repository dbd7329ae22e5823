// What a simulated node says in one turn, on its way to the network: watched for the order of what is said (promises 1 and 4)
// and for what guests may have (promise 3), and broken off where the node is to die between two effects.
#pragma once

#include <functional>
#include <optional>

#include "tests/sim/network.h"

namespace lianxi::sim {

// How many more effects leave the node; nothing: no end is planned.
class EffectFuse {
 public:
  void set(std::uint64_t effects) { left_ = effects; }
  void clear() { left_.reset(), spent_ = false; }
  // False: the node is dead by now.
  bool burn() {
    if (left_ && *left_ == 0) spent_ = true;
    if (left_ && !spent_) --*left_;
    return !spent_;
  }
  [[nodiscard]] bool spent() const { return spent_; }

 private:
  std::optional<std::uint64_t> left_;
  bool spent_ = false;
};

class SimOutlet final : public app::Outlet {
 public:
  struct Parts {
    World& world;
    Network& network;
    HostId host;
    EffectFuse& fuse;
    const core::Policy& policy;
    const std::map<core::Connection, core::Agent>& guests;
    std::set<std::pair<core::Connection, SessionId>>& live;  // follows that stood at the head: what they lack is in memory
    std::function<bool()> flash_waits;
    std::function<void()> committing;
    std::function<bool(const core::Connection&)> is_member;  // true also for whoever is no node
    bool flash_behind_bulk = false;                          // mutation: it does not say which connections are of the flash lane
  };
  explicit SimOutlet(Parts parts) : parts_(std::move(parts)) {}

  app::SendResult answer(const core::Connection& to, const Message& message) override;
  app::SendResult deliver(const core::Connection& to, const app::DeliveryHead& head,
                          const std::shared_ptr<const Bytes>& segments) override;
  [[nodiscard]] bool is_flash(const core::Connection& to) const override;
  [[nodiscard]] bool flash_waits() override;
  void committing() override;
  void committed() override { open_commit_ = false; }

 private:
  app::SendResult say(const core::Connection& to, const Message& message, bool in_order);
  void check_order(const core::Connection& to, const Message& message, bool in_order);
  void check_guest(const core::Agent& guest, const Bytes& segments);

  Parts parts_;
  bool open_commit_ = false, other_said_ = false, flash_waited_ = false;
};

}  // namespace lianxi::sim
