// The node's words through the broker's sockets, and the look at the flash sockets between them. The broker's thread.
#pragma once

#include "broker/app/flash_watch.h"
#include "broker/app/intake.h"
#include "broker/app/outlet.h"

namespace lianxi::app {

// Other lanes' bytes, and messages, that may be said between two looks at the flash sockets.
inline constexpr std::size_t kLookBytes = 16 * 1024;
inline constexpr std::size_t kLookMessages = 64;

class SocketOutlet final : public Outlet {
 public:
  SocketOutlet(EndpointSet& endpoints, LinkTable& links, Metrics& metrics)
      : endpoints_(endpoints), links_(links), metrics_(metrics) {}

  SendResult answer(const core::Connection& to, const Message& message) override;
  SendResult deliver(const core::Connection& to, const DeliveryHead& head, const std::shared_ptr<const Bytes>& segments) override;
  [[nodiscard]] bool is_flash(const core::Connection& to) const override;
  [[nodiscard]] bool flash_waits() override;
  [[nodiscard]] bool flash_waits_now() override { return look(); }
  void committing() override { (void)look(); }
  void committed() override;
  void flash_said(std::size_t events) override;

  // The flash sockets were emptied just now.
  void taken() { watch_.taken(); }

 private:
  bool look();
  void said(const core::Connection& to, std::size_t bytes);

  EndpointSet& endpoints_;
  LinkTable& links_;
  Metrics& metrics_;
  FlashWatch watch_;
  std::size_t unlooked_ = 0;  // messages since the last look
};

}  // namespace lianxi::app
