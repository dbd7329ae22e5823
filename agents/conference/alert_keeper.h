// Follows a node's alerts and keeps a receipt of each. Says one line for each new one, after it is on disk.
// start() and the callbacks' thread (the client's I/O thread) share it; the rest may be called from any thread.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>

#include "agents/conference/receipts.h"
#include "agents/sdk/client.h"

namespace lianxi::conference {

struct KeeperOptions {
  bool json = false;
  bool chinese = false;
  std::optional<std::uint64_t> count;  // stop after so many new receipts
};

class AlertKeeper {
 public:
  // `say` prints a line; `wake` is called when over() or wants_restart() may have changed.
  AlertKeeper(Receipts& receipts, KeeperOptions options, std::function<void(const std::string&)> say, std::function<TimeMs()> now,
              std::function<void()> wake);

  // Where the follow begins: the durable cursor, or the beginning.
  [[nodiscard]] sdk::FollowOptions where() const;
  [[nodiscard]] sdk::FollowCallbacks callbacks();

  // The node does not know the cursor (restored, or another one): follow again from the beginning. Asking resets it.
  [[nodiscard]] bool wants_restart();
  [[nodiscard]] bool over() const { return over_; }
  [[nodiscard]] std::string failure() const;  // why it is over; empty if all receipts asked for are kept

 private:
  void event(const sdk::Delivery& delivery);
  void progress(Offset next);
  void refused(const Refusal& refusal);
  void fail(const std::string& why);
  [[nodiscard]] std::string line(const AlertReceipt& receipt, Offset offset) const;

  Receipts& receipts_;
  KeeperOptions options_;
  std::function<void(const std::string&)> say_;
  std::function<TimeMs()> now_;
  std::function<void()> wake_;
  Cursor cursor_;
  std::vector<std::string> lines_;  // of receipts not yet committed
  std::uint64_t kept_ = 0;
  bool from_beginning_ = false;
  std::atomic<bool> over_{false};
  std::atomic<bool> restart_{false};
  mutable std::mutex mutex_;
  std::string failure_;
};

}  // namespace lianxi::conference
